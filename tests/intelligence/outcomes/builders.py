"""An asset's minutes for judging alerts: numbers of minutes count from 1970; AT is a Monday noon ten weeks in."""

from random import Random

from intelligence.alerts import AlertKind, Severity
from intelligence.outcomes.bars import HOUR, Bars, HourBars
from intelligence.outcomes.controls import DAY, WEEK, control_minutes
from intelligence.outcomes.judging import Told, judge
from intelligence.outcomes.rules import ControlRule, OutcomeRules

AT = 10 * WEEK + 4 * DAY + 12 * 60  # 1970 began on a Thursday
MINUTE_MS = 60_000


def a_told(at=AT, delivered_s=2.0, **overrides):
    """A cascade that began with minute `at` and was delivered so many seconds later."""
    fields = {
        "alert_id": f"a{at}",
        "kind": AlertKind.CASCADE,
        "asset": "SOL",
        "severity": Severity.P2,
        "shadow": False,
        "started_ms": at * MINUTE_MS,
        "decided_ms": at * MINUTE_MS + 1_000,
        "awaited": True,
        "delivered_ms": at * MINUTE_MS + int(delivered_s * 1000),
    }
    return Told(**(fields | overrides))


class Market:
    """Prices by the minute: quiet unless a range (a fraction of the price) is set; every second one closes at its high."""

    def __init__(self, quiet=0.001):
        self._quiet, self._ranges, self._made = quiet, {}, {}

    def set(self, minutes, span):
        for minute in minutes:
            self._ranges[minute] = span
        return self

    def walk(self, minutes, seed=5):
        random = Random(seed)
        return self.set_all({minute: abs(random.gauss(0.0, 0.003)) + 1e-5 for minute in minutes})

    def set_all(self, ranges):
        self._ranges |= ranges
        return self

    def bars(self, from_minute=AT - 9 * WEEK, until=AT + 120):
        """Made once: set the ranges before."""
        if (from_minute, until) in self._made:
            return self._made[from_minute, until]
        hours = {}
        for minute in range(from_minute, until):
            span = self._ranges.get(minute, self._quiet)
            if span is not None:
                if minute // HOUR not in hours:
                    hours[minute // HOUR] = HourBars()
                high = 100.0 * (1 + span)
                hours[minute // HOUR].put(minute, (high, 100.0, high if minute % 2 else 100.0))
        self._made[from_minute, until] = Bars(hours)
        return self._made[from_minute, until]


def judged(market, told=None, minutes=15, others=(), rules=None, **span):
    """The outcome of `told` in that market, with alerts at the minutes of `others` besides."""
    told, rules = told or a_told(), rules or OutcomeRules()
    at = told.started_ms // MINUTE_MS
    past = control_minutes(at, sorted([*others, at]), span.get("from_minute", 0), rules.controls)
    return judge(told, minutes, market.bars(**span), past, rules)


def few(**overrides):
    return OutcomeRules(controls=ControlRule(**overrides))
