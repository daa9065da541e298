"""The chain of policies: own history where there is enough of it, else the given formula, else the given numbers."""

from dataclasses import replace

from intelligence.thresholds.history import History
from intelligence.thresholds.learned import Learned
from intelligence.thresholds.records import AssetThresholds, Threshold
from intelligence.thresholds.rules import ThresholdRules
from intelligence.thresholds.static import StaticThresholds, cascade_of
from intelligence.thresholds.tiered import MarketFacts, Tiered


class ThresholdEngine:
    """Pure: the same facts, history and time give the same thresholds. Only the quantiles in force move on with each call."""

    def __init__(self, rules: ThresholdRules, static: StaticThresholds) -> None:
        self._rules, self._static = rules, static

    def compute(self, asset: str, facts: MarketFacts | None, history: History, at_ms: int) -> AssetThresholds:
        """What counts from `at_ms` on. `facts`: None while the daily volume is unknown."""
        review_ms = at_ms + int(self._rules.review_s * 1000)
        given = self._given(asset, at_ms, review_ms)
        if facts is not None:
            session = self._rules.sessions.at(at_ms)
            tiered = Tiered(facts=facts, session=session, computed_ms=at_ms, review_ms=review_ms)
            learned = Learned(
                self._rules.learned,
                history,
                tier=tiered.tier,
                daily_usd=facts.daily_volume_usd,
                at_ms=at_ms,
                review_ms=review_ms,
            )
            given = self._learned(given, tiered, learned) if learned.enough else self._tiered(given, tiered, history)
        return replace(given, computed_ms=at_ms, valid_until_ms=at_ms + int(self._rules.valid_s * 1000))

    def _given(self, asset: str, at_ms: int, review_ms: int) -> AssetThresholds:
        def due(threshold: Threshold) -> Threshold:
            return replace(threshold, computed_ms=at_ms, review_ms=review_ms)

        given = self._static.of(asset)
        return replace(
            given,
            single=due(given.single),
            cascade=due(given.cascade),
            oi_change_pct=due(given.oi_change_pct),
            minimum_oi_usd=due(given.minimum_oi_usd),
        )

    @staticmethod
    def _learned(given: AssetThresholds, tiered: Tiered, learned: Learned) -> AssetThresholds:
        return replace(
            given,
            single=learned.single(),
            cascade=learned.cascade(),
            oi_change_pct=learned.oi_change_pct() or tiered.oi_change_pct(),
            minimum_oi_usd=learned.minimum_oi_usd(),
            minimum_oi_change_usd=learned.minimum_oi_change_usd(),
            volume_spike=learned.volume_spike() or tiered.volume_spike(),
            usual_order_usd=learned.usual_order_usd(),
        )

    def _tiered(self, given: AssetThresholds, tiered: Tiered, history: History) -> AssetThresholds:
        """The given formula. Under the cap one liquidation alerts at so many static thresholds at the most, and a cascade at the
        static one: a day without history must not be a day without cascades (docs/evaluation.md).
        """
        day = f"day {int(history.observed_days) + 1} of {self._rules.learned.enough_days:g}"
        single = self._capped(given.asset, tiered.single())
        single = replace(single, factors=(*single.factors, ("learning", day)))
        cascade = cascade_of(single, self._static.cascade_multiple)
        if self._rules.cold_start_cap != "off":
            cascade = min(cascade, given.cascade, key=lambda threshold: threshold.value)
        return replace(
            given,
            single=single,
            cascade=cascade,
            oi_change_pct=tiered.oi_change_pct(),
            minimum_oi_usd=tiered.minimum_oi_usd(),
            volume_spike=tiered.volume_spike(),
        )

    def _capped(self, asset: str, single: Threshold) -> Threshold:
        cap = self._rules.cold_start_cap
        if cap == "off":
            return single
        static = self._static.single(asset).value
        factors = (
            *single.factors,
            ("tiered_usd", single.value),
            ("cold_start_cap", cap),
            ("static_usd", static),
        )
        return replace(single, value=min(single.value, cap * static), factors=factors)
