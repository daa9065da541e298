"""What a supervisor does, as a pure function: `step(plan, event, now_s, random) -> (plan, effects)`.

The supervisor actor only carries the effects out. Invariants (supervision.md 6) are asserted by `violations`, in tests
after every step and in production by each health tick.
"""

import math
from collections.abc import Mapping
from random import Random

from msgspec.structs import replace

from actors.messages.supervision import ChildExited
from supervisors.intensity import Failures, book, delay_s, exhausted
from supervisors.slots import AT_REST, LIVE, Phase, Plan, Slot, SlotState
from supervisors.spec import ChildSpec, Exhausted, Restart, SupervisorSpec, patience_s, stop_time_s
from supervisors.steps import (
    Abandon,
    Effect,
    Event,
    Exit,
    Exited,
    GiveBack,
    Operate,
    Ready,
    Report,
    Shutdown,
    Start,
    Stop,
    Tick,
    Wanted,
)

WHOLE = 1 - 1e-6  # a credit that has grown by seconds times rate may lack a rounding error

Step = tuple[Plan, tuple[Effect, ...]]


def begin(spec: SupervisorSpec, now_s: float, epochs: Mapping[str, int]) -> Plan:
    """A plan whose children are all down. `epochs`: what each child's path has reached in this process."""
    slots = tuple(Slot(child, since_s=now_s, epoch=epochs.get(child.id, 0)) for child in spec.children)
    return Plan(spec, slots=slots, credited_s=now_s)


def step(plan: Plan, event: Event, now_s: float, random: Random) -> Step:
    """Take one event in, end the waits that are over, then start or stop whatever the new state asks for."""
    plan, effects = _take(plan, event, now_s, random)
    plan, ended = _end_waits(plan, now_s)
    plan, more = _settle(plan, now_s)
    return plan, (*effects, *ended, *more)


def next_due_s(plan: Plan) -> float:
    """When the plan wants its next `Tick`, machine seconds; infinity when only an event can change it."""
    dues = [slot.due_s for slot in plan.slots if slot.due_s is not None]
    if plan.phase is Phase.RUNNING and plan.spec.template and any(s.state is SlotState.DOWN for s in plan.slots):
        dues.append(plan.credited_s + max(0.0, 1 - plan.start_credit) / plan.spec.starts_per_s)
    return min(dues, default=math.inf)


def ready(plan: Plan) -> bool:
    """Every required child has had its first try: it ran once, or is parked, or failed and waits."""
    return all(slot.tried or slot.state in AT_REST for slot in plan.slots if slot.spec.required)


def violations(plan: Plan) -> tuple[str, ...]:
    """Broken invariants: I3 nothing starts while stopping, I4 no orphan waits, I5 no limit exceeded unnoticed."""
    found = []
    for slot in plan.slots:
        name = slot.spec.id
        if plan.phase is Phase.STOPPED and slot.state in LIVE:
            found.append(f"I3 {name} is {slot.state} under a stopped supervisor")
        if slot.state in {SlotState.BACKOFF, SlotState.STOPPING} and slot.due_s is None:
            found.append(f"I4 {name} waits in {slot.state} without an end")
        profile = slot.spec.profile
        if len(slot.failures.times) > profile.max_restarts and slot.state in {SlotState.RUNNING, SlotState.BACKOFF}:
            found.append(f"I5 {name} has {len(slot.failures.times)} failures, the limit is {profile.max_restarts}")
    return tuple(found)


# -- taking events in -----------------------------------------------------------------------------------------------


def _take(plan: Plan, event: Event, now_s: float, random: Random) -> Step:
    match event:
        case Tick():
            return plan, ()
        case Ready(child_id=child_id, epoch=epoch):
            return _on_ready(plan, child_id, epoch, now_s)
        case Exited(child_id=child_id, notice=notice):
            return _on_exit(plan, child_id, notice, now_s, random)
        case Wanted():
            return _on_wanted(plan, event, now_s)
        case Operate(child_id=child_id, command=command):
            return _on_operate(plan, child_id, command, now_s)
        case Shutdown(deadline_s=deadline_s):
            return _shut(plan, deadline_s, None), ()


def _slot(plan: Plan, child_id: str) -> Slot | None:
    return next((slot for slot in plan.slots if slot.spec.id == child_id), None)


def _put(plan: Plan, slot: Slot) -> Plan:
    return replace(plan, slots=tuple(slot if old.spec.id == slot.spec.id else old for old in plan.slots))


def _move(slot: Slot, state: SlotState, now_s: float, due_s: float | None = None, why: str = "") -> Slot:
    return replace(slot, state=state, since_s=now_s, due_s=due_s, why=why)


def _end_waits(plan: Plan, now_s: float) -> Step:
    """End what is due: a stop that took too long is abandoned, a start that takes long lets others begin."""
    effects: list[Effect] = []
    for slot in plan.slots:
        if slot.due_s is None or now_s < slot.due_s:
            continue
        if slot.state is SlotState.STOPPING:
            effects += [Abandon(slot.spec.id), Report("child_abandoned", slot.spec.id)]
            plan = _after_stop(plan, slot, now_s, why="did not stop in time")
        elif slot.state is SlotState.STARTING:
            plan = _put(plan, replace(slot, tried=True, due_s=None))
        else:
            plan = _put(plan, _move(slot, SlotState.DOWN, now_s))
    return plan, tuple(effects)


def _on_ready(plan: Plan, child_id: str, epoch: int, now_s: float) -> Step:
    slot = _slot(plan, child_id)
    if slot is None or slot.epoch != epoch or slot.state is not SlotState.STARTING:
        return plan, ()
    took_s = now_s - slot.since_s
    slot = replace(_move(slot, SlotState.RUNNING, now_s), ready_s=now_s, tried=True)
    return _put(plan, slot), (Report("child_ready", child_id, (("took_s", round(took_s, 4)),)),)


def _on_exit(plan: Plan, child_id: str, notice: ChildExited, now_s: float, random: Random) -> Step:
    slot = _slot(plan, child_id)
    if slot is None or slot.epoch != notice.epoch or slot.state not in LIVE:
        return plan, ()  # of an epoch that is not current: it changes nothing here
    slot = replace(slot, tried=True)
    if slot.state is SlotState.STOPPING:
        return _after_stop(plan, slot, now_s), (Report("child_stopped", child_id),)
    normal = notice.kind in {"finished", "stopped"}
    if normal and (slot.spec.restart is Restart.TRANSIENT or plan.phase is not Phase.RUNNING):
        effects: tuple[Effect, ...] = (Report("child_finished", child_id),)
        if plan.spec.on_demand and plan.phase is Phase.RUNNING:
            effects = (*effects, GiveBack(child_id))
        return _after_stop(plan, replace(slot, then=SlotState.DONE), now_s), effects
    return _on_failure(plan, slot, notice, now_s, random)


def _after_stop(plan: Plan, slot: Slot, now_s: float, why: str = "") -> Plan:
    """Take a child that has stopped to where it was asked to go; a dynamic one that is done goes altogether."""
    if slot.then is SlotState.DONE and plan.spec.template is not None and plan.phase is Phase.RUNNING:
        return _remove(plan, slot.spec.id)
    return _put(plan, _move(slot, slot.then, now_s, why=why))


def _on_failure(plan: Plan, slot: Slot, notice: ChildExited, now_s: float, random: Random) -> Step:
    """Restart after the delay, park, or give up. An end that should not be is a failure, even a quiet one."""
    profile = slot.spec.profile
    failures = book(slot.failures, profile, now_s=now_s, ready_s=slot.ready_s)
    slot = replace(slot, failures=failures, ready_s=None, probation=slot.probation and failures.k > 1)
    failed = Report("child_finished", slot.spec.id, (("k", failures.k),))
    if notice.error:
        cause = (("kind", notice.kind), ("caused_by", notice.error), ("where", notice.where), ("k", failures.k))
        failed = Report("child_failed", slot.spec.id, cause)
    if plan.phase is not Phase.RUNNING:
        return _put(plan, _move(slot, SlotState.DONE, now_s)), (failed,)
    if notice.park:
        return _park(plan, slot, notice.park, now_s, retry_s=None, failed=failed)
    if exhausted(failures, profile) or slot.probation:
        why = f"{len(failures.times)} failures in {profile.window_s:g} s, last: {notice.error or notice.kind}"
        if profile.on_exhausted is Exhausted.PARK:
            return _park(plan, slot, why, now_s, retry_s=profile.park_retry_s, failed=failed)
        plan = _put(plan, _move(slot, SlotState.DONE, now_s, why=why))
        chain = f"{slot.spec.id}: {why}"
        plan = _shut(plan, now_s + stop_time_s(plan.spec, final=False), chain)
        return plan, (failed, Report("supervisor_escalated", slot.spec.id, (("chain", chain),)))
    siblings = sum(other.state is SlotState.RUNNING for other in plan.slots if other.spec.id != slot.spec.id)
    wait_s = delay_s(failures, profile, random, siblings=siblings, retry_after_s=notice.retry_after_s)
    slot = _move(slot, SlotState.BACKOFF, now_s, now_s + wait_s)
    scheduled = Report("restart_scheduled", slot.spec.id, (("delay_s", round(wait_s, 3)), ("k", failures.k)))
    return _put(plan, slot), (failed, scheduled)


def _park(plan: Plan, slot: Slot, why: str, now_s: float, *, retry_s: float | None, failed: Report) -> Step:
    """Stop restarting; with `retry_s` one try after that time, whose failure parks again."""
    due_s = None if retry_s is None else now_s + retry_s
    slot = replace(_move(slot, SlotState.PARKED, now_s, due_s, why), failures=Failures(slot.failures.k), probation=True)
    parked = Report("child_parked", slot.spec.id, (("reason", why), ("retry_s", retry_s)))
    return _put(plan, slot), (failed, parked)


def _on_wanted(plan: Plan, event: Wanted, now_s: float) -> Step:
    if plan.phase is not Phase.RUNNING:
        return plan, ()
    effects: tuple[Effect, ...] = ()
    for child, epoch in event.add:
        plan, more = _want(plan, child, epoch, now_s)
        effects = (*effects, *more)
    for child_id in sorted(event.remove):
        plan, more = _ask_to_stop(plan, child_id, SlotState.DONE, now_s)
        effects = (*effects, *more)
    return plan, effects


def _want(plan: Plan, child: ChildSpec, epoch: int, now_s: float) -> Step:
    slot = _slot(plan, child.id)
    if slot is None:
        if len(plan.slots) >= plan.spec.max_children:
            return plan, (Report("child_refused", child.id, (("limit", plan.spec.max_children),)),)
        return replace(plan, slots=(*plan.slots, Slot(child, since_s=now_s, epoch=epoch))), ()
    changed = slot.spec.args != child.args
    plan = _put(plan, replace(slot, spec=child))
    bound_for = slot.then if slot.state is SlotState.STOPPING else slot.state
    works_by_old_args = changed and bound_for in {SlotState.STARTING, SlotState.RUNNING, SlotState.PARKED}
    if works_by_old_args or bound_for is SlotState.DONE:
        return _ask_to_stop(plan, child.id, SlotState.DOWN, now_s)
    return plan, ()


def _on_operate(plan: Plan, child_id: str, command: str, now_s: float) -> Step:
    slot = _slot(plan, child_id)
    if slot is None or plan.phase is not Phase.RUNNING:
        return plan, ()
    stopping = slot.state is SlotState.STOPPING
    if stopping and slot.then is SlotState.DONE:
        return plan, ()  # it is no longer wanted
    plan = _put(plan, replace(slot, failures=Failures(), probation=False))
    if command == "resume" and slot.state in LIVE and not stopping:
        return plan, ()
    return _ask_to_stop(plan, child_id, SlotState.PAUSED if command == "pause" else SlotState.DOWN, now_s)


def _ask_to_stop(plan: Plan, child_id: str, then: SlotState, now_s: float) -> Step:
    """Take a child to `then`, by way of a stop if it lives; who is stopping already keeps its deadline."""
    slot = _slot(plan, child_id)
    if slot is None:
        return plan, ()
    if slot.state not in LIVE:
        return _after_stop(plan, replace(slot, then=then), now_s), ()
    if slot.state is SlotState.STOPPING:
        return _put(plan, replace(slot, then=then)), ()
    deadline_s = now_s + patience_s(slot.spec, final=False)
    slot = replace(_move(slot, SlotState.STOPPING, now_s, deadline_s), then=then)
    return _put(plan, slot), (Stop(child_id, deadline_s, final=False),)


def _remove(plan: Plan, child_id: str) -> Plan:
    return replace(plan, slots=tuple(slot for slot in plan.slots if slot.spec.id != child_id))


def _shut(plan: Plan, deadline_s: float, error: str | None) -> Plan:
    if plan.phase is not Phase.RUNNING:
        return replace(plan, deadline_s=min(deadline_s, plan.deadline_s or deadline_s))
    return replace(plan, phase=Phase.STOPPING, deadline_s=deadline_s, exit_error=error)


# -- acting on the state --------------------------------------------------------------------------------------------


def _settle(plan: Plan, now_s: float) -> Step:
    if plan.phase is Phase.RUNNING:
        return _start_what_may(plan, now_s)
    if plan.phase is Phase.STOPPING:
        return _stop_what_must(plan, now_s)
    return plan, ()


def _start_what_may(plan: Plan, now_s: float) -> Step:
    """Start slots that are down: behind the barrier where the order counts, at a limited rate where it is dynamic."""
    effects: list[Effect] = []
    dynamic, rate = plan.spec.template is not None, plan.spec.starts_per_s
    credit = min(max(1.0, rate), plan.start_credit + (now_s - plan.credited_s) * rate)
    for waiting in plan.slots:
        slot = waiting
        if slot.state is SlotState.DOWN:
            if dynamic and credit < WHOLE:
                break
            credit -= 1
            started = replace(
                _move(slot, SlotState.STARTING, now_s, now_s + slot.spec.start_timeout_s),
                epoch=slot.epoch + 1,
                ready_s=None,
            )
            plan = _put(plan, started)
            effects.append(Start(slot.spec.id, started.epoch))
            slot = started
        if plan.spec.ordered and not (slot.tried or slot.state in AT_REST):
            break  # a barrier that opens: the next one waits for the first try of this one
    if dynamic:
        plan = replace(plan, start_credit=credit, credited_s=now_s)
    return plan, tuple(effects)


def _stop_what_must(plan: Plan, now_s: float) -> Step:
    """Stop everything live: the last slot first and one at a time where the order counts, else all at once."""
    effects: list[Effect] = []
    final = plan.exit_error is None
    deadline_s = plan.deadline_s if plan.deadline_s is not None else now_s
    for slot in reversed(plan.slots) if plan.spec.ordered else plan.slots:
        if slot.state not in LIVE:
            continue
        if slot.state is SlotState.STOPPING:  # asked before; from now on it goes for good, and no later than all
            due_s = min(deadline_s, slot.due_s if slot.due_s is not None else deadline_s)
            plan = _put(plan, replace(slot, then=SlotState.DONE, due_s=due_s))
        else:
            due_s = min(deadline_s, now_s + patience_s(slot.spec, final=final))
            plan = _put(plan, replace(_move(slot, SlotState.STOPPING, now_s, due_s), then=SlotState.DONE))
            effects.append(Stop(slot.spec.id, due_s, final=final))
        if plan.spec.ordered:
            break
    if not any(slot.state in LIVE for slot in plan.slots):
        plan = replace(plan, phase=Phase.STOPPED)
        effects.append(Exit(plan.exit_error))
    return plan, tuple(effects)
