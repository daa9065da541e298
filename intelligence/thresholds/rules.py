"""All numbers of dynamic thresholds, apart from what works with them: settings are read where the feature is off, too."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from intelligence.thresholds.sessions import SessionRule

Seconds = Annotated[float, Meta(ge=1, le=604_800)]
Multiple = Annotated[float, Meta(ge=0.1, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRule:
    """`days`: how long the baselines reach back (detection.md 4.2). `volatility_power`, `_low`, `_high`: M_vol of 4.6."""

    days: int = 28
    volatility_power: float = 0.5
    volatility_low: float = 0.6
    volatility_high: float = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRule:
    """`enough_days` of watching before history counts, of the 14 that detection.md 4.6 names. `..._per_day`: pushes of an
    asset and kind a day that its thresholds aim at (ours). `change_per_day`: 4.6. Floors of a liquidation: `..._floor_usd`
    by tier (ours), and `floor_share` of 24 h of turnover (4.5); `volume_floor_share`: of 15 minutes (ours);
    `oi_floor_pct`: least change (ours); `oi_change_floor_share`: of 24 h of turnover, what a change must be worth in USD
    (detection.md 6). `multiplier`: the operator's own factor.
    """

    enough_days: float = 14.0
    singles_per_day: float = 2.0
    cascades_per_day: float = 0.5
    oi_changes_per_day: float = 0.2
    volume_spikes_per_day: float = 1.0
    change_per_day: float = 0.2
    mega_floor_usd: float = 50_000.0
    large_floor_usd: float = 20_000.0
    mid_floor_usd: float = 10_000.0
    small_floor_usd: float = 5_000.0
    floor_share: float = 0.000005
    volume_floor_share: float = 0.01
    oi_floor_pct: float = 2.0
    oi_change_floor_share: float = 0.01
    multiplier: float = 1.0

    def tier_floor_usd(self, tier: str) -> float:
        floors = {
            "mega": self.mega_floor_usd,
            "large": self.large_floor_usd,
            "mid": self.mid_floor_usd,
            "small": self.small_floor_usd,
        }
        return floors[tier]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRules:
    """All numbers of dynamic thresholds; the settings fill it.

    `review_s`: how long a result stands (requirements.md 6). `valid_s`: how long it counts when nothing newer comes.
    `cold_start_cap`: until history is there a single liquidation alerts at the smaller of `tiered` and so many static
    thresholds, and a cascade at the static one at the most; `off`: at `tiered` alone. `regime_step`: part by which the volatility multiplier must move to be computed
    with before the hour is over.
    """

    review_s: Seconds = 3_600.0
    valid_s: Seconds = 21_600.0
    cold_start_cap: Multiple | Literal["off"] = 10.0
    regime_step: float = 0.25
    sessions: SessionRule = field(default_factory=SessionRule)
    history: HistoryRule = field(default_factory=HistoryRule)
    learned: LearnedRule = field(default_factory=LearnedRule)
