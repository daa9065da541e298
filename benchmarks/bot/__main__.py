"""How fast the bot answers and tells, and what it holds in memory, with seven venues and 2,000 trades a second behind it.

    python -m benchmarks.bot [--part commands] [--minutes 10] [--rounds 12] [--alerts 60] [--incidents 30]

Simulator, daemon and Bot API server (lo-bot-api-emulator behind the tests' proxy) run on loopback at speed 1. Twelve people
ask in chats of their own, slower than any limit of ours or of Telegram's; four other chats get the alerts. Tells what it does
on stderr, a table on stdout; exit code 1 when a goal is missed. With everything some 25 minutes.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.bot.alerts import order_alerts, order_incidents, pictures
from benchmarks.bot.memory import Sample, Sampler
from benchmarks.bot.scene import Scene, say, staged
from benchmarks.bot.talk import Asked, ask, charts, commands

COMMAND_EVERY_S = 0.25
CHART_EVERY_S = 1.0
ALERT_EVERY_S = 5.0  # given
NEWS_EVERY_S = 9.0
NEWS_MEANWHILE_EVERY_S = 20.0
PEACE_S = 75.0  # after the incidents, for their ends
COMMAND_P95_S, CHART_P95_S = 1.0, 2.5  # given, as what follows
ALERT_P50_S, ALERT_P99_S = 0.3, 1.0
PICTURE_P95_S = 1.5
PSS_MIB = 450.0 * 1e6 / 2**20
FLAT = 1.05  # last fifth of the time over the second one


class Row(NamedTuple):
    what: str
    n: int
    figures: str
    goal: str
    met: bool


Part = Callable[[Scene, Sampler, argparse.Namespace, Sequence[str]], list[Row]]


def measure_commands(scene: Scene, _memory: Sampler, options: argparse.Namespace, assets: Sequence[str]) -> list[Row]:
    raised = scene.log("alert_raised")
    alert_id = raised[-1]["alert_id"] if raised else "abcdefghijkl"
    asked = ask(scene, commands(assets, alert_id, options.rounds), every_s=COMMAND_EVERY_S)
    tell_slowest(asked)
    times = [one.took_s for one in asked]
    waits = [one.handed_s - one.said_s for one in asked if one.handed_s is not None]
    return [
        timed("commands: handed to the bot to answered", times, p95=COMMAND_P95_S),
        Row("commands: said to handed to the bot", len(waits), spread(waits), "", met=True),
    ]


def measure_alerts(scene: Scene, _memory: Sampler, options: argparse.Namespace, assets: Sequence[str]) -> list[Row]:
    found = order_alerts(scene, assets, number=options.alerts, every_s=ALERT_EVERY_S)
    alone = [one.took_s for one in found if not one.paced]
    paced = [one.took_s for one in found if one.paced]
    rows = [timed("alerts: frame to message, one in 5 s and chat", alone, p50=ALERT_P50_S, p99=ALERT_P99_S)]
    if paced:
        rows.append(Row("alerts that came within the pace of another", len(paced), spread(paced), "", met=True))
    return rows


def measure_incidents(scene: Scene, _memory: Sampler, options: argparse.Namespace, assets: Sequence[str]) -> list[Row]:
    found = order_incidents(scene, assets, number=options.incidents, every_s=NEWS_EVERY_S)
    say(f"{len({one.alert_id for one in found})} incidents of {', '.join(sorted({one.kind for one in found}))}")
    time.sleep(PEACE_S)
    return [timed("incidents: text to picture", [one.took_s for one in found], p95=PICTURE_P95_S)]


def measure_charts(scene: Scene, memory: Sampler, options: argparse.Namespace, assets: Sequence[str]) -> list[Row]:
    """Charts of every kind, one a second, none from the cache, and pictures of incidents between them."""
    since, begun_s = scene.mark(), time.monotonic()
    number = int(options.minutes * 60 / NEWS_MEANWHILE_EVERY_S)
    news = threading.Thread(
        target=order_incidents,
        args=(scene, assets[::-1]),
        kwargs={"number": number, "every_s": NEWS_MEANWHILE_EVERY_S},
        daemon=True,
    )
    news.start()
    asked = ask(scene, charts(assets), every_s=CHART_EVERY_S, until_s=begun_s + options.minutes * 60)
    news.join()
    tell_slowest(asked)
    photos = sum(one.method == "sendPhoto" for one in asked)
    incidents = [one.took_s for one in pictures(scene, since)]
    return [
        timed("charts, one a second: handed to the bot to picture", [one.took_s for one in asked], p95=CHART_P95_S),
        Row("charts that were pictures", len(asked), f"{photos}", "all", photos == len(asked)),
        timed("incidents meanwhile: text to picture", incidents, p95=PICTURE_P95_S),
        *memory_rows(memory.since(begun_s)),
    ]


PARTS: dict[str, Part] = {
    "commands": measure_commands,
    "alerts": measure_alerts,
    "incidents": measure_incidents,
    "charts": measure_charts,
}

# -- figures ----------------------------------------------------------------------------------------------------------


def quantile(values: Iterable[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("inf")


def spread(values: Sequence[float]) -> str:
    parts = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return " ".join(f"{name} {quantile(values, part):.3f}" for name, part in parts) + " s"


def timed(what: str, values: Sequence[float], **goals: float) -> Row:
    """`goals`: seconds by quantile, such as p95=1.0."""
    met = all(quantile(values, int(name[1:]) / 100) <= most_s for name, most_s in goals.items())
    told = ", ".join(f"{name} at most {most_s:g} s" for name, most_s in goals.items())
    return Row(what, len(values), spread(values), told, met)


def memory_rows(samples: Sequence[Sample]) -> list[Row]:
    sums = [one.all_mib for one in samples]
    fifth = max(1, len(sums) // 5)
    second, last = sums[fifth : 2 * fifth] or sums, sums[-fifth:]
    growth = (sum(last) / len(last)) / (sum(second) / len(second))
    largest = max(samples, key=lambda one: one.all_mib)
    own = f"max {largest.all_mib:.0f} MiB: daemon with bot {largest.daemon_mib:.0f}, {largest.others} others {largest.others_mib:.0f}"
    cpu = (samples[-1].cpu_s - samples[0].cpu_s) / max(1.0, samples[-1].at_s - samples[0].at_s)
    return [
        Row("PSS of all processes", len(sums), own, f"below {PSS_MIB:.0f} MiB (450 MB)", max(sums) < PSS_MIB),
        Row("PSS: last fifth over the second", len(sums), f"{growth:.3f}", f"at most {FLAT}", growth <= FLAT),
        Row("processor of the daemon and what draws", len(sums), f"{100 * cpu:.0f} % of a core", "", met=True),
    ]


def tell_slowest(asked: Iterable[Asked]) -> None:
    """The worst of each command, slowest first."""
    worst: dict[str, float] = defaultdict(float)
    for one in asked:
        name = " ".join(one.text.split()[:2]) if one.text.startswith("/chart") else one.text.split()[0]
        worst[name] = max(worst[name], one.took_s)
    slowest = sorted(worst.items(), key=lambda one: -one[1])[:12]
    say("slowest of each: " + ", ".join(f"{name} {took_s:.3f} s" for name, took_s in slowest))


def tell(rows: Sequence[Row]) -> None:
    for row in rows:
        verdict = "" if not row.goal else "met" if row.met else "MISSED"
        print(f"{row.what} | {row.n} | {row.figures} | {row.goal} | {verdict}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="only that one; may be given more than once")
    parser.add_argument("--rounds", type=int, default=12, help="of all commands (default 12)")
    parser.add_argument("--alerts", type=int, default=60, help="one every 5 s (default 60)")
    parser.add_argument("--incidents", type=int, default=30, help="pieces of news, one every 9 s (default 30)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of a chart every second (default 10)")
    parser.add_argument("--trades-per-s", type=float, default=2000.0)
    parser.add_argument("--assets", type=int, default=50)
    parser.add_argument("--keep", type=Path, help="folder for the daemon's log and files, to look at afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foreshock-bot-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with staged(folder, assets=options.assets, trades_per_s=options.trades_per_s) as scene:
            rows = run(scene, options)
    load = os.getloadavg()
    print(
        f"\nfigure | n | measured (load at the end {load[0]:.1f}, {load[1]:.1f}, {load[2]:.1f}) | goal | ", flush=True
    )
    tell(rows)
    return 0 if all(row.met for row in rows) else 1


def run(scene: Scene, options: argparse.Namespace) -> list[Row]:
    memory = Sampler(scene.daemon.process.pid)
    try:
        scene.wait_ready()
        rows_of_open_interest = scene.simulator.ask("/truth/open_interest")["open_interest"]
        assets = list(dict.fromkeys(row["asset"] for row in rows_of_open_interest))
        rows = []
        for name in options.part or PARTS:
            say(name)
            found = PARTS[name](scene, memory, options, assets)
            tell(found)
            rows += found
        taken, shed = scene.daemon.trades()
        return [*rows, Row("trades taken, and shed", taken, str(shed), "0 shed", shed == 0)]
    finally:
        memory.close()


if __name__ == "__main__":
    sys.exit(main())
