"""Show the running daemon's supervision tree and health, from the status file it writes; asks nobody.

Exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 not running (no status file, or one older than 30 s).
"""

import argparse
import difflib
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from commands import UsageError
from config.loading import load_settings
from supervisors.wording import Node, Report, find, node_text, text, walk

STATUS_FILE = "status.json"
OLD_S = 30.0  # six missed pulses
NOT_RUNNING = 3
CODES = {"healthy": 0, "off": 0, "degraded": 1, "unhealthy": 2}


class _NotRunning(Exception):  # noqa: N818 - said to people as it is
    """There is no daemon to tell of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="one part of the tree, such as /core/feeds")
    parser.add_argument("--json", action="store_true", help="as the daemon wrote it, for machines")
    parser.add_argument("--all", action="store_true", help="the whole tree, not only what is not healthy")


def run(args: argparse.Namespace) -> int:
    loaded = load_settings(config=Path(args.config) if args.config else None)
    try:
        report = read(loaded.settings.data_dir / STATUS_FILE, datetime.now(UTC))
    except _NotRunning as why:
        print(f"Foreshock is not running: {why}", file=sys.stderr)
        return NOT_RUNNING
    if args.path:
        node = _node(report, "/" + args.path.strip("/"))
        print(msgspec.json.encode(node).decode() if args.json else node_text(node))
        return CODES[node.health]
    print(msgspec.json.encode(report).decode() if args.json else text(report, everything=args.all))
    return CODES[report.health]


def read(file: Path, now: datetime) -> Report:
    """The daemon's last report. Raises _NotRunning when there is none, or when it is too old to say anything of now."""
    try:
        report = msgspec.json.decode(file.read_bytes(), type=Report)
        age_s = (now - datetime.fromisoformat(report.as_of)).total_seconds()
    except FileNotFoundError:
        raise _NotRunning(f"there is no {file}") from None
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise _NotRunning(f"{file} cannot be read: {error}") from None
    if report.ended:
        raise _NotRunning(f"it ended at {report.as_of} ({file})")
    if age_s > OLD_S:
        raise _NotRunning(f"{file} is {age_s:.0f} s old, a daemon renews it every few seconds")
    return report


def _node(report: Report, path: str) -> Node:
    node = find(report, path)
    if node is None:
        near = difflib.get_close_matches(path, [node.path for node in walk(report.tree)], 1)
        raise UsageError(f"there is no {path} in the tree" + (f", nearest is {near[0]}" if near else ""))
    return node
