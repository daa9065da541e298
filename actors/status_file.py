"""The daemon's status as the pulse has written it down: whoever reads it asks nobody, and learns of what hangs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

OLD_S = 30.0  # the pulse writes every 5 s; older than this something is wrong (supervision.md 19)
JSON, TEXT = "status.json", "status.txt"


class Node(msgspec.Struct, frozen=True):
    """What is read of a node; supervision.md 19.2 has the rest."""

    path: str
    kind: str = "actor"
    health: str = "?"
    state: str = "?"
    epoch: int = 0
    why: str = ""
    note: str = ""
    flags: tuple[str, ...] = ()
    restarts: dict[str, Any] = {}
    last_exit: dict[str, Any] | None = None
    mailbox: dict[str, Any] = {}
    cpu_s: float = 0.0
    children: tuple["Node", ...] = ()


class Report(msgspec.Struct, frozen=True):
    tree: Node
    version: str = "?"
    uptime_s: float = 0.0
    health: str = "?"
    why: tuple[str, ...] = ()
    totals: dict[str, Any] = {}


def read(folder: Path) -> Report | None:
    """None while there is none that can be read."""
    try:
        return msgspec.json.decode((folder / JSON).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None


def age_s(folder: Path, file: str = JSON) -> float | None:
    """Seconds since it was written; None while it is not there."""
    try:
        return time.time() - (folder / file).stat().st_mtime
    except OSError:
        return None


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)
