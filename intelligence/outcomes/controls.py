"""Control times of an alert: moments of the past without any alert of ours, at the same time of the week or of the day."""

from bisect import bisect_left
from collections.abc import Sequence
from heapq import nsmallest
from typing import TypeVar

from intelligence.outcomes.rules import ControlRule

DAY = 1_440  # minutes
WEEK = 7 * DAY
T = TypeVar("T")


def control_minutes(at: int, alerts_at: Sequence[int], known_from: int, rule: ControlRule) -> list[int]:
    """Every minute that may be a control of minute `at`, newest last; all lie an hour and more before it.

    `alerts_at`: the minutes of the asset's alerts in order, that of this one among them. `known_from`: no prices are there
    before that minute. The same bucket of the week; where that gives fewer days than `least_days`, the same time on all
    weekdays, or on all days of the weekend (detection.md 4.2).
    """
    weekly = range(WEEK, rule.days * DAY + 1, WEEK)
    found = _free(at, weekly, alerts_at, known_from, rule)
    if len(found) < rule.least_days:
        weekend = _is_weekend(at)
        backs = [day * DAY for day in range(1, rule.days + 1) if _is_weekend(at - day * DAY) == weekend]
        found = _free(at, backs, alerts_at, known_from, rule)
    return _joined(found)


def daily_minutes(at: int, alerts_at: Sequence[int], known_from: int, rule: ControlRule) -> list[int]:
    """The same with the same time of every day, as detection.md 12.10 has it: for recordings of few weeks."""
    return _joined(_free(at, range(DAY, rule.days * DAY + 1, DAY), alerts_at, known_from, rule))


def thinned(items: Sequence[T], wanted: int) -> list[T]:
    """So many of them, evenly."""
    if len(items) <= wanted:
        return list(items)
    return [items[index * (len(items) - 1) // (wanted - 1)] for index in range(wanted)]


def alike(volatility: float, volatilities: Sequence[float | None], wanted: int) -> list[int]:
    """The places of so many of them that are nearest in proportion, nearest first; None is near to nothing."""
    distances = [(one / volatility if one > volatility else volatility / one) if one else 0.0 for one in volatilities]
    known = (place for place, one in enumerate(volatilities) if one)
    return nsmallest(wanted, known, key=distances.__getitem__)


def _free(
    at: int, backs: Sequence[int], alerts_at: Sequence[int], known_from: int, rule: ControlRule
) -> list[list[int]]:
    """The minutes around each moment back without an alert near them, the moments without any left out."""
    found = []
    for back in backs:
        first = max(at - back - rule.around, known_from)
        behind = min(at - back + rule.around, at - rule.apart) + 1
        if minutes := _without_alerts(first, behind, alerts_at, rule.apart):
            found.append(minutes)
    return found


def _without_alerts(first: int, behind: int, alerts_at: Sequence[int], apart: int) -> list[int]:
    """The minutes from `first` to before `behind` that lie further than `apart` from every alert."""
    minutes: list[int] = []
    place = bisect_left(alerts_at, first - apart)
    while place < len(alerts_at) and alerts_at[place] - apart < behind:
        minutes.extend(range(first, alerts_at[place] - apart))
        first = max(first, alerts_at[place] + apart + 1)
        place += 1
    minutes.extend(range(first, behind))
    return minutes


def _joined(free: Sequence[Sequence[int]]) -> list[int]:
    """The moments that are furthest back come last in `free`."""
    return [minute for minutes in reversed(free) for minute in minutes]


def _is_weekend(minute: int) -> bool:
    """1970 began on a Thursday."""
    return (minute // DAY + 3) % 7 >= 5
