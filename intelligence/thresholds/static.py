"""The thresholds the user gave (requirements.md 4 and 5): always there, whatever else fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from intelligence.thresholds.records import AssetThresholds, Threshold

GIVEN_SINGLE_USD = {"BTC": 100_000.0, "ETH": 50_000.0, "SOL": 25_000.0}  # requirements.md 4
GIVEN_DEFAULT_USD = 10_000.0  # requirements.md 4, "any other"
GIVEN_CASCADE_MULTIPLE = 5.0  # requirements.md 4, "5 x the single threshold"
GIVEN_OI_CHANGE_PCT = {"BTC": 15.0, "ETH": 18.0}  # requirements.md 5
GIVEN_OI_DEFAULT_PCT = 20.0  # requirements.md 5, "a start"
GIVEN_MINIMUM_OI_USD = {"BTC": 50e6, "ETH": 25e6}  # requirements.md 5
GIVEN_MINIMUM_OI_DEFAULT_USD = 10e6  # requirements.md 5, "a start"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticThresholds:
    """`single_usd`: USD of one liquidation by asset; `default_usd`: for any other asset;
    `cascade_multiple`: a cascade's threshold in single thresholds. `oi_change_pct`, `minimum_oi_usd`: of an explosion of
    open interest, by asset and for any other.
    """

    single_usd: Mapping[str, float] = field(default_factory=GIVEN_SINGLE_USD.copy)
    default_usd: float = GIVEN_DEFAULT_USD
    cascade_multiple: float = GIVEN_CASCADE_MULTIPLE
    oi_change_pct: Mapping[str, float] = field(default_factory=GIVEN_OI_CHANGE_PCT.copy)
    oi_change_default_pct: float = GIVEN_OI_DEFAULT_PCT
    minimum_oi_usd: Mapping[str, float] = field(default_factory=GIVEN_MINIMUM_OI_USD.copy)
    minimum_oi_default_usd: float = GIVEN_MINIMUM_OI_DEFAULT_USD

    def of(self, asset: str) -> AssetThresholds:
        """Everything that is given for an asset; nothing is given for volume spikes."""
        return AssetThresholds(
            asset=asset,
            single=self.single(asset),
            cascade=self.cascade(asset),
            oi_change_pct=self.oi_change(asset),
            minimum_oi_usd=self.minimum_oi(asset),
        )

    def single(self, asset: str) -> Threshold:
        return Threshold(value=self.single_usd.get(asset, self.default_usd))

    def cascade(self, asset: str) -> Threshold:
        return cascade_of(self.single(asset), self.cascade_multiple)

    def oi_change(self, asset: str) -> Threshold:
        return Threshold(value=self.oi_change_pct.get(asset, self.oi_change_default_pct))

    def minimum_oi(self, asset: str) -> Threshold:
        return Threshold(value=self.minimum_oi_usd.get(asset, self.minimum_oi_default_usd))


def cascade_of(single: Threshold, multiple: float) -> Threshold:
    """A cascade's threshold as a multiple of the single one's, of the same policy."""
    return Threshold(
        value=multiple * single.value,
        source=single.source,
        factors=(("single_usd", single.value), ("multiple", multiple), *single.factors),
        samples=single.samples,
        confidence=single.confidence,
        computed_ms=single.computed_ms,
        review_ms=single.review_ms,
    )


def expired(held: AssetThresholds, static: StaticThresholds) -> AssetThresholds:
    """What counts once `held` is out of date: the given numbers, and why."""

    def told(threshold: Threshold, was: Threshold) -> Threshold:
        why = (("expired", str(was.source)), ("expired_ms", held.valid_until_ms or 0))
        return replace(threshold, factors=(*threshold.factors, *why))

    given = static.of(held.asset)
    return replace(
        given,
        single=told(given.single, held.single),
        cascade=told(given.cascade, held.cascade),
        oi_change_pct=told(given.oi_change_pct, held.oi_change_pct),
        minimum_oi_usd=told(given.minimum_oi_usd, held.minimum_oi_usd),
    )
