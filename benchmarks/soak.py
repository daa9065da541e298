"""The daemon on seven simulated venues for a long time: its memory, its processor time, and whether a trade was lost.

    python -m benchmarks.soak [--minutes 30] [--trades-per-s 2000] [--assets 50]

Two processes at speed 1: the simulator and `run.py` with nothing but the venues' addresses changed. Prints a line every
half minute and JSON at the end: resident memory at 10 minutes and at the end, shares of one core, trades sent and taken, the stop.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 30.0
STOP_S = 20.0  # longer than the daemon allows itself
SETTLE_S = 15.0  # longer than a note and the status file take to follow
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Simulator:
    def __init__(self, *, assets: int, trades_per_s: float) -> None:
        command = [sys.executable, "-m", "simulator", "--venues", "all", "--speed", "1"]
        command += ["--assets", str(assets), "--trades-per-s", str(trades_per_s)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.ready["control_url"] + path, data, 30) as answer:  # noqa: S310 - loopback
            return json.load(answer)


class Daemon:
    def __init__(self, simulator: Simulator, data_dir: Path, **settings: str) -> None:
        """`settings` by the names of the environment."""
        assets = {row["asset"] for row in simulator.ask("/truth/trades")["trades"]}
        environment = dict(os.environ, FORESHOCK_DATA_DIR=str(data_dir), FORESHOCK_ASSETS=",".join(sorted(assets)))
        environment |= {"TELEGRAM_BOT_TOKEN": "", "FORESHOCK_LOGS__LEVEL": "warning"} | settings
        for venue, urls in simulator.ready["venues"].items():
            for kind, url in urls.items():
                environment[f"FORESHOCK_VENUES__{venue}__{kind}".upper()] = url
        self._data_dir = data_dir
        self._log = (data_dir / "log.jsonl").open("wb")
        command = [sys.executable, "run.py"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self._log)  # noqa: S603

    def stop(self) -> dict[str, float]:
        """Ask it to end; tell its exit code and how long that took."""
        begun_s = time.monotonic()
        self.process.terminate()
        return {"exit_code": self.process.wait(STOP_S), "seconds": round(time.monotonic() - begun_s, 1)}

    def notes(self) -> list[str]:
        status = json.loads((self._data_dir / "status.json").read_text(encoding="utf-8"))
        return [node.get("note") or "" for node in walk(status["tree"])]

    def ready(self) -> int:
        """Assets whose past has come, of the venue that has the fewest."""
        found = [re.match(r"(\d+) of (\d+) assets ready", note) for note in self.notes()]
        return min((int(one[1]) for one in found if one and int(one[2])), default=0)

    def trades(self) -> tuple[int, int]:
        """Trades handed to symbol streams, and trades shed, as the connections' notes in the status tell them."""
        notes = self.notes()
        return tuple(  # type: ignore[return-value]
            sum(int(found[1]) for note in notes if (found := re.search(rf"(\d+) {word}\b(?! shed)", note)))
            for word in ("trades", "trades shed")
        )


def walk(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for child in node.get("children") or () for one in walk(child))]


def rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 2**20


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def soak(options: argparse.Namespace) -> dict[str, Any]:
    simulator = Simulator(assets=options.assets, trades_per_s=options.trades_per_s)
    with tempfile.TemporaryDirectory(prefix="foreshock-soak-") as scratch:
        daemon = Daemon(simulator, Path(scratch))
        try:
            samples = watch(simulator, daemon, options.minutes * 60)
            return summary(samples) | {"trades": compared(simulator, daemon), "stop": daemon.stop()}
        finally:
            for process in (daemon.process, simulator.process):
                process.terminate()
                process.wait(15)
            tell_log(Path(scratch) / "log.jsonl")


def tell_log(file: Path) -> None:
    """Each warning once, with how often it came."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    counts = Counter(line["event"] for line in lines)
    for event, count in counts.items():
        first = next(line for line in lines if line["event"] == event)
        print(f"{count} x {json.dumps(first)[:400]}", file=sys.stderr)


def watch(simulator: Simulator, daemon: Daemon, seconds: float) -> list[dict[str, float]]:
    begun_s, samples = time.monotonic(), []
    while (passed_s := time.monotonic() - begun_s) < seconds:
        time.sleep(min(SAMPLE_S, seconds - passed_s))
        taken, shed = daemon.trades()
        sample = {
            "s": round(time.monotonic() - begun_s),
            "rss_mib": round(rss_mib(daemon.process.pid), 1),
            "cpu_s": round(cpu_s(daemon.process.pid), 1),
            "simulator_rss_mib": round(rss_mib(simulator.process.pid), 1),
            "simulator_cpu_s": round(cpu_s(simulator.process.pid), 1),
            "trades": taken,
            "shed": shed,
            "ready": daemon.ready(),
        }
        samples.append(sample)
        print(json.dumps(sample), file=sys.stderr, flush=True)
    return samples


def summary(samples: list[dict[str, float]]) -> dict[str, Any]:
    at_10_minutes = next((one for one in samples if one["s"] >= 600), samples[-1])
    first, last = samples[0], samples[-1]
    return {
        "rss_mib": {"10_minutes": at_10_minutes["rss_mib"], "end": last["rss_mib"]},
        "end_over_10_minutes": round(last["rss_mib"] / at_10_minutes["rss_mib"], 3),
        "core_share": round((last["cpu_s"] - first["cpu_s"]) / max(1.0, last["s"] - first["s"]), 3),
        "trades_a_second": round((last["trades"] - first["trades"]) / max(1.0, last["s"] - first["s"])),
    }


def compared(simulator: Simulator, daemon: Daemon) -> dict[str, int]:
    """What the simulator sent, and what the daemon took, once nothing moves any more. With a connection that was closed on
    the way the comparison says nothing: what was under way then is in one count and not in the other.
    """
    closed = sum(
        not one["open"] for one in simulator.ask("/truth/trades")["connections"]
    )  # of a frozen market all will be
    simulator.ask("/freeze", {})
    time.sleep(SETTLE_S)
    connections = simulator.ask("/truth/trades")["connections"]
    taken, shed = daemon.trades()
    sent = sum(one["trades"] for one in connections)
    return {"sent": sent, "taken": taken, "shed": shed, "lost": sent - taken - shed, "connections_closed": closed}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--trades-per-s", type=float, default=2000.0)
    parser.add_argument("--assets", type=int, default=50)
    print(json.dumps(soak(parser.parse_args()), indent=1))
