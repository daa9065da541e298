"""The thresholds the user gave (requirements.md 4): always there, whatever else fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field

GIVEN_SINGLE_USD = {"BTC": 100_000.0, "ETH": 50_000.0, "SOL": 25_000.0}  # requirements.md 4
GIVEN_DEFAULT_USD = 10_000.0  # requirements.md 4, "any other"
GIVEN_CASCADE_MULTIPLE = 5.0  # requirements.md 4, "5 x the single threshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A limit in USD, the policy it comes from, and the figures it was made of, by name."""

    value: float
    source: str = "static"
    factors: tuple[tuple[str, float | str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticThresholds:
    """`single_usd`: USD of one liquidation by asset; `default_usd`: for any other asset;
    `cascade_multiple`: a cascade's threshold in single thresholds.
    """

    single_usd: Mapping[str, float] = field(default_factory=GIVEN_SINGLE_USD.copy)
    default_usd: float = GIVEN_DEFAULT_USD
    cascade_multiple: float = GIVEN_CASCADE_MULTIPLE

    def single(self, asset: str) -> Threshold:
        return Threshold(value=self.single_usd.get(asset, self.default_usd))

    def cascade(self, asset: str) -> Threshold:
        single = self.single(asset)
        return Threshold(
            value=self.cascade_multiple * single.value,
            factors=(("single_usd", single.value), ("multiple", self.cascade_multiple)),
        )
