"""The daemon's main job on real input over real sockets: the recorded Binance forced orders.

What must be alerted is computed here from the CSV alone, by other code than the daemon's: 100 000 USD for BTC, 50 000 for
ETH, 25 000 for SOL, 10 000 for any other asset; USD = filled quantity x average price, or x order price where the average
is the word None.
"""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process.daemons import daemon

pytestmark = pytest.mark.slow

SPEED = 200  # the longest file is two hours of market time once its pauses are shortened
FILES = ("2024-08-17", "2025-06-23a", "2025-06-23b", "2025-12-27_28")
THRESHOLDS_USD = {"BTC": 100_000.0, "ETH": 50_000.0, "SOL": 25_000.0}
PREFIXES = ("1000000", "1000", "1M")
QUOTES = ("USDT", "USDC")


def asset_of(symbol: str) -> str:
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            symbol = symbol.removesuffix(quote)
            break
    for prefix in PREFIXES:
        if symbol.startswith(prefix) and len(symbol) - len(prefix) > 1:
            return symbol.removeprefix(prefix)
    return symbol


def expected_alerts(path: Path) -> set[tuple[str, str, int, int]]:
    """Asset, side of the position, event time and whole USD of every forced order that is large enough."""
    found = set()
    for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        symbol, side, _, _, _, price, average, status, _, filled, trade_ms = row[:11]
        symbol = symbol.removeprefix("Hello Arbitrage Trading Bot")
        if status != "FILLED" or "_" in symbol:
            continue
        used = float(price if average in {"None", "", "0"} else average)
        usd = float(filled) * used
        asset = asset_of(symbol)
        if usd >= THRESHOLDS_USD.get(asset, 10_000.0):
            found.add((asset, "long" if side == "SELL" else "short", int(trade_ms), round(usd)))
    return found


def run(path: Path, data_dir: Path) -> list[dict]:
    with daemon("demo", "--seconds", "0", "--speed", str(SPEED), "--tape", str(path), data_dir=data_dir) as demo:
        assert demo.end(120) == 0
    finished = demo.events("tape_finished")[0]
    assert finished["missed"] == 0
    return demo.journal()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("day", FILES)
def test_a_tape_raises_exactly_what_the_csv_says_and_the_same_journal_twice(day, shared_data, tmp_path) -> None:
    path = shared_data / "binance" / "force_orders" / f"{day}_all_symbols.csv"

    with ThreadPoolExecutor(2) as side_by_side:
        first, second = side_by_side.map(lambda name: run(path, tmp_path / name), ("first", "second"))

    singles = [line for line in first if line["kind"] == "liquidation"]
    told = {(s["asset"], s["position_side"], s["exchange_ms"], round(s["value"])) for s in singles}
    assert told == expected_alerts(path)
    assert len(singles) == len(told)
    assert first == second
