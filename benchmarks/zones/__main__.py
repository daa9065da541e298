"""Predicted zones in development worlds, by the protocol of the frozen ones; and what an update costs and holds."""

import argparse
import gc
import json
import time
import tracemalloc
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from commands.backtesting.text import report_text
from commands.backtesting.world_ranges import drawn_worlds
from commands.backtesting.worlds import Simulated, simulate
from commands.backtesting.zones import zone_sections
from intelligence.evaluation.report import Report
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ZoneRules
from simulator.positions import LEVERAGES

DEVELOPMENT_SEED = 777_000  # whoever tunes does it here, never on the frozen worlds
COST_ASSETS = 50
COST_MIN = 70  # minutes of which the last 30 count
HELD_ASSETS = 2
HELD_DAYS = (1.0, 1.5, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=24, help="every fourth holds no information")
    parser.add_argument("--seed", type=int, default=DEVELOPMENT_SEED, help="of the first world")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cost", action="store_true", help="only what an update costs, and what a model holds")
    chosen = parser.parse_args()
    if chosen.cost:
        print(json.dumps(cost() | held()))
        return
    began = time.monotonic()
    with Progress(console=Console(stderr=True)) as progress:
        sections = zone_sections(
            Path(), chosen.worlds, chosen.processes, progress, recorded=False, first_seed=chosen.seed
        )
    seconds = time.monotonic() - began
    report = Report(
        title="Zones in development worlds",
        data="simulated",
        variants=1,
        seconds=seconds,
        sections=tuple(sections),
    )
    print(report_text(report), end="")


def cost() -> dict[str, float]:
    """CPU-s of one update of all assets, the best, middle and worst of 30 minutes."""
    simulated = _world(COST_MIN / 1440)
    models = [_model(simulated) for _ in range(COST_ASSETS)]
    spent = []
    for minute in simulated.minutes:
        began = time.process_time()
        for model in models:
            model.take(minute)
        spent.append(time.process_time() - began)
    last = sorted(spent[-30:])
    return {"assets": len(models), "best_s": last[0], "median_s": last[15], "worst_s": last[-1]}


def held() -> dict[str, float]:
    """KB an asset that some models together hold after so many days, with what they share."""
    simulated = _world(HELD_DAYS[-1])
    found: dict[str, float] = {}
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    models = [_model(simulated) for _ in range(HELD_ASSETS)]
    for count, minute in enumerate(simulated.minutes, 1):
        for model in models:
            model.take(minute)
        if count / 1440 in HELD_DAYS:
            gc.collect()  # what Python keeps for tuples to come is not held
            kilobytes = (tracemalloc.get_traced_memory()[0] - before) / 1024
            found[f"held_kb_after_{count / 1440:g}_days"] = round(kilobytes / len(models))
    tracemalloc.stop()
    return found


def _world(days: float) -> Simulated:
    return simulate(drawn_worlds(len(LEVERAGES), 2, DEVELOPMENT_SEED)[1], days, days / 4)


def _model(simulated: Simulated) -> ZoneModel:
    model = ZoneModel("BTC", ZoneRules())
    model.set_tiers(simulated.tiers)
    return model


if __name__ == "__main__":
    main()
