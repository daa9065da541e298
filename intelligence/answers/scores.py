"""What /stats says: how often alerts were followed by more than usual, and how often guessing would be."""

from intelligence.answers.layout import age, bold, escape, page, table
from intelligence.outcomes.scores import FamilyScore, Scores, percents
from intelligence.outcomes.selection import Selected, Selection
from intelligence.time_of_day import clock_stamp

FAMILIES = {"liquidation": "single", "open_interest": "OI", "volume_spike": "volume", "zone_approach": "zone"}


def scores_text(
    scores: Scores,
    selection: Selection,
    selected: Selected | None,
    *,
    waiting: int,
    bars_from_ms: int | None,
    clock: str = "UTC",
) -> str:
    told = [one for one in scores.families if not one.shadow]
    trials = [one for one in scores.families if one.shadow]
    kept = "none yet" if bars_from_ms is None else age(scores.at_ms - bars_from_ms)
    return page(
        bold(f"What followed our alerts, {scores.days} days"),
        _table(told),
        escape("Nothing was told in that time.") if not told else "",
        *map(escape, (_not_measurable(one) for one in told if not one.measurable)),
        *map(escape, _selection(selection, selected)),
        bold("On trial, not sent") if trials else "",
        _table(trials),
        *map(escape, (_not_measurable(one) for one in trials if not one.measurable)),
        escape(
            "A2: from delivery to the horizon the range ranks at 80 % or above among control times of the same hour of the"
            " week, reaches the costs, and is 40 % of the whole move. Base: how often control times themselves pass."
        ),
        escape(
            f"{waiting} alerts wait for their outcomes; prices kept: {kept}. Updated {clock_stamp(scores.at_ms, clock)}"
        ),
    )


def _selection(selection: Selection, selected: Selected | None) -> list[str]:
    """Which of P1 and P2 are pushed, and how that has done by what was said beforehand."""
    goal = f"{selection.goal:.0%}"
    if selection.outcomes < selection.needed:
        told = (
            f"Selective delivery: {selection.outcomes} of {selection.needed} outcomes, everything is pushed until then"
        )
    elif selection.limit is None:
        told = (
            f"Selective delivery: no level is known to reach {goal} yet ({selection.outcomes} outcomes), all is pushed"
        )
    else:
        told = f"Selective delivery aims at {goal}: pushed from a probability of {selection.limit:.0%} on"
    lines = [told if selection.enabled else f"{told}. Switched off: nothing is held back by it"]
    if selected is not None:
        precision, recall = percents(selected.precision), f"{selected.recall.value:.0%}"
        lines.append(
            f"So chosen: A2 {precision}, n={selected.precision.of}, recall {recall}, {selected.per_day:.1f} pushes a day"
        )
    lines += [f"{FAMILIES.get(one.kind, one.kind)}: in the digest as a whole" for one in selection.demoted]
    return [line.replace("%", " %") for line in lines]


def _table(families: list[FamilyScore]) -> str:
    measured = [one for one in families if one.measurable]
    rows = [
        (_name(one), _a2(one), f"{one.base or 0.0:.0%}", str(one.share.of), f"{one.per_day:.1f}") for one in measured
    ]
    return table([("", "A2", "base", "n", "/day"), *rows]) if rows else ""


def _a2(one: FamilyScore) -> str:
    return percents(one.share).replace("%", "")


def _not_measurable(one: FamilyScore) -> str:
    return (
        f"{_name(one)}: not measurable yet, {one.share.of} of {one.alerts} alerts have an outcome with control times,"
        f" {one.least} are needed"
    )


def _name(one: FamilyScore) -> str:
    return FAMILIES.get(one.kind, str(one.kind).replace("_", " "))
