"""When people are warned of a zone: it is large, a touch within minutes has become likely, and they were not told today."""

from collections import deque
from collections.abc import Iterable
from typing import Literal

import msgspec

from intelligence.market import PositionSide
from intelligence.zones.rules import ApproachRule
from intelligence.zones.zone import Zone

DAY_MS = 86_400_000
SETTLED_MS = (
    300_000  # a younger zone is not warned of: its forecast must not be made by the move itself (detection.md 12.6)
)


class Approach(msgspec.Struct, frozen=True, kw_only=True):
    """A warning. `model` that predicted the zone, `price` now, `large_usd`: what makes a zone a large one."""

    model: Literal["ours", "given"]
    zone: Zone
    price: float
    at_ms: int
    large_usd: float

    @property
    def distance(self) -> float:
        """To the near edge, as a fraction of the price, negative when it lies below."""
        return self.zone.near / self.price - 1


class Told(msgspec.Struct, frozen=True):
    side: PositionSide
    low: float
    high: float
    at_ms: int


class Warnings:
    """One for a zone and day: a zone that overlaps one of which people were told is the same, until price has passed it."""

    def __init__(self, a_day: int) -> None:
        self._a_day = a_day
        self._told: list[Told] = []
        self._times: deque[int] = deque(maxlen=a_day)

    def pass_minute(self, to_ms: int, low: float, high: float) -> None:
        """Mark prices of a minute: what price has gone through may be told again."""
        self._told = [
            one
            for one in self._told
            if to_ms - one.at_ms < DAY_MS
            and not (low <= one.low if one.side is PositionSide.LONG else high >= one.high)
        ]

    def allow(self, zone: Zone, at_ms: int) -> bool:
        """Whether people may be told of it, which is then taken for done."""
        if any(one.side is zone.side and one.low <= zone.high and zone.low <= one.high for one in self._told):
            return False
        if len(self._times) == self._a_day and at_ms - self._times[0] < DAY_MS:
            return False
        self._told.append(Told(zone.side, zone.low, zone.high, at_ms))
        self._times.append(at_ms)
        return True

    def kept(self) -> tuple[tuple[Told, ...], tuple[int, ...]]:
        return tuple(self._told), tuple(self._times)

    def restore(self, kept: tuple[tuple[Told, ...], tuple[int, ...]]) -> None:
        self._told, times = list(kept[0]), kept[1]
        self._times.extend(times)


def approached(zones: Iterable[Zone], rule: ApproachRule, *, large: float) -> list[Zone]:
    """Large zones that are likely to be touched within the horizon and are not yet, the likeliest first."""
    found = []
    for zone in zones:
        chance = zone.within(rule.horizon_min)
        if chance is None or chance.sigmas <= 0 or zone.expected_usd < large:
            continue
        if zone.at_ms - zone.born_ms >= SETTLED_MS and rule.probability <= chance.probability < rule.too_late:
            found.append((-chance.probability, zone.zone_id, zone))
    return [zone for _, _, zone in sorted(found, key=lambda one: one[:2])]
