"""The daemon's status as the pulse has written it down: asking nobody, it answers while anything hangs."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actors import paths, status_file
from actors.status_file import OLD_S, TEXT, Node, Report, walk
from intelligence.amounts import compact_duration

MAX_SICK = 6  # of one venue
MAX_CHARS = 3_900  # below Telegram's 4,096, with room for a warning
NOTHING = "There is no status yet: the daemon has just started, or its data directory cannot be written."


def page(folder: Path) -> str:
    """The whole status as people read it, with a warning when it is old."""
    try:
        told = (folder / TEXT).read_text(encoding="utf-8").strip()
        return f"{_warning(folder, TEXT)}{told[:MAX_CHARS]}"
    except (OSError, UnicodeDecodeError):
        return NOTHING


def node_page(folder: Path, path: str) -> str:
    """One path and what is below it, or the paths most like it."""
    report, warning = _report(folder)
    if report is None:
        return NOTHING
    nodes = {node.path: node for node in walk(report.tree)}
    wanted = "/" + path.strip("/").lower()
    if wanted not in nodes:
        like = difflib.get_close_matches(wanted, nodes, n=5)
        return "\n".join(["There is no such path. Like it:", *like] if like else ["There is no such path."])
    return f"{warning}{_lines(nodes[wanted])[:MAX_CHARS]}"


def venues_page(folder: Path, venues: Iterable[str]) -> str:
    """What brings each venue's figures, and how it is."""
    report, warning = _report(folder)
    if report is None:
        return NOTHING
    nodes = {node.path: node for node in walk(report.tree)}
    lines = [nodes[paths.VENUES].note] if paths.VENUES in nodes and nodes[paths.VENUES].note else []
    for venue in venues:
        own = [node for path, node in nodes.items() if _brings(path, venue)]
        sick = [f"  {_line(node)}{f': {node.why}' if node.why else ''}" for node in own if node.health != "healthy"]
        state = "no part of it runs" if not own else f"{len(own) - len(sick)} of {len(own)} parts healthy"
        lines += [f"{venue}: {state}", *sick[:MAX_SICK]]
    text = "\n".join(lines)
    return f"{warning}{text}"[:MAX_CHARS]


def version(folder: Path) -> str:
    report, _ = _report(folder)
    if report is None:
        return NOTHING
    return f"Foreshock {report.version}, up for {compact_duration(int(report.uptime_s * 1000))}"


def _brings(path: str, venue: str) -> bool:
    parent, _, name = path.rpartition("/")
    own = name == venue or name.startswith(f"{venue}-")
    return own and parent in {paths.FEEDS, paths.CATALOGUES, paths.OPEN_INTEREST, paths.BACKFILL}


def _report(folder: Path) -> tuple[Report | None, str]:
    """The report and a warning when it is old; None while there is none that can be read."""
    return status_file.read(folder), _warning(folder)


def _warning(folder: Path, file: str = status_file.JSON) -> str:
    age_s = status_file.age_s(folder, file) or 0.0
    return f"! This is {age_s:.0f} s old: the daemon may hang.\n" if age_s > OLD_S else ""


def _lines(node: Node) -> str:
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


def _line(node: Node) -> str:
    flags = f" ({', '.join(node.flags)})" if node.flags else ""
    return f"{node.path}: {node.health}, {node.state}{flags}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
