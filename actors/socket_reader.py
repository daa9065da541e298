"""The thread that owns one connected socket: it reads, answers pings, decodes, and posts events to symbol streams.

It is part of a connection actor's incarnation but touches none of its state: it tells the actor what happened by
`notify`, and the actor ends it by `stop`. websocket-client does URL, proxy, TLS and handshake; then the socket is ours,
because its own receive loop costs ten times what splitting frames ourselves does (performance.md 1).
The only importer of websocket-client.
"""

import hashlib
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import websocket

from actors.clock import AnyClock
from actors.exchanges.exchange import Decoder, Exchange, FrameError, Instrument, Keepalive, Refusal, SocketPlan
from actors.framing import READ_BYTES, FrameSplitter, FramingError, Opcode
from intelligence.market import Control, Decoded, Liquidation, MarkPrice

HOUSEKEEPING_S = 0.25  # how often the reader looks at its own deadlines when nothing arrives
DUPLICATE_FRAMES = 64  # so many past frames with liquidations are remembered by their digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRules:
    """Bounds of one socket, seconds and bytes."""

    connect_timeout_s: float
    subscribe_ack_s: float
    max_frame_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderUp:
    """Every subscription was accepted and, where data must come, data came."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderEnded:
    """The socket is gone. `kind`: lost, refused (`refusal` says more), stopped, or crashed (a bug of ours)."""

    number: int
    kind: str
    reason: str
    refusal: Refusal | None = None


class _Ending(Exception):  # noqa: N818 - how the read loop is left
    def __init__(self, kind: str, reason: str, refusal: Refusal | None = None) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.refusal = kind, reason, refusal


class SocketReader:
    """One connection from handshake to end. `publish(records)` is called on this thread once per read."""

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
    ) -> None:
        self.number = number
        self.counts: Counter[str] = Counter()
        self.last_problem = ""
        self.up_s: float | None = None
        self.bytes_s = clock.monotonic()
        self._url = url
        self._plan = plan
        self._exchange = exchange
        self._keepalive = keepalive
        self._decoder: Decoder = exchange.decoder(instruments)
        self._rules = rules
        self._clock = clock
        self._notify = notify
        self._publish = publish
        self._socket: websocket.WebSocket | None = None
        self._stopping = False
        self._acks = 0
        self._data_seen = False
        self._subscribed_s = 0.0
        self._next_ping_s = 0.0
        self._digests: deque[bytes] = deque(maxlen=DUPLICATE_FRAMES)
        self._thread = threading.Thread(target=self._run, name=f"{name}/reader-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End soon: wakes a blocked read. Safe from any thread, at any time."""
        self._stopping = True
        connected = self._socket
        if connected is not None and connected.sock is not None:
            try:
                # The plain socket's own shutdown: `SSLSocket.shutdown` would take the TLS state from under the reader.
                socket.socket.shutdown(connected.sock, socket.SHUT_RDWR)
            except OSError:
                self._stopping = True  # it is gone already

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the thread is still there."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- this thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ending = _Ending("stopped", "stopped")
        try:
            self._connect()
            self._read_until_the_end()
        except _Ending as end:
            ending = end
        except FramingError as error:
            ending = _Ending("lost", f"protocol error: {error}")
        except OSError as error:
            ending = _Ending("lost", f"{type(error).__name__}: {error}")
        except Exception as error:
            # A bug of ours: the actor must hear of it, or the feed would be dead in silence.
            ending = _Ending("crashed", f"{type(error).__name__}: {error}")
        finally:
            if self._socket is not None:
                self._socket.shutdown()  # type: ignore[no-untyped-call]
            kind = "stopped" if self._stopping else ending.kind
            self._notify(ReaderEnded(number=self.number, kind=kind, reason=ending.reason, refusal=ending.refusal))

    def _connect(self) -> None:
        try:
            connected = websocket.create_connection(
                self._url, timeout=self._rules.connect_timeout_s, skip_utf8_validation=True, enable_multithread=False
            )
        except websocket.WebSocketBadStatusException as error:
            body = error.resp_body or b""
            headers = {str(key): str(value) for key, value in (error.resp_headers or {}).items()}
            refusal = self._exchange.refusal(error.status_code, headers, body if isinstance(body, bytes) else b"")
            reason = refusal.reason if refusal else f"handshake answered with HTTP {error.status_code}"
            raise _Ending("refused" if refusal else "lost", reason, refusal) from None
        except (websocket.WebSocketException, OSError) as error:
            raise _Ending("lost", f"cannot connect: {type(error).__name__}: {error}") from None
        self._socket = connected
        if self._stopping:
            raise _Ending("stopped", "stopped")
        for frame in self._plan.subscribe:
            connected.send(frame, websocket.ABNF.OPCODE_TEXT)
        now_s = self._clock.monotonic()
        self._subscribed_s = self.bytes_s = now_s
        self._next_ping_s = now_s + self._keepalive.every_s

    def _read_until_the_end(self) -> None:
        assert self._socket is not None
        sock = self._socket.sock
        assert sock is not None
        sock.settimeout(HOUSEKEEPING_S)
        buffer = memoryview(bytearray(READ_BYTES))
        splitter = FrameSplitter(self._rules.max_frame_bytes)
        while not self._stopping:
            try:
                received = sock.recv_into(buffer)
            except TimeoutError:
                self._keep_house()
                continue
            if received == 0:
                raise _Ending("lost", "closed by the venue without a close frame")
            self.bytes_s = self._clock.monotonic()
            self._take(splitter, buffer[:received])
            self._keep_house()

    def _take(self, splitter: FrameSplitter, data: memoryview) -> None:
        """Handle one read: answer control frames, decode text frames, publish everything together."""
        records: list[Decoded] = []
        received_ms = self._clock.now_ms()
        try:
            for message in splitter.feed(data):
                if message.opcode is Opcode.TEXT:
                    records += self._decode(message.payload, received_ms)
                else:
                    self._answer(message.opcode, message.payload)
        finally:
            if records:
                self._publish(self, records)

    def _answer(self, opcode: Opcode, payload: bytes) -> None:
        assert self._socket is not None
        if opcode is Opcode.PING:
            self._socket.pong(payload)
        elif opcode is Opcode.CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            raise _Ending("lost", f"closed by the venue: {code} {payload[2:].decode(errors='replace')}".strip())
        elif opcode is Opcode.BINARY:
            self._problem("a binary frame")

    def _decode(self, payload: bytes, received_ms: int) -> list[Decoded]:
        self.counts["frames"] += 1
        try:
            decoded = list(self._decoder.decode(payload, received_ms))
        except FrameError as error:
            self._problem(str(error))
            decoded = list(error.decoded)
        wanted: list[Decoded] = []
        for record in decoded:
            if isinstance(record, Control):
                self._on_control(record)
            else:
                wanted.append(record)
        if wanted:
            self._data_seen = True
        if any(isinstance(record, Liquidation) for record in wanted) and self._is_repeated(payload):
            self.counts["duplicate_frames"] += 1
            return []
        return wanted

    def _is_repeated(self, payload: bytes) -> bool:
        """Whether these very bytes came lately; the venue's push time in them makes that a duplicate, not a new event."""
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        if digest in self._digests:
            return True
        self._digests.append(digest)
        return False

    def _on_control(self, control: Control) -> None:
        self.counts[f"control_{control.reason}"] += 1
        if control.reason == "subscribed":
            self._acks += 1
        elif control.reason == "subscribe_refused":
            raise _Ending("lost", f"a subscription was refused: {control.detail}")
        elif control.reason == "closing_soon":
            raise _Ending("lost", "the venue announced that it closes this connection")

    def _problem(self, text: str) -> None:
        """Count a frame that was not understood. Logged at the 1st, 2nd, 4th, 8th ..."""
        self.counts["malformed"] += 1
        self.last_problem = text
        count = self.counts["malformed"]
        if count & (count - 1) == 0:
            self._notify(FrameProblem(number=self.number, count=count, reason=text[:300]))

    def _keep_house(self) -> None:
        """Ping when it is time, and end when the socket is silent or the subscription was not honoured."""
        assert self._socket is not None
        now_s = self._clock.monotonic()
        if self._keepalive.ping is not None and now_s >= self._next_ping_s:
            self._next_ping_s = now_s + self._keepalive.every_s
            self._socket.send(self._keepalive.ping, websocket.ABNF.OPCODE_TEXT)
        if now_s - self.bytes_s > self._keepalive.silent_s:
            raise _Ending("lost", f"no byte for {self._keepalive.silent_s:g} s")
        if self.up_s is not None:
            return
        acked = self._acks >= self._plan.acks
        must_bring_data = self._plan.data_within_s is not None
        if acked and (self._data_seen or not must_bring_data):
            self.up_s = now_s
            self._notify(ReaderUp(number=self.number))
        elif not acked and now_s - self._subscribed_s > self._rules.subscribe_ack_s:
            raise _Ending("lost", f"{self._acks} of {self._plan.acks} subscriptions confirmed in time")
        elif acked and now_s - self._subscribed_s > self._rules.subscribe_ack_s + (self._plan.data_within_s or 0):
            raise _Ending("lost", f"subscribed, but no data within {self._plan.data_within_s:g} s: a dead route")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameProblem:
    """A frame was not understood; `count` of this socket so far."""

    number: int
    count: int
    reason: str


def split_by_asset(records: list[Decoded]) -> tuple[dict[str, list[Liquidation]], dict[str, MarkPrice]]:
    """The liquidations of each asset in wire order, and the newest mark price of each."""
    liquidations: dict[str, list[Liquidation]] = {}
    marks: dict[str, MarkPrice] = {}
    for record in records:
        if isinstance(record, Liquidation):
            liquidations.setdefault(record.asset, []).append(record)
        elif isinstance(record, MarkPrice):
            marks[record.asset] = record
    return liquidations, marks
