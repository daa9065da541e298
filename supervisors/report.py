"""The whole tree in one report, put together from what each supervisor published. Asks nobody."""

import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.system import System
from supervisors.status import Health, Snapshot, roll_up, worst
from supervisors.wording import Node, Report, sick_lines, walk

LEAKS_DEGRADED = 8
OUTBOX_UNHEALTHY_S = 60


def assemble(system: System, version: str, extra: dict[str, Any]) -> Report:
    """Put the published snapshots together; works while anything hangs.

    `extra` are totals of parts that are not actors (log drops, outbox); `outbox_oldest_s` above 60 is unhealthy.
    """
    tree = _fill(_root_node(system), system)
    totals = {**_totals(system, tree), **extra}
    health, own = _process_health(totals)
    return Report(
        as_of=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        pid=os.getpid(),
        version=version,
        uptime_s=round(time.monotonic() - system.started_s, 1),
        health=str(worst((Health(tree.health), health))),
        why=(*own, *(("starting",) if tree.state == "booting" else ()), *sick_lines(tree)),
        totals=totals,
        tree=tree,
    )


def _root_node(system: System) -> Node:
    top: Snapshot | None = system.status.get("/")
    health = Health.HEALTHY if top else Health.DEGRADED
    return Node(
        path="/", kind="supervisor", state=top.phase if top else "booting", state_since_s=0.0, health=str(health)
    )


def _fill(node: Node, system: System) -> Node:
    """Give a supervisor's node its children and the health that follows from them."""
    if node.kind != "supervisor":
        return node
    published: Snapshot | None = system.status.get(node.path)
    if published is None or node.state not in {"running", "stopping"}:
        return node
    children = tuple(_fill(child, system) for child in published.slots)
    verdict = roll_up([(Health(child.health), child.required) for child in children], published.quorum)
    return msgspec.structs.replace(
        node,
        strategy=published.strategy,
        children=children,
        health=str(worst((Health(node.health), verdict))),
    )


def _totals(system: System, tree: Node) -> dict[str, Any]:
    nodes = list(walk(tree))
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
    if totals.get("outbox_oldest_s", 0) > OUTBOX_UNHEALTHY_S:
        why.append(f"an alert has waited {totals['outbox_oldest_s']:.0f} s for delivery")
        health = Health.UNHEALTHY
    if totals.get("outbox_error"):
        why.append(f"alerts are not stored durably: {totals['outbox_error']}")
        health = Health.UNHEALTHY
    return health, why
