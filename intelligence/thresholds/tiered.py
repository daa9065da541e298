"""The given policy, exactly (requirements.md 6): a share of the daily volume by tier, times session, times volatility.

single liquidation = daily volume x base share x session x volatility          cascade = 5 x that
volatility         = clip(1 + (volatility - 0.05) x 2, 0.5, 2.0)
open interest      = 15 / 18 / 20 / 25 % by tier x volatility, minimum 50 / 25 / 10 / 2 M USD
volume spike       = 3 x the mean of the 15-minute windows of 7 days x session
"""

from dataclasses import dataclass
from typing import NamedTuple

from intelligence.thresholds.records import Factors, Policy, Threshold
from intelligence.thresholds.sessions import MULTIPLIERS, Session
from intelligence.thresholds.static import GIVEN_CASCADE_MULTIPLE, cascade_of

VOLATILITY_PIVOT = 0.05  # where the volatility multiplier is 1
VOLATILITY_SLOPE = 2.0
VOLATILITY_LIMITS = (0.5, 2.0)
SPIKE_MULTIPLE = 3.0
VOLUME_DAYS = 7
VOLATILITY_DAYS = 30
_TURNOVER_CONFIDENCE = 0.7  # ours: a tier by turnover is a guess at the one by market cap


class Tier(NamedTuple):
    """One row of the given table. It holds above `market_cap_usd`, or without one above `turnover_usd` a day."""

    name: str
    market_cap_usd: float
    turnover_usd: float
    base_share: float
    oi_change_pct: float
    minimum_oi_usd: float


TIERS = (
    Tier("mega", 100e9, 5e9, 0.0005, 15.0, 50e6),
    Tier("large", 10e9, 1e9, 0.001, 18.0, 25e6),
    Tier("mid", 1e9, 100e6, 0.002, 20.0, 10e6),
    Tier("small", 0.0, 0.0, 0.005, 25.0, 2e6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFacts:
    """What the policy is told of an asset. `daily_volume_usd`: mean turnover of `volume_days` whole days over the venues
    that are watched. `volatility`: standard deviation of daily log returns over `volatility_days`, a fraction, None when
    unknown. `mean_15m_usd`: mean of the 15-minute windows of 7 days.
    """

    daily_volume_usd: float
    volume_days: int = VOLUME_DAYS
    volatility: float | None = None
    volatility_days: int = 0
    market_cap_usd: float | None = None
    mean_15m_usd: float | None = None


def tier_of(market_cap_usd: float | None, turnover_usd: float) -> Tier:
    if market_cap_usd is not None:
        return next((tier for tier in TIERS if market_cap_usd > tier.market_cap_usd), TIERS[-1])
    return next((tier for tier in TIERS if turnover_usd > tier.turnover_usd), TIERS[-1])


def volatility_multiplier(volatility: float) -> float:
    """`volatility` as a fraction: 0.9 at 0, 1.0 at 0.05, 2.0 from 0.55."""
    low, high = VOLATILITY_LIMITS
    return min(max(1.0 + (volatility - VOLATILITY_PIVOT) * VOLATILITY_SLOPE, low), high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiered:
    """The policy for one asset at one time; `computed_ms` and `review_ms` go into its records."""

    facts: MarketFacts
    session: Session
    computed_ms: int
    review_ms: int

    @property
    def tier(self) -> Tier:
        return tier_of(self.facts.market_cap_usd, self.facts.daily_volume_usd)

    @property
    def volatility(self) -> float:
        known = self.facts.volatility
        return 1.0 if known is None else volatility_multiplier(known)

    def single(self) -> Threshold:
        volume, tier = self.facts.daily_volume_usd, self.tier
        factors: Factors = (
            ("daily_volume_usd", volume),
            ("base_share", tier.base_share),
            *self._session_factors(),
            *self._volatility_factors(),
            *self._tier_factors(),
        )
        return self._record(volume * tier.base_share * MULTIPLIERS[self.session] * self.volatility, factors)

    def cascade(self) -> Threshold:
        return cascade_of(self.single(), GIVEN_CASCADE_MULTIPLE)

    def oi_change_pct(self) -> Threshold:
        base = self.tier.oi_change_pct
        factors: Factors = (("base_pct", base), *self._volatility_factors(), *self._tier_factors())
        return self._record(base * self.volatility, factors)

    def minimum_oi_usd(self) -> Threshold:
        return self._record(self.tier.minimum_oi_usd, self._tier_factors())

    def volume_spike(self) -> Threshold | None:
        """USD in 15 minutes; None while no such window is known."""
        mean = self.facts.mean_15m_usd
        if mean is None:
            return None
        factors: Factors = (("multiple", SPIKE_MULTIPLE), ("mean_15m_usd", mean), *self._session_factors())
        return self._record(SPIKE_MULTIPLE * mean * MULTIPLIERS[self.session], factors)

    def _session_factors(self) -> Factors:
        return (("session", str(self.session)), ("session_multiplier", MULTIPLIERS[self.session]))

    def _volatility_factors(self) -> Factors:
        known = self.facts.volatility
        told: Factors = (("volatility", "unknown" if known is None else known),)
        return (*told, ("volatility_multiplier", self.volatility))

    def _tier_factors(self) -> Factors:
        cap = self.facts.market_cap_usd
        ground: Factors = (
            (("tier_by", "turnover"),) if cap is None else (("tier_by", "market_cap"), ("market_cap_usd", cap))
        )
        return (("tier", self.tier.name), *ground)

    def _record(self, value: float, factors: Factors) -> Threshold:
        return Threshold(
            value=value,
            source=Policy.TIERED,
            factors=factors,
            samples=self.facts.volume_days,
            confidence=self._confidence(),
            computed_ms=self.computed_ms,
            review_ms=self.review_ms,
        )

    def _confidence(self) -> float:
        """1 with the market cap, seven days of volume and thirty of returns; ours, in proportion below that."""
        facts = self.facts
        volume = min(facts.volume_days / VOLUME_DAYS, 1.0)
        returns = 0.5 + 0.5 * min(facts.volatility_days / VOLATILITY_DAYS, 1.0)
        ground = _TURNOVER_CONFIDENCE if facts.market_cap_usd is None else 1.0
        return round(ground * volume * returns, 3)
