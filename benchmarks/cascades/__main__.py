"""`python -m benchmarks.cascades`: cascades in the simulator, where the truth is known; docs/evaluation.md."""

import argparse
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from statistics import median

from rich.console import Console
from rich.progress import Progress

from benchmarks.cascades import detectors
from benchmarks.cascades.detectors import Run, Thresholds
from benchmarks.cascades.market import ASSETS_WATCHED
from benchmarks.cascades.reference import Cascade, ReferenceRule, Told, cascades
from benchmarks.cascades.rivals import Point, above, limit_for
from benchmarks.cascades.scores import Score, difference, score
from intelligence.thresholds.rules import LearnedRule, ThresholdRules
from simulator.assets import ASSETS

WARM_UP_MS = 2_100_000  # until sigma is known: thirty minutes and some
RATES = (8.0, 24.0)  # cascades of an asset a day that learned thresholds aim at: this market is livelier than real ones
PUSHES = (0.001, 0.002, 0.004)  # the reference rule as it is, and easier and harder, in that order in the tables
MAIN_PUSH = 0.002
EXAMPLE_FLOOR = 0.0002  # of one liquidation: detection.md 4.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hours", type=float, default=2.6, help="of each seed (2.6)")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    runs = _run_all(args.seeds, args.hours, args.processes)
    hours = sum(run.until_ms - run.from_ms - WARM_UP_MS for run in runs) / 3_600_000
    print(f"{len(runs)} seeds, {hours:.1f} market hours, {ASSETS_WATCHED} assets; {_orders(runs)} liquidations")
    for push in (MAIN_PUSH, *(push for push in PUSHES if push != MAIN_PUSH)):
        _tell(runs, ReferenceRule(least_push=push), hours)
    return 0


def policies() -> dict[str, Thresholds]:
    assets = [asset.name for asset in ASSETS[:ASSETS_WATCHED]]
    found = detectors.histories()
    return {
        "static": detectors.static_thresholds(assets),
        "tiered, capped (the default's first 14 days)": detectors.tiered_thresholds(assets, ThresholdRules()),
        "tiered, no cap": detectors.tiered_thresholds(assets, ThresholdRules(cold_start_cap="off")),
        **{
            f"learned, {rate:g} a day": detectors.learned_thresholds(found, LearnedRule(cascades_per_day=rate))
            for rate in RATES
        },
        f"learned, {RATES[0]:g} a day, floor of {EXAMPLE_FLOOR:.2%} of turnover": detectors.learned_thresholds(
            found, LearnedRule(cascades_per_day=RATES[0], floor_share=EXAMPLE_FLOOR)
        ),
    }


def _run_all(seeds: int, hours: float, processes: int) -> list[Run]:
    runs = []
    with Progress(console=Console(file=sys.stderr)) as progress:
        bar = progress.add_task("learning", total=seeds)
        by_policy = policies()
        progress.update(bar, description="seeds")
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            waiting = [pool.submit(detectors.run, seed, hours, by_policy) for seed in range(1, seeds + 1)]
            for done in as_completed(waiting):
                runs.append(done.result())
                progress.advance(bar)
    return sorted(runs, key=lambda run: run.seed)


def _tell(runs: Sequence[Run], rule: ReferenceRule, hours: float) -> None:
    events = {run.seed: cascades(run.orders, run.depth_usd, rule) for run in runs}
    count = sum(event.from_ms >= run.from_ms + WARM_UP_MS for run in runs for event in events[run.seed])
    print(f"\n## {count} true cascades: {rule.least_orders} orders and more, push {rule.least_push:.1%} and more\n")
    print("detector | pushes an hour | precision | recall | delay from the fifth order, s")
    for policy in runs[0].told:
        ours = _score(runs, events, {run.seed: run.told[policy] for run in runs})
        print(_row(policy, ours, hours))
        late_ms = sorted(late for run in runs for late in run.late_ms[policy])
        if late_ms:
            print(f"  (from the order that fulfilled the rule on all orders: median {median(late_ms) / 1000:.1f} s)")
            _tell_rivals(runs, events, ours, hours)


def _tell_rivals(runs: Sequence[Run], events: Mapping[int, Sequence[Cascade]], ours: Score, hours: float) -> None:
    """Two others with as many pushes as ours, one limit for all assets and seeds."""
    for name, points in (
        ("fixed dollars", {run.seed: run.dollars for run in runs}),
        ("price only", {run.seed: run.price for run in runs}),
    ):
        limit, told = _at_the_same_number(runs, points, ours.alerts)
        other = _score(runs, events, told)
        precision, recall = difference(ours, other)
        print(_row(f"  {name} from {limit:,.2f}", other, hours))
        print(f"    ours less that: precision {precision}, recall {recall}")


def _at_the_same_number(
    runs: Sequence[Run], points: Mapping[int, Sequence[Point]], count: int
) -> tuple[float, dict[int, list[Told]]]:
    from_ms = runs[0].from_ms + WARM_UP_MS
    limit = limit_for(count, [*points.values()], lambda alert: alert.at_ms >= from_ms)
    return limit, {seed: above(of_seed, limit) for seed, of_seed in points.items()}


def _score(runs: Sequence[Run], events: Mapping[int, Sequence[Cascade]], told: Mapping[int, Sequence[Told]]) -> Score:
    blocks = [
        block
        for run in runs
        for block in score(told[run.seed], events[run.seed], run.from_ms + WARM_UP_MS, run.until_ms)
    ]
    return Score(tuple(blocks))


def _row(name: str, one: Score, hours: float) -> str:
    delay = one.median_delay_s() if one.delays_ms else "none"
    return f"{name} | {one.alerts / hours:.1f} | {one.precision()} | {one.recall()} | {delay}"


def _orders(runs: Sequence[Run]) -> int:
    return sum(len(run.orders) for run in runs)


if __name__ == "__main__":
    raise SystemExit(main())
