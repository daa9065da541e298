"""The chance that price touches a level within some minutes: what a path without drift does, corrected by what this asset did.

The baseline is the reflection formula, 2 (1 - Phi(z)) with z = distance / deviation over the horizon (detection.md 10.4). The
correction is how often the moves of the last weeks went so many deviations far, apart for when the minute before had gone that
way, hardly at all, or the other way: news takes more than a minute, and a market that just moved moves on. It knows nothing of zones.
"""

from bisect import bisect_right
from collections import deque
from math import erf, log, sqrt

import msgspec

from intelligence.volatility import Volatility, VolatilityRule, VolatilityState

MINUTE_MS = 60_000
HORIZONS_MIN = (5, 15, 60, 240, 1440)
STEP = 0.2  # deviations between the points at which the correction is kept
STEPS = 21  # so up to 4 deviations; beyond, what was left at the last one shrinks as the baseline does
LEANS = (-0.5, 0.5)  # deviations of the last minute's move that way: away, hardly, towards (ours)
BELIEVED = 10.0  # windows that do not overlap, of which what is believed before counts as so many (ours)
KEEP = 0.5 ** (1 / 20_160)  # a minute: half of what was seen is forgotten in two weeks (ours)
FORGET_EVERY = 60  # minutes
FAST = VolatilityRule()
SLOW = VolatilityRule(half_life_minutes=720.0, minimum_returns=120)  # ours
# Of the variance of each horizon, how much is that of the last hour, the rest that of the last days: measured on Bybit minutes
# of June 2025, four assets, least QLIKE of the steps of a quarter (docs/evaluation.md).
FAST_SHARE = {5: 1.0, 15: 1.0, 60: 0.75, 240: 0.75, 1440: 0.25}


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
    """Of one horizon, by lean: how much was seen, and how much of it went further than each step."""

    seen: tuple[float, ...]
    further: tuple[tuple[float, ...], ...]


class KeptTouches(msgspec.Struct, frozen=True, kw_only=True):
    moves: tuple[KeptMoves, ...]
    fast: VolatilityState | None
    slow: VolatilityState | None


def lean_of(move: float) -> int:
    """Which of the leans the last move has: deviations of a minute, above 0 towards the level."""
    return bisect_right(LEANS, move)


class _Moves:
    """How far price went within one horizon, in deviations that were known when it began."""

    __slots__ = ("_highs", "_lows", "_starts", "further", "horizon", "seen")

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.seen = [0.0] * (len(LEANS) + 1)
        self.further = [[0.0] * STEPS for _ in self.seen]
        self.forget_path()

    def forget_path(self) -> None:
        """A minute is missing: what has begun is not judged."""
        self._starts: deque[tuple[int, float, float, float]] = deque()  # minute, ln(price), deviation, last move
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
        if self._starts and self._starts[0][0] <= begun:
            _, price, sigma, move = self._starts.popleft()
            self._judge((highs[0][1] - price) / sigma, lean_of(move))
            self._judge((price - lows[0][1]) / sigma, lean_of(-move))

    def forget_a_little(self, minutes: int) -> None:
        keep = KEEP**minutes
        self.seen = [keep * seen for seen in self.seen]
        self.further = [[keep * count for count in further] for further in self.further]

    def begin(self, minute: int, price: float, sigma: float, move: float) -> None:
        self._starts.append((minute, price, sigma, move))

    def _judge(self, sigmas: float, lean: int) -> None:
        """Count a move: windows overlap, so each is its part of one, and its two ways are halves."""
        weight = 0.5 / self.horizon
        self.seen[lean] += weight
        further = self.further[lean]
        for step in range(min(STEPS, 1 + int(max(0.0, sigmas) / STEP))):
            further[step] += weight

    def probability(self, sigmas: float, lean: int) -> float:
        """The baseline is believed of all moves together, and what these say of those with that lean."""
        baseline = reflection(sigmas)
        if sigmas <= 0:
            return baseline
        place = min(sigmas / STEP, STEPS - 1)
        step = min(int(place), STEPS - 2)
        part = place - step
        beyond = baseline / reflection(STEP * (STEPS - 1)) if sigmas > STEP * (STEPS - 1) else 1.0
        counts = [beyond * ((1 - part) * further[step] + part * further[step + 1]) for further in self.further]
        of_all = (BELIEVED * baseline + sum(counts)) / (BELIEVED + sum(self.seen))
        return (BELIEVED * of_all + counts[lean]) / (BELIEVED + self.seen[lean])


class Touches:
    """Feed it every minute in order; `chances` speaks as of the last one."""

    def __init__(self) -> None:
        self._fast, self._slow = Volatility(FAST), Volatility(SLOW)
        self._moves = tuple(_Moves(horizon) for horizon in HORIZONS_MIN)
        self._minute: int | None = None
        self._close = 0.0
        self._sigmas: tuple[float, float] | None = None
        self._move = 0.0  # of the last minute, in deviations that were known before it

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
        follows = self._minute is not None and minute == self._minute + 1
        if not follows:
            for moves in self._moves:
                moves.forget_path()
        self._move = log(close / self._close) / self._sigmas[0] if follows and self._sigmas else 0.0
        self._minute, self._close = minute, close
        for moves in self._moves:
            moves.take(minute, log(low), log(high))
            if minute % FORGET_EVERY == 0:
                moves.forget_a_little(FORGET_EVERY)
        for volatility in (self._fast, self._slow):
            volatility.observe(from_ms, close)
            volatility.end_minute()
        fast = self._fast.sigma_before(from_ms + MINUTE_MS)
        slow = self._slow.sigma_before(from_ms + MINUTE_MS) or fast
        self._sigmas = (fast, slow) if fast is not None and slow is not None else None
        if self._sigmas is not None:
            for moves in self._moves:
                moves.begin(minute, log(close), self._over(moves.horizon), self._move)

    def chances(self, distance: float, *, is_above: bool) -> tuple[Chance, ...]:
        """Of touching a level at that distance, |ln(level / price)|, within each horizon; none while volatility is not known."""
        if self._sigmas is None:
            return ()
        lean = lean_of(self._move if is_above else -self._move)
        found = []
        for moves in self._moves:
            sigmas = distance / self._over(moves.horizon)
            found.append(
                Chance(
                    minutes=moves.horizon,
                    sigmas=sigmas,
                    baseline=reflection(sigmas),
                    probability=moves.probability(sigmas, lean),
                )
            )
        return tuple(found)

    def _over(self, horizon: int) -> float:
        assert self._sigmas is not None
        fast, slow, share = *self._sigmas, FAST_SHARE[horizon]
        return sqrt(horizon * (share * fast**2 + (1 - share) * slow**2))

    def kept(self) -> KeptTouches:
        return KeptTouches(
            moves=tuple(
                KeptMoves(seen=tuple(moves.seen), further=tuple(map(tuple, moves.further))) for moves in self._moves
            ),
            fast=self._fast.state,
            slow=self._slow.state,
        )

    def restore(self, kept: KeptTouches) -> None:
        """Raises ValueError when it is of other horizons or steps."""
        shape = [(len(LEANS) + 1, [STEPS] * (len(LEANS) + 1))] * len(self._moves)
        if [(len(one.seen), list(map(len, one.further))) for one in kept.moves] != shape:
            raise ValueError("moves of other horizons or leans")
        for moves, one in zip(self._moves, kept.moves, strict=True):
            moves.seen, moves.further = list(one.seen), list(map(list, one.further))
        self._fast, self._slow = Volatility(FAST, kept.fast), Volatility(SLOW, kept.slow)
