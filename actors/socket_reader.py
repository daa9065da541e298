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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import websocket

from actors.clock import AnyClock
from actors.exchanges.exchange import Exchange, FrameError, Instrument, Keepalive, Refusal, SocketPlan
from actors.framing import READ_BYTES, FrameSplitter, FramingError, Message, Opcode
from actors.liveness import Liveness
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


class _Ending(Exception):  # noqa: N818 - how the read loop is left
    def __init__(self, kind: str, reason: str, refusal: Refusal | None = None) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.refusal = kind, reason, refusal


class SocketReader:
    """One connection from handshake to end. `publish(reader, records)` is called on this thread once a read."""

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
        self.liveness: Liveness | None = None  # None until it has subscribed
        self._url = url
        self._plan = plan
        self._exchange = exchange
        self._keepalive = keepalive
        self._listed = self._decoded_with = instruments
        self._decoder = exchange.decoder(instruments)
        self._rules = rules
        self._clock = clock
        self._notify = notify
        self._publish = publish
        self._socket = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
        self._stopped_for = ""
        self._digests: deque[bytes] = deque(maxlen=DUPLICATE_FRAMES)
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
        """Decode with this list from the next read on. From any thread."""
        self._listed = instruments

    # -- this thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ending = _Ending("stopped", "stopped")
        try:
            self._connect()
            self.liveness = live = self._subscribe()
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
            self._socket.connect(self._url)  # type: ignore[no-untyped-call]
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
            self._socket.send(frame, websocket.ABNF.OPCODE_TEXT)
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
                raise _Ending("lost", "closed by the venue without a close frame")
            live.bytes_s = now_s = self._clock.monotonic()
            self._take(splitter, buffer[:received], live)
            self._keep_house(live, now_s)

    def _take(self, splitter: FrameSplitter, data: memoryview, live: Liveness) -> None:
        """Handle one read: answer control frames, decode text frames, publish everything together."""
        records: list[Decoded] = []
        received_ms = self._clock.now_ms()
        if self._listed is not self._decoded_with:
            self._decoded_with = self._listed
            self._decoder = self._exchange.decoder(self._decoded_with)
        try:
            try:
                self._take_messages(splitter.feed(data), live, received_ms, records)
            except FramingError as error:
                self._take_messages(error.messages, live, received_ms, records)
                raise
        finally:
            if records:
                self._publish(self, records)

    def _take_messages(
        self, messages: Sequence[Message], live: Liveness, received_ms: int, records: list[Decoded]
    ) -> None:
        for opcode, payload in messages:
            if opcode is Opcode.TEXT:
                records += self._decode(payload, live, received_ms)
            elif opcode is Opcode.PING:
                self._socket.pong(payload)
            elif opcode is Opcode.CLOSE:
                code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                raise _Ending("lost", f"closed by the venue: {code} {payload[2:].decode(errors='replace')}".strip())
            elif opcode is Opcode.BINARY:
                self._problem("a binary frame")

    def _decode(self, payload: bytes, live: Liveness, received_ms: int) -> list[Decoded]:
        self.counts["frames"] += 1
        decoded: Sequence[Decoded]
        try:
            decoded = self._decoder.decode(payload, received_ms)
        except FrameError as error:
            self._problem(str(error))
            decoded = error.decoded
        except Exception as error:
            # A decoder promises FrameError alone; if it breaks its word on one frame the next ones are still wanted.
            self._problem(f"{type(error).__name__}: {error}")
            return []
        wanted: list[Decoded] = []
        liquidations = False
        for record in decoded:
            if isinstance(record, Control):
                self._on_control(record, live)
                continue
            wanted.append(record)
            if isinstance(record, MarkPrice):
                live.note_mark()
            elif isinstance(record, Liquidation):
                liquidations = True
        if wanted:
            live.note_data()
        if liquidations and self._is_repeated(payload):
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

    def _on_control(self, control: Control, live: Liveness) -> None:
        self.counts[f"control_{control.reason}"] += 1
        if control.reason == "subscribed":
            live.note_ack()
        elif control.reason == "subscribe_refused":
            raise _Ending("unsubscribed", f"a subscription was refused: {control.detail}")
        elif control.reason == "closing_soon":
            self._notify(ReaderLeaving(number=self.number))

    def _problem(self, text: str) -> None:
        """Count a frame that was not understood. Told at the 1st, 2nd, 4th, 8th ..."""
        self.counts["malformed"] += 1
        count = self.counts["malformed"]
        if count & (count - 1) == 0:
            self._notify(FrameProblem(number=self.number, count=count, reason=text[:300]))

    def _keep_house(self, live: Liveness, now_s: float) -> None:
        if live.wants_ping(now_s) and self._keepalive.ping is not None:
            self._socket.send(self._keepalive.ping, websocket.ABNF.OPCODE_TEXT)
        if live.comes_up(now_s):
            self._notify(ReaderUp(number=self.number))
        if (cause := live.cause_of_death(now_s)) is not None:
            raise _Ending("lost", cause)


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b""
