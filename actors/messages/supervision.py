"""To supervisors."""

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
