"""Watch the public feeds of the real venues, and warn. Alerts stand on the terminal until a Telegram token is set."""

import argparse
from pathlib import Path

from actors.clock import Clock
from commands.daemon import leave, run_daemon
from config.loading import load_settings
from supervisors.trees.presentation import Presentation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config` is all it takes, and every command has that."""


def run(args: argparse.Namespace) -> int:
    settings = load_settings(config=Path(args.config) if args.config else None).settings
    code = run_daemon(settings, Presentation(), clock=Clock())
    leave(code)
    return code
