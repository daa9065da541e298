"""WebSocket frames of a server, split out of whatever a read brought. Pure: no socket, no clock (RFC 6455, section 5)."""

from enum import IntEnum
from typing import NamedTuple

READ_BYTES = 256 * 1024
CONTROL_MAX_BYTES = 125


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class FramingError(Exception):
    """The peer broke the protocol; the connection cannot be used any further.

    `messages` holds the whole messages before the breach, so that it costs none of them.
    """

    messages: "tuple[Message, ...]" = ()


class Message(NamedTuple):
    """One whole message; fragments are joined. `opcode` is never CONTINUATION."""

    opcode: Opcode
    payload: bytes


class Assembly:
    """Joins the frames of one connection to messages."""

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._fragments: list[bytes] = []
        self._bytes = 0
        self._opcode: Opcode | None = None

    @property
    def begun(self) -> bool:
        """A message has come in part."""
        return self._opcode is not None

    def take(self, code: int, payload: bytes, *, final: bool) -> Message | None:
        """The message that a frame ends, None where it only adds to one. Raises FramingError."""
        try:
            opcode = Opcode(code)
        except ValueError:
            raise FramingError(f"unknown opcode {code}") from None
        if opcode >= Opcode.CLOSE:
            if not final or len(payload) > CONTROL_MAX_BYTES:
                raise FramingError("a control frame must be whole and short")
            return Message(opcode, payload)
        if (opcode is Opcode.CONTINUATION) != self.begun:
            raise FramingError("fragments out of order")
        if opcode is not Opcode.CONTINUATION:
            if final:
                return Message(opcode, payload)
            self._opcode = opcode
        self._fragments.append(payload)
        self._bytes += len(payload)
        if self._bytes > self._max:
            raise FramingError(f"a message of more than {self._max} bytes")
        if not final or self._opcode is None:
            return None
        whole = Message(self._opcode, b"".join(self._fragments))
        self._fragments, self._bytes, self._opcode = [], 0, None
        return whole


class FrameSplitter:
    """Collects bytes and gives whole messages. One per connection; after a FramingError it is done."""

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._pending = bytearray()
        self._assembly = Assembly(max_message_bytes)

    def feed(self, data: bytes | memoryview) -> list[Message]:
        """Take what was read and return the messages that are complete now, in order. Raises FramingError."""
        pending = self._pending
        pending += data
        messages: list[Message] = []
        position = 0
        try:
            while (found := frame_at(pending, position, len(pending), self._max)) is not None:
                payload = bytes(pending[found.start : found.stop])
                message = self._assembly.take(found.code, payload, final=found.final)
                if message is not None:
                    messages.append(message)
                position = found.stop
        except FramingError as error:
            error.messages = tuple(messages)
            raise
        del pending[:position]
        return messages


class Frame(NamedTuple):
    """Where one frame lies in a buffer: its head, its payload and the end of it. `final`: of its message."""

    at: int
    start: int
    stop: int
    code: int
    final: bool


def frame_at(buffer: bytearray, at: int, held: int, largest: int) -> Frame | None:
    """The frame at `at`; None while it is not whole. Raises FramingError.

    `held`: how much of the buffer counts. `largest`: bytes that a frame may have.
    """
    if held - at < 2:
        return None
    first, second = buffer[at], buffer[at + 1]
    if first & 0x70:
        raise FramingError("reserved bits are set, no extension was agreed")
    if second & 0x80:
        raise FramingError("a server must not mask its frames")
    length, start = second & 0x7F, at + 2
    if length >= 126:
        size = 2 if length == 126 else 8
        if held - start < size:
            return None
        length = int.from_bytes(buffer[start : start + size], "big")
        start += size
    if length > largest:
        raise FramingError(f"a frame of {length} bytes, the limit is {largest}")
    if held < start + length:
        return None
    return Frame(at, start, start + length, first & 0x0F, bool(first & 0x80))
