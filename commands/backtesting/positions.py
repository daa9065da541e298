"""The liquidation-price formula against positions with the exchange's own liquidation price."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commands.backtesting.recorded import Recordings
from intelligence.evaluation.report import Cell, Figure, Table
from intelligence.margin_tiers import MarginTier, MarginTiers, liquidation_price
from intelligence.market import PositionSide

MAX_LEVERAGE = 40  # of Hyperliquid's BTC at the time, up to 150 M USD; maintenance is half of the initial margin
TIERS = MarginTiers(
    venue="hyperliquid",
    instrument="BTC",
    asset="BTC",
    unit="usd",
    tiers=(
        MarginTier(cap=150e6, maintenance_rate=1 / (2 * MAX_LEVERAGE), max_leverage=MAX_LEVERAGE),
        MarginTier(cap=1e12, maintenance_rate=1 / MAX_LEVERAGE, max_leverage=MAX_LEVERAGE / 2),
    ),
)
NEAR_PCT = 0.05


def positions_table(data: Path) -> Table:
    rows = [
        _row(one["position"]) for one in Recordings(data).positions() if one["position"]["leverage_type"] == "isolated"
    ]
    rows.sort(key=lambda row: abs(_off(row)))
    near = sum(abs(_off(row)) <= NEAR_PCT for row in rows)
    return Table(
        title=f"Isolated positions in BTC, Hyperliquid, 2026-01-04: {near} of {len(rows)} within {NEAR_PCT} %",
        columns=("side", "coins", "leverage", "entry", "recorded", "formula", "off by, %"),
        rows=tuple(rows),
        note="The margin is not recorded. The formula is that of a position to which none was added; where margin was added or "
        "taken out, or funding was paid, the exchange's price lies elsewhere, and nothing here can tell.",
    )


def _row(position: Mapping[str, Any]) -> tuple[Cell, ...]:
    coins, entry = float(position["size"]), float(position["entry_px"])
    side = PositionSide.LONG if coins > 0 else PositionSide.SHORT
    leverage, recorded = float(position["leverage_value"]), float(position["liquidation_px"])
    formula = liquidation_price(TIERS, side, entry=entry, leverage=leverage, coins=abs(coins))
    off = Figure(100 * (formula / recorded - 1))
    return str(side), Figure(abs(coins)), int(leverage), Figure(entry), Figure(recorded), Figure(formula), off


def _off(row: tuple[Cell, ...]) -> float:
    cell = row[-1]
    assert isinstance(cell, Figure)
    assert cell.value is not None
    return cell.value
