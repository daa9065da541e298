"""Between supervisors and those below them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutDown:
    """Stop everything below, by `deadline_s` (machine seconds), then end."""

    deadline_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenWanted:
    """The children that `owner` wants a dynamic supervisor to have: id and arguments. Replaces its earlier word."""

    owner: str
    children: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommand:
    """`restart`, `pause` or `resume` one child."""

    child_id: str
    command: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildWanted:
    """A letter was sent to a child that a dynamic supervisor does not have yet."""

    child_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReady:
    path: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExited:
    """The one notice of how an incarnation ended. Values only: an exception object would keep its frames alive.

    `kind`: finished, stopped, start_failed, failed, escalated. `retry_after_s`: not before. `park`: no retry can help.
    """

    path: str
    epoch: int
    kind: str
    error: str = ""
    where: str = ""
    traceback: str = ""
    retry_after_s: float = 0.0
    park: str = ""
    ended_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """End now, or after the queue is empty (`drain`)."""

    reason: str
    drain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Fail on purpose by raising the named builtin exception: the demo's announced failure, and tests."""

    error: str = "RuntimeError"
    reason: str = "drill"
