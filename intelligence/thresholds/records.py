"""A threshold with everything a reader needs to recompute it by hand, and the set of them that one asset is judged by."""

from dataclasses import dataclass
from enum import StrEnum

Factors = tuple[tuple[str, float | str], ...]


class Policy(StrEnum):
    """Where a threshold comes from, best first; the chain falls back from left to right."""

    LEARNED = "learned"
    TIERED = "tiered"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A limit, the policy it comes from (`source`), and the figures it was made of, by name.

    In USD, but an open-interest change in per cent. `samples`: observations behind it. `confidence`: 0 to 1, how far
    the policy had what it wants. `computed_ms`, `review_ms`: event time, None where nothing is ever computed again.
    """

    value: float
    source: str = Policy.STATIC
    factors: Factors = ()
    samples: int = 0
    confidence: float = 1.0
    computed_ms: int | None = None
    review_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetThresholds:
    """What one asset is judged by. `volume_spike` is USD in 15 minutes, None while nothing is known of the volume.

    `minimum_oi_change_usd`: what an explosion must create or destroy, None where only the given conditions count.
    `usual_order_usd`: the p90 of its liquidations, where learned. `valid_until_ms`: from that event time on these count
    no longer (None: for ever), and whoever holds them falls back to `StaticThresholds`.
    """

    asset: str
    single: Threshold
    cascade: Threshold
    oi_change_pct: Threshold
    minimum_oi_usd: Threshold
    minimum_oi_change_usd: Threshold | None = None
    volume_spike: Threshold | None = None
    usual_order_usd: float | None = None
    computed_ms: int | None = None
    valid_until_ms: int | None = None

    def valid_at(self, at_ms: int) -> bool:
        return self.valid_until_ms is None or at_ms < self.valid_until_ms
