"""The recorded days as recordings that the whole tree can replay, with what the venue would have told of the weeks before."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry, HistoryKept
from commands import convert
from commands.backtesting.recorded import DATA
from commands.conversions.source import Source
from intelligence.history import DAY_MS, HOUR_MS, BarSpan, Interval
from intelligence.market import Kline

PAST_DAYS = 35  # more than the thirty that are wanted
CANDLES = "multi/candles_1h_BTC_ETH_DOGE.csv.gz"
CANDLE_VENUE = "binance"


@dataclass(frozen=True, slots=True)
class Stretch:
    """`files`: below the data folder, as `run.py convert` names them; only what lies between the two times is taken.

    `scored_from`: what was raised before does not count. `past_of`: assets of which hourly candles before the start are known.
    `policies`: those that can differ there; the cap concerns liquidations alone, `learned` needs fourteen days before.
    """

    name: str
    files: tuple[str, ...]
    begins: str
    ends: str
    scored_from: str = ""
    past_of: tuple[str, ...] = ()
    policies: tuple[str, ...] = ("static", "tiered, capped", "tiered, no cap")

    @property
    def from_ms(self) -> int:
        return _ms(self.begins)

    @property
    def until_ms(self) -> int:
        return _ms(self.ends)

    @property
    def scored_ms(self) -> int:
        return _ms(self.scored_from) if self.scored_from else self.from_ms

    @property
    def days(self) -> float:
        return (self.until_ms - self.scored_ms) / DAY_MS


def _open_interest(*coins: str) -> tuple[str, ...]:
    return tuple(f"binance/metrics/oi_5m_{coin}USDT_2025-12-01_2026-04-14.csv.gz" for coin in coins)


STRETCHES = {
    "binance": Stretch(
        "Binance, forced orders of 257 assets and open interest, 2025-12-27 14:31 to 16:00",
        ("binance/force_orders/2025-12-27_28_all_symbols.csv", *_open_interest("BTC", "ETH", "DOGE")),
        "2025-12-27T14:31",
        "2025-12-27T16:00",
        past_of=("BTC", "ETH", "DOGE"),
    ),
    "binance-late": Stretch(
        "Binance, forced orders of 257 assets and open interest, 2025-12-28 20:16 to 20:44",
        ("binance/force_orders/2025-12-27_28_all_symbols.csv", *_open_interest("BTC", "ETH", "DOGE")),
        "2025-12-28T20:16",
        "2025-12-28T20:44",
        past_of=("BTC", "ETH", "DOGE"),
    ),
    "okx": Stretch(
        "OKX, liquidations of BTC and DOGE, and Binance's open interest, 2026-03-04 to 03-05 11:17",
        ("okx/rest/liquidations_BTC_DOGE_HYPE.csv.gz", *_open_interest("BTC", "DOGE")),
        "2026-03-04T00:00",
        "2026-03-05T11:18",
        past_of=("BTC", "DOGE"),
    ),
    "hyperliquid": Stretch(
        "Hyperliquid, trades, marks and open interest of BTC, ETH, DOGE and AVAX, 2026-06-14 to 06-18",
        tuple(
            f"hyperliquid/stretch_2026-06/{kind}_{coin}_202606{day}.jsonl.gz"
            for kind in ("trades", "ctx")
            for coin in ("BTC", "ETH", "DOGE", "AVAX")
            for day in range(14, 19)
        ),
        "2026-06-14T00:00",
        "2026-06-19T00:00",
        scored_from="2026-06-15T00:00",  # a day of volume comes first
        policies=("static", "tiered, capped"),
    ),
    "bybit": Stretch(
        "Bybit, minute bars of BTC, ETH, BNB and DOGE, 2025-05-29 to 06-28, from the fifteenth day on",
        tuple(f"bybit/rest/kline_1m_{coin}USDT_2025-05-29_2025-06-28.csv.gz" for coin in ("BTC", "ETH", "BNB", "DOGE")),
        "2025-05-29T00:00",
        "2025-06-28T00:00",
        scored_from="2025-06-12T00:00",
        policies=("static", "tiered, capped", "learned"),
    ),
}


def write(stretch: Stretch, out: Path) -> None:
    """Convert it, the past of its assets first."""
    sources = [_between(convert.source(str(DATA / file)), stretch) for file in stretch.files]
    if stretch.past_of:
        sources = [*sources, _past(stretch)]
    convert.write(out, sources)


def _between(source: Source, stretch: Stretch) -> Source:
    entries = (entry for entry in source.entries if stretch.from_ms <= entry.at_ms < stretch.until_ms)
    return replace(source, entries=entries)


def _past(stretch: Stretch) -> Source:
    instruments = tuple(
        Instrument(venue=CANDLE_VENUE, instrument=f"{coin}USDT", asset=coin) for coin in stretch.past_of
    )
    entries = [entry for one in instruments for entry in _histories(one, stretch.from_ms)]
    return Source(venue=CANDLE_VENUE, instruments=instruments, entries=entries)


def _histories(instrument: Instrument, at_ms: int) -> Iterator[Entry]:
    hours = [bar for bar in _candles(instrument) if at_ms - PAST_DAYS * DAY_MS <= bar.exchange_ms <= at_ms - HOUR_MS]
    of_day: dict[int, list[Kline]] = {}
    for bar in hours:
        of_day.setdefault(bar.exchange_ms // DAY_MS, []).append(bar)
    days = [_together(bars) for bars in of_day.values() if len(bars) == 24]
    spans: tuple[tuple[Interval, Sequence[Kline], int], ...] = (("1h", hours, HOUR_MS), ("1d", days, DAY_MS))
    for interval, rows, length_ms in spans:
        span = BarSpan(
            venue=instrument.venue,
            instrument=instrument.instrument,
            interval=interval,
            from_ms=rows[0].exchange_ms,
            until_ms=rows[-1].exchange_ms + length_ms,
            received_ms=at_ms,
            rows=tuple(rows),
        )
        yield HistoryKept(at_ms=at_ms, venue=instrument.venue, asset=instrument.asset, bars=span)


def _candles(instrument: Instrument) -> Iterator[Kline]:
    with gzip.open(DATA / CANDLES, "rt") as file:
        for row in csv.DictReader(file):
            if row["venue"] == instrument.venue and row["coin"] == instrument.asset:
                opened_ms = int(datetime.fromisoformat(row["timestamp"]).timestamp() * 1000)
                yield Kline(
                    venue=instrument.venue,
                    instrument=instrument.instrument,
                    asset=instrument.asset,
                    exchange_ms=opened_ms,
                    received_ms=opened_ms + HOUR_MS,
                    interval="1h",
                    open=float(row["o"]),
                    high=float(row["h"]),
                    low=float(row["l"]),
                    close=float(row["c"]),
                    quantity=float(row["v"]),
                    closed=True,
                )


def _together(bars: Sequence[Kline]) -> Kline:
    first, last = bars[0], bars[-1]
    return Kline(
        venue=first.venue,
        instrument=first.instrument,
        asset=first.asset,
        exchange_ms=first.exchange_ms,
        received_ms=last.received_ms,
        interval="1d",
        open=first.open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=last.close,
        quantity=sum(bar.quantity for bar in bars),
        notional_usd=sum(bar.quantity * bar.close for bar in bars),
        closed=True,
    )


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
