"""What the report says of predicted zones: reaction, capture, chances of a touch, warnings."""

from collections.abc import Sequence

import numpy as np

from intelligence.evaluation.bars import Floats
from intelligence.evaluation.report import Cell, Line, Plot, Section, Table, figure
from intelligence.evaluation.zone_forecasts import EPOCH_MIN
from intelligence.evaluation.zone_nulls import DENSITY_NAMES, NAMES
from intelligence.evaluation.zone_pool import (
    ANY_TIME,
    ITSELF,
    LEAST_TOUCHES,
    InWorld,
    Warnings,
    calibrated,
    captured,
    captured_by_density,
    led,
    reaction,
    reflected,
    warnings,
)

MODELS = ("ours", "given")
TRUTH = "true positions"
FEW = "not measurable"


def zone_section(name: str, found: Sequence[dict[str, InWorld]]) -> Section:
    by_world = name.startswith("worlds")
    pools = {model: [one[model] for one in found] for model in MODELS}
    told = {model: [one[model] for one in found] for model in (*MODELS, TRUTH) if all(model in one for one in found)}
    tables = [
        _reaction_table(told, by_world=by_world),
        _capture_table(told, by_world=by_world),
        _touch_table(pools, by_world=by_world),
        _warning_table(pools, by_world=by_world),
        _lead_table(pools),
    ]
    what = "worlds" if by_world else "assets"
    text = (
        f"{len(found)} {what}, {sum(one['ours'].days for one in found):.1f} days that count. Zones are written down every "
        f"{EPOCH_MIN} minutes for the next {EPOCH_MIN}. {_verdict(pools, by_world=by_world)}"
    )
    return Section(
        title=f"Zones: {name}", text=(text,), tables=tuple(tables), plots=tuple(_plots(told, name, by_world=by_world))
    )


def _verdict(pools: dict[str, list[InWorld]], *, by_world: bool) -> str:
    """In words, so that nobody has to read it out of figures."""
    said = []
    for model, pool in pools.items():
        ratio, mine, others = reaction(pool, NAMES[0], by_world=by_world)
        if min(mine, others) < LEAST_TOUCHES or not np.isfinite(ratio.low):
            said.append(f"{model}: reaction not measurable")
        elif ratio.low > 1:
            said.append(f"{model}: more is liquidated at zones than at random levels at the same distances")
        elif ratio.high < 1:
            said.append(f"{model}: less is liquidated at zones than at random levels at the same distances")
        else:
            said.append(f"{model}: no better than random levels at the same distances")
    return "; ".join(said) + "."


def _reaction_table(pools: dict[str, list[InWorld]], *, by_world: bool) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for model, pool in pools.items():
        for null in NAMES:
            ratio, mine, others = reaction(pool, null, by_world=by_world)
            enough = min(mine, others) >= LEAST_TOUCHES and np.isfinite(ratio.value)
            rows.append((model, null, mine, others, figure(ratio) if enough else FEW))
    return Table(
        title="Reaction: liquidated a unit of width at touched zones, over that at touched null zones",
        columns=("model", "against", "zones touched", "null zones touched", "ratio"),
        rows=tuple(rows),
        note="Above 1: zones know where liquidations wait. Brackets: 95 % of a bootstrap by whole worlds, assets or days.",
    )


def _capture_table(pools: dict[str, list[InWorld]], *, by_world: bool) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for model, pool in pools.items():
        for name in (ITSELF, *DENSITY_NAMES):
            found = captured_by_density(pool, name, by_world=by_world)
            if found is not None:
                rows.append((f"{model}, all prices", _null_name(name), figure(found.h)))
        for null in (None, *NAMES):
            found = captured(pool, null, by_world=by_world)
            rows.append((f"{model}, zones", _null_name(null or ITSELF), figure(found.h) if found else FEW))
    return Table(
        title="Capture: H = 1 - (share of null touch measure + share of liquidations missed), 0 for whoever guesses",
        columns=("cells in the order of", "whose", "H"),
        rows=tuple(rows),
        note="Null zones have the sizes of the model's, dealt to other places. The largest H of a curve is above 0 by chance alone.",
    )


def _null_name(name: str) -> str:
    return "" if name == ITSELF else name


def _touch_table(pools: dict[str, list[InWorld]], *, by_world: bool) -> Table:
    found = calibrated(pools["ours"], by_world=by_world)
    row: tuple[Cell, ...] = ("ours", *(FEW,) * 5)
    if found is not None:
        row = ("ours", found.count, figure(found.rate), figure(found.brier), figure(found.skill), figure(found.error))
    return Table(
        title=f"Chance of a touch within {EPOCH_MIN} minutes",
        columns=("model", "forecasts", "touched", "Brier", "skill over reflection", "calibration error"),
        rows=(row,),
        note="The given model tells no chances. Calibration error: mean distance of what was said from what came, by isotonic regression.",
    )


def _warning_table(pools: dict[str, list[InWorld]], *, by_world: bool) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for model, pool in pools.items():
        own = warnings(pool, by_world=by_world)
        few = own.count < LEAST_TOUCHES
        rows.append((model, own.count, figure(own.a_day), *((FEW,) * 5 if few else _judged(own)), ""))
        for bound in () if few else pool[0].reflected:
            other, above = reflected(pool, bound, by_world=by_world)
            whose = "by the formula, however late" if bound == ANY_TIME else f"by the formula, below {bound:g}"
            rows.append((whose, other.count, figure(other.a_day), *_judged(other), figure(above)))
    return Table(
        title="Warnings: touched within 15 minutes",
        columns=(
            "who warns",
            "warnings",
            "an asset and day",
            "precision",
            "that less what was said",
            "the formula says",
            "touched 2 to 15 minutes after",
            "median lead, minutes",
            "precision of ours less theirs",
        ),
        rows=tuple(rows),
        note=(
            "By the formula: of the same large zones at the same terms, by reflection with the deviation of the last hour, from that "
            "level on which gives as many on every asset. What it says is the mean chance of those warnings."
        ),
    )


def _judged(told: Warnings) -> tuple[Cell, ...]:
    off = figure(told.off) if np.isfinite(told.off.value) else "tells none"
    return figure(told.precision), off, figure(told.formula), figure(told.later), figure(told.lead_min)


def _lead_table(pools: dict[str, list[InWorld]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for model, pool in pools.items():
        in_time, before = led(pool)
        shares: tuple[Cell, ...] = (figure(in_time), figure(before)) if in_time.of >= LEAST_TOUCHES else (FEW, FEW)
        rows.append((model, in_time.of, figure(in_time.of / sum(one.days for one in pool)), *shares))
    return Table(
        title="Large zones that price reached",
        columns=(
            "model",
            "touched",
            "an asset and day",
            "warned of 2 to 5 minutes before",
            "within the hour before",
        ),
        rows=tuple(rows),
        note="As they stood five minutes before the touch, which counts in the middle of its bar.",
    )


def _plots(pools: dict[str, list[InWorld]], name: str, *, by_world: bool) -> list[Plot]:
    plots = []
    lines = []
    for model, pool in pools.items():
        curves = {f"{model}, zones": captured(pool, None, by_world=by_world)}
        for null in (ITSELF, *DENSITY_NAMES):
            whose = f"{model}, all prices" if null == ITSELF else f"{model}, {null}"
            curves[whose] = captured_by_density(pool, null, by_world=by_world)
        solid = (f"{model}, zones", f"{model}, all prices")
        for title, found in curves.items():
            if found is not None:
                thin = np.unique(np.linspace(0, len(found.covered) - 1, 200).astype(int))
                lines.append(_curve(title, found.covered[thin], found.missed[thin], dashed=title not in solid))
    if lines:
        guess = Line(name="guessing", x=(0.0, 1.0), y=(1.0, 0.0), dashed=True)
        plots.append(
            Plot(
                title=f"Capture, {name}",
                x_label="share of null touch measure",
                y_label="liquidations missed",
                lines=(*lines, guess),
            )
        )
    touch = calibrated(pools["ours"], by_world=by_world)
    if touch is not None:
        thin = np.unique(np.linspace(0, touch.count - 1, 200).astype(int))
        ideal = Line(name="perfect", x=(0.0, 1.0), y=(0.0, 1.0), dashed=True)
        plots.append(
            Plot(
                title=f"Reliability, {name}",
                x_label="said",
                y_label="came",
                lines=(_curve("ours", touch.said[thin], touch.came[thin]), ideal),
            )
        )
    return plots


def _curve(name: str, x: Floats, y: Floats, *, dashed: bool = False) -> Line:
    return Line(name=name, x=tuple(map(float, x)), y=tuple(map(float, y)), dashed=dashed)
