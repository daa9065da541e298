"""The thread that owns one connected socket: it reads, answers pings, decodes, and posts events to symbol streams.

It is part of a connection actor's incarnation but touches none of its state: it tells the actor what happened by
`notify`, and the actor ends it by `stop`. websocket-client does URL, proxy, TLS and handshake; then the socket is ours,
because its own receive loop costs ten times what splitting frames ourselves does (performance.md 1).
The only importer of websocket-client.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import websocket

from actors.clock import AnyClock
from actors.exchanges.exchange import (
    NOTHING_SETTLED,
    Exchange,
    Instrument,
    Keepalive,
    Refusal,
    SocketPlan,
    TradeColumns,
)
from actors.frame_intake import FrameIntake
from actors.framing import READ_BYTES, FrameSplitter, FramingError, Message, Opcode
from actors.line_splitter import Lines
from actors.liveness import Liveness
from actors.reader_words import FrameProblem, ReaderEnded, ReaderLeaving, ReaderUp
from actors.trade_socket import TradeSocket
from intelligence.market import Control, Decoded

CLOSED = "closed by the venue without a close frame"
HOUSEKEEPING_S = 0.25  # how often the reader looks at its own deadlines when nothing arrives
GATHER_BELOW_BYTES = 16 * 1024  # a read of trades that brought less is followed by a pause, where one is set


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRules:
    """Bounds of one socket, seconds and bytes. `gather_s`: pause after a small read of trades, so that the next one
    brings more: it costs delay and saves work. Pongs wait as long.
    """

    connect_timeout_s: float
    subscribe_ack_s: float
    max_frame_bytes: int
    gather_s: float = 0.005  # docs/performance.md: halves the work at 10 000 trades a second


class _Ending(Exception):  # noqa: N818 - how the read loop is left
    def __init__(self, kind: str, reason: str, refusal: Refusal | None = None) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.refusal = kind, reason, refusal


class SocketReader:
    """One connection from handshake to end. `publish(reader, records)` is called on this thread once a read, or on a
    socket of nothing but trades `publish_trades(reader, columns, received_ms)`. `keep(reader, frames, received_ms)` gets
    the raw text of a read before it is decoded; on a socket of trades that is one text of many frames, one a line.
    """

    def __init__(
        self,
        *,
        number: int,
        name: str,
        url: str,
        plan: SocketPlan,
        exchange: Exchange,
        keepalive: Keepalive,
        instruments: Mapping[str, Instrument],
        rules: SocketRules,
        clock: AnyClock,
        notify: Callable[[Any], None],
        publish: Callable[["SocketReader", list[Decoded]], None],
        publish_trades: Callable[["SocketReader", dict[str, TradeColumns], int], None],
        keep: Callable[["SocketReader", tuple[bytes, ...], int], None] | None = None,
        settled: Mapping[str, str] = NOTHING_SETTLED,
    ) -> None:
        self.number = number
        self.liveness: Liveness | None = None  # None until it has subscribed
        self._url = url
        self._plan = plan
        self._exchange = exchange
        self._keepalive = keepalive
        self._intake = FrameIntake(
            exchange=exchange,
            feeds=plan.feeds,
            instruments=instruments,
            settled=settled,
            on_control=self._on_control,
            on_problem=self._on_problem,
        )
        self.counts = self._intake.counts
        self._rules = rules
        self._clock = clock
        self._notify = notify
        self._publish = publish
        self._publish_trades = publish_trades
        self._keep = keep
        self._socket = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
        self._stopped_for = ""
        self._thread = threading.Thread(target=self._run, name=f"{name}/reader-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, reason: str = "stopped") -> None:
        """End soon: wakes a blocked read. Safe from any thread, at any time."""
        self._stopped_for = self._stopped_for or reason
        connected = self._socket.sock  # taken once: the reader sets it to None
        if connected is not None:
            try:
                # The plain socket's own shutdown: `SSLSocket.shutdown` would take the TLS state from under the reader.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the thread is still there."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def take_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Decode with this list from the next read on. From the actor's thread."""
        self._intake.take_instruments(instruments)

    def take_settled(self, settled: Mapping[str, str]) -> None:
        """Decode by these verdicts from the next read on. From the actor's thread."""
        self._intake.take_settled(settled)

    @property
    def read_by(self) -> Mapping[str, str]:
        """The verdicts by which this read is decoded. On the reader's thread."""
        return self._intake.read_by

    # -- this thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ending = _Ending("stopped", "stopped")
        try:
            self._connect()
            self.liveness = self._intake.signs = live = self._subscribe()
            if self._intake.brings_trades_alone:
                self._read_trades(live)
            else:
                self._read_until_the_end(live)
        except _Ending as end:
            ending = end
        except FramingError as error:
            ending = _Ending("lost", f"protocol error: {error}")
        except (OSError, websocket.WebSocketException) as error:
            ending = _Ending("lost", f"{type(error).__name__}: {error}")
        except Exception as error:
            # A bug of ours: the actor must hear of it, or the feed would be dead in silence.
            ending = _Ending("crashed", f"{type(error).__name__}: {error}")
        finally:
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            if self._stopped_for:
                ending = _Ending("stopped", self._stopped_for)
            self._notify(
                ReaderEnded(number=self.number, kind=ending.kind, reason=ending.reason, refusal=ending.refusal)
            )

    def _connect(self) -> None:
        if self._stopped_for:
            raise _Ending("stopped", self._stopped_for)
        self._socket.settimeout(self._rules.connect_timeout_s)
        try:
            self._socket.connect(self._url, header=dict(self._plan.headers))  # type: ignore[no-untyped-call]
        except websocket.WebSocketBadStatusException as error:
            headers = {str(key): str(value) for key, value in (error.resp_headers or {}).items()}
            refusal = self._exchange.refusal(error.status_code, headers, _bytes(error.resp_body))
            reason = refusal.reason if refusal else f"handshake answered with HTTP {error.status_code}"
            raise _Ending("refused" if refusal else "lost", reason, refusal) from None
        except Exception as error:
            # Not only OSError: an answer that is not HTTP comes out of the library as ValueError or IndexError.
            raise _Ending("lost", f"cannot connect: {type(error).__name__}: {error}") from None

    def _subscribe(self) -> Liveness:
        for frame in self._plan.subscribe:
            self._send(frame, websocket.ABNF.OPCODE_TEXT)
        return Liveness(self._plan, self._keepalive, self._rules.subscribe_ack_s, self._clock.monotonic())

    def _read_until_the_end(self, live: Liveness) -> None:
        sock = self._socket.sock
        assert sock is not None
        sock.settimeout(HOUSEKEEPING_S)
        buffer = memoryview(bytearray(READ_BYTES))
        splitter = FrameSplitter(self._rules.max_frame_bytes)
        while not self._stopped_for:
            try:
                received = sock.recv_into(buffer)
            except TimeoutError:
                self._keep_house(live, self._clock.monotonic())
                continue
            if received == 0:
                raise _Ending("lost", CLOSED)
            live.bytes_s = now_s = self._clock.monotonic()
            self._take(splitter, buffer[:received])
            self._keep_house(live, now_s)

    def _take(self, splitter: FrameSplitter, data: memoryview) -> None:
        """Handle one read: answer control frames, decode text frames, publish everything together."""
        records: list[Decoded] = []
        received_ms = self._clock.now_ms()
        self._intake.renew()
        try:
            try:
                self._take_messages(splitter.feed(data), received_ms, records)
            except FramingError as error:
                self._take_messages(error.messages, received_ms, records)
                raise
        finally:
            if records:
                self._publish(self, records)

    def _take_messages(self, messages: Sequence[Message], received_ms: int, records: list[Decoded]) -> None:
        if self._keep is not None:
            self._keep(self, tuple(payload for opcode, payload in messages if opcode is Opcode.TEXT), received_ms)
        for opcode, payload in messages:
            if opcode is Opcode.TEXT:
                records += self._intake.records(payload, received_ms)
            else:
                self._answer(opcode, payload)

    def _answer(self, opcode: Opcode, payload: bytes) -> None:
        """Do what a message without text asks for."""
        if opcode is Opcode.PING:
            self._send(payload, websocket.ABNF.OPCODE_PONG)
        elif opcode is Opcode.CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            raise _Ending("lost", f"closed by the venue: {code} {payload[2:].decode(errors='replace')}".strip())
        elif opcode is Opcode.BINARY:
            self._intake.problem("a binary frame")

    # -- a socket of trades alone -------------------------------------------------------------------------------------

    def _read_trades(self, live: Liveness) -> None:
        sock = self._socket.sock
        assert sock is not None
        trades, gather_s = TradeSocket(sock, self._rules.max_frame_bytes), self._rules.gather_s
        while not self._stopped_for:
            try:
                received = trades.read(HOUSEKEEPING_S)
            except EOFError:
                raise _Ending("lost", CLOSED) from None
            now_s = self._clock.monotonic()
            if received:
                live.bytes_s = now_s
                self._take_lines(trades.lines())
            self._keep_house(live, now_s)
            if gather_s and 0 < received < GATHER_BELOW_BYTES:
                time.sleep(gather_s)

    def _take_lines(self, lines: Lines) -> None:
        """Handle one read: decode all text at once, then answer control frames."""
        self._intake.renew()
        if lines.frames:
            self._take_text(lines.text, lines.frames)
        for opcode, payload in lines.messages:
            if opcode is Opcode.TEXT:
                self._take_text(payload, 1)
            else:
                self._answer(opcode, payload)
        if lines.breach is not None:
            raise lines.breach

    def _take_text(self, text: bytes | memoryview, frames: int) -> None:
        received_ms = self._clock.now_ms()
        if self._keep is not None:
            self._keep(self, (bytes(text),), received_ms)
        read = self._intake.trades(text, frames, received_ms)
        if read.columns:
            self._publish_trades(self, read.columns, received_ms)
        if wanted := self._intake.rest(read):
            self._publish(self, wanted)

    def _on_control(self, control: Control) -> None:
        if control.reason == "subscribe_refused":
            raise _Ending("unsubscribed", f"a subscription was refused: {control.detail}")
        if control.reason == "closing_soon":
            self._notify(ReaderLeaving(number=self.number))

    def _on_problem(self, count: int, text: str) -> None:
        self._notify(FrameProblem(number=self.number, count=count, reason=text[:300]))

    def _send(self, payload: bytes, opcode: int) -> None:
        """Send one frame, waiting for room at most as long as a read waits."""
        sock = self._socket.sock
        if sock is None or sock.gettimeout() != 0:
            self._socket.send(payload, opcode)
            return
        sock.settimeout(HOUSEKEEPING_S)
        try:
            self._socket.send(payload, opcode)
        finally:
            sock.setblocking(False)

    def _keep_house(self, live: Liveness, now_s: float) -> None:
        if live.wants_ping(now_s) and self._keepalive.ping is not None:
            self._send(self._keepalive.ping, websocket.ABNF.OPCODE_TEXT)
        if live.comes_up(now_s):
            self._notify(ReaderUp(number=self.number))
        if (cause := live.cause_of_death(now_s)) is not None:
            raise _Ending("lost", cause)


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b""
