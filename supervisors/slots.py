"""The state of a supervisor: one slot a child. Immutable; `plan.step` makes the next one."""

from enum import StrEnum

import msgspec

from supervisors.intensity import Failures
from supervisors.spec import ChildSpec, SupervisorSpec


class SlotState(StrEnum):
    DOWN = "down"  # wants to run, waits its turn
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"  # waits for `due_s`
    PARKED = "parked"  # waits for `due_s` (None: for an operator)
    PAUSED = "paused"
    DONE = "done"


LIVE = frozenset({SlotState.STARTING, SlotState.RUNNING, SlotState.STOPPING})
AT_REST = frozenset({SlotState.PARKED, SlotState.PAUSED, SlotState.DONE})


class Phase(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Slot(msgspec.Struct, frozen=True):
    """A supervisor's record of one child. `epoch` is the last one started; `since_s` when the state began;
    `due_s` when a waiting state ends by itself; `then` what follows a stop.
    """

    spec: ChildSpec
    state: SlotState = SlotState.DOWN
    since_s: float = 0.0
    epoch: int = 0
    ready_s: float | None = None
    due_s: float | None = None
    tried: bool = False
    probation: bool = False  # was parked and has not been stable since: the next failure parks it again
    then: SlotState = SlotState.DONE
    failures: Failures = msgspec.field(default_factory=Failures)
    why: str = ""


class Plan(msgspec.Struct, frozen=True):
    """The whole state of a supervisor."""

    spec: SupervisorSpec
    phase: Phase = Phase.RUNNING
    slots: tuple[Slot, ...] = ()
    deadline_s: float | None = None
    exit_error: str | None = None  # None: asked to stop
    start_credit: float = 1.0
    credited_s: float = 0.0
