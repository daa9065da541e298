"""Maintenance-margin tiers as venues publish them. The model's positions all lie in the first two (positions.py)."""

from dataclasses import dataclass

from simulator.assets import Asset
from simulator.openings import MAX_TURNOVER_SHARE
from simulator.positions import LARGE_MAX_LEVERAGE, LARGE_NOTIONAL_USD, MAINTENANCE_RATE

_TOP_RATE = 0.025
_TOP_LEVERAGE = 20
_TOP_CAP_USD = 500e6


@dataclass(frozen=True, slots=True)
class Tier:
    """Positions from `floor_usd` to `cap_usd`; maintenance = notional x `rate` - `deduction_usd`."""

    number: int
    floor_usd: float
    cap_usd: float
    rate: float
    max_leverage: int
    deduction_usd: float


def tiers_of(asset: Asset) -> tuple[Tier, ...]:
    rate = MAINTENANCE_RATE[asset.max_leverage]
    edge = round(max(1e6, 2 * asset.turnover_usd * MAX_TURNOVER_SHARE), -6)
    return (
        Tier(1, 0.0, LARGE_NOTIONAL_USD, rate, asset.max_leverage, 0.0),
        Tier(2, LARGE_NOTIONAL_USD, edge, rate, min(LARGE_MAX_LEVERAGE, asset.max_leverage), 0.0),
        Tier(3, edge, _TOP_CAP_USD, _TOP_RATE, _TOP_LEVERAGE, edge * (_TOP_RATE - rate)),
    )
