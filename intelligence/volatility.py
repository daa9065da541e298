"""How much an asset's price usually moves in a minute (detection.md 4.4)."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import log, sqrt

MINUTE_MS = 60_000
REMEMBERED_CLOSES = 16  # minutes of past estimates, so that an event is judged by one from before its window


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityRule:
    """`half_life_minutes`, `winsor_sigmas`: detection.md 4.4. `minimum_returns`: half a half-life; below that the
    estimate counts as unknown. `floor`: fraction a minute, stands for the tick, which a mark price does not tell.
    """

    half_life_minutes: float = 60.0
    winsor_sigmas: float = 8.0
    minimum_returns: int = 30
    floor: float = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityState:
    """What a restarted instance needs to go on: too long a memory to be rebuilt from retained events.

    `closed_minute`: number of the last closed minute since 1970. `closes`: closing time (ms) and the estimate then.
    """

    closed_minute: int
    close_price: float
    variance: float
    weight: float
    returns: int
    closes: tuple[tuple[int, float | None], ...]


class Volatility:
    """Exponentially weighted standard deviation of 1-minute log returns, a fraction per minute."""

    def __init__(self, rule: VolatilityRule, state: VolatilityState | None = None) -> None:
        self._rule = rule
        self._decay = 0.5 ** (1 / rule.half_life_minutes)
        self._minute: int | None = None
        self._price = 0.0
        self._closed: tuple[int, float] | None = None
        self._variance = 0.0
        self._weight = 0.0  # tends to 1; dividing by it removes the bias of starting at 0
        self._returns = 0
        self._closes: deque[tuple[int, float | None]] = deque(maxlen=REMEMBERED_CLOSES)
        self._before: Volatility | None = None  # what bars say of the time before this instance saw its first price
        self._first: int | None = None  # minute of that price
        if state is not None:
            self._closed = (state.closed_minute, state.close_price)
            self._variance, self._weight, self._returns = state.variance, state.weight, state.returns
            self._closes.extend(state.closes)
            self._first = state.closed_minute - state.returns

    @property
    def state(self) -> VolatilityState | None:
        """None until a minute has closed."""
        if self._closed is None:
            return None
        minute, price = self._closed
        variance, weight, returns = self.sums
        return VolatilityState(
            closed_minute=minute,
            close_price=price,
            variance=variance,
            weight=weight,
            returns=returns,
            closes=tuple(self._closes),
        )

    def begin_with(self, closes: Iterable[tuple[int, float]]) -> None:
        """Take closes (opening time of the minute in ms, price) of one contract from before the first price seen here.

        Later ones are left out, so that no minute counts twice, and no return is taken from one source to the other.
        Again with more of them: the last call counts.
        """
        before = Volatility(self._rule)
        for open_ms, price in closes:
            if self._first is None or open_ms // MINUTE_MS < self._first:
                before.observe(open_ms, price)
        before.end_minute()
        self._before = before

    def end_minute(self) -> None:
        """Close the minute of the last price: nothing more of it will come."""
        if self._minute is not None and (self._closed is None or self._minute > self._closed[0]):
            self._close(self._minute, self._price)

    def observe(self, at_ms: int, price: float) -> None:
        """Take a reference price; the last one of a minute is its close. Minutes already closed are ignored."""
        minute = at_ms // MINUTE_MS
        if self._first is None:
            self._first = minute
        if self._closed is not None and minute <= self._closed[0]:
            return
        if self._minute is not None and minute > self._minute:
            self._close(self._minute, self._price)
        if self._minute is None or minute >= self._minute:
            self._minute, self._price = minute, price

    def sigma_before(self, at_ms: int) -> float | None:
        """The estimate from minutes that had closed by `at_ms`; None while too few have."""
        for close_ms, sigma in reversed(self._closes):
            if close_ms <= at_ms and sigma is not None:
                return sigma
        return self._before.sigma_before(at_ms) if self._before is not None else None

    def _close(self, minute: int, price: float) -> None:
        before = self._closed
        self._closed = (minute, price)
        if before is not None and minute == before[0] + 1:  # a return over a gap is not a 1-minute return
            self._take(log(price / before[1]))
        self._closes.append(((minute + 1) * MINUTE_MS, self._sigma()))

    def _take(self, move: float) -> None:
        sigma = self._sigma()
        if sigma is not None:
            limit = self._rule.winsor_sigmas * sigma
            move = min(max(move, -limit), limit)
        self._variance = self._decay * self._variance + (1 - self._decay) * move * move
        self._weight = self._decay * self._weight + (1 - self._decay)
        self._returns += 1

    def _sigma(self) -> float | None:
        variance, weight, returns = self.sums
        if returns < self._rule.minimum_returns:
            return None
        return max(sqrt(variance / weight), self._rule.floor)

    @property
    def sums(self) -> tuple[float, float, int]:
        """Variance, weight and number of returns, with what bars say of the time before: it fades like own returns."""
        if self._before is None:
            return self._variance, self._weight, self._returns
        variance, weight, returns = self._before.sums
        share = self._decay**self._returns
        return self._variance + share * variance, self._weight + share * weight, self._returns + returns
