"""One WebSocket connection as an actor: connects, reconnects, renews; its reader thread does the reading."""

import itertools
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.exchanges.exchange import NOTHING_SETTLED, Instrument, Keepalive, SocketPlan, TradeColumns
from actors.exchanges.registry import EXCHANGES
from actors.feed_reporter import FeedReporter
from actors.frame_intake import TRADES_ALONE
from actors.mailbox import Lane, Letter
from actors.messages import (
    AssetsWatched,
    ConflictsSettled,
    ConnectionChanged,
    FeedFoundSilent,
    InstrumentsDoubted,
    InstrumentsListed,
    InstrumentsWanted,
    LiquidationsTold,
    VenuesAble,
    WatchConflicts,
    WatchVenues,
)
from actors.publisher import Publisher, trades_of
from actors.reader_words import FrameProblem, ReaderEnded, ReaderLeaving, ReaderUp
from actors.recording.entries import FramesRead, SocketMarked
from actors.recording.taps import records
from actors.socket_reader import SocketReader, SocketRules
from actors.supervised import Fenced, NeedsOperator, Supervised
from intelligence.market import Coverage, Decoded, Liquidation

RENEWAL_RETRY_S = 60.0  # after a renewal that failed; the old socket goes on meanwhile
RENEWAL_OVERLAP_S = 2.0  # both sockets bring events for so long, so that none falls between them
STABLE_S = 60.0  # a socket that was up for so long starts the back-off over
READER_JOIN_S = 0.5
NOTE_EVERY_S = 5.0
SAID_IF_ANY = {"trades": "trades", "trades_shed": "trades shed", "malformed": "malformed"}
REPORT_S = 1.0  # how often the feed watch hears what came
REPEAT_S = 60.0  # the state is told again so often, so that whoever missed it learns it

# Of all readers of this process: what a reader of an earlier incarnation says must not pass for the word of our own.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRules:
    """`dedup_s`: how long after a connect repeats are possible. `clock_jump_ms`: of event times against ours, not usual."""

    socket: SocketRules
    backoff: Backoff
    dedup_s: float
    clock_jump_ms: float = 2000.0
    renewal_share: float = 0.97  # of the venue's maximum age


@dataclass(frozen=True, slots=True)
class _Connect:
    """Open a socket now; `renewal` beside the one that runs."""

    renewal: bool = False


@dataclass(frozen=True, slots=True)
class _GiveUp:
    """The handshake of this reader takes too long: every byte of it has its own time-out, this is for the whole."""

    number: int


@dataclass(frozen=True, slots=True)
class _Retire:
    """Close the socket that a renewal replaced."""


@dataclass(frozen=True, slots=True)
class _Note:
    pass


@dataclass(frozen=True, slots=True)
class _Repeat:
    pass


@dataclass(frozen=True, slots=True)
class _Report:
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
        self._keepalive = keepalive
        self._url = ws_url.rstrip("/") + plan.path
        self._exchange = EXCHANGES[venue]
        self._listed = instruments
        self._instruments = _by_name(instruments)
        self._assets = tuple(sorted(assets))
        self._settled: Mapping[str, str] = NOTHING_SETTLED
        self._self_test = f"{paths.SELF_TESTS}/{venue}"
        self._reporter = FeedReporter(
            venue=venue,
            connection=child_id,
            feeds=plan.feeds,
            assets=assets,
            instruments=instruments,
            jump_ms=rules.clock_jump_ms,
        )
        self._publisher = Publisher(self, venue, assets, instruments, self._reporter.tally)
        self._random = Random(f"{self.path}#{self.epoch}")
        self._attempts = 0
        self._reader: SocketReader | None = None
        self._successor: SocketReader | None = None
        self._retiring: SocketReader | None = None
        self._state = ConnectionChanged(
            venue=venue, connection=child_id, state="connecting", brings_liquidations=plan.brings_liquidations
        )
        self.log = self.log.bind(venue=venue)
        self.send(f"{paths.CATALOGUES}/{venue}", InstrumentsWanted(path=self.path))
        self._repeat()
        self.timer.every("repeat", REPEAT_S, _Repeat())
        self.timer.every("report", REPORT_S, _Report())
        self.timer.every("note", NOTE_EVERY_S, _Note())
        self._connect(renewal=False)

    def handle(self, message: Any) -> None:
        match message:
            case VenuesAble() | InstrumentsListed() | AssetsWatched() | ConflictsSettled():
                self._on_told(message)
            case ReaderUp() | ReaderLeaving() | ReaderEnded() | FrameProblem():
                self._on_reader(message)
            case _Connect(renewal=renewal):
                self._connect(renewal=renewal)
            case _GiveUp(number=number):
                self._give_up(number)
            case _Retire():
                self._retire()
            case FeedFoundSilent(reason=reason):
                self._subscribe_anew(reason)
            case _Repeat() | _Report() | _Note():
                self._on_period(message)
            case _:
                super().handle(message)

    def _on_told(self, message: VenuesAble | InstrumentsListed | AssetsWatched | ConflictsSettled) -> None:
        match message:
            case VenuesAble():
                self._publisher.venues = message
            case InstrumentsListed(instruments=instruments):
                self._take_instruments(instruments)
            case AssetsWatched(assets=assets):
                self._publisher.watched = message
                self._reporter.take_assets(assets)
            case ConflictsSettled():
                self._take_settled(message)

    def _on_period(self, message: _Repeat | _Report | _Note) -> None:
        match message:
            case _Repeat():
                self._repeat()
            case _Report():
                self._report()
            case _Note():
                self._write_note()

    def _on_reader(self, message: ReaderUp | ReaderLeaving | ReaderEnded | FrameProblem) -> None:
        match message:
            case ReaderUp(number=number):
                self._on_up(number)
            case ReaderLeaving(number=number):
                self._on_leaving(number)
            case ReaderEnded():
                self._on_ended(message)
            case FrameProblem(count=count, reason=reason):
                self.log.warning("frame_malformed", connection=self._name, n=count, reason=reason)

    def terminate(self, reason: str) -> None:
        readers = self._readers()
        for reader in readers:
            reader.stop()
        until_s = self.system.clock.monotonic() + READER_JOIN_S
        for reader in readers:
            if not reader.join(max(0.0, until_s - self.system.clock.monotonic())):
                self.log.warning("reader_left", connection=self._name)
        if reason != "shutdown" and self._state.state != "refused":
            with suppress(Fenced):  # a successor speaks for this path already
                self._tell_state("down", reason=f"connection {self._name} {reason}")

    # -- the socket's life ------------------------------------------------------------------------------------------

    def _readers(self) -> tuple[SocketReader, ...]:
        readers = (self._reader, self._successor, self._retiring)
        return tuple(reader for reader in readers if reader is not None)

    def _connect(self, *, renewal: bool) -> None:
        reader = SocketReader(
            number=next(_numbers),
            name=f"{self.path}#{self.epoch}",
            url=self._url,
            plan=self._plan,
            exchange=self._exchange,
            keepalive=self._keepalive,
            instruments=self._instruments,
            settled=self._settled,
            rules=self._rules.socket,
            clock=self.system.clock,
            notify=self._from_reader,
            publish=self._publish,
            publish_trades=self._publish_trades,
            keep=self._record if records(self) else None,
        )
        if renewal:
            self._successor = reader
        else:
            self._reader = reader
        self._expect_repeats(math.inf)
        self.timer.once("give_up", 2 * self._rules.socket.connect_timeout_s, _GiveUp(reader.number))
        reader.start()

    def _from_reader(self, message: Any) -> None:
        """Take a reader's word, on the reader's thread."""
        self.place.mailbox.put(Letter(message, Lane.URGENT, self.path))

    def _give_up(self, number: int) -> None:
        for reader in self._readers():
            if reader.number == number and reader.liveness is None:
                reader.stop(f"not connected within {2 * self._rules.socket.connect_timeout_s:g} s")

    def _on_up(self, number: int) -> None:
        overlap_s = 0.0
        if self._successor is not None and number == self._successor.number:
            self._retire()
            self._retiring, self._reader, self._successor = self._reader, self._successor, None
            overlap_s = RENEWAL_OVERLAP_S
            self.timer.once("retire", overlap_s, _Retire())
            self.log.info("feed_renewed", connection=self._name)
        elif self._reader is None or number != self._reader.number:
            return
        else:
            self.log.info("feed_connected", connection=self._name, url=self._url)
            self._tell_state("up")
        self._expect_repeats(overlap_s + self._rules.dedup_s)
        renew_s = self._keepalive.max_age_s * self._rules.renewal_share
        self.timer.once("renew", renew_s, _Connect(renewal=True))

    def _retire(self) -> None:
        if self._retiring is not None:
            self._retiring.stop()
            self._retiring = None

    def _on_leaving(self, number: int) -> None:
        """Renew ahead of time: the venue will close this socket."""
        if self._reader is not None and number == self._reader.number and self._successor is None:
            self.timer.cancel("renew")
            self._connect(renewal=True)

    def _on_ended(self, ended: ReaderEnded) -> None:
        if self._successor is not None and ended.number == self._successor.number:
            self._on_renewal_failed(ended)
            return
        if self._reader is None or ended.number != self._reader.number:
            return  # the socket that a renewal replaced, or one of an earlier incarnation
        self._forget_backoff_after(self._reader)
        self._reader = None
        self.timer.cancel("renew")
        if ended.kind == "crashed":
            raise RuntimeError(f"the reader failed: {ended.reason}")
        refusal = ended.refusal
        if refusal is not None and refusal.permanent:
            self._tell_state("refused", reason=refusal.reason, advice=refusal.advice)
            raise NeedsOperator(f"{self._venue}: {refusal.reason}. {refusal.advice}")
        if ended.kind == "unsubscribed":
            self.send(f"{paths.CATALOGUES}/{self._venue}", InstrumentsDoubted(venue=self._venue))
        self._reconnect(ended)

    def _forget_backoff_after(self, reader: SocketReader) -> None:
        """Start the back-off over after a socket that held; one that comes up and falls again and again waits longer."""
        up_s = None if reader.liveness is None else reader.liveness.up_s
        if up_s is not None and self.system.clock.monotonic() - up_s >= STABLE_S:
            self._attempts = 0

    def _reconnect(self, ended: ReaderEnded) -> None:
        refusal = ended.refusal
        self._attempts += 1
        wait_s = 0.0
        if self._successor is not None:  # a renewal was on its way: it goes on as the only socket
            self._reader, self._successor = self._successor, None
        else:
            at_least_s = refusal.retry_after_s if refusal else 0.0
            wait_s = self._rules.backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
            self.timer.once("connect", wait_s, _Connect())
        self.log.warning(
            "feed_lost", connection=self._name, reason=ended.reason, attempt=self._attempts, wait_s=round(wait_s, 2)
        )
        self._tell_state("down", reason=ended.reason, advice=refusal.advice if refusal else "")

    def _subscribe_anew(self, reason: str) -> None:
        """Leave a socket that brings less than it should: the next one subscribes again."""
        if self._reader is not None:
            self._reader.stop(reason)

    def _on_renewal_failed(self, ended: ReaderEnded) -> None:
        self._successor = None
        self._expect_repeats(self._rules.dedup_s)
        wait_s = max(RENEWAL_RETRY_S, ended.refusal.retry_after_s if ended.refusal else 0.0)
        self.log.warning("feed_renewal_failed", connection=self._name, reason=ended.reason)
        self.timer.once("renew", wait_s, _Connect(renewal=True))

    def _take_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """Go on with a new list on the sockets that run."""
        if instruments != self._listed:
            self._listed, self._instruments = instruments, _by_name(instruments)
            self._publisher.take_instruments(instruments)
            self._reporter.take_instruments(instruments)
            for reader in self._readers():
                reader.take_instruments(self._instruments)

    def _take_settled(self, told: ConflictsSettled) -> None:
        """Go on with new verdicts on the sockets that run."""
        self._publisher.excluded = told.excluded
        settled = dict(told.settled)
        if settled != self._settled:
            self._settled = settled
            for reader in self._readers():
                reader.take_settled(settled)

    # -- telling ------------------------------------------------------------------------------------------------------

    def _tell_state(self, state: str, reason: str = "", advice: str = "") -> None:
        self._state = ConnectionChanged(
            venue=self._venue,
            connection=self._name,
            state=state,
            brings_liquidations=self._plan.brings_liquidations,
            reason=reason,
            advice=advice,
        )
        self.send(paths.VENUES, self._state, redeliver=True, retain=True)
        backfill = f"{paths.BACKFILL}/{self._venue}"
        if self.system.find(backfill) is not None:
            self.send(backfill, self._state)
        self._record_state(math.inf)

    def _expect_repeats(self, within_s: float) -> None:
        self._publisher.repeats_until_s = self.system.clock.monotonic() + within_s
        self._record_state(within_s)

    def _record_state(self, repeats_s: float) -> None:
        if records(self):
            mark = SocketMarked(
                at_ms=self.now_ms,
                venue=self._venue,
                connection=self._name,
                state=self._state.state,
                feeds=self._plan.feeds,
                brings_liquidations=self._plan.brings_liquidations,
                assets=self._assets,
                repeats_s=repeats_s,
                reason=self._state.reason,
            )
            self.send(paths.RECORDER, mark, redeliver=True)

    def _repeat(self) -> None:
        self.send(paths.VENUES, WatchVenues(path=self.path), redeliver=True, retain=True)
        self.send(paths.VENUES, self._state, redeliver=True, retain=True)
        if self.system.find(self._self_test) is not None:
            self.send(self._self_test, WatchConflicts(path=self.path))

    def _report(self) -> None:
        if self.system.find(paths.FEED_WATCH) is not None:
            reader = self._reader
            subscribed = reader.number if reader is not None and reader.liveness is not None else None
            self.send(paths.FEED_WATCH, self._reporter.report(subscribed, self.now_ms), lane=Lane.DATA)

    def _write_note(self) -> None:
        reader = self._reader
        if reader is None or reader.liveness is None or reader.liveness.up_s is None:
            if reader is not None and reader.liveness is not None and reader.liveness.is_subscribed:
                self.note("subscribed, no data yet")
            else:
                self.note(f"not connected, attempt {self._attempts}" if self._attempts else "connecting")
            return
        self.vitals.transport_s = reader.liveness.bytes_s
        counts = reader.counts
        brought = [f"{counts['frames']} frames"]
        if self._plan.feeds != TRADES_ALONE:
            brought.append(f"{counts['liquidations']} liquidations")
        brought += [f"{counts[kind]} {said}" for kind, said in SAID_IF_ANY.items() if counts[kind]]
        late = self._reporter.clock_words()
        self.note(", ".join(brought) + (f"; late: {late}" if late else ""))

    # -- on the reader's thread ---------------------------------------------------------------------------------------

    def _record(self, reader: SocketReader, frames: tuple[bytes, ...], received_ms: int) -> None:
        read = FramesRead(
            at_ms=received_ms,
            venue=self._venue,
            connection=self._name,
            reader=reader.number,
            frames=frames,
            settled=tuple(reader.read_by.items()),
            excluded=tuple(self._publisher.excluded),
        )
        self.send(paths.RECORDER, read, lane=Lane.DATA)

    def _publish(self, reader: SocketReader, records: list[Decoded]) -> None:
        liquidations = self._publisher.publish(records)
        reader.counts["liquidations"] += liquidations
        if liquidations and self.system.find(self._self_test) is not None:
            rows = (one for one in records if isinstance(one, Liquidation) and one.coverage is not Coverage.AGGREGATE)
            told = LiquidationsTold(rows=tuple(rows), read_by=tuple(reader.read_by.items()))
            self.send(self._self_test, told, lane=Lane.DATA)
        if trades := trades_of(records):
            self._publish_trades(reader, trades, self.system.clock.now_ms())
        self.vitals.progress_s = self.system.clock.monotonic()

    def _publish_trades(self, reader: SocketReader, columns: dict[str, TradeColumns], received_ms: int) -> None:
        given, shed = self._publisher.publish_trades(columns, received_ms)
        reader.counts["trades"] += given
        reader.counts["trades_shed"] += shed
        self.vitals.progress_s = self.system.clock.monotonic()


def _by_name(instruments: tuple[Instrument, ...]) -> dict[str, Instrument]:
    return {one.instrument: one for one in instruments}
