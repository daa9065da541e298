"""Validate the settings and print those in force, with secrets hidden and where each came from."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from config.loading import Loaded, load_settings
from config.schema import walk
from config.values import Assets, Secret

EX_CONFIG = 78


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config` is all it takes, and every command has that."""


def run(args: argparse.Namespace) -> int:
    loaded = load_settings(config=Path(args.config) if args.config else None)
    for line in lines(loaded):
        print(line)
    problems = [problem for found in loaded.settings.misconfigured.values() for problem in found]
    for problem in problems:
        print(problem, file=sys.stderr)
    return EX_CONFIG if problems else 0


def lines(loaded: Loaded) -> list[str]:
    """One line for each key: name, value as TOML writes it, origin."""
    keys = dict(walk(loaded.settings))
    width = max(map(len, keys))
    return [f"{key:{width}} = {_shown(value)}  # {loaded.origins.get(key, 'not set')}" for key, value in keys.items()]


def _shown(value: Any) -> str:
    match value:
        case Secret():
            return '"(hidden)"' if value else '""'
        case Path():
            return _shown(str(value))
        case Assets() if value.auto:
            return _shown(str(value))
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)
