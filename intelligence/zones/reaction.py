"""What is liquidated where price went: in zones, and beside them."""

from collections.abc import Iterable
from math import log

import msgspec

from intelligence.market import PositionSide
from intelligence.zones.grid import CELL
from intelligence.zones.zone import Zone


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """Liquidations where price went, in zones and beside them: sums of USD, and of ln(price) that was gone through."""

    usd_within: float = 0.0
    width_within: float = 0.0
    usd_beside: float = 0.0
    width_beside: float = 0.0

    @property
    def ratio(self) -> float | None:
        """Liquidated a unit of price in zones, divided by that beside them; None until there is enough of both."""
        if min(self.width_within, self.width_beside) < 5 * CELL or self.usd_beside <= 0:
            return None
        return (self.usd_within / self.width_within) / (self.usd_beside / self.width_beside)

    def after(
        self,
        zones: Iterable[Zone],
        low: float,
        high: float,
        *,
        before: float,
        liquidated: tuple[tuple[PositionSide, float, float], ...],
    ) -> "Reaction":
        """With one minute more: mark prices from `low` to `high` after `before`, and liquidations by side, mark price that
        caused it, and USD. `zones` are those of before that minute.
        """
        zones = tuple(zones)
        found = [
            self.usd_within,
            self.width_within,
            self.usd_beside,
            self.width_beside,
        ]
        for side, begin, end in ((PositionSide.LONG, low, before), (PositionSide.SHORT, before, high)):
            of_side = [zone for zone in zones if zone.side is side]
            covered = sum(_common(zone, begin, end) for zone in of_side)
            found[1] += covered
            found[3] += max(0.0, log(end / begin)) - covered
            for usd, price in ((usd, price) for its, price, usd in liquidated if its is side):
                found[0 if any(zone.low <= price <= zone.high for zone in of_side) else 2] += usd
        return Reaction(usd_within=found[0], width_within=found[1], usd_beside=found[2], width_beside=found[3])


def _common(zone: Zone, begin: float, end: float) -> float:
    low, high = max(begin, zone.low), min(end, zone.high)
    return log(high / low) if low < high else 0.0
