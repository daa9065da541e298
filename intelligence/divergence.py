"""Price against cumulative volume delta: context of an alert and an answer to a command, never an alert (detection.md 8).

CVD = sum of (taker buys - taker sells) in USD. A figure tells what was: order flow explains the price at the same time and
foretells little, so nothing here says where the price goes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log
from statistics import median

from intelligence.minute import Minute
from intelligence.minute_series import MinuteSeries

MINUTES = 60  # the window that is looked at


class Kind(StrEnum):
    """`bearish`: the price made a higher high and CVD did not. `bullish`: a lower low and CVD did not. The field's names
    for what was seen; no forecast.
    """

    BEARISH = "bearish"
    BULLISH = "bullish"


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceRule:
    """`confirm`: minutes on either side that a turning point must overtop (ours). `least_sigmas`: by how many sigmas of the
    window the second one must be beyond the first (8). `least_z`: of both slopes (8). `history`: slopes that are kept to
    judge one by, each taken `step` minutes after the last (ours: five days).
    """

    confirm: int = 3
    least_sigmas: float = 0.5
    least_z: float = 1.5
    history: int = 480
    step: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SwingDivergence:
    """Two turning points of the price that CVD did not follow. Dated when the second was confirmed, not when it was."""

    kind: Kind
    confirmed_ms: int
    first_ms: int
    second_ms: int
    price_change: float
    cvd_change_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeDivergence:
    """Theil-Sen slopes of the last hour in z of their own history: they point apart, and both are unusual."""

    at_ms: int
    price_z: float
    cvd_z: float

    @property
    def strength(self) -> float:
        return abs(self.price_z - self.cvd_z)


@dataclass(frozen=True, slots=True)
class _Point:
    end_ms: int
    logarithm: float  # of the price
    cvd_usd: float


class CvdTracker:
    """CVD of an asset over its closed minutes: since 00:00 UTC, over 24 hours, and where it parts from the price.

    Minutes that were not received whole count with what was received; the answer says since when it counts.
    """

    def __init__(self, rule: DivergenceRule | None = None) -> None:
        self._rule = rule or DivergenceRule()
        self._series = MinuteSeries(kept=MINUTES)
        self._points: deque[_Point] = deque(maxlen=MINUTES)
        self._deltas: deque[tuple[int, float]] = deque()
        self._day = 0
        self._total_usd = 0.0
        self._slopes: tuple[deque[float], deque[float]] = (
            deque(maxlen=self._rule.history),
            deque(maxlen=self._rule.history),
        )
        self.day_usd = 0.0
        self.rolling_24h_usd = 0.0
        self.since_ms: int | None = None
        self.swing: SwingDivergence | None = None
        self.slope: SlopeDivergence | None = None

    def take(self, minute: Minute) -> None:
        """Count a closed minute; `swing` and `slope` then tell what it shows, None when nothing."""
        if not self._series.add(minute):
            return
        delta = minute.buy_usd - minute.sell_usd
        day = minute.from_ms // 86_400_000
        self.day_usd = delta + (self.day_usd if day == self._day else 0.0)
        self._day = day
        self.since_ms = minute.from_ms if self.since_ms is None else self.since_ms
        self._roll(minute, delta)
        self._total_usd += delta
        price = minute.close or minute.reference_price
        if price is None:
            return
        self._points.append(_Point(minute.to_ms, log(price), self._total_usd))
        self.swing = self._swing(minute.to_ms)
        if minute.to_ms // 60_000 % self._rule.step == 0:
            self.slope = self._slope(minute.to_ms)

    def _roll(self, minute: Minute, delta: float) -> None:
        self._deltas.append((minute.from_ms, delta))
        self.rolling_24h_usd += delta
        while self._deltas[0][0] <= minute.from_ms - 86_400_000:
            self.rolling_24h_usd -= self._deltas.popleft()[1]

    def _swing(self, at_ms: int) -> SwingDivergence | None:
        """A turning point that this very minute confirms, against the one before it."""
        points, wing = list(self._points), self._rule.confirm
        if len(points) < 4 * wing:
            return None
        for kind, sign in ((Kind.BEARISH, 1.0), (Kind.BULLISH, -1.0)):
            turns = [at for at in range(wing, len(points) - wing) if _turns(points, at, wing, sign)]
            if len(turns) < 2 or turns[-1] != len(points) - 1 - wing:
                continue
            first, second = points[turns[-2]], points[turns[-1]]
            beyond = sign * (second.logarithm - first.logarithm)
            if beyond >= self._rule.least_sigmas * _sigma(points) and sign * (second.cvd_usd - first.cvd_usd) <= 0:
                return SwingDivergence(
                    kind=kind,
                    confirmed_ms=at_ms,
                    first_ms=first.end_ms,
                    second_ms=second.end_ms,
                    price_change=second.logarithm - first.logarithm,
                    cvd_change_usd=second.cvd_usd - first.cvd_usd,
                )
        return None

    def _slope(self, at_ms: int) -> SlopeDivergence | None:
        """Judged by the slopes before this one alone."""
        points = list(self._points)
        if len(points) < MINUTES:
            return None
        slopes = (theil_sen([one.logarithm for one in points]), theil_sen([one.cvd_usd for one in points]))
        zs = [robust_z(slope, past) for slope, past in zip(slopes, self._slopes, strict=True)]
        for slope, past in zip(slopes, self._slopes, strict=True):
            past.append(slope)
        price_z, cvd_z = zs
        if price_z is None or cvd_z is None:
            return None
        apart = slopes[0] * slopes[1] < 0 and min(abs(price_z), abs(cvd_z)) >= self._rule.least_z
        return SlopeDivergence(at_ms=at_ms, price_z=price_z, cvd_z=cvd_z) if apart else None


def theil_sen(values: Sequence[float]) -> float:
    """Median of the slopes between all pairs of equally spaced values, a step."""
    pairs = (
        (values[later] - values[earlier]) / (later - earlier)
        for earlier in range(len(values))
        for later in range(earlier + 1, len(values))
    )
    return median(pairs)


def robust_z(value: float, history: Sequence[float], least: int = 30) -> float | None:
    """0.6745 (x - median) / MAD (detection.md 4.1); where MAD is 0 the mean deviation stands for it. None with too little
    history or none that varies.
    """
    if len(history) < least:
        return None
    centre = median(history)
    deviations = [abs(one - centre) for one in history]
    spread = median(deviations) / 0.6745 or 1.2533 * sum(deviations) / len(deviations)
    return (value - centre) / spread if spread else None


def _turns(points: Sequence[_Point], at: int, wing: int, sign: float) -> bool:
    """A high (sign 1) or low (-1): strictly beyond what follows, not below what came before."""
    own = sign * points[at].logarithm
    before = all(sign * points[other].logarithm <= own for other in range(at - wing, at))
    return before and all(sign * points[other].logarithm < own for other in range(at + 1, at + wing + 1))


def _sigma(points: Sequence[_Point]) -> float:
    """Standard deviation of the window's price change: of a minute's, times the root of the minutes."""
    moves = [later.logarithm - earlier.logarithm for earlier, later in zip(points, list(points)[1:], strict=False)]
    return float(sum(move * move for move in moves) ** 0.5)
