"""How a tree is doing: each supervisor publishes its slots once a second; verdicts roll up by pure rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from actors.mailbox import Depths
from actors.system import Place, System, child_path
from supervisors.slots import LIVE, Plan, Slot, SlotState
from supervisors.wording import Node

GRACE_S = 30.0  # not running for longer than this is unhealthy (supervision.md 19.1)
FLAPPING_EXITS = 3
FLAPPING_S = 900.0
STALE_UNHEALTHY = 3.0  # times its limit


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    OFF = "off"


BADNESS = {Health.OFF: 0, Health.HEALTHY: 0, Health.DEGRADED: 1, Health.UNHEALTHY: 2}


def worst(healths: Iterable[Health]) -> Health:
    return max(healths, key=BADNESS.__getitem__, default=Health.HEALTHY)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFacts:
    """What a verdict on one actor rests on; durations in seconds."""

    state: SlotState
    in_state_s: float
    required: bool = True
    progress_age_s: float | None = None
    fresh_within_s: float | None = None
    abnormal_exits: int = 0  # of the last FLAPPING_S
    urgent_lost: bool = False
    own: Health = Health.HEALTHY  # what the actor says of its own work
    begins_within_s: float | None = None  # for a first start on demand: how long it may take


def leaf_verdict(facts: LeafFacts) -> tuple[Health, tuple[str, ...]]:
    """Health of one actor and the flags that say why it is not healthy."""
    if facts.state in {SlotState.PAUSED, SlotState.DONE}:
        return Health.OFF, ()
    if facts.state is SlotState.PARKED:
        return (Health.UNHEALTHY if facts.required else Health.DEGRADED), ("parked",)
    if facts.begins_within_s is not None and facts.in_state_s <= facts.begins_within_s:
        return Health.HEALTHY, ()
    if facts.state is not SlotState.RUNNING:
        long = facts.in_state_s > GRACE_S and facts.required
        return (Health.UNHEALTHY if long else Health.DEGRADED), (str(facts.state),)
    flags = []
    health = Health.HEALTHY
    limit_s, age_s = facts.fresh_within_s, facts.progress_age_s
    if limit_s is not None and age_s is not None and age_s > limit_s:
        flags.append("stale")
        health = Health.UNHEALTHY if age_s > STALE_UNHEALTHY * limit_s and facts.required else Health.DEGRADED
    if facts.abnormal_exits >= FLAPPING_EXITS:
        flags.append("flapping")
    if facts.urgent_lost:
        flags.append("urgent_lost")
    if facts.own is not Health.HEALTHY:
        flags.append(str(facts.own))
        own = facts.own if facts.required else Health.DEGRADED
        health = worst((health, own))
    return (Health.DEGRADED if flags and health is Health.HEALTHY else health), tuple(flags)


def roll_up(children: Sequence[tuple[Health, bool]], quorum: float) -> Health:
    """The worst child (health, required), softened twice: an optional child counts at most degraded, and while enough
    required children are not unhealthy the others count as degraded.
    """
    required = [health for health, is_required in children if is_required and health is not Health.OFF]
    sound = sum(health is not Health.UNHEALTHY for health in required)
    softened = bool(required) and quorum < 1 and sound >= quorum * len(required)
    return worst(
        Health.DEGRADED if health is Health.UNHEALTHY and (softened or not is_required) else health
        for health, is_required in children
    )


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one supervisor publishes: its own line and its slots, leaves judged, subtrees still to be filled in."""

    path: str
    phase: str
    strategy: str
    quorum: float
    slots: tuple[Node, ...]


def snapshot(path: str, plan: Plan, system: System, now_s: float) -> Snapshot:
    on_demand = plan.spec.on_demand
    slots = tuple(
        _node(child_path(path, slot.spec.id), slot, system, now_s, on_demand=on_demand) for slot in plan.slots
    )
    return Snapshot(path=path, phase=str(plan.phase), strategy=plan.spec.strategy, quorum=plan.spec.quorum, slots=slots)


def _node(path: str, slot: Slot, system: System, now_s: float, *, on_demand: bool) -> Node:
    place = system.place(path, slot.spec.mailbox)
    vitals = place.vitals
    health, flags = leaf_verdict(_facts(path, slot, place, system, now_s, on_demand=on_demand))
    subtree = slot.spec.subtree
    return Node(
        path=path,
        kind="supervisor" if slot.spec.supervises else "actor",
        actor=slot.spec.actor.__name__,
        strategy=subtree.strategy if subtree else "",
        quorum=subtree.quorum if subtree else 1.0,
        required=slot.spec.required,
        state=str(slot.state),
        state_since_s=round(now_s - slot.since_s, 1),
        health=str(health),
        flags=flags,
        why=slot.why or (vitals.own_verdict[1] if slot.state is SlotState.RUNNING else ""),
        epoch=slot.epoch,
        restarts={
            "total": place.restarts,
            "in_window": len(slot.failures.times),
            "limit": slot.spec.profile.max_restarts,
            "window_s": slot.spec.profile.window_s,
            "consecutive": slot.failures.k,
            "next_s": round(slot.due_s - now_s, 1) if slot.due_s and slot.state not in LIVE else None,
        },
        last_exit=_last_exit(place, now_s),
        heartbeat={
            "last_handled_s": _age(vitals.last_handled_s, now_s),
            "progress_s": _age(vitals.progress_s, now_s),
            "transport_s": _age(vitals.transport_s, now_s),
            "busy_s": _age(vitals.busy_since, now_s) or 0.0,
            "message": vitals.message_type if vitals.busy_since is not None else None,
            "handled": vitals.handled,
        },
        mailbox=_mailbox(place.mailbox.depths()),
        cpu_s=round(vitals.cpu_s, 3),
        note=vitals.note,
    )


def _facts(path: str, slot: Slot, place: Place, system: System, now_s: float, *, on_demand: bool) -> LeafFacts:
    recent = [e for e in place.exits if e.kind not in {"stopped", "finished"} and now_s - e.ended_s < FLAPPING_S]
    lost_s = system.urgent_dead_s.get(path)
    begins = on_demand and not slot.tried and slot.state in {SlotState.DOWN, SlotState.STARTING}
    return LeafFacts(
        state=slot.state,
        in_state_s=now_s - slot.since_s,
        required=slot.spec.required,
        progress_age_s=_age(place.vitals.progress_s, now_s),
        fresh_within_s=slot.spec.fresh_within_s,
        abnormal_exits=len(recent),
        urgent_lost=lost_s is not None and now_s - lost_s < 300,
        own=Health(place.vitals.own_verdict[0]),
        begins_within_s=slot.spec.start_timeout_s if begins else None,
    )


def _age(at_s: float | None, now_s: float) -> float | None:
    return None if at_s is None else round(max(0.0, now_s - at_s), 1)


def _last_exit(place: Place, now_s: float) -> dict[str, Any] | None:
    if not place.exits:
        return None
    last = place.exits[-1]
    return {"kind": last.kind, "ago_s": _age(last.ended_s, now_s), "error": last.error, "where": last.where}


def _mailbox(depths: Depths) -> dict[str, Any]:
    return {
        "control": depths.control,
        "urgent": depths.urgent,
        "data": depths.data,
        "oldest_s": round(depths.oldest_s, 1),
        "dropped_total": depths.dropped,
    }
