"""The whole tree in one report, for machines (status.json) and for people (`run.py status`, the bot's /status)."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.system import System
from supervisors.status import Health, Node, Snapshot, leaf_verdict, roll_up, worst

TEXT_MAX_CHARS = 4_000  # below Telegram's 4,096
WHY_LINES = 8
LEAKS_DEGRADED = 8

__all__ = ["Health", "Report", "assemble", "leaf_verdict", "node_text", "text"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """supervision.md 19.2. `health` of the process is the tree's, made worse by what the process itself suffers."""

    schema: int = 1
    as_of: str
    pid: int
    version: str
    uptime_s: float
    health: str
    why: tuple[str, ...]
    totals: dict[str, Any]
    tree: Node


def assemble(system: System, version: str, extra: dict[str, Any]) -> Report:
    """Put the published snapshots together; asks nobody, so it works while anything hangs.

    `extra` are totals of parts that are not actors (log drops, outbox); `outbox_oldest_s` above 60 is unhealthy.
    """
    tree = _fill(_root_node(system), system)
    totals = {**_totals(system, tree), **extra}
    health, own = _process_health(totals)
    sick = tuple(_sick_lines(tree))
    return Report(
        as_of=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        pid=os.getpid(),
        version=version,
        uptime_s=round(time.monotonic() - system.started_s, 1),
        health=str(worst((Health(tree.health), health))),
        why=(*own, *sick),
        totals=totals,
        tree=tree,
    )


def _root_node(system: System) -> Node:
    top: Snapshot | None = system.status.get("/")
    phase = top.phase if top else "booting"
    return Node(path="/", kind="supervisor", state=phase, state_since_s=0.0, health=str(Health.HEALTHY))


def _fill(node: Node, system: System) -> Node:
    """Give a supervisor's node its children and the health that follows from them."""
    if node.kind != "supervisor":
        return node
    published: Snapshot | None = system.status.get(node.path)
    if published is None or node.state not in {"running", "stopping", "booting"}:
        return node
    children = tuple(_fill(child, system) for child in published.slots)
    verdict = roll_up([(Health(child.health), child.required) for child in children], published.quorum)
    return msgspec.structs.replace(
        node,
        strategy=published.strategy,
        children=children,
        health=str(worst((Health(node.health), verdict))),
    )


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _totals(system: System, tree: Node) -> dict[str, Any]:
    nodes = list(_walk(tree))
    dead: dict[str, int] = {"data": 0, "urgent": 0, "control": 0}
    for (_, _, lane, _), count in tuple(system.dead_counts.items()):
        dead[lane] += count
    return {
        "actors": len(nodes),
        "running": sum(node.state == "running" for node in nodes),
        "threads": threading.active_count(),
        "leaked": len(system.leaked),
        "restarts": sum(node.restarts.get("total", 0) for node in nodes),
        "dead_letters": dead,
        "rss_mib": _rss_mib(),
        "cpu_s": round(time.process_time(), 2),
    }


def _rss_mib() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - read once a pulse
            return round(int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return 0.0


def _process_health(totals: dict[str, Any]) -> tuple[Health, list[str]]:
    why, health = [], Health.HEALTHY
    if totals["leaked"] >= LEAKS_DEGRADED:
        why.append(f"{totals['leaked']} threads leaked")
        health = Health.DEGRADED
    if totals.get("log_dropped"):
        why.append(f"{totals['log_dropped']} log lines dropped")
        health = Health.DEGRADED
    if totals.get("outbox_oldest_s", 0) > 60:
        why.append(f"an alert has waited {totals['outbox_oldest_s']:.0f} s for delivery")
        health = Health.UNHEALTHY
    return health, why


def _sick_lines(tree: Node) -> Iterator[str]:
    for node in _walk(tree):
        sick_actor = node.kind == "actor" and node.health in {Health.DEGRADED, Health.UNHEALTHY}
        if sick_actor or (node.kind == "supervisor" and node.path != "/" and node.state != "running"):
            yield _line(node)


def _line(node: Node) -> str:
    parts = [node.path, node.state if node.state != "running" else " ".join(node.flags) or node.health]
    if node.restarts.get("next_s") is not None:
        parts.append(f"next try in {node.restarts['next_s']:.0f} s")
    reason = node.why or (node.last_exit or {}).get("error", "") if node.state != "running" else node.note
    if reason:
        parts.append(f"({reason})")
    return " ".join(parts)[:200]


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
    return _cut(lines)


def node_text(report: Report, path: str) -> str | None:
    """One path with its last exit, None when there is no such path."""
    node = next((n for n in _walk(report.tree) if n.path == path), None)
    if node is None:
        return None
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
    return _cut(lines)


def _tree_lines(node: Node, depth: int, *, everything: bool) -> list[str]:
    if not everything and node.health in {Health.HEALTHY, Health.OFF} and depth > 1:
        return []
    mark = {"healthy": "ok", "degraded": "~~", "unhealthy": "!!", "off": "--"}[node.health]
    name = node.path.rpartition("/")[2] or "/"
    extra = f" ({len(node.children)})" if node.children else ""
    note = f"  {node.note}" if node.note else ""
    restarts = f" epoch {node.epoch}" if node.epoch > 1 else ""
    line = f"{'  ' * depth}{mark} {name}{extra} {node.state}{restarts}{note}"
    return [line, *(below for child in node.children for below in _tree_lines(child, depth + 1, everything=everything))]


def _cut(lines: list[str]) -> str:
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
