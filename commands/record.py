"""The live daemon with everything it hears written to disk, raw, to be replayed later."""

import argparse
import math
import sys
import threading
from pathlib import Path

from actors.clock import Clock
from commands import UsageError
from commands.daemon import Running, leave, run_daemon
from config.loading import load_settings
from supervisors.trees.presentation import RECORDINGS, Presentation

HOUR_S = 3600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long; 0, the default: until a signal")
    parser.add_argument("--hours", type=float, default=0.0, help="the same in hours")


def run(args: argparse.Namespace) -> int:
    length_s = args.seconds + args.hours * HOUR_S
    if not (math.isfinite(length_s) and args.seconds >= 0 and args.hours >= 0):
        raise UsageError("--seconds and --hours: expected 0 or a number above")
    loaded = load_settings(config=Path(args.config) if args.config else None, overrides={"recording.enabled": True})
    print(f"recording to {loaded.settings.data_dir / RECORDINGS}", file=sys.stderr, flush=True)

    def started(running: Running) -> None:
        if length_s:
            timer = threading.Timer(length_s, running.stop)
            timer.daemon = True
            timer.start()

    code = run_daemon(loaded.settings, Presentation(), clock=Clock(), started=started)
    leave(code)
    return code
