"""How good alerts and predicted zones are, on recorded days: a report as text, JSON and one HTML page."""

import argparse
import os
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from commands import UsageError

PARTS = ("volume", "open-interest", "liquidations", "zones", "worlds")
MOST_WORLDS = 1_000
VARIANTS_BEFORE = 40  # tried by hand on the June data for the volume rule and its delivery (docs/evaluation.md)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Play recorded days (and simulated worlds, whose truth is known) through the product's own detectors and models of "
        "zones, and judge what they told by the protocol of docs/evaluation.md: against baselines with as many pushes and null "
        "zones as many and as wide, with intervals and sample sizes. The recordings are not part of the project."
    )
    parser.add_argument(
        "parts", metavar="PART", nargs="*", help=f"what to evaluate: {', '.join(PARTS)}; without, all of them"
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="the recordings; default: ../shared/data")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write report.txt, report.json and report.html there; default: text alone",
    )
    parser.add_argument("--worlds", metavar="N", type=int, default=24, help="simulated worlds for zones; default: 24")
    parser.add_argument("--processes", metavar="N", type=int, default=min(2, os.cpu_count() or 1), help="default: 2")


def run(args: argparse.Namespace) -> int:
    parts = tuple(args.parts) or PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise UsageError(f"backtest: unknown part {unknown[0]!r}, expected {', '.join(PARTS)}")
    if args.processes < 1:
        raise UsageError("backtest: --processes must be 1 or more")
    if not 1 <= args.worlds <= MOST_WORLDS:
        raise UsageError(f"backtest: --worlds must be 1 to {MOST_WORLDS}")
    try:
        return _run(args, parts)
    except BrokenProcessPool:
        print("backtest: one of its processes was ended from outside; run it again", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        print("backtest: numpy is missing; `make setup` installs it", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace, parts: tuple[str, ...]) -> int:
    import msgspec  # noqa: PLC0415 - numpy and all that needs it are loaded for this command alone
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from commands.backtesting.detectors import detector_sections, plays_of  # noqa: PLC0415
    from commands.backtesting.page import report_page  # noqa: PLC0415
    from commands.backtesting.recorded import DATA  # noqa: PLC0415
    from commands.backtesting.text import report_text  # noqa: PLC0415
    from commands.backtesting.zones import zone_sections  # noqa: PLC0415
    from intelligence.evaluation.report import Report  # noqa: PLC0415

    data: Path = args.data or DATA
    if set(parts) != {"worlds"} and not data.is_dir():
        print(f"backtest: no recordings: {data} is not there", file=sys.stderr)
        return 1
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        sections = detector_sections(data, parts, args.processes, progress)
        if {"zones", "worlds"} & set(parts):
            worlds = args.worlds if "worlds" in parts else 0
            sections += zone_sections(data, worlds, args.processes, progress, recorded="zones" in parts)
    tried = len({(play.family, play.setting) for play in plays_of(parts)})
    report = Report(
        title="Foreshock on recorded days",
        data="public recordings of others, see the README beside them",
        variants=VARIANTS_BEFORE + tried,
        seconds=time.monotonic() - began,
        sections=tuple(sections),
    )
    text = report_text(report)
    print(text, end="")
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "report.txt").write_text(text, encoding="utf-8")
        (args.out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
        (args.out / "report.html").write_text(report_page(report), encoding="utf-8")
    return 0
