"""`python -m benchmarks.pushes`: pushes of the whole tree on recorded days, by policy; docs/evaluation.md."""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.pushes.counting import Family, Pushes, replayed
from benchmarks.pushes.stretches import STRETCHES, Stretch, write
from commands.backtesting.recorded import DATA

_ONE_BY_ONE = 4  # more assets than these are told together


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stretches", nargs="*", metavar="NAME", help=f"of {', '.join(STRETCHES)}; default: all")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    if unknown := [name for name in args.stretches if name not in STRETCHES]:
        parser.error(f"unknown stretch {unknown[0]!r}, expected {', '.join(STRETCHES)}")
    if not DATA.is_dir():
        print("no recorded data: ../shared/data is not there", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="foreshock-evaluation-") as scratch:
        for name in args.stretches or STRETCHES:
            _tell(STRETCHES[name], _by_policy(name, Path(scratch), args.processes))
    return 0


def _by_policy(name: str, scratch: Path, processes: int) -> dict[str, dict[Family, Pushes]]:
    stretch, recording = STRETCHES[name], scratch / f"{name}.rec.zst"
    with (
        Progress(console=Console(file=sys.stderr)) as progress,
        ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        bar = progress.add_task(f"{name}: converting", total=len(stretch.policies) + 1)
        write(stretch, recording)
        progress.update(bar, advance=1, description=f"{name}: replaying")
        running = {}
        for policy in stretch.policies:
            data_dir = scratch / f"{name}-{policy}"
            running[pool.submit(replayed, recording, policy, data_dir, stretch.scored_ms)] = policy
        found = {}
        for done in as_completed(running):
            found[running[done]] = done.result()
            progress.advance(bar)
    return {policy: found[policy] for policy in stretch.policies}


def _tell(stretch: Stretch, by_policy: Mapping[str, Mapping[Family, Pushes]]) -> None:
    print(f"\n## {stretch.name}: {stretch.days:.2f} days\n")
    print("family, policy | asset | raised a day | sent a day | with sound | held back | judged by")
    for kind in sorted({family.kind for found in by_policy.values() for family in found}):
        assets = sorted({family.asset for found in by_policy.values() for family in found if family.kind == kind})
        shown = assets if len(assets) <= _ONE_BY_ONE else [one for one in ("BTC", "ETH", "DOGE") if one in assets]
        for policy, found in by_policy.items():
            for asset in shown:
                print(_row(kind, policy, asset, found.get(Family(kind, asset), Pushes()), stretch.days))
            rest = [pushes for family, pushes in found.items() if family.kind == kind and family.asset not in shown]
            if len(assets) > len(shown):
                print(_row(kind, policy, f"{len(assets) - len(shown)} others together", _sum(rest), stretch.days))
    raised = sum(pushes.raised for found in by_policy.values() for pushes in found.values())
    if not raised:
        print("nothing was raised by any policy")
    sys.stdout.flush()


def _sum(several: list[Pushes]) -> Pushes:
    total = Pushes()
    for one in several:
        total.raised, total.sent, total.loud = total.raised + one.raised, total.sent + one.sent, total.loud + one.loud
        total.held += one.held
        total.sources += one.sources
    return total


def _row(kind: str, policy: str, asset: str, pushes: Pushes, days: float) -> str:
    held = ", ".join(f"{count} {gate}" for gate, count in sorted(pushes.held.items())) or "none"
    sources = ", ".join(f"{count} {source}" for source, count in sorted(pushes.sources.items())) or "-"
    rates = " | ".join(f"{count / days:.2f}" for count in (pushes.raised, pushes.sent, pushes.loud))
    return f"{kind}, {policy} | {asset} | {rates} | {held} | {sources}"


if __name__ == "__main__":
    raise SystemExit(main())
