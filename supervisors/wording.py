"""A report on the whole tree and its wording for people. Knows no actor, so that `run.py status` starts fast."""

from collections.abc import Iterator
from typing import Any

import msgspec

TEXT_MAX_CHARS = 4_000  # below Telegram's 4,096
WHY_LINES = 8
LINE_MAX_CHARS = 200
_MARKS = {"healthy": "ok", "degraded": "~~", "unhealthy": "!!", "off": "--"}


class Node(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One path in the status: what supervision.md 19.2 shows. Ages in seconds at the time of the snapshot."""

    path: str
    kind: str
    actor: str = ""
    strategy: str = ""
    required: bool = True
    state: str
    state_since_s: float
    health: str
    flags: tuple[str, ...] = ()
    why: str = ""
    epoch: int = 0
    restarts: dict[str, Any] = {}
    last_exit: dict[str, Any] | None = None
    heartbeat: dict[str, Any] = {}
    mailbox: dict[str, Any] = {}
    cpu_s: float = 0.0
    note: str = ""
    quorum: float = 1.0
    children: tuple["Node", ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """supervision.md 19.2. `health` of the process is the tree's, made worse by what the process itself suffers;
    `ended`: the daemon wrote this as its last word.
    """

    schema: int = 1
    as_of: str
    pid: int
    version: str
    uptime_s: float
    health: str
    ended: bool = False
    why: tuple[str, ...]
    totals: dict[str, Any]
    tree: Node


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def find(report: Report, path: str) -> Node | None:
    return next((node for node in walk(report.tree) if node.path == path), None)


def sick_lines(tree: Node) -> Iterator[str]:
    """One line for each actor that is not well, and each supervisor that is not for reasons of its own."""
    for node in walk(tree):
        sick = node.health in {"degraded", "unhealthy"}
        if sick and (node.kind == "actor" or node.flags):
            yield _line(node)


def _line(node: Node) -> str:
    parts = [node.path, node.state if node.state != "running" else " ".join(node.flags) or node.health]
    if node.restarts.get("next_s") is not None:
        parts.append(f"next try in {node.restarts['next_s']:.0f} s")
    fallback = node.note if node.state == "running" else (node.last_exit or {}).get("error", "")
    reason = node.why or fallback
    if reason:
        parts.append(f"({reason})")
    return " ".join(parts)[:LINE_MAX_CHARS]


def text(report: Report, *, everything: bool = False) -> str:
    """What a person reads: the verdict, why, totals, then the branches that are not healthy (or all of them)."""
    totals = report.totals
    lines = [f"Foreshock {report.health}, up {_duration(report.uptime_s)} (as of {report.as_of})"]
    lines += [f"  ! {why}" for why in report.why[:WHY_LINES]]
    if len(report.why) > WHY_LINES:
        lines.append(f"  ! and {len(report.why) - WHY_LINES} more")
    lines.append(
        f"{totals['running']} of {totals['actors']} actors running, {totals['restarts']} restarts, "
        f"{totals['leaked']} leaked threads, {totals['rss_mib']:.0f} MiB"
    )
    lines += _tree_lines(report.tree, 0, everything=everything)
    return "\n".join(lines) if everything else cut(lines)


def node_text(node: Node) -> str:
    """One path with its last exit, and what is below it."""
    lines = [f"{node.path}: {node.health}, {node.state} for {_duration(node.state_since_s)}, epoch {node.epoch}"]
    if node.why or node.note:
        lines.append(f"  {node.why or node.note}")
    if node.restarts:
        r = node.restarts
        lines.append(f"  restarts {r['total']}, in window {r['in_window']} of {r['limit']} per {r['window_s']:.0f} s")
    if node.last_exit:
        e = node.last_exit
        lines.append(f"  last exit {e['kind']} {_duration(e['ago_s'] or 0)} ago: {e['error']} {e['where']}".rstrip())
    if node.mailbox:
        lines.append("  mailbox " + ", ".join(f"{name} {value}" for name, value in node.mailbox.items()))
    lines += _tree_lines(node, 0, everything=True)[1:]
    return cut(lines)


def _tree_lines(node: Node, depth: int, *, everything: bool) -> list[str]:
    if not everything and node.health in {"healthy", "off"} and depth > 1:
        return []
    name = node.path.rpartition("/")[2] or "/"
    extra = f" ({len(node.children)})" if node.children else ""
    note = f"  {node.note}" if node.note else ""
    restarts = f" epoch {node.epoch}" if node.epoch > 1 else ""
    line = f"{'  ' * depth}{_MARKS[node.health]} {name}{extra} {node.state}{restarts}{note}"[:LINE_MAX_CHARS]
    return [line, *(below for child in node.children for below in _tree_lines(child, depth + 1, everything=everything))]


def cut(lines: list[str]) -> str:
    """As many lines as fit into one message."""
    kept, used = [], 0
    for index, line in enumerate(lines):
        used += len(line) + 1
        if used > TEXT_MAX_CHARS:
            kept.append(f"... {len(lines) - index} more lines")
            break
        kept.append(line)
    return "\n".join(kept)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
