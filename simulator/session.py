"""One client's WebSocket: reads its messages, sends frames in order, and lets faults strike on the way out."""

import asyncio
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import WSMsgType, web

from simulator.faults import FaultBook
from simulator.lies import spoil
from simulator.sent import Batch, SentTrades
from simulator.venue import Close, Connection, Frame, Ping, Reply

OUTBOX_FRAMES = 20_000  # a client that lets more pile up is dropped, as venues do
UNREAD_BYTES = 16_000_000  # the same for what was written and not yet taken by the client
SLOW_S = 0.25  # by which the fault `slow` delays every frame
FLOOD_FRAMES = 1250  # at each tick of a quarter of a second
GARBAGE = '{"e":"forceOrder","o":{"s":"\\ud83d", \x00 this is not JSON'


@dataclass(frozen=True, slots=True)
class _Answer:
    """Something that is no market data, so that faults of frames leave it alone."""

    reply: Reply


class _Data(NamedTuple):
    """Market data as this client gets it."""

    text: str
    topic: str
    trades: Batch | None


class Session:
    """Runs in one task per direction; `offer` may be called from any task of the loop.

    Frames that pile up while the loop does something else leave in one write. Only where a fault may strike does each go
    its own way.
    """

    def __init__(
        self,
        *,
        number: int,
        venue: str,
        connection: Connection,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        faults: FaultBook,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connection = connection
        self._number = number
        self.frames_sent = 0
        self.trades_sent = SentTrades()
        self._venue = venue
        self._socket = socket
        self._transport = transport
        self._faults = faults
        self._now = now
        self._sleep = sleep
        self._outbox: deque[_Data | _Answer] = deque()
        self._filled = asyncio.Event()
        self._held: _Data | None = None
        self._latest = GARBAGE

    async def run(self) -> None:
        """Serve until either side closes."""
        sender = asyncio.create_task(self._send_all())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._answer(self.connection.receive(message.data, self._now()))
                elif message.type is WSMsgType.PING:
                    if not self._faults.active(self._venue, "stall"):
                        await self._socket.pong(message.data)
                    self._answer(self.connection.receive_control(self._now(), pong=None))
                elif message.type is WSMsgType.PONG:
                    self._answer(self.connection.receive_control(self._now(), pong=message.data))
        finally:
            sender.cancel()

    def offer(self, frame: Frame) -> bool:
        """Queue a frame if this client subscribed to its topic."""
        if frame.topic not in self.connection.topics or self._faults.mutes(self._venue, frame.topic):
            return False
        if len(self._outbox) > OUTBOX_FRAMES:
            self.cut()
            return False
        self._outbox.append(_Data(self.connection.wrap(frame), frame.topic, frame.trades))
        self._filled.set()
        return True

    def summary(self, *, is_open: bool) -> dict[str, Any]:
        """What it was sent; of trades by topic."""
        return {
            "venue": self._venue,
            "connection": self._number,
            "open": is_open,
            "frames": self.frames_sent,
            "trades": self.trades_sent.count,
            "topics": self.trades_sent.as_json(),
        }

    def tick(self) -> None:
        if self._faults.take(self._venue, "flood"):
            self._flood()
        self._answer(self.connection.tick(self._now()))

    def cut(self) -> None:
        """Drop the TCP connection without a closing handshake."""
        self._transport.abort()

    def _answer(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            self._outbox.append(_Answer(reply))
            self._filled.set()

    async def _send_all(self) -> None:
        try:
            while True:
                await self._filled.wait()
                self._filled.clear()
                while self._outbox:
                    await self._send_next()
        except ConnectionError:
            return  # the reader sees the end of the connection too

    async def _send_next(self) -> None:
        first = self._outbox[0]
        if isinstance(first, _Data) and self._held is None and not self._faults.any_active(self._venue):
            self._write_frames()
        else:
            self._outbox.popleft()
            if self._faults.take(self._venue, "stall"):
                return
            await (self._send_data(first) if isinstance(first, _Data) else self._send(first.reply))
        self.connection.sent(self._now())

    def _write_frames(self) -> None:
        """Write all data frames up to the next answer at once, past aiohttp's own writer."""
        parts: list[bytes] = []
        outbox = self._outbox
        while outbox and isinstance(data := outbox[0], _Data):
            payload = data.text.encode()
            outbox.popleft()
            parts += (_header(len(payload)), payload)
            self._count(data)
        self._transport.write(b"".join(parts))
        if self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self.cut()

    async def _send(self, reply: Reply) -> None:
        match reply:
            case Close(code, reason):
                await self._socket.close(code=code, message=reason.encode())
            case Ping(payload):
                await self._socket.ping(payload)
            case str(text):
                await self._socket.send_str(text)

    def _flood(self) -> None:
        """Frames nobody asked for, past the queue, so that those somebody did ask for come between them."""
        payloads = [text.encode("utf-8", "replace") for text in (GARBAGE, self._latest)] * (FLOOD_FRAMES // 2)
        self._transport.write(b"".join(_header(len(payload)) + payload for payload in payloads))
        if self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self.cut()

    def _count(self, data: _Data) -> None:
        self.frames_sent += 1
        if data.trades is not None:
            self.trades_sent.add(data.topic, data.trades)

    async def _send_data(self, data: _Data) -> None:
        take = self._faults.take
        if take(self._venue, "slow"):
            await self._sleep(SLOW_S)
        if take(self._venue, "half_frame"):
            self._send_half(data.text)
            return
        if self._held is None and take(self._venue, "out_of_order"):
            self._held = data
            return
        await self._send_one(data)
        if take(self._venue, "duplicate"):
            await self._socket.send_str(data.text)
        if self._held is not None:
            held, self._held = self._held, None
            await self._send_one(held)

    async def _send_one(self, data: _Data) -> None:
        if self._faults.take(self._venue, "garbage"):
            await self._socket.send_str(GARBAGE)
            self.frames_sent += 1
        elif self._faults.take(self._venue, "lie"):
            await self._socket.send_str(spoil(data.text, self._faults.struck["lie"]))
            self.frames_sent += 1
        else:
            await self._socket.send_str(data.text)
            self._latest = data.text
            self._count(data)

    def _send_half(self, text: str) -> None:
        """Begin a WebSocket frame, stop in its middle, and close the TCP connection."""
        payload = text.encode()
        header = struct.pack("!BBQ", 0x81, 127, len(payload))
        self._transport.write(header + payload[: len(payload) // 2])
        self._transport.close()


def _header(length: int) -> bytes:
    """Of an unmasked text frame in one piece (RFC 6455, 5.2)."""
    if length < 126:
        return struct.pack("!BB", 0x81, length)
    if length < 65_536:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)
