"""The sections of the report about predicted zones: simulated worlds whose truth is known, and recorded days."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from rich.progress import Progress

from commands.backtesting.positions import positions_table
from commands.backtesting.recorded import HYPERLIQUID_ASSETS, Recordings
from commands.backtesting.world_ranges import World as WorldRange
from commands.backtesting.world_ranges import drawn_worlds
from commands.backtesting.worlds import simulate
from commands.backtesting.zone_models import GivenLevels, OurZones, TrueZones
from intelligence.evaluation.bars import Bars, Floats, bars_of
from intelligence.evaluation.report import Cell, Line, Plot, Section, Table, figure
from intelligence.evaluation.zone_forecasts import EPOCH_MIN, Forecaster, Liquidated, World, world_of
from intelligence.evaluation.zone_nulls import DENSITY_NAMES, NAMES
from intelligence.evaluation.zone_pool import (
    ITSELF,
    LEAST_TOUCHES,
    InWorld,
    Reflected,
    calibrated,
    captured,
    captured_by_density,
    judge,
    reaction,
    warnings,
)
from intelligence.evaluation.zone_reflection import Terms
from intelligence.evaluation.zone_scores import REACTION_MIN
from intelligence.minute import Minute
from intelligence.zones.rules import ApproachRule
from simulator.positions import LEVERAGES

MODELS = ("ours", "given")
TRUTH = "true positions"
TERMS = {"ours": Terms(a_day=ApproachRule().a_day, too_late=ApproachRule().too_late)}
SEED = 6
FEW = "not measurable"
WARM_UP_BARS = 1_440
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Job:
    """One world, or one asset of a recording, with its name for the report."""

    pool: str
    world: WorldRange | None = None
    asset: str = ""


def jobs_of(worlds: int, *, recorded: bool) -> list[Job]:
    jobs = [
        Job("worlds with information" if one.informative else "worlds without information", one)
        for one in drawn_worlds(len(LEVERAGES), worlds)
    ]
    if recorded:
        jobs += [Job("Hyperliquid, 2026-06-14 to 06-18", asset=asset) for asset in HYPERLIQUID_ASSETS]
        jobs.append(Job("BTC by the hour, 2025-12-04 to 2026-04-14", asset="BTC"))
    return jobs


def judged(data: Path, job: Job) -> dict[str, InWorld]:
    if job.world is not None:
        simulated = simulate(job.world)
        models: dict[str, Forecaster] = {
            "ours": OurZones(simulated.minutes, simulated.tiers, smallest_usd=0.0),
            "given": GivenLevels(simulated.minutes),
            TRUTH: TrueZones(simulated),
        }
        return {
            name: judge(simulated.judged, model, SEED + job.world.number, REACTION_MIN, TERMS.get(name))
            for name, model in models.items()
        }
    if job.pool.startswith("BTC"):
        return _by_the_hour(data)
    minutes = Recordings(data).hyperliquid_minutes(job.asset)
    world = world_of(_marks(minutes), _nothing(), WARM_UP_BARS)
    return _both(minutes, world, REACTION_MIN)


def _both(minutes: Sequence[Minute], world: World, reaction_min: int) -> dict[str, InWorld]:
    models: dict[str, Forecaster] = {"ours": OurZones(minutes), "given": GivenLevels(minutes)}
    return {name: judge(world, model, SEED, reaction_min, TERMS.get(name)) for name, model in models.items()}


def _by_the_hour(data: Path) -> dict[str, InWorld]:
    """Open interest and price every five minutes; liquidations are sums of an hour and side, without a price."""
    reader = Recordings(data)
    rows = reader.hourly_btc()
    funding = dict(sorted(reader.funding("BTC").items()))
    times = np.array(list(funding), dtype=np.int64)
    rates = list(funding.values())
    minutes = [
        msgspec.structs.replace(one, funding_8h=rates[max(0, int(np.searchsorted(times, one.to_ms, side="right")) - 1)])
        for one in reader.binance_open_interest("BTC")
        if one.to_ms >= rows[0]["timestamp"]
    ]
    bars = bars_of(minutes, 5)
    first = next(place for place in range(288, len(bars)) if (bars.from_ms[place] + bars.step_ms) % HOUR_MS == 0)
    both = [(int(row["timestamp"]) + HOUR_MS - 1, long, row[name]) for row in rows for long, name in _SIDES]
    tape = Liquidated(
        at_ms=np.array([at_ms for at_ms, _, _ in both], dtype=np.int64),
        is_long=np.array([long for _, long, _ in both], dtype=bool),
        price=np.full(len(both), np.nan),
        usd=np.array([usd for _, _, usd in both]),
    )
    return _both(minutes, world_of(bars, tape, first), EPOCH_MIN)


_SIDES = ((True, "liquidation_long_usd"), (False, "liquidation_short_usd"))


def _marks(minutes: Sequence[Minute]) -> Bars:
    """Of mark prices at the end of each minute, by which zones are judged; trades are left out."""
    only = [msgspec.structs.replace(one, open=None, high=None, low=None, close=None) for one in minutes]
    return bars_of(only)


def _nothing() -> Liquidated:
    empty = np.zeros(0)
    return Liquidated(empty.astype(np.int64), empty.astype(bool), empty, empty)


# -- the report ----------------------------------------------------------------------------------------------------


def zone_sections(data: Path, worlds: int, processes: int, progress: Progress, *, recorded: bool) -> list[Section]:
    jobs = jobs_of(worlds, recorded=recorded)
    bar = progress.add_task("zones in worlds and on recorded days", total=len(jobs))
    pools: dict[str, list[dict[str, InWorld]]] = {job.pool: [] for job in jobs}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        waiting = {executor.submit(judged, data, job): job for job in jobs}
        done: dict[Job, dict[str, InWorld]] = {}
        for future in as_completed(waiting):
            done[waiting[future]] = future.result()
            progress.advance(bar)
    for job in jobs:  # in their order, so that a report is the same every time
        pools[job.pool].append(done[job])
    scoring = progress.add_task("null zones, calibration and intervals", total=len(pools))
    sections = []
    for name, found in pools.items():
        sections.append(_section(name, found))
        progress.advance(scoring)
    if recorded:
        sections.append(Section(title="Liquidation prices of recorded positions", tables=(positions_table(data),)))
    return sections


def _section(name: str, found: Sequence[dict[str, InWorld]]) -> Section:
    by_world = name.startswith("worlds")
    pools = {model: [one[model] for one in found] for model in MODELS}
    told = {model: [one[model] for one in found] for model in (*MODELS, TRUTH) if all(model in one for one in found)}
    tables = [
        _reaction_table(told, by_world=by_world),
        _capture_table(told, by_world=by_world),
        _touch_table(pools, by_world=by_world),
        _warning_table(pools, by_world=by_world),
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
        told = warnings(pool, by_world=by_world)
        own: tuple[Cell, ...] = (model, told.count, figure(told.a_day))
        few = told.count < LEAST_TOUCHES
        judged_by = (
            figure(told.precision),
            figure(told.off) if np.isfinite(told.off.value) else "tells none",
            figure(told.formula),
            figure(told.lead_min),
            *((FEW,) * 4 if told.reflected is None else _of_formula(told.reflected)),
        )
        shares: tuple[Cell, ...] = (figure(told.in_time), figure(told.warned_before))
        rows.append(
            (
                *own,
                *((FEW,) * len(judged_by) if few else judged_by),
                told.touched,
                *(shares if told.touched >= LEAST_TOUCHES else (FEW,) * 2),
            )
        )
    return Table(
        title="Warnings: touched within 15 minutes",
        columns=(
            "model",
            "warnings",
            "an asset and day",
            "precision",
            "that less what was said",
            "the formula says of them",
            "median lead, minutes",
            "warnings by the formula",
            "their precision",
            "ours less theirs",
            "their lead",
            "large zones touched",
            "warned 2 to 5 minutes before",
            "warned within the hour before",
        ),
        rows=tuple(rows),
        note=(
            "By the formula: of the same large zones at the same terms, by reflection with the deviation of the last hour, from that "
            "level on which gives as many on every asset. Large zones as they stood five minutes before the touch."
        ),
    )


def _of_formula(told: Reflected) -> tuple[Cell, ...]:
    return told.count, figure(told.precision), figure(told.above), figure(told.lead_min)


def _plots(pools: dict[str, list[InWorld]], name: str, *, by_world: bool) -> list[Plot]:
    plots = []
    lines = []
    for model, pool in pools.items():
        curves = {f"{model}, zones": captured(pool, None, by_world=by_world)}
        for null in (ITSELF, *DENSITY_NAMES):
            whose = f"{model}, all prices" if null == ITSELF else f"{model}, {null}"
            curves[whose] = captured_by_density(pool, null, by_world=by_world)
        for title, found in curves.items():
            if found is not None:
                thin = np.unique(np.linspace(0, len(found.covered) - 1, 200).astype(int))
                lines.append(_curve(title, found.covered[thin], found.missed[thin], dashed="N" in title))
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
