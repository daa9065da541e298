"""Control times of an alert: moments of the past without any alert of ours, at the same time of the week."""

from bisect import bisect_left
from collections.abc import Sequence

from intelligence.outcomes.rules import ControlRule

DAY = 1_440  # minutes
WEEK = 7 * DAY


def control_minutes(at: int, alerts_at: Sequence[int], rule: ControlRule) -> list[int]:
    """Every minute that may be a control of minute `at`, newest last; all lie an hour and more before it.

    `alerts_at`: the minutes of the asset's alerts in order, that of this one among them. The same bucket of the week; where
    that gives fewer days than `least_days`, the same time on all weekdays, or on all days of the weekend (detection.md 4.2).
    """
    weekly = range(WEEK, rule.days * DAY + 1, WEEK)
    backs: Sequence[int] = weekly
    if len(_free(at, weekly, alerts_at, rule)) < rule.least_days:
        weekend = _is_weekend(at)
        backs = [day * DAY for day in range(1, rule.days + 1) if _is_weekend(at - day * DAY) == weekend]
    return [minute for minutes in reversed(_free(at, backs, alerts_at, rule)) for minute in minutes]


def thinned(minutes: Sequence[int], wanted: int) -> list[int]:
    """So many of them, evenly."""
    if len(minutes) <= wanted:
        return list(minutes)
    return [minutes[index * (len(minutes) - 1) // (wanted - 1)] for index in range(wanted)]


def _free(at: int, backs: Sequence[int], alerts_at: Sequence[int], rule: ControlRule) -> list[list[int]]:
    """The minutes around each moment back without an alert near them, the moments without any left out."""
    found = []
    for back in backs:
        middle = at - back
        minutes = [
            minute
            for minute in range(middle - rule.around, middle + rule.around + 1)
            if minute <= at - rule.apart and not _is_near(minute, alerts_at, rule.apart)
        ]
        if minutes:
            found.append(minutes)
    return found


def _is_near(minute: int, alerts_at: Sequence[int], apart: int) -> bool:
    place = bisect_left(alerts_at, minute - apart)
    return place < len(alerts_at) and alerts_at[place] <= minute + apart


def _is_weekend(minute: int) -> bool:
    """1970 began on a Thursday."""
    return (minute // DAY + 3) % 7 >= 5
