"""How prices move: a common factor, own noise with volatility clustering, news, and the push of forced orders.

Clustering is GARCH(1,1) on one-second returns. A forced order moves the price by its notional over the depth of the book;
part of that push stays, the rest decays as the book refills.
"""

import math
from dataclasses import dataclass

GARCH_SHOCK = 0.06
GARCH_MEMORY = 0.91  # shock + memory = 0.97: half-life of a volatility burst about 23 s
VARIANCE_CEILING = 9.0  # times the usual variance
MARK_SMOOTHING_S = 1.5  # mark prices are averages, so they trail the last price
PUSH_RECOVERY_S = 40.0
PUSH_PERMANENT = 0.35  # share of a forced order's push that stays
MAX_PUSH = 0.08  # of the price; circuit limits of the venues (marketTakeBound) are of that size
SECONDS_PER_DAY = 86_400.0


class Volatility:
    """Variance per second of one source of returns."""

    __slots__ = ("deviation", "usual_variance", "variance")

    def __init__(self, daily: float) -> None:
        self.usual_variance = daily * daily / SECONDS_PER_DAY
        self.variance = self.usual_variance
        self.deviation = math.sqrt(self.variance)

    def observe(self, second_return: float) -> None:
        """Take in the return of the second that just ended."""
        usual = self.usual_variance
        shocked = min(second_return * second_return, 25.0 * usual)
        variance = (1 - GARCH_SHOCK - GARCH_MEMORY) * usual + GARCH_SHOCK * shocked + GARCH_MEMORY * self.variance
        self.variance = min(variance, VARIANCE_CEILING * usual)
        self.deviation = math.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class StepSize:
    """What depends on the length of a step alone."""

    seconds: float
    root: float
    recovery: float
    mark_weight: float

    @classmethod
    def of(cls, seconds: float) -> "StepSize":
        return cls(
            seconds,
            math.sqrt(seconds),
            math.exp(-seconds / PUSH_RECOVERY_S),
            1 - math.exp(-seconds / MARK_SMOOTHING_S),
        )


class Price:
    """One asset's price in USD per coin: `last` on the books, `mark` as the venues average it."""

    __slots__ = ("_beta", "_depth_usd", "_second_ago", "_volatility", "drift", "fair", "last", "mark", "push")

    def __init__(self, price: float, daily_volatility: float, beta: float, depth_usd: float) -> None:
        """`depth_usd`: the forced notional that would move the price by 100 %, were the book that deep all the way."""
        self.fair = self.last = self.mark = self._second_ago = price
        self.push = 0.0
        self.drift = 0.0  # return per second while news is being absorbed
        self._beta = beta
        self._depth_usd = depth_usd
        self._volatility = Volatility(daily_volatility)

    @property
    def deviation(self) -> float:
        """Standard deviation of the asset's own return in a second, now."""
        return self._volatility.deviation

    @property
    def activity(self) -> float:
        """Its variance now in units of the usual."""
        return self._volatility.variance / self._volatility.usual_variance

    def move(self, step: StepSize, common_return: float, noise: float) -> None:
        """Advance by one step; `noise` is a standard normal draw."""
        change = self._beta * common_return + self._volatility.deviation * step.root * noise + self.drift * step.seconds
        self.fair *= 1 + change
        self.push *= step.recovery
        self.last = self.fair * (1 + self.push)
        self.mark += (self.last - self.mark) * step.mark_weight

    def take_forced_order(self, signed_usd: float) -> float:
        """Let a forced order (negative: a sale) hit the book; returns its average fill price."""
        before = self.last
        impact = signed_usd / self._depth_usd
        self.fair *= 1 + max(-0.02, min(0.02, impact * PUSH_PERMANENT))
        self.push = max(-MAX_PUSH, min(MAX_PUSH, self.push + impact * (1 - PUSH_PERMANENT)))
        self.last = self.fair * (1 + self.push)
        return (before + self.last) / 2

    def end_second(self) -> None:
        self._volatility.observe(self.last / self._second_ago - 1)
        self._second_ago = self.last
