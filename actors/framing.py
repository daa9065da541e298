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


class FrameSplitter:
    """Collects bytes and gives whole messages. One per connection; after a FramingError it is done."""

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._pending = bytearray()
        self._fragments: list[bytes] = []
        self._fragments_bytes = 0
        self._fragments_opcode: Opcode | None = None

    def feed(self, data: bytes | memoryview) -> list[Message]:
        """Take what was read and return the messages that are complete now, in order. Raises FramingError."""
        pending = self._pending
        pending += data
        messages: list[Message] = []
        position = 0
        try:
            while (end := self._frame_end(position)) is not None:
                start, stop, opcode, final = end
                message = self._join(opcode, bytes(pending[start:stop]), final=final)
                if message is not None:
                    messages.append(message)
                position = stop
        except FramingError as error:
            error.messages = tuple(messages)
            raise
        del pending[:position]
        return messages

    def _frame_end(self, at: int) -> tuple[int, int, int, bool] | None:
        """Payload start and end, opcode and the final flag of the frame at `at`; None while it is not whole."""
        pending = self._pending
        if len(pending) - at < 2:
            return None
        first, second = pending[at], pending[at + 1]
        if first & 0x70:
            raise FramingError("reserved bits are set, no extension was agreed")
        if second & 0x80:
            raise FramingError("a server must not mask its frames")
        length, start = second & 0x7F, at + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(pending) - start < size:
                return None
            length = int.from_bytes(pending[start : start + size], "big")
            start += size
        if length > self._max:
            raise FramingError(f"a frame of {length} bytes, the limit is {self._max}")
        if len(pending) < start + length:
            return None
        return start, start + length, first & 0x0F, bool(first & 0x80)

    def _join(self, code: int, payload: bytes, *, final: bool) -> Message | None:
        try:
            opcode = Opcode(code)
        except ValueError:
            raise FramingError(f"unknown opcode {code}") from None
        if opcode >= Opcode.CLOSE:
            if not final or len(payload) > CONTROL_MAX_BYTES:
                raise FramingError("a control frame must be whole and short")
            return Message(opcode, payload)
        if (opcode is Opcode.CONTINUATION) != (self._fragments_opcode is not None):
            raise FramingError("fragments out of order")
        if opcode is not Opcode.CONTINUATION:
            if final:
                return Message(opcode, payload)
            self._fragments_opcode = opcode
        self._fragments.append(payload)
        self._fragments_bytes += len(payload)
        if self._fragments_bytes > self._max:
            raise FramingError(f"a message of more than {self._max} bytes")
        if not final or self._fragments_opcode is None:
            return None
        whole = Message(self._fragments_opcode, b"".join(self._fragments))
        self._fragments, self._fragments_bytes, self._fragments_opcode = [], 0, None
        return whole
