"""The chance that price touches a level within some minutes: what a path without drift does, corrected by what this asset did.

The baseline is the reflection formula, 2 (1 - Phi(z)) with z = distance / deviation over the horizon (detection.md 10.4). The
correction is how often the moves of the last weeks went so many deviations far, both ways together: it knows nothing of zones.
"""

from collections import deque
from math import erf, log, sqrt

import msgspec

from intelligence.volatility import Volatility, VolatilityRule, VolatilityState

MINUTE_MS = 60_000
HORIZONS_MIN = (5, 15, 60, 240, 1440)
STEP = 0.2  # deviations between the points at which the correction is kept
STEPS = 21  # so up to 4 deviations; beyond, what was left at the last one shrinks as the baseline does
BELIEVED = 30.0  # windows that do not overlap, of which the baseline counts as so many (ours)
KEEP = 0.5 ** (1 / 20_160)  # a minute: half of what was seen is forgotten in two weeks (ours)
LONG_MIN = 240  # from that horizon on the deviation is that of the last days
FAST = VolatilityRule()
SLOW = VolatilityRule(half_life_minutes=720.0, minimum_returns=120)  # ours


def reflection(sigmas: float) -> float:
    """The chance of a touch at a distance of so many deviations of the horizon, without drift."""
    return 1.0 if sigmas <= 0 else max(0.0, 1.0 - erf(sigmas / sqrt(2)))


class Chance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of a touch within `minutes`: `baseline` by reflection alone, `probability` corrected. `sigmas`: the distance."""

    minutes: int
    sigmas: float
    baseline: float
    probability: float


class KeptMoves(msgspec.Struct, frozen=True, kw_only=True):
    """Of one horizon: how much was seen, and how much of it went further than each step."""

    seen: float
    further: tuple[float, ...]


class KeptTouches(msgspec.Struct, frozen=True, kw_only=True):
    moves: tuple[KeptMoves, ...]
    fast: VolatilityState | None
    slow: VolatilityState | None


class _Moves:
    """How far price went within one horizon, in deviations that were known when it began."""

    __slots__ = ("_highs", "_lows", "_starts", "further", "horizon", "seen")

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.seen = 0.0
        self.further = [0.0] * STEPS
        self.forget_path()

    def forget_path(self) -> None:
        """A minute is missing: what has begun is not judged."""
        self._starts: deque[tuple[int, float, float]] = deque()  # minute, ln(price), deviation over the horizon
        self._highs: deque[tuple[int, float]] = deque()  # of the minutes within the window, falling
        self._lows: deque[tuple[int, float]] = deque()  # rising

    def take(self, minute: int, low: float, high: float) -> None:
        """Take the range (ln) of a minute, and judge what began a horizon ago."""
        highs, lows = self._highs, self._lows
        while highs and highs[-1][1] <= high:
            highs.pop()
        highs.append((minute, high))
        while lows and lows[-1][1] >= low:
            lows.pop()
        lows.append((minute, low))
        begun = minute - self.horizon
        while highs[0][0] <= begun:
            highs.popleft()
        while lows[0][0] <= begun:
            lows.popleft()
        self.seen *= KEEP
        self.further = [KEEP * count for count in self.further]
        if self._starts and self._starts[0][0] <= begun:
            _, price, sigma = self._starts.popleft()
            self._judge((highs[0][1] - price) / sigma)
            self._judge((price - lows[0][1]) / sigma)

    def begin(self, minute: int, price: float, sigma: float) -> None:
        self._starts.append((minute, price, sigma))

    def _judge(self, sigmas: float) -> None:
        """Count a move: windows overlap, so each is its part of one, and its two ways are halves."""
        weight = 0.5 / self.horizon
        self.seen += weight
        for step in range(min(STEPS, 1 + int(max(0.0, sigmas) / STEP))):
            self.further[step] += weight

    def probability(self, sigmas: float) -> float:
        baseline = reflection(sigmas)
        if sigmas <= 0 or self.seen <= 0:
            return baseline
        place = min(sigmas / STEP, STEPS - 1)
        step = min(int(place), STEPS - 2)
        part = place - step
        share = ((1 - part) * self.further[step] + part * self.further[step + 1]) / self.seen
        if sigmas > STEP * (STEPS - 1):
            share *= baseline / reflection(STEP * (STEPS - 1))
        return (BELIEVED * baseline + self.seen * share) / (BELIEVED + self.seen)


class Touches:
    """Feed it every minute in order; `chances` speaks as of the last one."""

    def __init__(self) -> None:
        self._fast, self._slow = Volatility(FAST), Volatility(SLOW)
        self._moves = tuple(_Moves(horizon) for horizon in HORIZONS_MIN)
        self._minute: int | None = None
        self._sigmas: tuple[float, float] | None = None

    @property
    def daily_sigma(self) -> float | None:
        """Standard deviation of a day's return, a fraction; None while it is not known."""
        return self._sigmas[1] * sqrt(1440) if self._sigmas else None

    def begin_with(self, closes: tuple[tuple[int, float], ...]) -> None:
        """Closes (opening time in ms, price) from before the first minute; see `Volatility.begin_with`."""
        for volatility in (self._fast, self._slow):
            volatility.begin_with(closes)

    def take(self, from_ms: int, low: float, high: float, close: float) -> None:
        """A minute's range and last mark price, USD a coin."""
        minute = from_ms // MINUTE_MS
        if self._minute is not None and minute != self._minute + 1:
            for moves in self._moves:
                moves.forget_path()
        self._minute = minute
        for moves in self._moves:
            moves.take(minute, log(low), log(high))
        for volatility in (self._fast, self._slow):
            volatility.observe(from_ms, close)
            volatility.end_minute()
        fast = self._fast.sigma_before(from_ms + MINUTE_MS)
        slow = self._slow.sigma_before(from_ms + MINUTE_MS) or fast
        self._sigmas = (fast, slow) if fast is not None and slow is not None else None
        if self._sigmas is not None:
            for moves in self._moves:
                moves.begin(minute, log(close), self._over(moves.horizon))

    def chances(self, distance: float) -> tuple[Chance, ...]:
        """Of touching a level at that distance, |ln(level / price)|, within each horizon; none while volatility is not known."""
        if self._sigmas is None:
            return ()
        found = []
        for moves in self._moves:
            sigmas = distance / self._over(moves.horizon)
            found.append(
                Chance(
                    minutes=moves.horizon,
                    sigmas=sigmas,
                    baseline=reflection(sigmas),
                    probability=moves.probability(sigmas),
                )
            )
        return tuple(found)

    def _over(self, horizon: int) -> float:
        assert self._sigmas is not None
        return self._sigmas[1 if horizon >= LONG_MIN else 0] * sqrt(horizon)

    def kept(self) -> KeptTouches:
        return KeptTouches(
            moves=tuple(KeptMoves(seen=moves.seen, further=tuple(moves.further)) for moves in self._moves),
            fast=self._fast.state,
            slow=self._slow.state,
        )

    def restore(self, kept: KeptTouches) -> None:
        """Raises ValueError when it is of other horizons or steps."""
        if len(kept.moves) != len(self._moves) or any(len(one.further) != STEPS for one in kept.moves):
            raise ValueError("moves of other horizons")
        for moves, one in zip(self._moves, kept.moves, strict=True):
            moves.seen, moves.further = one.seen, list(one.further)
        self._fast, self._slow = Volatility(FAST, kept.fast), Volatility(SLOW, kept.slow)
