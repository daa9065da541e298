"""A2 of detection.md 11: whether what followed the arrival of an alert was more than what usually follows at that time.

With `x` the range (ln of highest over lowest) from delivery to the horizon, and ranges of as many minutes from control
times, an alert is consequential when x ranks at the 80th percentile or above, reaches the cost floor, and is 0.4 of the
whole move at least, so that enough was left after the message. A random time passes the first in one case of five.
"""

from bisect import bisect_left
from collections.abc import Sequence

from intelligence.alerts import AlertKind
from intelligence.outcomes.rules import ConsequenceRule

HORIZONS = (1, 5, 15, 60)  # minutes
OWN_HORIZON = {
    AlertKind.LIQUIDATION: 5,
    AlertKind.CASCADE: 15,
    AlertKind.VOLUME_SPIKE: 15,
    AlertKind.OPEN_INTEREST: 60,
    AlertKind.ZONE_APPROACH: 15,
    AlertKind.MARKET_WIDE: 15,  # ours: that of a cascade, on BTC
}


def rank(follows: float, controls: Sequence[float]) -> float:
    """The share of controls below, the time itself counted as one; from 0 to 1."""
    return (1 + sum(control < follows for control in controls)) / (1 + len(controls))


def exceeds(ranked: float, follows: float, rule: ConsequenceRule) -> bool:
    """Whether what followed was more than usual, and worth its costs."""
    return ranked >= rule.percentile and follows >= rule.floor


def leaves_room(follows: float, whole: float, rule: ConsequenceRule) -> bool:
    """`follows`: the range from delivery to the horizon; `whole`: that from the start of the event to the same moment."""
    return follows >= rule.room * whole


def is_consequential(follows: float, whole: float, controls: Sequence[float], rule: ConsequenceRule) -> bool:
    """A2 of one alert; `follows` and `whole` as in `leaves_room`."""
    return exceeds(rank(follows, controls), follows, rule) and leaves_room(follows, whole, rule)


def base_rate(controls: Sequence[float], rule: ConsequenceRule) -> float:
    """How often a control time itself would pass, each held against the others: what guessing scores."""
    ordered = sorted(controls)
    passing = sum(exceeds((1 + bisect_left(ordered, one)) / len(ordered), one, rule) for one in ordered)
    return passing / len(ordered) if ordered else 0.0
