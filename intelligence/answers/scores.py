"""What /stats says: how often alerts were followed by more than usual, and how often guessing would be."""

from intelligence.answers.layout import age, bold, escape, page, table
from intelligence.outcomes.consequence import HORIZONS, OWN_HORIZON
from intelligence.outcomes.scores import FamilyScore, Scores, percents
from intelligence.outcomes.selection import Selected, Selection
from intelligence.outcomes.shares import Share
from intelligence.outcomes.usefulness import LEAST_KAPPA
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
        *_markouts(told, scores),
        *map(escape, (_votes(one) for one in told if one.usefulness.share.of)),
        bold("On trial, not sent") if trials else "",
        _table(trials),
        *map(escape, (_not_measurable(one) for one in trials if not one.measurable)),
        escape(
            "A2: from delivery to the horizon the range ranks at 80 % or above among control times of the same hour of the"
            " week, reaches the costs, and is 40 % of the whole move. Strict: among those after an hour as wild as the one"
            " before. Base: how often control times themselves pass."
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
    rows = [
        (
            _name(one),
            _bare(one.share),
            f"{one.strict.value:.0%}".removesuffix("%") if one.strict.of >= one.least else "-",
            f"{one.base or 0.0:.0%}",
            str(one.share.of),
            f"{one.per_day:.1f}",
        )
        for one in families
        if one.measurable
    ]
    return table([("", "A2", "strict", "base", "n", "/day"), *rows]) if rows else ""


def _markouts(families: list[FamilyScore], scores: Scores) -> tuple[str, ...]:
    """Where the price went, of families with enough alerts whose direction is known."""
    rows = []
    for one in families:
        means = {each.minutes: f"{each.mean_bps:+.0f}" for each in one.markouts if each.paid.of >= one.least}
        own = next((each for each in one.markouts if each.minutes == OWN_HORIZON[one.kind]), None)
        if own is not None and own.minutes in means:
            rows.append((_name(one), *(means.get(minutes, "-") for minutes in HORIZONS), _bare(own.paid)))
    if not rows:
        return ()
    costs = f"{10_000 * scores.costs:.0f} bps"
    return (
        bold(f"Where price went, less {costs}"),
        table([("bps", *(f"{minutes}m" for minutes in HORIZONS), "paid"), *rows]),
        escape(
            "On the way of the event: + went on, - turned. Paid: % of moves that paid their costs, at the own horizon."
        ),
    )


def _votes(one: FamilyScore) -> str:
    """What people thought, and whether A2 says the same."""
    said = one.usefulness
    line = f"{_name(one)}: useful {said.share.hits} of {said.share.of} with a vote, of {one.alerts} told"
    if said.both < one.least or said.kappa is None:
        return line
    line += f"; agreement with A2 (kappa) {said.kappa:.2f}"
    return line if said.kappa >= LEAST_KAPPA else f"{line}: below {LEAST_KAPPA}, A2 is not what is useful here"


def _bare(share: Share) -> str:
    return percents(share).replace("%", "")


def _not_measurable(one: FamilyScore) -> str:
    return (
        f"{_name(one)}: not measurable yet, {one.share.of} of {one.alerts} alerts have an outcome with control times,"
        f" {one.least} are needed"
    )


def _name(one: FamilyScore) -> str:
    return FAMILIES.get(one.kind, str(one.kind).replace("_", " "))
