"""The receiving half of a connected socket that brings trades: reads all there is, then gives it as lines."""

import select
import socket
import ssl

from actors.framing import READ_BYTES
from actors.line_splitter import Lines, LineSplitter

_ENOUGH_BYTES = 2 * READ_BYTES  # to be decoded at once
_NOTHING_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TradeSocket:
    """For one thread. The socket does not block from here on; whoever sends on it gives it a time-out meanwhile.

    Over TLS a read brings one record at most, often one frame, so it is repeated until there is nothing left.
    """

    def __init__(self, connected: socket.socket, max_message_bytes: int) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._secured = isinstance(connected, ssl.SSLSocket)
        self._splitter = LineSplitter(max_message_bytes)
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)
        self._drained = False

    def read(self, timeout_s: float) -> int:
        """Bytes that came, waiting for the first; 0 after `timeout_s` without. Raises EOFError when there are no more."""
        if self._drained and not self._poll.poll(timeout_s * 1000):
            return 0
        self._drained = False
        received = 0
        try:
            while not self._drained and received < _ENOUGH_BYTES:
                room = self._splitter.room()
                if not (some := self._socket.recv_into(room)):
                    if received:
                        break  # the end comes again with the next read
                    raise EOFError
                self._splitter.held += some
                received += some
                self._drained = some < len(room) and not self._secured
        except _NOTHING_NOW:
            self._drained = True
        except OSError:
            if not received:
                raise
        return received

    def lines(self) -> Lines:
        """What is whole by now; valid until the next `read`."""
        return self._splitter.lines()
