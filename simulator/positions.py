"""Leveraged positions and the mark price at which a venue takes them over (detection.md 10.2)."""

from dataclasses import asdict, dataclass
from typing import Any

LEVERAGES = (3, 5, 10, 15, 20, 25, 50, 75, 100, 125)
LEVERAGE_WEIGHTS: tuple[float, ...] = (10, 18, 32, 8, 18, 7, 5, 1, 0.6, 0.4)
MAINTENANCE_RATE = {125: 0.004, 100: 0.005, 75: 0.0065, 50: 0.01}  # of the lowest tier, by the asset's maximum leverage
LARGE_NOTIONAL_USD = 250_000.0
LARGE_MAX_LEVERAGE = 25  # venues lower the leverage of large positions; this stands for their upper tiers


@dataclass(slots=True, kw_only=True, eq=False)
class Position:
    """`entry`, `liquidation_price` and `bankruptcy_price` are USD per coin at the position's own venue.

    `trigger` is the liquidation price on the scale of the common mark price, so without the venue's basis.
    `slot` is where the asset's list of open positions holds it, -1 once closed.
    """

    position_id: int
    venue: str
    is_long: bool
    entry: float
    quantity: float
    leverage: int
    maintenance_rate: float
    liquidation_price: float
    bankruptcy_price: float
    trigger: float
    opened_ms: int
    slot: int = -1

    def as_json(self) -> dict[str, Any]:
        row = asdict(self)
        del row["slot"]
        row["position_side"] = "long" if row.pop("is_long") else "short"
        return row

    @property
    def is_open(self) -> bool:
        return self.slot >= 0


def liquidation_price(entry: float, leverage: int, maintenance_rate: float, *, is_long: bool) -> float:
    """Linear contract, isolated margin, first tier (no maintenance amount), fees ignored."""
    if is_long:
        return entry * (1 - 1 / leverage) / (1 - maintenance_rate)
    return entry * (1 + 1 / leverage) / (1 + maintenance_rate)


def bankruptcy_price(entry: float, leverage: int, *, is_long: bool) -> float:
    return entry * (1 - 1 / leverage) if is_long else entry * (1 + 1 / leverage)
