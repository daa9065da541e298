"""A2 by family over the last days: of what people were told, and of what is on trial."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean

import msgspec

from intelligence.alerts import AlertKind
from intelligence.outcomes.judging import Outcome, Told
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.shares import Share, share_by_day

DAY_MS = 86_400_000
DIGEST = "digest"  # the gate, as `Told.held` names it


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its outcome at its own horizon."""

    told: Told
    outcome: Outcome

    @property
    def at_ms(self) -> int:
        return self.told.from_ms or self.told.decided_ms


class FamilyScore(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: consequential ones of those that could be measured. `base`: how often control times pass. `alerts`: all that
    were told, with or without an outcome. `per_day`: those, a day. `least`: with fewer outcomes it is
    not measurable.
    """

    kind: AlertKind
    shadow: bool
    alerts: int
    per_day: float
    share: Share
    base: float | None
    least: int

    @property
    def measurable(self) -> bool:
        return self.share.of >= self.least


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """At `at_ms`, over `days`. `families`: those with alerts, the shadows of a kind apart from what was told of it."""

    at_ms: int
    days: int
    families: tuple[FamilyScore, ...]

    def of(self, kind: AlertKind) -> FamilyScore | None:
        """Of what people were told."""
        return next((one for one in self.families if one.kind is kind and not one.shadow), None)


def scores(judged: Iterable[Judged], now_ms: int, rules: OutcomeRules) -> Scores:
    """Only of alerts whose horizon was over at `now_ms`, told since so many days."""
    since_ms = now_ms - rules.score_days * DAY_MS
    groups: dict[tuple[AlertKind, bool], list[Judged]] = defaultdict(list)
    for one in judged:
        if since_ms <= one.at_ms and is_over(one, now_ms) and counts(one.told):
            groups[one.told.kind, one.told.shadow].append(one)
    first_ms = min((one.at_ms for group in groups.values() for one in group), default=now_ms)
    days = max((now_ms - first_ms) / DAY_MS, 1.0)
    families = (
        _family(kind, group, days, shadow=shadow, least=rules.least_alerts)
        for (kind, shadow), group in sorted(groups.items())
    )
    return Scores(at_ms=now_ms, days=rules.score_days, families=tuple(families))


def is_over(one: Judged, now_ms: int) -> bool:
    """Whether the whole of what followed lay before that moment: nothing later may be looked at."""
    return one.at_ms + (one.outcome.minutes + 1) * 60_000 <= now_ms


def counts(told: Told) -> bool:
    """What reached people or their digest, and what is on trial; not what a chat's own wishes kept from everybody."""
    return told.shadow or told.delivered_ms is not None or DIGEST in told.held


def as_words(score: FamilyScore, days: int) -> str:
    """One line such as "A2 of such alerts, 30 d: 71 % [62-79], base 20 %, n=84"; "" where it cannot be measured yet."""
    if not score.measurable or score.base is None:
        return ""
    return f"A2 of such alerts, {days} d: {percents(score.share)}, base {score.base:.0%}, n={score.share.of}".replace(
        "%", " %"
    )


def percents(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} [{100 * low:.0f}-{100 * high:.0f}]"


def lines_of(told: Scores) -> Mapping[AlertKind, str]:
    """The line of each family that can be measured."""
    lines = {one.kind: as_words(one, told.days) for one in told.families if not one.shadow}
    return {kind: line for kind, line in lines.items() if line}


def _family(kind: AlertKind, group: list[Judged], days: float, *, shadow: bool, least: int) -> FamilyScore:
    measured = [one for one in group if one.outcome.consequential is not None]
    bases = [one.outcome.base for one in measured if one.outcome.base is not None]
    share = share_by_day((one.at_ms // DAY_MS, bool(one.outcome.consequential)) for one in measured)
    return FamilyScore(
        kind=kind,
        shadow=shadow,
        alerts=len(group),
        per_day=len(group) / days,
        share=share,
        base=fmean(bases) if bases else None,
        least=least,
    )
