"""The daemon's status as the pulse has written it down: asking nobody, it answers while anything hangs."""

import difflib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

OLD_S = 30.0  # the pulse writes every 5 s; older than this something is wrong (supervision.md 19)
MAX_CHARS = 3_900  # below Telegram's 4,096, with room for a warning
NOTHING = "There is no status yet: the daemon has just started, or its data directory cannot be written."


class _Node(msgspec.Struct, frozen=True):
    """What we show of a node; supervision.md 19.2 has the rest."""

    path: str
    health: str = "?"
    state: str = "?"
    epoch: int = 0
    why: str = ""
    note: str = ""
    flags: tuple[str, ...] = ()
    restarts: dict[str, Any] = {}
    last_exit: dict[str, Any] | None = None
    mailbox: dict[str, Any] = {}
    children: tuple["_Node", ...] = ()


class _Report(msgspec.Struct, frozen=True):
    tree: _Node


def page(folder: Path) -> str:
    """The whole status as people read it, with a warning when it is old."""
    file = folder / "status.txt"
    try:
        return f"{_warning(file)}{file.read_text(encoding='utf-8').strip()[:MAX_CHARS]}"
    except (OSError, UnicodeDecodeError):
        return NOTHING


def node_page(folder: Path, path: str) -> str:
    """One path and what is below it, or the paths most like it."""
    file = folder / "status.json"
    try:
        report = msgspec.json.decode(file.read_bytes(), type=_Report)
        warning = _warning(file)
    except (OSError, msgspec.DecodeError):
        return NOTHING
    nodes = {node.path: node for node in _walk(report.tree)}
    wanted = "/" + path.strip("/").lower()
    if wanted not in nodes:
        like = difflib.get_close_matches(wanted, nodes, n=5)
        return "\n".join(["There is no such path. Like it:", *like] if like else ["There is no such path."])
    return f"{warning}{_lines(nodes[wanted])[:MAX_CHARS]}"


def _warning(file: Path) -> str:
    age_s = time.time() - file.stat().st_mtime
    return f"! This is {age_s:.0f} s old: the daemon may hang.\n" if age_s > OLD_S else ""


def _walk(node: _Node) -> Iterator[_Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _lines(node: _Node) -> str:
    told = {
        "why": node.why,
        "note": node.note,
        "restarts": _pairs(node.restarts),
        "last exit": _pairs(node.last_exit or {}),
        "mailbox": _pairs(node.mailbox),
    }
    lines = [f"{_line(node)}, epoch {node.epoch}"]
    lines += [f"  {name}: {text}" for name, text in told.items() if text]
    lines += [f"  {_line(child)}" for child in node.children]
    return "\n".join(lines)


def _line(node: _Node) -> str:
    flags = f" ({', '.join(node.flags)})" if node.flags else ""
    return f"{node.path}: {node.health}, {node.state}{flags}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
