"""What survives a restart of the process."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointTaken:
    """What `owner` (a path) would need of one `part` of its state to go on in another process; replaces what was kept.

    `state`: an immutable value that msgspec can write, `schema` its version, `at_ms` when it was true (market time). After
    `horizon_s` it is worth nothing any more. `checkpoints.keep` sends it.
    """

    owner: str
    part: str
    schema: int
    at_ms: int
    horizon_s: float
    state: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWanted:
    """Ask for `CheckpointRestored`: what is kept of a `part` of `owner`, which is also where the answer goes."""

    owner: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRestored:
    """The answer to `CheckpointWanted`, always one: `state` is None where nothing is kept that can be trusted.

    `state` is msgpack of a value of that `schema`: `checkpoints.read` gives the value.
    """

    part: str
    schema: int = 0
    at_ms: int = 0
    state: bytes | None = None
