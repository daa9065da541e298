"""All numbers of predicted zones, apart from what works with them: settings are read where the feature is off, too."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

Share = Annotated[float, Meta(ge=1e-6, le=1)]
MOST_LIFETIMES = 4  # each takes 150 KB an asset
LEAST_LIFETIME_H = 0.01
Horizon = Literal[5, 15, 60, 240, 1440]  # touch.HORIZONS_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRule:
    """Where positions were opened and which are left (detection.md 10.3).

    `lifetimes_h`: half-lives of positions; how many of which kind there are is learned. `position_usd`: notional of a
    position, which decides its margin tier (ours). `liquidated_share`: part of what is opened that is liquidated when its price is
    reached, before anything was seen (given: 0.2); `prior_share`: how much is believed of it, as a share of open interest that
    must have been passed over before the asset's own liquidations count as much (ours). `evidence_half_life_h`: how fast what
    was seen is forgotten (ours).
    """

    lifetimes_h: tuple[float, ...] = (1.0, 72.0)
    position_usd: float = 50_000.0
    liquidated_share: Share = 0.2
    prior_share: Share = 0.02
    evidence_half_life_h: float = 336.0

    def __post_init__(self) -> None:
        if not 1 <= len(self.lifetimes_h) <= MOST_LIFETIMES or min(self.lifetimes_h) < LEAST_LIFETIME_H:
            raise ValueError(f"lifetimes_h: expected 1 to {MOST_LIFETIMES} of at least {LEAST_LIFETIME_H} h")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRule:
    """What counts as a zone (detection.md 10.3). `quantile`: of the densities of its side within reach, which is so many
    deviations of a day (ours), at least `reach_least` and at most `reach_most` of the price. Widths are fractions of the
    price. `expires_h`: how long a prediction stands.
    """

    quantile: Share = 0.9
    reach_sigmas: float = 1.0
    reach_least: Share = 0.01
    reach_most: Share = 0.25
    least_width: Share = 0.002
    most_width: Share = 0.015
    a_side: int = 5
    expires_h: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachRule:
    """When people are warned. `probability` of a touch within `horizon_min`: without drift no other level is followed by a
    touch after 2 to 5 minutes as often (docs/evaluation.md); from `too_late` on most touches come sooner than that. A large zone
    is expected to hold more than `large_quantile` of the asset's last predictions did, so that price reaches about as many a day
    as there are warnings (measured), and at least `large_usd` (ours). `a_day`: warnings of an asset in 24 h at most (issue 6).
    `judged_min`: within so long a zone people were warned of must be touched, or the warning was wrong (detection.md 11).
    """

    probability: Share = 0.4
    too_late: Share = 0.7
    horizon_min: Horizon = 5
    large_quantile: Share = 0.9
    large_usd: float = 50_000.0
    a_day: int = 6
    judged_min: Horizon = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRule:
    """The given baseline model (requirements.md 8): every number of it is given but the last three.

    `keep_h`: a zone that price has not reached stands so long (ours); one of the same leverage within `same` of the price is
    the same. `matched`: a liquidation so near to a zone confirms it, a price so far beyond refutes it (ours).
    """

    leverages: tuple[int, ...] = (10, 15, 20, 25)
    leverage_factor: float = 1.5
    fee: float = 0.001
    payer_share: Share = 0.6
    size_share: Share = 0.2
    counts_usd: float = 1_000_000.0
    warns_usd: float = 10_000_000.0
    warns_within: Share = 0.02
    check_s: float = 300.0
    check_liquidations: int = 10
    confidence: Share = 0.7
    keep_h: float = 24.0
    same: Share = 0.005
    matched: Share = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRules:
    """The settings fill it. `model`: who warns; `given` also stands in while ours knows too little."""

    model: Literal["ours", "given"] = "ours"
    book: BookRule = field(default_factory=BookRule)
    cut: CutRule = field(default_factory=CutRule)
    approach: ApproachRule = field(default_factory=ApproachRule)
    given: GivenRule = field(default_factory=GivenRule)
