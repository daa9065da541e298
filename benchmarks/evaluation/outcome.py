"""What followed an alert: A2 of detection.md 11, as 12.10 measures it on bars of a minute.

The range of the 15 minutes after the alert against up to 200 past quarters of an hour at the same time of day (30 minutes
either way) without an alert within an hour; it must be at the 80th percentile or above and 25 bps at least. Strict: the 50
of all such moments whose last hour was most like the alert's, in volatility.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

from intelligence.minute import Minute

HORIZON = 15
CONTROLS = 200
STRICT_CONTROLS = 50
AROUND = 30
APART = 60
FLOOR = 0.0025
PERCENTILE = 0.80
_Z95 = 1.645


class Outcomes:
    """Of one asset's minutes, which follow one another without a gap. Places count from the first minute."""

    def __init__(self, minutes: Sequence[Minute]) -> None:
        self._of_day = [minute.from_ms // 60_000 % 1440 for minute in minutes]
        self._ranges = [_range(minutes[place + 1 : place + 1 + HORIZON]) for place in range(len(minutes))]
        self._volatility = _volatility(minutes)

    def judge(self, alerts: Sequence[int], *, strict: bool) -> list[bool]:
        """For each alert, at the place of the minute that raised it, whether it was consequential."""
        near = {place + shift for place in alerts for shift in range(-APART, APART + 1)}
        return [
            self._consequential(place, near, strict=strict) for place in alerts if place + HORIZON < len(self._ranges)
        ]

    def _consequential(self, place: int, near: set[int], *, strict: bool) -> bool:
        controls = [
            past
            for past in range(APART, place - HORIZON)
            if past not in near and abs((self._of_day[past] - self._of_day[place] + 720) % 1440 - 720) <= AROUND
        ]
        if strict:
            own = self._volatility[place]
            controls.sort(key=lambda past: abs(log(self._volatility[past] / own)))
            controls = controls[:STRICT_CONTROLS]
        elif len(controls) > CONTROLS:
            controls = [controls[index * (len(controls) - 1) // (CONTROLS - 1)] for index in range(CONTROLS)]
        follows = self._ranges[place]
        percentile = (1 + sum(self._ranges[past] < follows for past in controls)) / (1 + len(controls))
        return percentile >= PERCENTILE and follows >= FLOOR


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the one-sided 95 % Wilson bound below (detection.md 11)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 0.0

    @property
    def lower(self) -> float:
        if not self.of:
            return 0.0
        n, p, z = self.of, self.value, _Z95
        return (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def _range(minutes: Sequence[Minute]) -> float:
    highs = [minute.high for minute in minutes if minute.high is not None]
    lows = [minute.low for minute in minutes if minute.low is not None]
    return log(max(highs) / min(lows)) if highs and lows else 0.0


def _volatility(minutes: Sequence[Minute]) -> list[float]:
    """Root of the sum of squared returns of the last hour, at every place."""
    closes = [minute.close or 1.0 for minute in minutes]
    squares = [0.0] + [log(now / before) ** 2 for before, now in pairwise(closes)]
    total, found = 0.0, []
    for place, square in enumerate(squares):
        total += square - (squares[place - APART] if place >= APART else 0.0)
        found.append(sqrt(max(total, 1e-12)))
    return found
