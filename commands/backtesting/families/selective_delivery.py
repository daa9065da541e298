"""Selective delivery on and off at equal pushes, and as the daemon does it, on days that nothing was fitted on."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from intelligence.alerts import AlertKind
from intelligence.evaluation.daemon_selection import pushed_by_daemon
from intelligence.evaluation.family import LEAST_ALERTS, Family
from intelligence.evaluation.intervals import bootstrap_mean
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.report import NOT_MEASURABLE, Cell, Line, Plot, Table, figure
from intelligence.evaluation.selective import GOAL, Candidate, Scored, most_likely, precision, score_forward
from intelligence.evaluation.splits import Lengths, walk_forward
from intelligence.outcomes.rules import SelectionRule

RATES = (0.5, 1.0, 2.0, 4.0)


def selective(family: Family, told: Mapping[str, Sequence[Told]], kind: AlertKind) -> tuple[Table, Plot | None]:
    """On and off at equal pushes, on days and assets that the rule had not seen."""
    candidates = family.candidates({asset: raised(found, kind) for asset, found in told.items()})
    bars = [one.bars for one in family.recordings.values()]
    first = min(int(one.bars.day_of(np.array([one.first]))[0]) for one in family.recordings.values())
    after = max(int(one.day_of(np.array([len(one) - 1]))[0]) for one in bars) + 1
    scored = score_forward(candidates, first, after)
    days = sum(part.score[1] - part.score[0] for part in walk_forward(first, after, Lengths.for_days(after - first)))
    asset_days = days * len(family.recordings)
    table = Table(
        title=f"Selective delivery: {len(scored)} alerts on {asset_days} asset days that were not fitted on",
        columns=("delivery", "pushes an asset and day", "alerts", "A2", "strict", "recall of consequential alerts"),
        rows=tuple(_rows(scored, candidates, asset_days, kind)),
        note="Off: the strongest by the detector's own measure. On: the likeliest by a logistic rule of six features of the moment, "
        "fitted on other assets (its own past where there is but one) and earlier days, a day apart. As the daemon does it: its own "
        "rule (isotonic in the measure of off, fitted every day on the outcomes before), with everything pushed until it knows a level.",
    )
    return table, _plot(scored, asset_days)


def _rows(
    scored: Sequence[Scored], candidates: Sequence[Candidate], asset_days: int, kind: AlertKind
) -> Iterator[tuple[Cell, ...]]:
    came = sum(one.candidate.came for one in scored)
    yield _delivered("off: everything", scored, asset_days, came)
    for rate in RATES:
        count = round(rate * asset_days)
        if 1 <= count <= len(scored):
            yield _delivered("off", _strongest(scored, count), asset_days, came)
            yield _delivered("on", most_likely(scored, count), asset_days, came)
    yield _rule_row(scored, asset_days, came)
    by_daemon = pushed_by_daemon(candidates, kind, SelectionRule())
    pushed = [one for one in scored if one.candidate in by_daemon]
    yield _delivered("as the daemon does it", pushed, asset_days, came)


def _strongest(scored: Sequence[Scored], count: int) -> tuple[Scored, ...]:
    return tuple(sorted(scored, key=lambda one: -one.candidate.features[0])[:count])


def _delivered(name: str, pushed: Sequence[Scored], asset_days: int, came: int) -> tuple[Cell, ...]:
    rate = figure(len(pushed) / asset_days if asset_days else float("nan"))
    if len(pushed) < LEAST_ALERTS:
        return name, rate, len(pushed), *(NOT_MEASURABLE,) * 3
    days = np.array([one.candidate.day for one in pushed])
    hits = np.array([one.candidate.came for one in pushed])
    strict = np.array([one.candidate.strict for one in pushed])
    recall = int(hits.sum()) / came if came else float("nan")
    return (
        name,
        rate,
        len(pushed),
        figure(bootstrap_mean(hits, days)),
        figure(bootstrap_mean(strict, days)),
        figure(recall),
    )


def _rule_row(scored: Sequence[Scored], asset_days: int, came: int) -> tuple[Cell, ...]:
    pushed = [one for one in scored if one.is_pushed]
    if not pushed:
        without = all(one.limit is None for one in scored)
        why = (
            NOT_MEASURABLE
            if not scored
            else f"no limit met {GOAL} on the days to choose on"
            if without
            else "nothing reached the limit"
        )
        return f"by the rule (lower bound {GOAL})", figure(0.0), 0, why, "", figure(0.0)
    return _delivered(f"by the rule (lower bound {GOAL})", pushed, asset_days, came)


def _plot(scored: Sequence[Scored], asset_days: int) -> Plot | None:
    counts = [
        count
        for count in np.unique(np.geomspace(LEAST_ALERTS, max(LEAST_ALERTS, len(scored)), 24).astype(int))
        if count <= len(scored)
    ]
    if not counts or not asset_days:
        return None
    rates = tuple(float(count / asset_days) for count in counts)
    lines = tuple(
        Line(
            name=name,
            x=rates,
            y=tuple(precision(pick(scored, int(count))).value for count in counts),
            dashed=name == "off",
        )
        for name, pick in (("on", most_likely), ("off", _strongest))
    )
    return Plot(title="Selective delivery", x_label="pushes an asset and day", y_label="A2", lines=lines)
