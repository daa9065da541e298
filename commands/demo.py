"""The whole daemon against the embedded market simulator, or against recorded tapes, on loopback."""

import argparse
import math
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import structlog

from actors import paths
from actors.clock import Clock
from actors.exchanges.registry import EXCHANGES
from actors.messages.supervision import Drill
from commands import UsageError
from commands.daemon import Running, leave, run_daemon
from commands.simulated import Simulated, SimulatorError
from config.loading import Loaded, load_settings
from config.settings import Settings
from supervisors.trees.presentation import Presentation

log = structlog.get_logger(__name__)

DRILL_AFTER_S = 12.0
DRILL_PATH = paths.symbol_path("BTC")
DRAIN_S = 2.0  # from the last frame of a tape to the end: what is on its way arrives
SPEED = 10.0
DEMO_REFRESH_S = 120.0  # market seconds: bars of what was watched must come within a demo's minutes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="end after so long; 0: at the end of the tape")
    parser.add_argument("--speed", type=float, default=SPEED, help="market seconds per second (default 10)")
    parser.add_argument("--seed", type=int, default=None, help="of the simulated market")
    parser.add_argument(
        "--tape", action="append", default=[], metavar="VENUE:FILE", help="serve recorded messages instead; repeatable"
    )
    parser.add_argument("--data-dir", type=Path, default=None, help="default: a fresh temporary folder")
    parser.add_argument("--telegram", action="store_true", help="send to Telegram too, if a token is set")


def run(args: argparse.Namespace) -> int:
    if not (math.isfinite(args.seconds) and args.seconds >= 0):
        raise UsageError(f"--seconds: expected 0 or a number above, was {args.seconds:g}")
    if not (math.isfinite(args.speed) and args.speed > 0):
        raise UsageError(f"--speed: expected a number above 0, was {args.speed:g}")
    with tempfile.TemporaryDirectory(prefix="foreshock-demo-") as scratch:
        code = _run(args, Path(scratch))
    leave(code)
    return code


def _run(args: argparse.Namespace, scratch: Path) -> int:
    try:
        tapes = [_from_here(tape) for tape in args.tape]
        simulated = Simulated(speed=args.speed, seed=args.seed, tapes=tapes, options=() if tapes else ("--frenzies",))
    except SimulatorError as error:
        raise UsageError(str(error)) from None
    with simulated:
        loaded = load_settings(
            config=Path(args.config) if args.config else None, overrides=_overrides(args, simulated, scratch)
        )
        clock = Clock()
        simulated.drive(clock)
        director = _Director(args.seconds, simulated, clock)
        _introduce(args, simulated, loaded)
        presentation = Presentation(simulation=True, telegram=args.telegram)
        return run_daemon(loaded.settings, presentation, clock=clock, started=director.start)


def _from_here(tape: str) -> str:
    """A tape named from the user's folder, as the simulator in the checkout's folder finds it."""
    venue, colon, file = tape.partition(":")
    if colon and venue.isalpha():
        return f"{venue}:{Path(file).resolve()}"
    return str(Path(tape).resolve())


def _overrides(args: argparse.Namespace, simulated: Simulated, scratch: Path) -> dict[str, Any]:
    """The addresses of the simulator, a data directory that is not the live one, and Telegram only when asked for."""
    chosen: dict[str, Any] = {}
    for venue in EXCHANGES:
        urls = simulated.venues.get(venue)
        chosen[f"venues.{venue}.enabled"] = urls is not None
        if urls is not None:
            chosen[f"venues.{venue}.ws_url"] = urls["ws_url"]
            chosen[f"venues.{venue}.rest_url"] = urls["rest_url"]
    # A folder named in a settings file is the live daemon's; the environment of this very command may name another.
    named = args.data_dir or os.environ.get("FORESHOCK_DATA_DIR")
    if args.tape:
        chosen["feeds.trades"] = False  # tapes bring liquidations and prices: trades that never come would look dead
    chosen["market_caps.sources"] = []  # the simulated market has none: tiers go by turnover
    chosen["backfill.refresh_s"] = DEMO_REFRESH_S
    chosen["data_dir"] = str(named or scratch)
    if "FORESHOCK_HTTP__PORT" not in os.environ:
        chosen["http.port"] = 0  # the usual one is the live daemon's
    if not args.telegram:
        chosen["telegram.token"] = ""
    if sys.stdout.isatty() and "FORESHOCK_LOGS__LEVEL" not in os.environ:
        chosen["logs.level"] = "warning"  # people watch the alerts; what goes wrong still shows
    return chosen


def _introduce(args: argparse.Namespace, simulated: Simulated, loaded: Loaded) -> None:
    """Say what is about to be seen, where a person is looking."""
    if not sys.stdout.isatty():
        return
    settings: Settings = loaded.settings
    length = f"{args.seconds:g} s, then it ends by itself" if args.seconds else "until the end of the tape, or Ctrl-C"
    market = (
        "recorded messages"
        if args.tape
        else f"a simulated market of {simulated.assets} assets on {len(simulated.venues)} venues"
    )
    print(
        f"Foreshock demo: {market} on loopback, market time runs {args.speed:g} x, {length}.\n"
        f"Nothing here is real money: every message begins with SIMULATION. Data: {settings.data_dir}\n",
        flush=True,
    )


class _Director:
    """What happens in a demo beside the market: one announced failure, and the end."""

    def __init__(self, seconds: float, simulated: Simulated, clock: Clock) -> None:
        self._seconds = seconds
        self._simulated = simulated
        self._clock = clock
        self._over = threading.Event()

    def start(self, running: Running) -> None:
        threading.Thread(target=self._direct, args=(running,), name="demo-director", daemon=True).start()

    def _direct(self, running: Running) -> None:
        begun_s = self._clock.monotonic()
        tape_over = self._simulated.finished
        if self._simulated.tape:
            tape_over.wait(self._seconds or None)
            self._over.wait(DRAIN_S if tape_over.is_set() else 0)
        else:
            limit_s = self._seconds or float("inf")
            self._over.wait(min(DRILL_AFTER_S, limit_s / 2))
            self._drill(running)
            left_s = limit_s - (self._clock.monotonic() - begun_s)
            self._over.wait(None if left_s == float("inf") else max(0.0, left_s))
        running.stop()

    def _drill(self, running: Running) -> None:
        """Make one actor fail, announced before, and say when its successor runs."""
        place = running.system.place(DRILL_PATH)
        before = place.epoch
        log.info("drill_announced", path=DRILL_PATH, epoch=before)
        self._say(f"DRILL: {DRILL_PATH} (epoch {before}) is made to fail on purpose now; watch its supervisor:")
        failed_s = self._clock.monotonic()
        running.system.address(DRILL_PATH).tell(Drill(reason="announced failure of the demo"))
        while not self._over.wait(0.002) and self._clock.monotonic() - failed_s < 10:
            if place.epoch > before and place.vitals.phase == "running":
                took_ms = (self._clock.monotonic() - failed_s) * 1000
                log.info("drill_recovered", path=DRILL_PATH, epoch=place.epoch, took_ms=round(took_ms, 1))
                self._say(f"DRILL: {DRILL_PATH} runs again as epoch {place.epoch}, {took_ms:.0f} ms after it failed")
                return

    @staticmethod
    def _say(text: str) -> None:
        if sys.stdout.isatty():
            print(text, flush=True)
