"""Single liquidations of recorded Binance orders, expected from the CSV alone (../shared/data, README.md)."""

import csv

import pytest

from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.asset import AssetDetection, DetectionRules
from intelligence.market import Coverage, Liquidation, PositionSide, PriceKind

FILES = (
    "2024-08-17_all_symbols.csv",
    "2025-06-23a_all_symbols.csv",
    "2025-06-23b_all_symbols.csv",
    "2025-12-27_28_all_symbols.csv",
)
STRAY_PREFIX = "Hello Arbitrage Trading Bot"
LIMITS_USD = {"BTC": 100_000, "ETH": 50_000, "SOL": 25_000}


def rows_of(file):
    """Symbol, side, price, filled quantity, time: columns 0, 1, 6 (the average, else 5), 9 and 10."""
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.reader(lines):
            price = float(row[5] if row[6] == "None" else row[6])
            yield row[0].removeprefix(STRAY_PREFIX), row[1], price, float(row[9]), int(row[10])


def asset_of(symbol):
    base = symbol.split("_")[0]
    base = base.removesuffix("USDC") or base
    return base.removeprefix("1000")


def liquidation_of(symbol, side, price, quantity, at_ms):
    return Liquidation(
        venue="binance",
        instrument=symbol,
        asset=asset_of(symbol),
        exchange_ms=at_ms,
        received_ms=at_ms + 500,
        position_side=PositionSide.LONG if side == "SELL" else PositionSide.SHORT,
        quantity=quantity,
        price=price,
        price_kind=PriceKind.FILL,
        notional_usd=quantity * price,
        coverage=Coverage.CAPPED,
    )


@pytest.mark.parametrize("name", FILES)
def test_recorded_orders_alert_exactly_where_the_csv_says(shared_data, name):
    rows = list(rows_of(shared_data / "binance" / "force_orders" / name))
    expected = sorted(
        {
            (at_ms, symbol, side, round(quantity * price, 6))
            for symbol, side, price, quantity, at_ms in rows
            if quantity * price >= LIMITS_USD.get(asset_of(symbol), 10_000)
        }
    )

    detections, raised = {}, []
    for row in rows:
        order = liquidation_of(*row)
        detection = detections.setdefault(order.asset, AssetDetection(order.asset, DetectionRules()))
        raised += detection.liquidations((order,), able=("binance",), configured=("binance",), now_ms=order.received_ms)

    found = sorted(
        (
            alert.exchange_ms,
            alert.instrument,
            "SELL" if alert.position_side is PositionSide.LONG else "BUY",
            round(alert.value, 6),
        )
        for alert in raised
        if alert.kind is AlertKind.LIQUIDATION and alert.stage is Stage.RAISED
    )
    assert found == expected
    assert expected
