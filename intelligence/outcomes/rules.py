"""All numbers of the outcome ledger, apart from what works with them: settings are read where the feature is off, too."""

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

Part = Annotated[float, Meta(ge=0, le=1)]
Minutes = Annotated[int, Meta(ge=1, le=240)]
DaysBack = Annotated[int, Meta(ge=1, le=365)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsequenceRule:
    """A2 (detection.md 11). `floor`: two taker fees, spread and slip, as a fraction of the price. `room`: least part of the
    whole range that must lie behind the delivery.
    """

    percentile: Part = 0.80
    floor: Part = 0.0025
    room: Part = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRule:
    """detection.md 11. `around`, `apart` in minutes. `alike`: so many, with the hour before most like the alert's, for strict
    A2 (ours). `least_days`: control times must come from so many days before anything is measured by them (ours): those of
    one day tell the same story many times.
    """

    days: DaysBack = 60
    wanted: Annotated[int, Meta(ge=20, le=5_000)] = 200
    around: Minutes = 30
    apart: Minutes = 60
    alike: Annotated[int, Meta(ge=10, le=1_000)] = 50
    least_days: DaysBack = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRule:
    """Which P1 and P2 are pushed. `goal`: what the lower bound of their A2 must reach. `holds_p1`: P1 of cascades and of the
    market too. `least_outcomes` in all, `least_of_family` to fit one; `choose_days`: the newest, on which the level is chosen.
    A family whose lower bound was below `demote_below` for `demote_days` waits for the digest as a whole.
    """

    enabled: bool = True
    goal: Part = 0.85
    holds_p1: bool = False
    least_outcomes: Annotated[int, Meta(ge=20, le=100_000)] = 150
    least_of_family: Annotated[int, Meta(ge=5, le=100_000)] = 30
    choose_days: DaysBack = 14
    demote_below: Part = 0.70
    demote_days: DaysBack = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRules:
    """`score_days`: over how long a family is scored. `least_alerts`: with fewer it is not measurable (issue 6)."""

    enabled: bool = True
    score_days: DaysBack = 30
    least_alerts: Annotated[int, Meta(ge=5, le=10_000)] = 20
    consequence: ConsequenceRule = field(default_factory=ConsequenceRule)
    controls: ControlRule = field(default_factory=ControlRule)
    selection: SelectionRule = field(default_factory=SelectionRule)
