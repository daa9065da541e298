"""Runs cases side by side: every round runs each once in a shuffled order, each in a fresh process after a quiet moment."""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.stand.cases import CASES

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
QUIET_S, QUIET_SHARE, QUIET_WAIT_S = 0.1, 0.5, 3.0  # look so long; others use less of a core; give up waiting


class Run(NamedTuple):
    """One case with so many symbols; `rate` in trades a second, 0: as fast as they are taken."""

    case: str
    symbols: int = 50
    rate: int = 0
    trades: int = 0


Results = dict[Run, list[dict[str, float]]]


def measure(run: Run) -> dict[str, float] | str:
    """The client's result, or why there is none."""
    case = CASES[run.case]
    trades = str(run.trades or case.trades)
    command = [sys.executable, "-m", "benchmarks.stand.server", "--trades", trades, "--symbols", str(run.symbols)]
    command += ["--rate", str(run.rate), "--limit", str(PATIENCE_S), *case.server]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        try:
            port = server.stdout.readline().strip()
            client = [sys.executable, "-m", "benchmarks.stand.client", run.case, port, trades, str(run.symbols)]
            done = subprocess.run(client, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            return f"no result within {PATIENCE_S:g} s"
        finally:
            server.kill()
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result: dict[str, float] = json.loads(line.removeprefix("RESULT "))
            return result
    return (done.stderr or done.stdout).strip().rpartition("\n")[2][-200:] or f"ended with {done.returncode}"


def interleaved(runs: Sequence[Run], rounds: int) -> Results:
    """Say on stderr what is left out, and why."""
    wanted = [run for run in runs if CASES[run.case].installed]
    for run in runs:
        if run not in wanted:
            print(f"left out, not installed: {run.case}", file=sys.stderr)
    results: Results = {run: [] for run in wanted}
    for number in range(rounds):
        order = list(wanted)
        random.Random(number).shuffle(order)
        for run in order:
            _await_quiet()
            found: Any = measure(run)
            if isinstance(found, str):
                print(f"round {number + 1}: {run.case}: {found}", file=sys.stderr)
            else:
                results[run].append(found)
        print(f"round {number + 1} of {rounds} done", file=sys.stderr, flush=True)
    return results


def median(results: Results, run: Run, what: str = "cpu_per_m") -> float | None:
    found = [one[what] for one in results.get(run, ()) if what in one]
    return statistics.median(found) if found else None


def table(results: Results) -> str:
    """Medians with the smallest and largest."""
    lines = [
        "| case | symbols | rate | CPU-s a million | k trades/s | CPU of a core | peak RSS MB | runs |",
        "|---" * 8 + "|",
    ]
    for run, found in results.items():
        if found:
            costs = [one["cpu_per_m"] for one in found]
            rate, share, rss = (statistics.median(one[what] for one in found) for what in ("rate", "share", "rss_mb"))
            lines.append(
                f"| {CASES[run.case].says} | {run.symbols} | {run.rate or 'drain'} | {statistics.median(costs):.2f} "
                f"({min(costs):.2f} to {max(costs):.2f}) | {rate / 1000:.0f} | {share:.0%} | {rss:.0f} | {len(found)} |"
            )
    return "\n".join(lines)


def ratio(results: Results, over: Run, under: Run, what: str = "cpu_per_m") -> str:
    """Of two medians; a dash where one is missing."""
    dividend, divisor = median(results, over, what), median(results, under, what)
    return f"{dividend / divisor:.2f}" if dividend is not None and divisor else "-"


def _await_quiet() -> None:
    """Other jobs share the machine: wait for a moment without them, but not for ever."""
    until_s = time.monotonic() + QUIET_WAIT_S
    while time.monotonic() < until_s:
        before = _busy_s()
        time.sleep(QUIET_S)
        if _busy_s() - before <= QUIET_S * QUIET_SHARE:
            return


def _busy_s() -> float:
    """Processor seconds of the whole machine since its start."""
    fields = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
