"""Predicted zones in simulated worlds: what is liquidated in them against a shuffled null, calibration, warnings, cost."""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from math import isnan
from multiprocessing import Pool

from benchmarks.zones import worlds
from benchmarks.zones.score import CHECKED_MIN, LEAD_MS, Score, score
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ZoneRules

DRAWS = 2_000
BINS = 10
COST_ASSETS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=10, help="of seeds 1 and on; every fifth holds no information")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--warm-up", type=float, default=4.0, help="hours that are not scored")
    parser.add_argument("--assets", type=int, default=4, help="of each world")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cost", action="store_true", help="only what an update costs")
    chosen = parser.parse_args()
    if chosen.cost:
        print(json.dumps(cost()))
        return
    jobs = [(seed, chosen.assets, chosen.hours, chosen.warm_up) for seed in range(1, chosen.worlds + 1)]
    found: list[tuple[bool, Score]] = []
    with Pool(chosen.processes) as pool:
        for done, one in enumerate(pool.imap(_play, jobs), 1):
            found.append(one)
            print(f"world {done} of {len(jobs)}", file=sys.stderr, flush=True)
    for name, told in (("informative", True), ("without information", False)):
        scores = [one for is_told, one in found if is_told is told]
        if scores:
            print(f"\n{name}: {len(scores)} worlds")
            print("\n".join(report(scores)))


def _play(job: tuple[int, int, float, float]) -> tuple[bool, Score]:
    seed, assets, hours, warm_up_h = job
    chosen = worlds.world(seed, assets)
    return chosen.told, score(chosen, hours=hours, warm_up_h=warm_up_h)


def report(scores: Sequence[Score]) -> list[str]:
    lines = [
        _interval("liquidated USD in our zones, share", scores, lambda some: _ratio(some, "ours", "all", "usd")),
        _interval("liquidated USD in shuffled zones, share", scores, lambda some: _ratio(some, "null", "all", "usd")),
        _interval("price gone through in our zones, share", scores, lambda some: _ratio(some, "ours", "all", "width")),
        _interval("price gone through in shuffled, share", scores, lambda some: _ratio(some, "null", "all", "width")),
        _interval("reaction: USD a unit of price, ours over shuffled", scores, _reaction),
    ]
    lines += [
        _interval(
            "open positions' USD in our zones, share", scores, lambda some: _ratio(some, "open_ours", "open_all", "usd")
        ),
        _interval(
            "open positions' USD in shuffled, share", scores, lambda some: _ratio(some, "open_null", "open_all", "usd")
        ),
        _interval("open positions' USD a unit of price, ours over shuffled", scores, _density),
    ]
    for horizon in CHECKED_MIN:
        rows = [row[1:] for one in scores for row in one.chances if row[0] == horizon]
        if rows:
            said, base = ([(row[place], row[2]) for row in rows] for place in (0, 1))
            lines.append(
                f"touch within {horizon} min: {len(rows)} zones, came {_mean([row[2] for row in rows]):.3f}; "
                f"calibration error {_calibration(said):.3f} (reflection {_calibration(base):.3f}), "
                f"Brier {_brier(said):.4f} ({_brier(base):.4f})"
            )
    warned = [row for one in scores for row in one.warned]
    days = sum(one.asset_days for one in scores)
    if warned:
        lines.append(
            f"warnings: {len(warned)}, {len(warned) / days:.2f} an asset and day; touched within 15 min "
            f"{_mean([came for came, _, _ in warned]):.3f}, said {_mean([said for _, said, _ in warned]):.3f}, "
            f"by reflection {_mean([base for _, _, base in warned]):.3f}"
        )
        lines.append(_interval("  precision less reflection", scores, _over_reflection))
    leads = [lead for one in scores for lead in one.leads]
    if leads:
        low, high = LEAD_MS
        shares = (
            _mean([lead is not None for lead in leads]),
            _mean([lead is not None and lead >= low for lead in leads]),
            _mean([lead is not None and low <= lead <= high for lead in leads]),
        )
        lines.append(
            f"large zones that were touched: {len(leads)}; warned within the hour before {shares[0]:.2f}, "
            f"2 min before or more {shares[1]:.2f}, 2 to 5 min before {shares[2]:.2f}"
        )
    return lines


def _ratio(scores: Sequence[Score], part: str, whole: str, field: str) -> float:
    of = sum(getattr(getattr(one, whole), field) for one in scores)
    return sum(getattr(getattr(one, part), field) for one in scores) / of if of else 0.0


def _reaction(scores: Sequence[Score]) -> float:
    null = _ratio(scores, "null", "null", "usd") and _ratio(scores, "null", "all", "usd")
    widths = _ratio(scores, "null", "all", "width"), _ratio(scores, "ours", "all", "width")
    if not null or not all(widths):
        return float("nan")
    return (_ratio(scores, "ours", "all", "usd") / widths[1]) / (null / widths[0])


def _density(scores: Sequence[Score]) -> float:
    ours, null = (
        (sum(getattr(one, part).usd for one in scores), sum(getattr(one, part).width for one in scores))
        for part in ("open_ours", "open_null")
    )
    return (ours[0] / ours[1]) / (null[0] / null[1]) if ours[1] and null[0] else float("nan")


def _over_reflection(scores: Sequence[Score]) -> float:
    rows = [row for one in scores for row in one.warned]
    return _mean([came - base for came, _, base in rows]) if rows else float("nan")


def _interval(name: str, scores: Sequence[Score], figure: Callable[[Sequence[Score]], float]) -> str:
    """With the 95 % interval of a bootstrap by world."""
    draw = random.Random(1)
    drawn = sorted(figure(draw.choices(scores, k=len(scores))) for _ in range(DRAWS))
    drawn = [one for one in drawn if not isnan(one)] or [float("nan")]
    low, high = drawn[int(0.025 * len(drawn))], drawn[int(0.975 * (len(drawn) - 1))]
    return f"{name}: {figure(scores):.3f} ({low:.3f} to {high:.3f})"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _brier(rows: Sequence[tuple[float, float]]) -> float:
    return _mean([(said - came) ** 2 for said, came in rows])


def _calibration(rows: Sequence[tuple[float, float]]) -> float:
    """Mean distance of what was said from what came, in bins of equal count."""
    ordered = sorted(rows)
    total = 0.0
    for place in range(BINS):
        some = ordered[place * len(ordered) // BINS : (place + 1) * len(ordered) // BINS]
        if some:
            total += len(some) * abs(_mean([said for said, _ in some]) - _mean([came for _, came in some]))
    return total / len(ordered)


def cost() -> dict[str, float]:
    """CPU-s of one update of 50 assets after 40 minutes of a world, over the 30 minutes that follow."""
    chosen = worlds.world(1, COST_ASSETS)
    market = worlds.market_of(chosen)
    models = {name: ZoneModel(name, ZoneRules()) for name in market.books}
    for name, model in models.items():
        model.set_tiers(worlds.tiers(market.books[name]))
    spent = []
    for minutes in worlds.minutes(market, chosen, 70 / 60):
        began = time.process_time()
        for name, minute in minutes.items():
            models[name].take(minute)
        spent.append(time.process_time() - began)
    last = sorted(spent[-30:])
    return {"assets": len(models), "best_s": last[0], "median_s": last[15], "worst_s": last[-1]}


if __name__ == "__main__":
    main()
