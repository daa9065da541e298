"""What the reader of a socket tells the connection actor that owns it. `number` is the reader's, unique in the process."""

from dataclasses import dataclass

from actors.exchanges.exchange import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderUp:
    """Every subscription was accepted and, where data must come, data came."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLeaving:
    """The venue announced that it closes this connection soon."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderEnded:
    """The socket is gone. `kind`: lost, refused (`refusal` says more), unsubscribed (the venue refused a subscription),
    stopped, or crashed (a bug of ours).
    """

    number: int
    kind: str
    reason: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameProblem:
    """A frame was not understood; `count` of this socket so far."""

    number: int
    count: int
    reason: str
