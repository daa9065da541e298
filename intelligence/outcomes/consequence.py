"""A2 of detection.md 11: whether what followed the arrival of an alert was more than what usually follows at that time.

With `x` the range (ln of highest over lowest) from delivery to the horizon, and ranges of as many minutes from control
times, an alert is consequential when x ranks at the 80th percentile or above, reaches the cost floor, and is 0.4 of the
whole move at least, so that enough was left after the message. A random time passes the first in one case of five. Strict:
against those control times alone whose last hour was most like the alert's in volatility, its burst among it: what an alert
adds to knowing that the market has just moved.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from intelligence.alerts import AlertKind
from intelligence.outcomes.controls import alike, thinned
from intelligence.outcomes.rules import ConsequenceRule, OutcomeRules

HORIZONS = (1, 5, 15, 60)  # minutes
OWN_HORIZON = {
    AlertKind.LIQUIDATION: 5,
    AlertKind.CASCADE: 15,
    AlertKind.VOLUME_SPIKE: 15,
    AlertKind.OPEN_INTEREST: 60,
    AlertKind.ZONE_APPROACH: 15,
    AlertKind.MARKET_WIDE: 15,  # ours: that of a cascade, on BTC
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Of an alert. `span`: the range from its delivery to the horizon; `whole`: from the start of the event to the same
    moment; `volatility`: of the hour before the delivery, None where it is not known.
    """

    span: float
    whole: float
    volatility: float | None


@dataclass(frozen=True, slots=True)
class Controls:
    """Every control time of an alert, in the order of time: the range that followed it, and the volatility of the hour before."""

    spans: Sequence[float]
    volatilities: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`rank`: the share of control times below, the alert itself counted as one; `base`: how often they pass themselves.
    `exceeds`, `exceeds_alike`: more than usual, and than usual after such an hour (None where volatility is not known).
    """

    controls: int
    rank: float
    base: float
    exceeds: bool
    exceeds_alike: bool | None
    leaves_room: bool

    @property
    def consequential(self) -> bool:
        return self.exceeds and self.leaves_room

    @property
    def strict(self) -> bool | None:
        return None if self.exceeds_alike is None else self.exceeds_alike and self.leaves_room


def verdict(followed: Followed, controls: Controls, rules: OutcomeRules) -> Verdict:
    """A2 of one alert, plain and strict. There is one control time at least."""
    rule, wanted = rules.consequence, rules.controls
    spans = thinned(controls.spans, wanted.wanted)
    ranked = rank(followed.span, spans)
    strict = None
    if followed.volatility is not None:
        nearest = alike(followed.volatility, controls.volatilities, wanted.alike)
        like = [controls.spans[place] for place in nearest]
        strict = exceeds(rank(followed.span, like), followed.span, rule) if like else None
    return Verdict(
        controls=len(spans),
        rank=ranked,
        base=base_rate(spans, rule),
        exceeds=exceeds(ranked, followed.span, rule),
        exceeds_alike=strict,
        leaves_room=followed.span >= rule.room * followed.whole,
    )


def rank(follows: float, controls: Sequence[float]) -> float:
    """The share of controls below, the time itself counted as one; from 0 to 1."""
    return (1 + sum(control < follows for control in controls)) / (1 + len(controls))


def exceeds(ranked: float, follows: float, rule: ConsequenceRule) -> bool:
    """Whether what followed was more than usual, and worth its costs."""
    return ranked >= rule.percentile and follows >= rule.floor


def base_rate(controls: Sequence[float], rule: ConsequenceRule) -> float:
    """How often a control time itself would pass, each held against the others: what guessing scores."""
    ordered = sorted(controls)
    passing = sum(exceeds((1 + bisect_left(ordered, one)) / len(ordered), one, rule) for one in ordered)
    return passing / len(ordered) if ordered else 0.0
