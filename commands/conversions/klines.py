"""Candles of Binance and Bybit. The trades in them are lost; four prices of each bar stand for them.

A quarter of the volume at the open, the low, the high (in a falling bar the high first) and the close, spread over the
bar, each half bought and half sold by takers unless the file tells how much was bought. So volumes and prices of a minute
are the venue's own, the path within it is not.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from actors.exchanges import records
from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry, RecordsKept, TradesKept
from commands.conversions.source import Source, columns, epoch_ms, linear, rows

POINTS = (0.1, 0.35, 0.65, 0.95)  # of the bar
_BOUGHT = "taker_buy_base_asset_volume"
_PRICES = ("open", "high", "low", "close")


class _Bar(NamedTuple):
    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bought_share: float

    @property
    def path(self) -> tuple[float, float, float, float]:
        falls = self.close < self.open
        turns = (self.high, self.low) if falls else (self.low, self.high)
        return (self.open, *turns, self.close)


def klines(path: Path, venue: str, symbol: str, minutes: int) -> Source:
    """Raises what reading a file raises."""
    instrument, problems = linear(venue, symbol), list[str]()
    bars = rows(path, _reader(columns(path)), problems, header=True)
    entries = _entries(bars, instrument, minutes * 60_000)
    return Source(venue=venue, instruments=(instrument,), entries=entries, problems=problems)


def _reader(names: list[str]) -> Callable[[str], _Bar]:
    def read(line: str) -> _Bar:
        (cells,) = csv.reader([line])
        row = dict(zip(names, cells, strict=True))
        first, high, low, last = (float(row[name]) for name in _PRICES)
        volume = float(row["volume"])
        bought = float(row[_BOUGHT]) if _BOUGHT in row else volume / 2
        return _Bar(epoch_ms(cells[0]), first, high, low, last, volume, bought / volume if volume else 0.5)

    return read


def _entries(bars: Iterator[_Bar], instrument: Instrument, length_ms: int) -> Iterator[Entry]:
    scale, named = instrument.multiplier, {"venue": instrument.venue}
    for bar in bars:
        for share, price in zip(POINTS, bar.path, strict=True):
            at_ms = bar.open_ms + int(share * length_ms)
            mark = records.mark_price(instrument, (at_ms, at_ms), price=price)
            yield RecordsKept(at_ms=at_ms, records=(mark,), **named)
            if not bar.volume:
                continue
            coins = bar.volume * scale / len(POINTS)
            yield TradesKept(
                at_ms=at_ms,
                instrument=instrument.instrument,
                times_ms=[at_ms, at_ms],
                prices=[price / scale, price / scale],
                coins=[coins * bar.bought_share, -coins * (1 - bar.bought_share)],
                **named,
            )
