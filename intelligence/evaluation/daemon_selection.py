"""Selective delivery as the daemon does it, on recorded alerts: its own rule, fitted every day on what was over by then."""

from collections.abc import Sequence

from intelligence.alerts import AlertKind, Severity
from intelligence.evaluation.selective import Candidate
from intelligence.outcomes.consequence import OWN_HORIZON
from intelligence.outcomes.judging import Outcome, Told
from intelligence.outcomes.rules import SelectionRule
from intelligence.outcomes.scores import DAY_MS, Judged
from intelligence.outcomes.selection import Selection, fit


def pushed_by_daemon(candidates: Sequence[Candidate], kind: AlertKind, rule: SelectionRule) -> frozenset[Candidate]:
    """Those that it would have pushed: also all of which it could not say anything yet."""
    judged = [_judged(one, kind) for one in candidates]
    by_day: dict[int, Selection] = {}
    pushed = set()
    for one in candidates:
        if one.day not in by_day:
            by_day[one.day] = fit(judged, one.day * DAY_MS, rule)
        if by_day[one.day].chooses(kind, Severity.P2, one.strength) is not False:
            pushed.add(one)
    return frozenset(pushed)


def _judged(one: Candidate, kind: AlertKind) -> Judged:
    alert_id = f"{one.asset}-{one.at_ms}"
    told = Told(
        alert_id=alert_id,
        kind=kind,
        asset=one.asset,
        severity=Severity.P2,
        shadow=False,
        started_ms=one.at_ms,
        decided_ms=one.at_ms,
        awaited=True,
        delivered_ms=one.at_ms,
        strength=one.strength,
    )
    return Judged(told=told, outcome=Outcome(alert_id=alert_id, minutes=OWN_HORIZON[kind], consequential=one.came))
