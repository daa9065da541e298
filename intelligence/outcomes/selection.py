"""Selective delivery: how likely an alert is to be consequential decides whether it is pushed or waits for the digest.

The probability is isotonic in the strength of an alert (`strength_of`), by family, fitted on outcomes of the past; the level from which on alerts
are pushed is chosen on later ones, with a day between (detection.md 11 and 12.7). Nothing that was not over at the time of the
fit is used.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity
from intelligence.outcomes.judging import strength_of
from intelligence.outcomes.rules import SelectionRule
from intelligence.outcomes.scores import DAY_MS, Judged, counts, is_over
from intelligence.outcomes.shares import Share, share_by_day

GAP_DAYS = 1
GRAVEST = frozenset({AlertKind.CASCADE, AlertKind.MARKET_WIDE})
VALID_MS = 3_600_000  # a selection that nobody renews for so long holds nothing back any more

Steps = tuple[tuple[float, float], ...]  # from which strength on, and how likely


class Demotion(msgspec.Struct, frozen=True, kw_only=True):
    """A family that goes to the digest as a whole, `since_day` (number since 1970)."""

    kind: AlertKind
    since_day: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What decides on pushes until `valid_until_ms`. `limit`: the least probability that is pushed, None where none is known
    to reach the goal, or too few outcomes are there: `outcomes` of `needed`; then nothing is held back by it.
    """

    valid_until_ms: int
    outcomes: int
    needed: int
    goal: float
    enabled: bool
    holds_p1: bool
    limit: float | None = None
    steps: tuple[tuple[AlertKind, Steps], ...] = ()
    demoted: tuple[Demotion, ...] = ()

    def chance(self, kind: AlertKind, strength: float) -> float | None:
        """How likely it is consequential; None for families without a fit."""
        steps = next((steps for family, steps in self.steps if family is kind), None)
        if not steps:
            return None
        place = bisect_right([start for start, _ in steps], strength)
        return steps[max(place - 1, 0)][1]

    def chooses(self, kind: AlertKind, severity: Severity, strength: float) -> bool | None:
        """Whether the probability speaks for a push; None where it says nothing."""
        chance = self.chance(kind, strength)
        if self.limit is None or chance is None or not in_scope(kind, severity, holds_p1=self.holds_p1):
            return None
        return chance >= self.limit

    def holds(self, alert: Alert, now_ms: int) -> str:
        """Why the alert waits for the digest, "" where it is pushed."""
        if not self.enabled or now_ms > self.valid_until_ms or alert.shadow:
            return ""
        gravest = alert.severity is Severity.P1 and alert.kind in GRAVEST
        if any(one.kind is alert.kind for one in self.demoted) and (self.holds_p1 or not gravest):
            return "its family is not consequential often enough"
        strength = strength_of(alert)
        if self.chooses(alert.kind, alert.severity, strength) is not False:
            return ""
        return f"A2 in {self.chance(alert.kind, strength):.0%} of such alerts, pushed from {self.limit:.0%}".replace(
            "%", " %"
        )


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """What the selection made of alerts, by what it said when they were decided: precision, recall and pushes a day."""

    precision: Share
    recall: Share
    per_day: float


def in_scope(kind: AlertKind, severity: Severity, *, holds_p1: bool) -> bool:
    """P1 and P2; of those, the gravest of core detection only where the operator has said so."""
    if severity is Severity.P3:
        return False
    return holds_p1 or not (severity is Severity.P1 and kind in GRAVEST)


def fit(judged: Iterable[Judged], now_ms: int, rule: SelectionRule) -> Selection:
    """The selection from the outcomes that were over at `now_ms`."""
    known = [one for one in judged if is_over(one, now_ms) and _serves(one, rule)]
    choose_ms = now_ms - rule.choose_days * DAY_MS
    earlier = [one for one in known if one.at_ms < choose_ms - GAP_DAYS * DAY_MS]
    later = [one for one in known if one.at_ms >= choose_ms]
    selection = Selection(
        valid_until_ms=now_ms + VALID_MS,
        outcomes=len(known),
        needed=rule.least_outcomes,
        goal=rule.goal,
        enabled=rule.enabled,
        holds_p1=rule.holds_p1,
    )
    if len(known) < rule.least_outcomes:
        return selection
    families: dict[AlertKind, list[tuple[float, bool]]] = defaultdict(list)
    for one in earlier:
        families[one.told.kind].append((one.told.strength, bool(one.outcome.consequential)))
    steps = tuple(
        (kind, isotonic(pairs)) for kind, pairs in sorted(families.items()) if len(pairs) >= rule.least_of_family
    )
    selection = msgspec.structs.replace(selection, steps=steps)
    return msgspec.structs.replace(selection, limit=_limit(selection, later))


def isotonic(pairs: Sequence[tuple[float, bool]]) -> Steps:
    """The non-decreasing steps nearest to the outcomes (pool adjacent violators). Pairs of score and success."""
    blocks: list[tuple[float, int, int]] = []  # first score, successes, number
    for score, success in sorted(pairs):
        if blocks and blocks[-1][0] == score:
            first, hits, of = blocks.pop()
            blocks.append((first, hits + success, of + 1))
        else:
            blocks.append((score, int(success), 1))
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            _, hits, of = blocks.pop()
            first, before, number = blocks.pop()
            blocks.append((first, before + hits, number + of))
    return tuple((first, hits / of) for first, hits, of in blocks)


def selected(judged: Iterable[Judged], now_ms: int, days: int) -> Selected | None:
    """By what was said of each alert when it was decided; None where nothing was said of any."""
    since_ms = now_ms - days * DAY_MS
    known = [one for one in judged if is_over(one, now_ms) and one.at_ms >= since_ms and one.told.chosen is not None]
    measured = [one for one in known if one.outcome.consequential is not None]
    if not measured:
        return None
    observed = max((now_ms - min(one.at_ms for one in known)) / DAY_MS, 1.0)
    pushed = [one for one in measured if one.told.chosen]
    came = [one for one in measured if one.outcome.consequential]
    return Selected(
        precision=share_by_day((one.at_ms // DAY_MS, bool(one.outcome.consequential)) for one in pushed),
        recall=share_by_day((one.at_ms // DAY_MS, bool(one.told.chosen)) for one in came),
        per_day=sum(bool(one.told.chosen) for one in known) / observed,
    )


def demotions(lows: Iterable[tuple[AlertKind, int, float]], today: int, rule: SelectionRule) -> tuple[Demotion, ...]:
    """Families whose lower bound was below the least on each of the last days. `lows`: kind, day and lower bound."""
    by_kind: dict[AlertKind, dict[int, float]] = defaultdict(dict)
    for kind, day, lower in lows:
        by_kind[kind][day] = lower
    found = []
    for kind, days in sorted(by_kind.items()):
        since = today
        while since in days and days[since] < rule.demote_below:
            since -= 1
        if today - since >= rule.demote_days:
            found.append(Demotion(kind=kind, since_day=since + rule.demote_days))
    return tuple(found)


def _serves(one: Judged, rule: SelectionRule) -> bool:
    told = one.told
    scope = in_scope(told.kind, told.severity, holds_p1=rule.holds_p1)
    return scope and counts(told) and not told.shadow and one.outcome.consequential is not None


def _limit(selection: Selection, later: Sequence[Judged]) -> float | None:
    """The smallest probability from which on the lower bound of A2 reaches the goal."""
    said = [
        (chance, one) for one in later if (chance := selection.chance(one.told.kind, one.told.strength)) is not None
    ]
    for limit in sorted({chance for chance, _ in said}):
        passing = [(one.at_ms // DAY_MS, bool(one.outcome.consequential)) for chance, one in said if chance >= limit]
        if share_by_day(passing).lower >= selection.goal:
            return limit
    return None
