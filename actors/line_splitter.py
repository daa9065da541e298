"""Text frames of one read as lines, for decoding all of them with one call. Pure: no socket, no clock.

Every header is overwritten with blanks and a newline where it lies, so that nothing is copied (performance.md 8).
"""

from typing import NamedTuple

from actors.framing import READ_BYTES, Assembly, Frame, FramingError, Message, Opcode, frame_at

_WHOLE_TEXT = 0x81  # the last frame of a message of one, and its opcode
_BREAKS = {size: b" " * (size - 1) + b"\n" for size in (2, 4, 10)}  # as long as the three kinds of headers
_BLANK = b" "
MOST_BYTES = (
    4 * READ_BYTES
)  # a socket that is behind is read in larger bites: fewer letters, half the cost with 500 assets


class Lines(NamedTuple):
    """What is whole by now. `text`: valid until the next `room`, frames separated by newlines. `messages`: control
    frames, binary ones, and text that came in fragments. `breach`: how the peer broke the protocol after all that.
    """

    text: memoryview
    frames: int
    messages: tuple[Message, ...] = ()
    breach: FramingError | None = None


class LineSplitter:
    """Owns the buffer that a socket is read into. One per connection; after a breach it is done."""

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._taken = 0  # what the last `lines` gave out
        self._assembly = Assembly(max_message_bytes)
        self.held = 0  # bytes that lie in the buffer

    def room(self) -> memoryview:
        """Where to read to; never empty. Ends the validity of what `lines` gave.

        The buffer doubles after a read that filled it, and for a frame that is larger; `frame_at` bounds the latter.
        """
        full = self.held == len(self._buffer)
        if self._taken:
            rest = self.held - self._taken
            self._buffer[:rest] = self._buffer[self._taken : self.held]
            self.held, self._taken = rest, 0
        if self.held == len(self._buffer) or (full and len(self._buffer) < MOST_BYTES):
            larger = bytearray(2 * len(self._buffer))
            larger[: self.held] = self._buffer[: self.held]
            self._buffer, self._view = larger, memoryview(larger)
        return self._view[self.held :]

    def lines(self) -> Lines:
        """Everything that is whole."""
        buffer, held = self._buffer, self.held
        messages: list[Message] = []
        breach = None
        position = self._taken
        frames = 0
        last = held - 4  # the fast way needs a header of four bytes, which frames of 126 bytes to 64 KiB have
        largest = self._max
        wide = _BREAKS[4]
        begun = self._assembly.begun
        try:
            while True:
                while position <= last and buffer[position] == _WHOLE_TEXT and buffer[position + 1] == 126:
                    end = position + 4 + (buffer[position + 2] << 8) + buffer[position + 3]
                    if end > held or end - position > largest or begun:
                        break
                    buffer[position : position + 4] = wide
                    position = end
                    frames += 1
                found = frame_at(buffer, position, held, self._max)
                if found is None:
                    break
                frames += self._take(found, messages)
                position, begun = found.stop, self._assembly.begun
        except FramingError as error:
            breach = error
        first, self._taken = self._taken, position
        return Lines(self._view[first:position], frames, tuple(messages), breach)

    def _take(self, frame: Frame, messages: list[Message]) -> int:
        """Make a line of a frame, or blanks of it and perhaps a message; count lines."""
        if frame.code == Opcode.TEXT and frame.final and not self._assembly.begun:
            self._buffer[frame.at : frame.start] = _BREAKS[frame.start - frame.at]
            return 1
        payload = bytes(self._view[frame.start : frame.stop])
        self._buffer[frame.at : frame.stop] = _BLANK * (frame.stop - frame.at)
        message = self._assembly.take(frame.code, payload, final=frame.final)
        if message is not None:
            messages.append(message)
        return 0
