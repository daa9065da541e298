"""One WebSocket connection as an actor: connects, reconnects, renews; its reader thread does the reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.exchanges import EXCHANGES
from actors.exchanges.exchange import Instrument, Keepalive, SocketPlan
from actors.mailbox import Lane, Letter
from actors.messages import ConnectionChanged, LiquidationsSeen, MarksSeen, VenuesAble, WatchVenues
from actors.socket_reader import FrameProblem, ReaderEnded, ReaderUp, SocketReader, SocketRules, split_by_asset
from actors.supervised import NeedsOperator, Supervised
from intelligence.market import Decoded

RENEWAL_RETRY_S = 60.0  # after a renewal that failed; the old socket goes on meanwhile
READER_JOIN_S = 0.5
NOTE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRules:
    """`dedup_s`: how long after a connect repeats are possible. Seconds throughout."""

    socket: SocketRules
    backoff: Backoff
    dedup_s: float
    renewal_share: float = 0.97  # of the venue's maximum age


@dataclass(frozen=True, slots=True)
class _Connect:
    """Open a socket now; `renewal` beside the one that runs."""

    renewal: bool = False


@dataclass(frozen=True, slots=True)
class _Note:
    pass


class Connection(Supervised):
    """Keeps one `SocketPlan` connected. Events go from the reader straight to the symbol streams, one letter an asset
    and read; this actor only sees what happens to the socket.
    """

    def init(
        self,
        *,
        child_id: str,
        venue: str,
        ws_url: str,
        plan: SocketPlan,
        keepalive: Keepalive,
        instruments: tuple[Instrument, ...],
        assets: frozenset[str],
        rules: ConnectionRules,
    ) -> None:
        self._name, self._venue, self._plan, self._rules = child_id, venue, plan, rules
        self._keepalive, self._assets = keepalive, assets
        self._url = ws_url.rstrip("/") + plan.path
        self._exchange = EXCHANGES[venue]
        self._instruments: Mapping[str, Instrument] = {item.instrument: item for item in instruments}
        self._random = Random(f"{self.path}#{self.epoch}")
        self._attempts = 0
        self._numbers = 0
        self._reader: SocketReader | None = None
        self._successor: SocketReader | None = None
        self._venues = VenuesAble(able=(), configured=())
        self.log = self.log.bind(venue=venue)
        self.send(paths.VENUES, WatchVenues(path=self.path))
        self._tell_state("connecting")
        self.timer.every("note", NOTE_EVERY_S, _Note())
        self._connect(renewal=False)

    def handle(self, message: Any) -> None:
        match message:
            case VenuesAble():
                self._venues = message
            case ReaderUp(number=number):
                self._on_up(number)
            case ReaderEnded():
                self._on_ended(message)
            case FrameProblem(count=count, reason=reason):
                self.log.warning("frame_malformed", connection=self._name, n=count, reason=reason)
            case _Connect(renewal=renewal):
                self._connect(renewal=renewal)
            case _Note():
                self._write_note()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:
        readers = [reader for reader in (self._reader, self._successor) if reader is not None]
        for reader in readers:
            reader.stop()
        for reader in readers:
            if not reader.join(READER_JOIN_S):
                self.log.warning("reader_left", connection=self._name)
        if reason != "shutdown":
            self._tell_state("down", reason=reason)

    # -- the socket's life ------------------------------------------------------------------------------------------

    def _connect(self, *, renewal: bool) -> None:
        self._numbers += 1
        reader = SocketReader(
            number=self._numbers,
            name=f"{self.path}#{self.epoch}",
            url=self._url,
            plan=self._plan,
            exchange=self._exchange,
            keepalive=self._keepalive,
            instruments=self._instruments,
            rules=self._rules.socket,
            clock=self.system.clock,
            notify=self._from_reader,
            publish=self._publish,
        )
        if renewal:
            self._successor = reader
        else:
            self._reader = reader
        reader.start()

    def _from_reader(self, message: Any) -> None:
        """Take a reader's word, on the reader's thread."""
        self.place.mailbox.put(Letter(message, Lane.URGENT, self.path))

    def _on_up(self, number: int) -> None:
        if self._successor is not None and number == self._successor.number:
            old, self._reader, self._successor = self._reader, self._successor, None
            if old is not None:
                old.stop()
            self.log.info("feed_renewed", connection=self._name)
        elif self._reader is None or number != self._reader.number:
            return
        else:
            self.log.info("feed_connected", connection=self._name, url=self._url)
            self._tell_state("up")
        self._attempts = 0
        renew_s = self._keepalive.max_age_s * self._rules.renewal_share
        self.timer.once("renew", renew_s, _Connect(renewal=True))

    def _on_ended(self, ended: ReaderEnded) -> None:
        if self._successor is not None and ended.number == self._successor.number:
            self._successor = None
            self.log.warning("feed_renewal_failed", connection=self._name, reason=ended.reason)
            self.timer.once("renew", RENEWAL_RETRY_S, _Connect(renewal=True))
            return
        if self._reader is None or ended.number != self._reader.number:
            return  # the socket that a renewal replaced
        self._reader = None
        self.timer.cancel("renew")
        if ended.kind == "crashed":
            raise RuntimeError(f"the reader failed: {ended.reason}")
        refusal = ended.refusal
        if refusal is not None and refusal.permanent:
            self._tell_state("refused", reason=refusal.reason, advice=refusal.advice)
            raise NeedsOperator(f"{self._venue}: {refusal.reason}. {refusal.advice}")
        self._attempts += 1
        at_least_s = refusal.retry_after_s if refusal else 0.0
        wait_s = self._rules.backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self.log.warning(
            "feed_lost", connection=self._name, reason=ended.reason, attempt=self._attempts, wait_s=round(wait_s, 2)
        )
        self._tell_state("down", reason=ended.reason, advice=refusal.advice if refusal else "")
        self.timer.once("connect", wait_s, _Connect())

    def _tell_state(self, state: str, reason: str = "", advice: str = "") -> None:
        changed = ConnectionChanged(
            venue=self._venue,
            connection=self._name,
            state=state,
            brings_liquidations=self._plan.brings_liquidations,
            reason=reason,
            advice=advice,
        )
        self.send(paths.VENUES, changed)

    def _write_note(self) -> None:
        reader = self._reader
        if reader is None or reader.up_s is None:
            self.note(f"not connected, attempt {self._attempts}" if self._attempts else "connecting")
            return
        self.vitals.transport_s = reader.bytes_s
        bad = f", {reader.counts['malformed']} malformed" if reader.counts["malformed"] else ""
        self.note(f"{reader.counts['frames']} frames, {reader.counts['liquidations']} liquidations{bad}")

    # -- on the reader's thread ---------------------------------------------------------------------------------------

    def _publish(self, reader: SocketReader, records: list[Decoded]) -> None:
        """Hand each asset's events on. Runs on the reader's thread and touches nothing of the actor but constants and
        the venues' state, which is replaced as a whole.
        """
        liquidations, marks = split_by_asset(records)
        venues = self._venues
        able = venues.able if self._venue in venues.able else tuple(sorted({*venues.able, self._venue}))
        configured = venues.configured if self._venue in venues.configured else able
        young = reader.up_s is None or self.system.clock.monotonic() - reader.up_s < self._rules.dedup_s
        for asset, events in liquidations.items():
            reader.counts["liquidations"] += len(events)
            seen = LiquidationsSeen(
                asset=asset, events=tuple(events), able=able, configured=configured, after_reconnect=young
            )
            self.send(paths.symbol_path(asset), seen, retain=True)
        for asset, mark in marks.items():
            path = paths.symbol_path(asset)
            # A mark alone starts no stream: an all-market feed names assets that nobody watches.
            if asset in self._assets or self.system.find(path) is not None:
                self.send(path, MarksSeen(mark=mark), lane=Lane.DATA, merge=("mark", self._venue))
        self.vitals.progress_s = self.system.clock.monotonic()
