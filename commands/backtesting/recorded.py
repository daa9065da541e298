"""Recorded days as the evaluation plays them. The data's README tells what is wrong with each file."""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from intelligence.market import Coverage, Liquidation, MarkPrice, OpenInterest, PositionSide, PriceKind
from intelligence.minute import MINUTE_MS, Minute

DATA = Path(__file__).parents[3] / "shared" / "data"
BYBIT_ASSETS = ("BTC", "ETH", "BNB", "DOGE")
OI_ASSETS = ("BTC", "ETH", "DOGE", "AVAX")
HYPERLIQUID_ASSETS = ("BTC", "ETH", "DOGE", "AVAX")
HYPERLIQUID_DAYS = ("20260614", "20260615", "20260616", "20260617", "20260618")
OKX_CONTRACTS = {"BTC": 0.01, "DOGE": 1000.0}  # coins; the file's size_usd leaves them out
LATE_MS = 500  # between an order and our receipt: detection.md 2.4 (p95 of what was measured there)


class Recordings:
    def __init__(self, data: Path) -> None:
        self.data = data

    def bybit_minutes(self, asset: str) -> list[Minute]:
        """43,200 minutes of 2025-05-29 to 06-28 without a gap. The side of takers is not recorded: half each."""
        rows = self._rows(f"bybit/rest/kline_1m_{asset}USDT_2025-05-29_2025-06-28.csv.gz")
        return [_minute(asset, _ms(row["timestamp"]), row, _turnover(row)) for row in rows]

    def binance_btc_minutes(self) -> list[Minute]:
        """Ten days from 2025-06-06 on, with the side of takers."""
        rows = self._rows("binance/rest/kline_1m_BTCUSDT_2025-06-06_2025-06-16.csv.gz")
        return [
            _minute(
                "BTC",
                _ms(row["open_time"]),
                row,
                _turnover(row),
                buys=float(row["taker_buy_base_asset_volume"]) / max(float(row["volume"]), 1e-12),
            )
            for row in rows
        ]

    def binance_eth_minutes(self) -> list[Minute]:
        """ETH of 2025-12-18 to 2026-01-05 from bars of three minutes: a third of each in every minute, all of its range."""
        minutes = []
        for row in self._rows("binance/rest/kline_3m_ETHUSDT_2025-12-18_2026-01-05.csv.gz"):
            start_ms, part = _ms(row["timestamp"]), float(row["quote_volume"]) / 3
            minutes += [_minute("ETH", start_ms + third * MINUTE_MS, row, part) for third in range(3)]
        return minutes

    def binance_open_interest(self, asset: str) -> list[Minute]:
        """A minute at each of Binance's figures, one in five, 2025-12-01 to 2026-04-14, with the price they imply."""
        found = []
        for row in self._rows(f"binance/metrics/oi_5m_{asset}USDT_2025-12-01_2026-04-14.csv.gz"):
            at_ms, coins = int(row["t"]), float(row["oi"])
            price = float(row["oi_usd"]) / coins
            found.append(
                Minute(
                    asset=asset,
                    from_ms=at_ms - MINUTE_MS,
                    open=price,
                    high=price,
                    low=price,
                    close=price,
                    reference_price=price,
                    buy_usd=0.0,
                    sell_usd=0.0,
                    trades=0,
                    largest_usd=0.0,
                    complete=False,
                    open_interest=(_open_interest("binance", f"{asset}USDT", asset, at_ms, coins),),
                )
            )
        return found

    def hyperliquid_minutes(self, asset: str) -> list[Minute]:
        """2026-06-14 to 06-18: bars of ticks (a lower bound of volume), open interest and mark price each minute."""
        bars: dict[int, list[float]] = {}  # open high low close buy sell largest trades
        for day in HYPERLIQUID_DAYS:
            for row in self._lines(f"hyperliquid/stretch_2026-06/trades_{asset}_{day}.jsonl.gz"):
                _take(bars, row)
        contexts: dict[int, tuple[float, float, float]] = {}
        for day in HYPERLIQUID_DAYS:
            for row in self._lines(f"hyperliquid/stretch_2026-06/ctx_{asset}_{day}.jsonl.gz"):
                place = int(row["ts"]) // MINUTE_MS
                contexts[place] = (float(row["oi"]), float(row["mark"]), float(row["funding"]))
        first, last = min(contexts), max(contexts)
        return list(_hyperliquid(asset, bars, contexts, range(first, last + 1)))

    def okx_liquidations(self, asset: str) -> list[Liquidation]:
        """A day of 2026-03; capped at one a contract and second (detection.md 2.1)."""
        contract = OKX_CONTRACTS[asset]
        found = []
        for row in self._rows("okx/rest/liquidations_BTC_DOGE_HYPE.csv.gz"):
            if row["coin"] == asset:
                price = float(row["price"])
                coins = float(row["size_usd"]) / price * contract
                long = row["side"] == "sell"
                found.append(_liquidation("okx", asset, _ms(row["timestamp"]), coins, price, long=long))
        return sorted(found, key=lambda one: one.exchange_ms)

    def binance_liquidations(self, asset: str, *names: str) -> list[Liquidation]:
        """Forced orders of one asset; capped. Prices are of bankruptcy where no average was recorded."""
        found = []
        for name in names:
            for line in (self.data / "binance" / "force_orders" / name).read_text().splitlines():
                cells = line.split(",")
                if len(cells) < 12 or not cells[0].endswith(asset) or cells[10].strip() == "":
                    continue
                if cells[0].removeprefix("Hello Arbitrage Trading Bot") != asset:
                    continue
                price = float(cells[5] if cells[6] == "None" else cells[6])
                at_ms = int(cells[10])
                found.append(_liquidation("binance", asset, at_ms, float(cells[9]), price, long=cells[1] == "SELL"))
        return sorted(found, key=lambda one: one.exchange_ms)

    def hourly_btc(self) -> list[dict[str, float]]:
        """Price, liquidations of both sides and open interest of BTC by the hour, 2025-12-04 to 2026-04-14."""
        names = ("timestamp", "price_high", "price_low", "price_close", "liquidation_long_usd", "liquidation_short_usd")
        rows = self._rows("aggregated/btc_1h_price_liq_oi_funding_2025-12-04_2026-04-14.csv.gz")
        return [{name: float(row[name]) for name in (*names, "funding_close")} for row in rows]

    def funding(self, asset: str) -> dict[int, float]:
        """Binance's rates of eight hours by the time of payment, ms."""
        name = f"binance/metrics/funding_{asset}USDT_2025-12-01_2026-04-14.csv"
        with (self.data / name).open() as file:
            return {int(row["ts"]): float(row["rate"]) for row in csv.DictReader(file)}

    def positions(self) -> list[dict[str, Any]]:
        """Positions of large accounts with the exchange's own liquidation price, 2026-01-04."""
        text = (self.data / "hyperliquid" / "positions" / "whales_btc_2026-01-04.json").read_text()
        return list(json.loads(text)["active_whales"])

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        with gzip.open(self.data / name, "rt") as file:
            yield from csv.DictReader(file)

    def _lines(self, name: str) -> Iterator[dict[str, float | str]]:
        with gzip.open(self.data / name, "rt") as file:
            for line in file:
                yield msgspec.json.decode(line)


def _take(bars: dict[int, list[float]], row: dict[str, float | str]) -> None:
    price, coins = float(row["px"]), float(row["sz"])
    usd = price * coins
    bar = bars.setdefault(int(row["ts"]) // MINUTE_MS, [price, price, price, price, 0.0, 0.0, 0.0, 0.0])
    bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
    bar[4 if row["side"] == "B" else 5] += usd
    bar[6], bar[7] = max(bar[6], usd), bar[7] + 1


def _hyperliquid(
    asset: str, bars: dict[int, list[float]], contexts: dict[int, tuple[float, float, float]], places: Iterable[int]
) -> Iterator[Minute]:
    coins, mark = next(iter(contexts.values()))[:2]
    for place in places:
        coins, mark, _ = contexts.get(place, (coins, mark, 0.0))
        bar = bars.get(place)
        prices = bar[:4] if bar else [None] * 4
        told = _open_interest("hyperliquid", asset, asset, (place + 1) * MINUTE_MS - 1, coins)
        yield Minute(
            asset=asset,
            from_ms=place * MINUTE_MS,
            open=prices[0],
            high=prices[1],
            low=prices[2],
            close=prices[3],
            reference_price=mark,
            buy_usd=bar[4] if bar else 0.0,
            sell_usd=bar[5] if bar else 0.0,
            trades=int(bar[7]) if bar else 0,
            largest_usd=bar[6] if bar else 0.0,
            complete=True,
            open_interest=(told,) if place in contexts else (),
        )


def marks_of(minutes: Iterable[Minute], venue: str) -> list[MarkPrice]:
    """The reference price of each minute at its end, as a mark price."""
    return [
        MarkPrice(
            venue=venue,
            instrument=f"{one.asset}USDT",
            asset=one.asset,
            exchange_ms=one.to_ms,
            received_ms=one.to_ms,
            price=one.reference_price,
        )
        for one in minutes
        if one.reference_price is not None
    ]


def _liquidation(venue: str, asset: str, at_ms: int, coins: float, price: float, *, long: bool) -> Liquidation:
    return Liquidation(
        venue=venue,
        instrument=f"{asset}USDT",
        asset=asset,
        exchange_ms=at_ms,
        received_ms=at_ms + LATE_MS,
        position_side=PositionSide.LONG if long else PositionSide.SHORT,
        quantity=coins,
        price=price,
        price_kind=PriceKind.BANKRUPTCY,
        notional_usd=coins * price,
        coverage=Coverage.CAPPED,
    )


def _open_interest(venue: str, instrument: str, asset: str, at_ms: int, coins: float) -> OpenInterest:
    return OpenInterest(
        venue=venue,
        instrument=instrument,
        asset=asset,
        exchange_ms=at_ms,
        received_ms=at_ms,
        quantity=coins,
        notional_usd=None,
    )


def _minute(asset: str, start_ms: int, row: dict[str, str], total_usd: float, buys: float = 0.5) -> Minute:
    return Minute(
        asset=asset,
        from_ms=start_ms,
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        reference_price=float(row["close"]),
        buy_usd=total_usd * buys,
        sell_usd=total_usd * (1 - buys),
        trades=1,
        largest_usd=0.0,
        complete=True,
    )


def _turnover(row: dict[str, str]) -> float:
    """USD of a bar whose volume is in coins, at its typical price."""
    return float(row["volume"]) * (float(row["high"]) + float(row["low"]) + float(row["close"])) / 3


def _ms(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
