"""The actor that carries a plan out. It never blocks, asks, joins or does I/O after its `init`."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Any

from actors.failures import Escalated, Fenced
from actors.mailbox import Lane, Letter
from actors.messages.supervision import (
    ChildExited,
    ChildReady,
    ChildrenWanted,
    ChildWanted,
    OperatorCommand,
    ShutDown,
    StopRequested,
)
from actors.supervised import Birth, Supervised
from actors.system import Incarnation, child_path
from supervisors import plan as plans
from supervisors import slots, steps
from supervisors.spec import ChildSpec, SupervisorSpec
from supervisors.status import snapshot

SWEEP_S = 2.0  # how long a successor waits for the children of a supervisor that crashed
PUBLISH_S = 0.1  # a thousand children that start together need not be published a thousand times
MIN_TICK_S = 0.005
MARGIN_S = 0.05  # a subtree is to end before its parent gives it up, so that it can say who did not
WARNINGS = frozenset({"child_failed", "restart_scheduled", "child_parked", "child_abandoned", "child_refused"})


@dataclass(frozen=True, slots=True)
class _PlanDue:
    pass


@dataclass(frozen=True, slots=True)
class _HealthTick:
    pass


class Supervisor(Supervised):
    """Starts, restarts, parks and stops the children of one `SupervisorSpec`."""

    timer_lane = Lane.CONTROL
    ready_after_init = False

    def init(self, spec: SupervisorSpec, **_: Any) -> None:
        self._random = Random(f"{self.path}#{self.epoch}")
        self._reported_ready = False
        self._owned: dict[str, frozenset[str]] = {}
        self._tracebacks_seen: set[tuple[str, str, str]] = set()
        self._published_s = -math.inf
        self._sweep()
        for child in spec.children:
            self.system.place(child_path(self.path, child.id), child.mailbox)
        if spec.template is not None and spec.on_demand:
            self.system.declare_template(self.path, spec.template.mailbox)
        self._plan = plans.begin(spec, self.system.clock.monotonic(), self._epochs(spec))
        self.timer.every("health", self.system.health_tick_s, _HealthTick())
        self._step(steps.Tick())
        if spec.on_demand:
            self._want_places_that_exist()

    def recover(self, retained: tuple[Any, ...]) -> None:
        """Take up what was wanted of an earlier incarnation."""
        for message in retained:
            self.handle(message)

    def handle(self, message: Any) -> None:
        match message:
            case ChildReady(path=path, epoch=epoch):
                self._step(steps.Ready(_last(path), epoch))
            case ChildExited(path=path):
                self._on_exit(message)
            case ChildWanted(child_id=child_id):
                self._step(steps.Wanted(add=(self._newcomer(child_id, {}),)))
            case ChildrenWanted(owner=owner, children=children):
                self._on_children_wanted(owner, children)
            case ShutDown(deadline_s=deadline_s):
                self._step(steps.Shutdown(deadline_s))
            case OperatorCommand(child_id=child_id, command=("restart" | "pause" | "resume") as command, by=by):
                self.log.info("operator_command", path=child_path(self.path, child_id), command=command, by=by)
                self._step(steps.Operate(child_id, command))
            case _HealthTick():
                self._on_health_tick()
            case _PlanDue():
                self._step(steps.Tick())
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        """Leave nobody behind: a supervisor that failed takes its children's leases with it."""
        if not self.fenced:  # else whoever fenced it has done so, and a successor's children may be there
            self._fence_below(self.path)

    # -- events ---------------------------------------------------------------------------------------------------

    def _on_exit(self, notice: ChildExited) -> None:
        place = self.system.find(notice.path)
        if place is None or notice.epoch != place.epoch:
            return  # of somebody who was given up
        place.exits.append(notice)
        if notice.error:
            seen = (notice.path, notice.error.partition(":")[0], notice.where)
            if seen not in self._tracebacks_seen:
                self._tracebacks_seen.add(seen)
                self.log.debug("child_traceback", path=notice.path, epoch=notice.epoch, traceback=notice.traceback)
        self._step(steps.Exited(_last(notice.path), notice))

    def _on_children_wanted(self, owner: str, children: tuple[tuple[str, Mapping[str, Any]], ...]) -> None:
        for older in [m for m in self.retained if isinstance(m, ChildrenWanted) and m.owner == owner]:
            self.retained.remove(older)
        before = self._owned.get(owner, frozenset())
        self._owned[owner] = frozenset(child_id for child_id, _ in children)
        gone = before.difference(*self._owned.values())
        add = tuple(self._newcomer(child_id, args) for child_id, args in children)
        self._step(steps.Wanted(add=add, remove=gone))

    def _on_health_tick(self) -> None:
        for broken in plans.violations(self._plan):
            self.log.error("invariant_broken", what=broken)
        self._published_s = -math.inf
        self._step(steps.Tick())

    # -- the plan -------------------------------------------------------------------------------------------------

    def _step(self, event: steps.Event) -> None:
        now_s, before = self.system.clock.monotonic(), self._plan
        self._plan, effects = plans.step(before, event, now_s, self._random)
        if now_s - self._published_s >= PUBLISH_S or self._plan.phase is not slots.Phase.RUNNING:
            self._published_s = now_s
            self.system.status[self.path] = snapshot(self.path, self._plan, self.system, now_s)
        self._close_doors(before)
        for effect in effects:
            self._carry_out(effect)
        if not self._reported_ready and plans.ready(self._plan):
            self._reported_ready = True
            self.ready()
        due_s = plans.next_due_s(self._plan)
        if due_s < math.inf:
            self.timer.once("plan", max(MIN_TICK_S, due_s - self.system.clock.monotonic()), _PlanDue())

    def _close_doors(self, before: slots.Plan) -> None:
        """Refuse asks to children that now rest, and to all below them; letters to children that are gone are lost, unless
        a letter is what starts them.
        """
        states = {slot.spec.id: slot.state for slot in before.slots}
        for slot in self._plan.slots:
            if states.pop(slot.spec.id, None) is not slot.state and slot.state in slots.AT_REST:
                for place in self.system.places_below(child_path(self.path, slot.spec.id)):
                    place.mailbox.refuse_asks(slot.state)
        for child_id in states if not self._plan.spec.on_demand else ():
            self.system.place(child_path(self.path, child_id)).mailbox.abolish()

    def _carry_out(self, effect: steps.Effect) -> None:
        if self.fenced:
            raise Fenced(self.path)
        match effect:
            case steps.Start(child_id=child_id, epoch=epoch):
                self._start(child_id, epoch)
            case steps.Stop(child_id=child_id, deadline_s=deadline_s, final=final):
                self._stop_child(child_id, deadline_s, final=final)
            case steps.Abandon(child_id=child_id):
                self._abandon(child_path(self.path, child_id))
            case steps.Report(event=event, child_id=child_id, fields=fields):
                self._report(event, child_id, dict(fields))
            case steps.GiveBack(child_id=child_id):
                self._give_back(child_id)
            case steps.Exit(error=None):
                self.finish()
            case steps.Exit(error=str() as chain):
                raise Escalated(chain)

    def _start(self, child_id: str, epoch: int) -> None:
        spec = self._spec(child_id)
        path = child_path(self.path, child_id)
        place = self.system.place(path, spec.mailbox)
        place.restarts += epoch > 1
        place.epoch = max(epoch, place.epoch)
        worker = self.system.workers[spec.worker] if spec.worker else None
        birth = Birth(self.system, path, epoch, spec.args, self._notify, worker)
        self.log.info("child_started", path=path, epoch=epoch)
        try:
            spec.actor.start(birth)
        except Exception as error:
            # The OS refused a thread, or `__init__` has a bug: an abnormal end like any other.
            now_s = self.system.clock.monotonic()
            self._notify(
                ChildExited(path=path, epoch=epoch, kind="start_failed", error=f"{error!r}"[:500], ended_s=now_s)
            )
        started = self.system.ledger.get(path)
        if self.fenced and started is not None and started.actor.epoch == epoch:
            started.actor.fence()  # we were fenced meanwhile, and whoever did may not have seen it

    def _stop_child(self, child_id: str, deadline_s: float, *, final: bool) -> None:
        spec = self._spec(child_id)
        path = child_path(self.path, child_id)
        message: Any = StopRequested(reason="shutdown" if final else "stopped", drain=spec.drain and final)
        if spec.supervises:
            message = ShutDown(deadline_s=deadline_s - MARGIN_S)
        self.system.post(path, Letter(message, Lane.CONTROL, self.path))

    def _abandon(self, path: str) -> None:
        """Give up a child that did not stop, and everything below it."""
        if (incarnation := self.system.ledger.get(path)) is not None:
            incarnation.actor.fence()  # first: a supervisor that is fenced starts nobody
        for below, _ in (*self._fence_below(path), (path, None)):
            self.system.abandon(below)

    def _fence_below(self, path: str) -> tuple[tuple[str, Incarnation], ...]:
        """Take the lease of everybody below a path; looks again until nobody new has been started there."""
        while True:
            below = self.system.below(path)
            unfenced = [incarnation.actor for _, incarnation in below if not incarnation.actor.fenced]
            if not unfenced:
                return below
            for actor in unfenced:
                actor.fence()

    def _give_back(self, child_id: str) -> None:
        """Forget the place of a child that finished; a letter that came meanwhile starts the child again."""
        if not self.system.give_back(child_path(self.path, child_id)):
            self.system.post(self.path, Letter(ChildWanted(child_id=child_id), Lane.CONTROL, self.path))

    def _report(self, event: str, child_id: str, fields: dict[str, Any]) -> None:
        place = self.system.place(child_path(self.path, child_id))
        required = any(slot.spec.id == child_id and slot.spec.required for slot in self._plan.slots)
        log = self.log.bind(path=place.path, epoch=place.epoch)
        if event == "child_refused":  # letters to it must not pile up
            place.mailbox.abolish()
        if event == "supervisor_escalated" or (event == "child_parked" and required):
            log.error(event, **fields)
        elif event in WARNINGS:
            log.warning(event, **fields)
        else:
            log.info(event, **fields)

    # -- children -------------------------------------------------------------------------------------------------

    def _notify(self, notice: ChildReady | ChildExited) -> None:
        """Take a child's notice, on the child's thread."""
        self.place.mailbox.put(Letter(notice, Lane.CONTROL, notice.path))

    def _spec(self, child_id: str) -> ChildSpec:
        return next(slot.spec for slot in self._plan.slots if slot.spec.id == child_id)

    def _newcomer(self, child_id: str, args: Mapping[str, Any]) -> tuple[ChildSpec, int]:
        template = self._plan.spec.template
        if template is None:
            raise ValueError(f"{self.path} has no dynamic children, {child_id} was wanted")
        place = self.system.find(child_path(self.path, child_id))
        merged = MappingProxyType({**template.args, **args, "child_id": child_id})
        return replace(template, id=child_id, args=merged), place.epoch if place else 0

    def _epochs(self, spec: SupervisorSpec) -> dict[str, int]:
        return {child.id: self.system.place(child_path(self.path, child.id)).epoch for child in spec.children}

    def _want_places_that_exist(self) -> None:
        """After a crash: whoever was addressed below this path is still wanted."""
        paths = [place.path for place in self.system.places_below(self.path)]
        ids = [_last(path) for path in paths if child_path(self.path, _last(path)) == path]
        self._step(steps.Wanted(add=tuple(self._newcomer(child_id, {}) for child_id in ids)))

    def _sweep(self) -> None:
        """End what a crashed predecessor left running below this path, so that no orphan goes on beside its successor."""
        deadline_s = time.monotonic() + SWEEP_S
        for path, orphan in self._fence_below(self.path):
            if not orphan.actor.departed.wait(max(0.0, deadline_s - time.monotonic())):
                self.system.abandon(path)
                self.log.error("child_abandoned", path=path)


def _last(path: str) -> str:
    return path.rpartition("/")[2]
