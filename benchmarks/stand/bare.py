"""The yardsticks: a raw socket with msgspec and nothing else, picows, and our window without any actor."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from benchmarks.stand.frames import symbols
from benchmarks.stand.meter import Meter

BUFFER = 256 * 1024


class _Row(msgspec.Struct, gc=False):
    s: str
    a: int
    p: float
    q: float
    T: int
    m: bool


class _Frame(msgspec.Struct, gc=False):
    data: _Row


_DECODER = msgspec.json.Decoder(_Frame, strict=False)


def connected(port: int) -> socket.socket:
    """A WebSocket by hand."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(
        b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += sock.recv(1)
    return sock


def read_lines(sock: socket.socket, take: Callable[[list[_Frame]], None], size: int = BUFFER) -> None:
    """Overwrite the headers of a read, decode it with one call. Knows nothing but frames of 126 bytes to 64 KiB."""
    buffer = bytearray(size)
    view, held = memoryview(buffer), 0
    while received := sock.recv_into(view[held:]):
        held += received
        at, last = 0, held - 4
        while at <= last:
            if buffer[at] != 0x81 or buffer[at + 1] != 126:
                raise SystemExit("not a frame of the stand")
            end = at + 4 + (buffer[at + 2] << 8) + buffer[at + 3]
            if end > held:
                break
            buffer[at : at + 4] = b"   \n"
            at = end
        if at:
            take(_DECODER.decode_lines(view[:at]))
            buffer[: held - at] = buffer[at:held]
            held -= at


def bare(port: int, trades: int, count: int) -> None:  # noqa: ARG001
    trade = Meter(trades).trade

    def take(frames: list[_Frame]) -> None:
        for frame in frames:
            row = frame.data
            trade(row.p, row.q, row.s, row.m, row.T, row.a)

    read_lines(connected(port), take)


def picows(port: int, trades: int, count: int) -> None:  # noqa: ARG001
    import picows  # noqa: PLC0415

    trade, decode = Meter(trades).trade, _DECODER.decode

    class Listener(picows.WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:  # noqa: ARG002
            if frame.msg_type == picows.WSMsgType.TEXT:
                row = decode(frame.get_payload_as_memoryview()).data
                trade(row.p, row.q, row.s, row.m, row.T, row.a)

    async def main() -> None:
        transport, _ = await picows.ws_connect(Listener, f"ws://127.0.0.1:{port}/stream")
        await transport.wait_disconnected()

    asyncio.run(main())


def inline(port: int, trades: int, count: int) -> None:
    """Our window, updated in the thread that reads: the bound of every pipeline."""
    from actors.line_splitter import MOST_BYTES  # noqa: PLC0415 - reads as large as ours, or the bound were none
    from intelligence.trade_window import TradeWindow  # noqa: PLC0415

    windows = {name: TradeWindow() for name in symbols(count)}
    step = Meter(trades).step

    def take(frames: Iterable[_Frame]) -> None:
        columns: dict[str, tuple[list[int], list[float], list[float]]] = {}
        number = 0
        for number, frame in enumerate(frames, start=1):  # noqa: B007
            row = frame.data
            size = -row.q if row.m else row.q
            if (found := columns.get(row.s)) is None:
                columns[row.s] = ([row.T], [row.p], [size])
            else:
                found[0].append(row.T)
                found[1].append(row.p)
                found[2].append(size)
        for name, of_one in columns.items():
            windows[name].add(*of_one)
        step(number)

    read_lines(connected(port), take, MOST_BYTES)
