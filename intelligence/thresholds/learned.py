"""Thresholds out of an asset's own history (detection.md 4.6).

    T = max(floor of the tier, floor of the turnover, Q x season x volatility x user)

Q is the value that was exceeded `pushes_per_day` times a day, after every observation was divided by season and volatility
of its own time: so neither counts twice. It may move by `change_per_day` a day and no faster.
"""

from dataclasses import dataclass

from intelligence.thresholds.digest import Digest, quantiles
from intelligence.thresholds.history import History
from intelligence.thresholds.records import Factors, Policy, Threshold
from intelligence.thresholds.rules import LearnedRule
from intelligence.thresholds.tiered import Tier

DAY_MS = 86_400_000
CASCADE_FLOORS = 5.0  # floors of a cascade in those of a single liquidation: the given multiple
FORGET_AT = 0.8  # hysteresis: once learned, history counts until it is down to that part of `enough_days`
LARGE_ORDER = 0.9  # detection.md 5.2: the p90 of an asset's orders


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantile:
    value: float
    wanted: float
    share: float
    samples: int


class Learned:
    """The policy for one asset at one time. Holds on to the quantiles in force, so it is made for each computation."""

    def __init__(
        self, rule: LearnedRule, history: History, *, tier: Tier, daily_usd: float, at_ms: int, review_ms: int
    ) -> None:
        self._rule, self._history, self._tier = rule, history, tier
        self._daily_usd, self._at_ms, self._review_ms = daily_usd, at_ms, review_ms
        self._days = tuple(history.days.values())
        self._observed_days = history.observed_days

    @property
    def enough(self) -> bool:
        """Whether there is history enough; less is enough once thresholds have been learned."""
        part = FORGET_AT if self._history.progress.in_force else 1.0
        return self._observed_days >= part * self._rule.enough_days

    def single(self) -> Threshold:
        quantile = self._quantile("single", [day.singles for day in self._days], self._rule.singles_per_day)
        return self._of_usd(quantile, self._liquidation_floors(1.0))

    def cascade(self) -> Threshold:
        quantile = self._quantile("cascade", [day.cascades for day in self._days], self._rule.cascades_per_day)
        return self._of_usd(quantile, self._liquidation_floors(CASCADE_FLOORS))

    def volume_spike(self) -> Threshold | None:
        """USD in 15 minutes; None while no such window was seen whole."""
        quantile = self._quantile("volume", [day.volume for day in self._days], self._rule.volume_spikes_per_day)
        if quantile is None:
            return None
        return self._of_usd(quantile, (("floor_turnover_usd", self._rule.volume_floor_share * self._daily_usd),))

    def oi_change_pct(self) -> Threshold | None:
        """Per cent in 15 minutes; None where no open interest was seen."""
        rule = self._rule
        quantile = self._quantile("oi_change", [day.oi_changes for day in self._days], rule.oi_changes_per_day)
        if quantile is None:
            return None
        factors: Factors = (("floor_pct", rule.oi_floor_pct), *_told(quantile), *self._volatility(), *self._user())
        learned = quantile.value * self._history.volatility(self._at_ms).multiplier * rule.multiplier
        return self._record(max(rule.oi_floor_pct, learned), factors, quantile)

    def minimum_oi_usd(self) -> Threshold:
        return self._record(self._tier.minimum_oi_usd, (("tier", self._tier.name),), None)

    def minimum_oi_change_usd(self) -> Threshold:
        share = self._rule.oi_change_floor_share
        factors: Factors = (("share_of_turnover", share), ("turnover_24h_usd", self._daily_usd))
        return self._record(share * self._daily_usd, factors, None)

    def usual_order_usd(self) -> float | None:
        """The p90 of the asset's liquidations as they would be now; None with too few."""
        found = quantiles([day.singles for day in self._days], (LARGE_ORDER,))
        count = sum(day.singles.count for day in self._days)
        return found[0] * self._season() * self._multiplier() if found and count * (1 - LARGE_ORDER) >= 10 else None

    # -- inside -----------------------------------------------------------------------------------------------------

    def _quantile(self, name: str, digests: list[Digest], per_day: float) -> _Quantile | None:
        """None where nothing was ever seen. Where less was seen than may be pushed, the smallest of it: floors decide."""
        samples = sum(digest.count for digest in digests)
        share = max(0.0, 1.0 - per_day * self._observed_days / samples) if samples else 0.0
        found = quantiles(digests, (share,))
        if found is None:
            return None
        wanted = found[0]
        return _Quantile(value=self._bounded(name, wanted), wanted=wanted, share=share, samples=samples)

    def _bounded(self, name: str, wanted: float) -> float:
        """Let a quantile move towards what is wanted as far as it may since it was last set."""
        in_force = self._history.progress.in_force
        value = wanted
        if name in in_force:
            before, since_ms = in_force[name]
            reach = (1.0 + self._rule.change_per_day) ** (max(self._at_ms - since_ms, 0) / DAY_MS)
            value = min(max(wanted, before / reach), before * reach)
        in_force[name] = (value, self._at_ms)
        return value

    def _of_usd(self, quantile: _Quantile | None, floors: Factors) -> Threshold:
        """The largest of the floors and the quantile as it would be now; the floors alone where nothing was seen."""
        largest = max(float(usd) for _, usd in floors)
        if quantile is None:
            return self._record(largest, floors, None)
        learned = quantile.value * self._season() * self._multiplier() * self._rule.multiplier
        factors: Factors = (*floors, *_told(quantile), *self._season_told(), *self._volatility(), *self._user())
        return self._record(max(largest, learned), factors, quantile)

    def _liquidation_floors(self, multiple: float) -> Factors:
        return (
            ("floor_tier_usd", multiple * self._rule.tier_floor_usd(self._tier.name)),
            ("floor_turnover_usd", multiple * self._rule.floor_share * self._daily_usd),
        )

    def _season(self) -> float:
        season = self._history.season(self._at_ms)
        return season.index if season else 1.0

    def _multiplier(self) -> float:
        return self._history.volatility(self._at_ms).multiplier

    def _season_told(self) -> Factors:
        season = self._history.season(self._at_ms)
        if season is None:
            return (("season", 1.0),)
        return (
            ("season", season.index),
            ("season_level_usd", season.level_usd),
            ("season_overall_usd", season.overall_usd),
            ("season_minutes", season.minutes),
        )

    def _volatility(self) -> Factors:
        now = self._history.volatility(self._at_ms)
        told: Factors = (("volatility_multiplier", now.multiplier),)
        if now.sigma is None or now.usual is None:
            return told
        return (*told, ("sigma_1m", now.sigma), ("usual_sigma_1m", now.usual))

    def _user(self) -> Factors:
        return (("user_multiplier", self._rule.multiplier),)

    def _record(self, value: float, factors: Factors, quantile: _Quantile | None) -> Threshold:
        return Threshold(
            value=value,
            source=Policy.LEARNED,
            factors=(*factors, ("days", round(self._observed_days, 2))),
            samples=quantile.samples if quantile else 0,
            confidence=self._confidence(quantile),
            computed_ms=self._at_ms,
            review_ms=self._review_ms,
        )

    def _confidence(self, quantile: _Quantile | None) -> float:
        """Ours: the part of 28 days that was watched; half of it where the floors had to decide alone."""
        watched = min(self._observed_days / 28, 1.0)
        return round(watched if quantile and quantile.share > 0 else watched / 2, 3)


def _told(quantile: _Quantile) -> Factors:
    told: Factors = (("quantile", quantile.value), ("quantile_share", round(quantile.share, 6)))
    return told if quantile.wanted == quantile.value else (*told, ("quantile_wanted", quantile.wanted))
