"""A2 by family over the last days: of what people were told, and of what is on trial."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

import msgspec

from intelligence.alerts import AlertKind
from intelligence.minute import MINUTE_MS
from intelligence.outcomes.judging import Outcome, Told
from intelligence.outcomes.markouts import Markout, markout
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.shares import Share, share_by_day
from intelligence.outcomes.usefulness import Usefulness, Votes, cohens_kappa

DAY_MS = 86_400_000
DIGEST = "digest"  # the gate, as `Told.held` names it


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its outcome at its own horizon. `moves`: minutes and ln(last / first) of every horizon that is known."""

    told: Told
    outcome: Outcome
    moves: tuple[tuple[int, float], ...] = ()

    @property
    def at_ms(self) -> int:
        return self.told.from_ms or self.told.decided_ms

    @property
    def day(self) -> int:
        return self.at_ms // DAY_MS


class FamilyScore(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: consequential ones of those that could be measured; `strict`: against hours as wild as the one before. `base`:
    how often control times pass. `alerts`: all that were told, with or without an outcome, in `days`; `per_day`: those, a day.
    `markouts`: by horizon. `usefulness`: by votes. `least`: with fewer outcomes it is not measurable.
    """

    kind: AlertKind
    shadow: bool
    alerts: int
    days: float
    per_day: float
    share: Share
    strict: Share
    base: float | None
    markouts: tuple[Markout, ...]
    usefulness: Usefulness
    least: int

    @property
    def measurable(self) -> bool:
        return self.share.of >= self.least


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """At `at_ms`, over `days`. `families`: those with alerts, the shadows of a kind apart from what was told of it. `costs`: what
    mark-outs are less, as a fraction.
    """

    at_ms: int
    days: int
    costs: float
    families: tuple[FamilyScore, ...]

    def of(self, kind: AlertKind) -> FamilyScore | None:
        """Of what people were told."""
        return next((one for one in self.families if one.kind is kind and not one.shadow), None)


def judged_of(told: Told, outcomes: Mapping[int, Outcome]) -> Judged | None:
    """None while its own horizon is not over. `outcomes`: by their minutes."""
    own = outcomes.get(told.horizon)
    if own is None:
        return None
    moves = tuple((minutes, one.move) for minutes, one in sorted(outcomes.items()) if one.move is not None)
    return Judged(told=told, outcome=own, moves=moves)


def scores(
    judged: Iterable[Judged], now_ms: int, rules: OutcomeRules, votes: Mapping[str, Votes] = MappingProxyType({})
) -> Scores:
    """Only of alerts whose horizon was over at `now_ms`, told since so many days. `votes`: by alert_id."""
    since_ms = now_ms - rules.score_days * DAY_MS
    groups: dict[tuple[AlertKind, bool], list[Judged]] = defaultdict(list)
    for one in judged:
        if since_ms <= one.at_ms and is_over(one, now_ms) and counts(one.told):
            groups[one.told.kind, one.told.shadow].append(one)
    first_ms = min((one.at_ms for group in groups.values() for one in group), default=now_ms)
    days = max((now_ms - first_ms) / DAY_MS, 1.0)
    families = (
        _family(group, now_ms, days, rules, votes) for _, group in sorted(groups.items(), key=lambda one: one[0])
    )
    return Scores(at_ms=now_ms, days=rules.score_days, costs=rules.consequence.floor, families=tuple(families))


def is_over(one: Judged, now_ms: int) -> bool:
    """Whether the whole of what followed lay before that moment: nothing later may be looked at."""
    return one.at_ms + (one.outcome.minutes + 1) * MINUTE_MS <= now_ms


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


def as_figures(score: FamilyScore) -> dict[str, str | float | None]:
    """What /stats says of a family, for monitors; None where it is not measurable."""
    low, high = score.share.interval
    measured = {"a2": score.share.value, "low": low, "high": high}
    return {
        "kind": str(score.kind),
        "shadow": score.shadow,
        "alerts": score.alerts,
        "per_day": round(score.per_day, 2),
        "n": score.share.of,
        **{name: round(value, 3) if score.measurable else None for name, value in measured.items()},
        "strict": round(score.strict.value, 3) if score.strict.of >= score.least else None,
        "base": None if score.base is None else round(score.base, 3),
    }


def percents(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} [{100 * low:.0f}-{100 * high:.0f}]"


def lines_of(told: Scores) -> Mapping[AlertKind, str]:
    """The line of each family that can be measured."""
    lines = {one.kind: as_words(one, told.days) for one in told.families if not one.shadow}
    return {kind: line for kind, line in lines.items() if line}


def _family(
    group: Sequence[Judged], now_ms: int, days: float, rules: OutcomeRules, votes: Mapping[str, Votes]
) -> FamilyScore:
    """`days`: since the first alert of any family."""
    told = group[0].told
    measured = [one for one in group if one.outcome.consequential is not None]
    bases = [one.outcome.base for one in measured if one.outcome.base is not None]
    return FamilyScore(
        kind=told.kind,
        shadow=told.shadow,
        alerts=len(group),
        days=(now_ms - min(one.at_ms for one in group)) / DAY_MS,
        per_day=len(group) / days,
        share=share_by_day((one.day, bool(one.outcome.consequential)) for one in measured),
        strict=share_by_day((one.day, one.outcome.strict) for one in measured if one.outcome.strict is not None),
        base=fmean(bases) if bases else None,
        markouts=_markouts(group, now_ms, rules.consequence.floor),
        usefulness=_usefulness(group, votes),
        least=rules.least_alerts,
    )


def _usefulness(group: Iterable[Judged], votes: Mapping[str, Votes]) -> Usefulness:
    said = [
        (one, verdict)
        for one in group
        if (cast := votes.get(one.told.alert_id)) is not None and (verdict := cast.verdict) is not None
    ]
    pairs = [(verdict, one.outcome.consequential) for one, verdict in said if one.outcome.consequential is not None]
    return Usefulness(
        share=share_by_day((one.day, verdict) for one, verdict in said), both=len(pairs), kappa=cohens_kappa(pairs)
    )


def _markouts(group: Iterable[Judged], now_ms: int, costs: float) -> tuple[Markout, ...]:
    """By horizon, of the alerts whose direction is known and whose horizon was over."""
    moves: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for one in group:
        for minutes, move in one.moves:
            if one.told.direction and one.at_ms + (minutes + 1) * MINUTE_MS <= now_ms:
                moves[minutes].append((one.day, one.told.direction * move))
    found = (markout(minutes, some, costs) for minutes, some in sorted(moves.items()))
    return tuple(one for one in found if one is not None)
