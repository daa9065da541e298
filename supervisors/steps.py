"""What a supervisor's plan takes in (events) and what it asks for (effects)."""

from dataclasses import dataclass
from typing import Literal

from actors.messages.supervision import ChildExited
from supervisors.spec import ChildSpec

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Ready:
    child_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Exited:
    child_id: str
    notice: ChildExited


@dataclass(frozen=True, slots=True)
class Wanted:
    """The children that a dynamic supervisor shall have: add these (with the epoch that their path has reached), remove
    those. A known child whose arguments changed is restarted with the new ones.
    """

    add: tuple[tuple[ChildSpec, int], ...] = ()
    remove: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shutdown:
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Operate:
    """An operator's word on one child. Clears its failures."""

    child_id: str
    command: Literal["restart", "pause", "resume"]


Event = Tick | Ready | Exited | Wanted | Shutdown | Operate

# -- effects --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    child_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Stop:
    child_id: str
    deadline_s: float
    final: bool


@dataclass(frozen=True, slots=True)
class Abandon:
    child_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """One log event about a child."""

    event: str
    child_id: str
    fields: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A child that is started by letters has finished: its place goes, unless a letter waits there."""

    child_id: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The supervisor ends: asked to (`error` None) or because it gives up."""

    error: str | None


Effect = Start | Stop | Abandon | Report | GiveBack | Exit
