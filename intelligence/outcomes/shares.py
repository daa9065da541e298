"""So many of so many, with an interval that knows that alerts come in swarms."""

from collections import defaultdict
from collections.abc import Iterable
from math import sqrt

import msgspec

Z = 1.959964  # two-sided 95 %
FEW_DAYS = 5
FEW_DAYS_EFFECT = 2.0  # the design effect while days are too few to measure it (detection.md 11 expects 2 to 4)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`effective`: as many independent trials as these tell as much as, `of` over the design effect."""

    hits: int
    of: int
    effective: float

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, of 95 %, on the effective number."""
        n = self.effective
        if n <= 0:
            return 0.0, 1.0
        p, square = self.value, Z * Z / n
        middle = (p + square / 2) / (1 + square)
        half = Z / (1 + square) * sqrt(p * (1 - p) / n + square / (4 * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def lower(self) -> float:
        return self.interval[0]


def share_by_day(trials: Iterable[tuple[int, bool]]) -> Share:
    """Trials as pairs of day and success. The design effect is that of days drawn as blocks, in closed form:
    the sum over days of (sum of (y - p))^2, over n p (1 - p); never below 1.
    """
    days: dict[int, list[bool]] = defaultdict(list)
    for day, success in trials:
        days[day].append(success)
    of, hits = sum(map(len, days.values())), sum(map(sum, days.values()))
    if not of:
        return Share(hits=0, of=0, effective=0.0)
    p, many = hits / of, len(days)
    effect = FEW_DAYS_EFFECT if many < FEW_DAYS else 1.0
    if many >= FEW_DAYS and 0.0 < p < 1.0:
        squares = sum((sum(one) - p * len(one)) ** 2 for one in days.values())
        effect = max(1.0, squares / (of * p * (1 - p)))
    return Share(hits=hits, of=of, effective=of / effect)
