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
from commands.backtesting.world_ranges import FIRST_SEED, drawn_worlds
from commands.backtesting.world_ranges import World as WorldRange
from commands.backtesting.worlds import simulate
from commands.backtesting.zone_models import GivenLevels, OurZones, TrueZones
from commands.backtesting.zone_tables import TRUTH, zone_section
from intelligence.evaluation.bars import Bars, bars_of
from intelligence.evaluation.report import Section
from intelligence.evaluation.zone_forecasts import EPOCH_MIN, Forecaster, Liquidated, World, world_of
from intelligence.evaluation.zone_pool import InWorld, judge
from intelligence.evaluation.zone_reflection import Terms
from intelligence.evaluation.zone_scores import REACTION_MIN
from intelligence.minute import Minute
from intelligence.zones.rules import ApproachRule
from simulator.positions import LEVERAGES

TERMS = {"ours": Terms(a_day=ApproachRule().a_day, too_late=ApproachRule().too_late)}
SEED = 6
WARM_UP_BARS = 1_440
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Job:
    """One world, or one asset of a recording, with its name for the report."""

    pool: str
    world: WorldRange | None = None
    asset: str = ""


def jobs_of(worlds: int, *, recorded: bool, first_seed: int = FIRST_SEED) -> list[Job]:
    jobs = [
        Job("worlds with information" if one.informative else "worlds without information", one)
        for one in drawn_worlds(len(LEVERAGES), worlds, first_seed)
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


def zone_sections(
    data: Path, worlds: int, processes: int, progress: Progress, *, recorded: bool, first_seed: int = FIRST_SEED
) -> list[Section]:
    """`first_seed`: other than the frozen worlds have, for whoever tunes."""
    jobs = jobs_of(worlds, recorded=recorded, first_seed=first_seed)
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
        sections.append(zone_section(name, found))
        progress.advance(scoring)
    if recorded:
        sections.append(Section(title="Liquidation prices of recorded positions", tables=(positions_table(data),)))
    return sections
