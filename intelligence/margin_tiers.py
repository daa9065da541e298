"""What margin a venue asks to keep a position open, by its size, and the mark price at which it takes the position over.

Linear contracts, isolated margin (detection.md 10.2). Prices in USD a coin, sizes in coins.
"""

from typing import Literal

import msgspec

from intelligence.market import PositionSide

ROUNDS = 4  # the tier is that of the notional at the liquidation price, which depends on the tier

# The share of the closing order's value that a venue keeps back for its taker fee before it lets go of a position: OKX adds
# it to the maintenance rate, Bybit counts it in the maintenance margin. Fees of the lowest customer class, as of 2026-06 [H].
CLOSING_FEE = {"okx": 0.0005, "bybit": 0.00055}


class MarginTier(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Positions up to `cap`, in the unit of the tiers; infinite in the last where the venue names no end.

    maintenance = notional * `maintenance_rate` - `deduction_usd`; None where the venue tells no deduction, which then
    follows from the tiers below (the requirement has no jumps).
    """

    cap: float
    maintenance_rate: float
    max_leverage: float | None = None
    deduction_usd: float | None = None


class MarginTiers(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tiers of one contract, smallest first. `unit`: caps are US dollars of notional, or coins of `asset` (OKX)."""

    venue: str
    instrument: str
    asset: str
    unit: Literal["usd", "coins"]
    tiers: tuple[MarginTier, ...]

    @property
    def max_leverage(self) -> float | None:
        """Of the smallest positions; None where the venue does not tell."""
        return self.tiers[0].max_leverage

    def requirement(self, coins: float, price: float) -> tuple[float, float]:
        """Rate and deduction (USD) for a position of that size at that price; beyond the last tier that one counts."""
        size = coins if self.unit == "coins" else coins * price
        to_usd = price if self.unit == "coins" else 1.0
        floor = deduction = rate = 0.0
        for tier in self.tiers:
            following = deduction + floor * to_usd * (tier.maintenance_rate - rate)
            deduction = following if tier.deduction_usd is None else tier.deduction_usd
            rate, floor = tier.maintenance_rate, tier.cap
            if size <= tier.cap:
                break
        return rate, deduction


def liquidation_price(tiers: MarginTiers, side: PositionSide, *, entry: float, leverage: float, coins: float) -> float:
    """The mark price that ends an isolated position to which no margin was added; 0.0 where none does.

    LP = EP (1 - s/L - s c/N0) / (1 - s m) with s = 1 for longs, -1 for shorts; m and c are those of the size at LP. For
    Hyperliquid this is its own formula, written out: its maintenance is half of the initial margin.
    """
    sign = 1.0 if side is PositionSide.LONG else -1.0
    fee = CLOSING_FEE.get(tiers.venue, 0.0)
    price = entry
    for _ in range(ROUNDS):
        rate, deduction = tiers.requirement(coins, price)
        before = price
        price = entry * (1 - sign / leverage - sign * deduction / (coins * entry)) / (1 - sign * (rate + fee))
        if abs(price - before) <= 1e-12 * entry:
            break
    return max(price, 0.0)
