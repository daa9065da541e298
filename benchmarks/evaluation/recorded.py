"""The recorded days that the evaluation replays, as closed minutes. Nothing of them is kept here: see the README there."""

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from intelligence.market import OpenInterest
from intelligence.minute import MINUTE_MS, Minute

DATA = Path(__file__).parents[3] / "shared" / "data"
KLINE_ASSETS = ("BTC", "ETH", "BNB", "DOGE")
OI_ASSETS = ("BTC", "ETH", "DOGE", "AVAX")


def available() -> bool:
    return DATA.is_dir()


def bybit_minutes(asset: str) -> list[Minute]:
    """43,200 minutes of 2025-05-29 to 06-28 without a gap. The side of takers is not recorded: half each, no imbalance."""
    rows = _rows(f"bybit/rest/kline_1m_{asset}USDT_2025-05-29_2025-06-28.csv.gz")
    return [_minute(asset, _ms(row["timestamp"]), row, _turnover(row)) for row in rows]


def binance_eth_minutes() -> list[Minute]:
    """ETH of 2025-12-18 to 2026-01-05 from bars of three minutes: a third of each in every minute, all of its range."""
    minutes = []
    for row in _rows("binance/rest/kline_3m_ETHUSDT_2025-12-18_2026-01-05.csv.gz"):
        start_ms = _ms(row["timestamp"]) if "timestamp" in row else _ms(row["t"])
        part = float(row["quote_volume"]) / 3
        minutes += [_minute("ETH", start_ms + third * MINUTE_MS, row, part) for third in range(3)]
    return minutes


def binance_open_interest(asset: str) -> Iterator[Minute]:
    """A minute at each of Binance's figures, one in five minutes, 2025-12-01 to 2026-04-14, with the price they imply."""
    for row in _rows(f"binance/metrics/oi_5m_{asset}USDT_2025-12-01_2026-04-14.csv.gz"):
        at_ms, coins = int(row["t"]), float(row["oi"])
        record = OpenInterest(
            venue="binance",
            instrument=f"{asset}USDT",
            asset=asset,
            exchange_ms=at_ms,
            received_ms=at_ms,
            quantity=coins,
            notional_usd=None,
        )
        price = float(row["oi_usd"]) / coins
        yield Minute(
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
            open_interest=(record,),
        )


def _minute(asset: str, start_ms: int, row: dict[str, str], total_usd: float) -> Minute:
    return Minute(
        asset=asset,
        from_ms=start_ms,
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        reference_price=float(row["close"]),
        buy_usd=total_usd / 2,
        sell_usd=total_usd / 2,
        trades=1,
        largest_usd=0.0,
        complete=True,
    )


def _turnover(row: dict[str, str]) -> float:
    """USD of a bar whose volume is in coins, at its typical price."""
    return float(row["volume"]) * (float(row["high"]) + float(row["low"]) + float(row["close"])) / 3


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / name, "rt") as file:
        yield from csv.DictReader(file)
