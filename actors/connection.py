"""One WebSocket connection as an actor: connects, reconnects, renews; its reader thread does the reading."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.connection_status import ConnectionStatus
from actors.exchanges.exchange import Instrument, Keepalive, SocketPlan
from actors.exchanges.registry import EXCHANGES
from actors.failures import Fenced, NeedsOperator
from actors.feed_reporter import FeedReporter
from actors.mailbox import Lane, Letter
from actors.messages.feeds import (
    AssetsWatched,
    ConflictsSettled,
    FeedFoundSilent,
    InstrumentsDoubted,
    InstrumentsListed,
    InstrumentsWanted,
    VenuesAble,
    WatchConflicts,
    WatchVenues,
)
from actors.publisher import Publisher
from actors.reader_outlet import ReaderOutlet
from actors.reader_words import FrameProblem, ReaderEnded, ReaderLeaving, ReaderUp
from actors.readers import Readers
from actors.recording.taps import records
from actors.socket_reader import SocketReader, SocketRules
from actors.supervised import Supervised

RENEWAL_RETRY_S = 60.0  # after a renewal that failed; the old socket goes on meanwhile
RENEWAL_OVERLAP_S = 2.0  # both sockets bring events for so long, so that none falls between them
STABLE_S = 60.0  # a socket that was up for so long starts the back-off over
READER_JOIN_S = 0.5
NOTE_EVERY_S = 5.0
REPORT_S = 1.0  # how often the feed watch hears what came
REPEAT_S = 60.0  # the state is told again so often, so that whoever missed it learns it


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
        self._readers = Readers(self._make_reader, instruments)
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
        self._status = ConnectionStatus(
            self, venue=venue, connection=child_id, plan=plan, assets=assets, reporter=self._reporter
        )
        self._outlet = ReaderOutlet(self, venue, child_id, self._publisher)
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
                self._readers.retire()
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
                self._publisher.excluded = message.excluded
                self._readers.take_settled(dict(message.settled))

    def _on_period(self, message: _Repeat | _Report | _Note) -> None:
        match message:
            case _Repeat():
                self._repeat()
            case _Report():
                self._status.report(self._readers.current)
            case _Note():
                self._status.write_note(self._readers.current, self._attempts)

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
        if self._readers.stop(READER_JOIN_S, self.system.clock):
            self.log.warning("reader_left", connection=self._name)
        if reason != "shutdown" and self._status.state != "refused":
            with suppress(Fenced):  # a successor speaks for this path already
                self._status.change("down", reason=f"connection {self._name} {reason}")

    # -- the socket's life ------------------------------------------------------------------------------------------

    def _make_reader(
        self, *, number: int, instruments: Mapping[str, Instrument], settled: Mapping[str, str]
    ) -> SocketReader:
        return SocketReader(
            number=number,
            name=f"{self.path}#{self.epoch}",
            url=self._url,
            plan=self._plan,
            exchange=self._exchange,
            keepalive=self._keepalive,
            instruments=instruments,
            settled=settled,
            rules=self._rules.socket,
            clock=self.system.clock,
            notify=self._from_reader,
            publish=self._outlet.publish,
            publish_trades=self._outlet.publish_trades,
            keep=self._outlet.record if records(self) else None,
        )

    def _connect(self, *, renewal: bool) -> None:
        reader = self._readers.make(renewal=renewal)
        self._expect_repeats(math.inf)
        self.timer.once("give_up", 2 * self._rules.socket.connect_timeout_s, _GiveUp(reader.number))
        reader.start()

    def _from_reader(self, message: Any) -> None:
        """Take a reader's word, on the reader's thread."""
        self.place.mailbox.put(Letter(message, Lane.URGENT, self.path))

    def _give_up(self, number: int) -> None:
        for reader in self._readers.all():
            if reader.number == number and reader.liveness is None:
                reader.stop(f"not connected within {2 * self._rules.socket.connect_timeout_s:g} s")

    def _on_up(self, number: int) -> None:
        overlap_s = 0.0
        if self._readers.is_successor(number):
            self._readers.succeed()
            overlap_s = RENEWAL_OVERLAP_S
            self.timer.once("retire", overlap_s, _Retire())
            self.log.info("feed_renewed", connection=self._name)
        elif not self._readers.is_current(number):
            return
        else:
            self.log.info("feed_connected", connection=self._name, url=self._url)
            self._status.change("up")
        self._expect_repeats(overlap_s + self._rules.dedup_s)
        renew_s = self._keepalive.max_age_s * self._rules.renewal_share
        self.timer.once("renew", renew_s, _Connect(renewal=True))

    def _on_leaving(self, number: int) -> None:
        """Renew ahead of time: the venue will close this socket."""
        if self._readers.is_current(number) and self._readers.successor is None:
            self.timer.cancel("renew")
            self._connect(renewal=True)

    def _on_ended(self, ended: ReaderEnded) -> None:
        lost = self._readers.current
        if self._readers.is_successor(ended.number):
            self._on_renewal_failed(ended)
            return
        if lost is None or ended.number != lost.number:
            return  # the socket that a renewal replaced, or one of an earlier incarnation
        self._forget_backoff_after(lost)
        self._readers.current = None
        self.timer.cancel("renew")
        if ended.kind == "crashed":
            raise RuntimeError(f"the reader failed: {ended.reason}")
        refusal = ended.refusal
        if refusal is not None and refusal.permanent:
            self._status.change("refused", reason=refusal.reason, advice=refusal.advice)
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
        if not self._readers.replace_lost():
            at_least_s = refusal.retry_after_s if refusal else 0.0
            wait_s = self._rules.backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
            self.timer.once("connect", wait_s, _Connect())
        self.log.warning(
            "feed_lost", connection=self._name, reason=ended.reason, attempt=self._attempts, wait_s=round(wait_s, 2)
        )
        self._status.change("down", reason=ended.reason, advice=refusal.advice if refusal else "")

    def _subscribe_anew(self, reason: str) -> None:
        """Leave a socket that brings less than it should: the next one subscribes again."""
        if self._readers.current is not None:
            self._readers.current.stop(reason)

    def _on_renewal_failed(self, ended: ReaderEnded) -> None:
        self._readers.successor = None
        self._expect_repeats(self._rules.dedup_s)
        wait_s = max(RENEWAL_RETRY_S, ended.refusal.retry_after_s if ended.refusal else 0.0)
        self.log.warning("feed_renewal_failed", connection=self._name, reason=ended.reason)
        self.timer.once("renew", wait_s, _Connect(renewal=True))

    def _take_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """Go on with a new list on the sockets that run."""
        if instruments != self._readers.listed:
            self._publisher.take_instruments(instruments)
            self._reporter.take_instruments(instruments)
            self._readers.take_instruments(instruments)

    def _expect_repeats(self, within_s: float) -> None:
        self._publisher.repeats_until_s = self.system.clock.monotonic() + within_s
        self._status.record(within_s)

    def _repeat(self) -> None:
        self.send(paths.VENUES, WatchVenues(path=self.path), redeliver=True, retain=True)
        self._status.repeat()
        self_test = f"{paths.SELF_TESTS}/{self._venue}"
        if self.system.find(self_test) is not None:
            self.send(self_test, WatchConflicts(path=self.path))
