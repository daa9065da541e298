"""One venue out of a recording: stands where its connections, its catalogue and its poller stand otherwise."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from actors import paths
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.queries import Query
from actors.exchanges.registry import EXCHANGES, market_data
from actors.feed_tally import FeedTally
from actors.frame_intake import FrameIntake
from actors.messages.feeds import ConflictsSettled, ConnectionChanged, SocketsPlanned, VenuesAble, WatchVenues
from actors.messages.history import HistorySeen
from actors.publisher import Publisher, trades_of
from actors.recording.entries import (
    FramesRead,
    HistoryKept,
    InstrumentsKnown,
    RecordsKept,
    ReplyRead,
    SocketMarked,
    TradesKept,
    VenuePlanned,
)
from actors.supervised import Supervised
from intelligence.history import BarSpan, OpenInterestSpan
from intelligence.market import Control, Decoded, OpenInterest


@dataclass(slots=True)
class _Line:
    """One recorded connection. `intakes`: of each of its sockets, by number; two of them overlap at a renewal."""

    mark: SocketMarked
    publisher: Publisher
    intakes: dict[int, FrameIntake] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskTally:
    """Ask a replayed venue for what it has brought so far: a Counter of events by kind."""


class ReplayedVenue(Supervised):
    """Takes the entries of a recording one by one and sends what they come to, through the decoders and the publisher of
    the live feeds. Symbol streams, detectors and the venue monitor cannot tell the difference.
    """

    def init(self, *, venue: str, assets: frozenset[str]) -> None:
        """`assets`: those of the settings; connections were recorded with theirs, which join them."""
        self._venue, self._assets = venue, assets
        self._exchange = EXCHANGES[venue]
        self._instruments: dict[str, Instrument] = {}
        self._gathered: dict[str, Instrument] = {}  # of a list that comes in pages
        self._queries: dict[RestCall, Query[OpenInterest]] = {}
        self._newest_ms: dict[str, int] = {}
        self._lines: dict[str, _Line] = {}
        self._direct = Publisher(self, venue, assets, (), FeedTally())
        self._able = VenuesAble(able=(), configured=())
        self._settled = ConflictsSettled(venue=venue, settled=())
        self._tally: Counter[str] = Counter()
        self.log = self.log.bind(venue=venue)
        self.send(paths.VENUES, WatchVenues(path=self.path), redeliver=True, retain=True)

    def handle(self, message: Any) -> Counter[str] | None:
        match message:
            case FramesRead() | TradesKept() | RecordsKept() | HistoryKept():
                self._take_events(message)
            case ReplyRead():
                self._take_reply(message)
            case InstrumentsKnown(instruments=instruments):
                self._watch(frozenset(one.asset for one in instruments))
                self._list(instruments)
            case SocketMarked():
                self._mark(message)
            case VenuePlanned(connections=connections, others=others):
                planned = SocketsPlanned(venue=self._venue, connections=connections, others=others)
                self.send(paths.VENUES, planned, redeliver=True, retain=True)
            case VenuesAble():
                self._take_able(message)
            case AskTally():
                return self._tally.copy()
            case _:
                super().handle(message)
        return None

    def _take_able(self, able: VenuesAble) -> None:
        self._able = able
        for publisher in self._publishers():
            publisher.venues = able

    def _take_events(self, entry: FramesRead | TradesKept | RecordsKept | HistoryKept) -> None:
        match entry:
            case FramesRead():
                self._take_frames(entry)
            case TradesKept():
                self._take_trades(entry)
            case RecordsKept(records=records):
                self._publish(self._direct, list(records))
            case HistoryKept(asset=asset, bars=bars, points=points):
                self._take_history(asset, bars or points)

    # -- frames -------------------------------------------------------------------------------------------------------

    def _take_frames(self, read: FramesRead) -> None:
        line = self._lines.get(read.connection)
        if line is None:
            self._problem(f"frames of {read.connection}, whose subscription is not recorded")
            return
        intake = self._intake(line, read.reader)
        if intake.read_by != (settled := dict(read.settled)):
            intake.take_settled(settled)
            intake.renew()
        if line.mark.brings_liquidations:
            self._take_settled(read)
        records: list[Decoded] = []
        for frame in read.frames:
            if not intake.brings_trades_alone:
                self._tally["frames"] += 1
                records += intake.records(frame, read.at_ms)
                continue
            lines = max(1, frame.count(b"\n"))
            self._tally["frames"] += lines
            trades = intake.trades(frame, lines, read.at_ms)
            if trades.columns:
                self._tally["trade"] += line.publisher.publish_trades(trades.columns, read.at_ms).trades
            records += intake.rest(trades)
        if records:
            self._publish(line.publisher, records)

    def _take_settled(self, read: FramesRead) -> None:
        """Tell the monitor what the self-test had told it, and leave out the contracts that were left out."""
        told = ConflictsSettled(venue=self._venue, settled=read.settled, excluded=frozenset(read.excluded))
        if told == self._settled:
            return
        self._settled = told
        self.send(paths.VENUES, told, redeliver=True, retain=True)
        for publisher in self._publishers():
            publisher.excluded = told.excluded
        self._ask_by_list()

    def _intake(self, line: _Line, reader: int) -> FrameIntake:
        if reader not in line.intakes:
            line.intakes[reader] = FrameIntake(
                exchange=self._exchange,
                feeds=line.mark.feeds,
                instruments=self._instruments,
                on_control=_ignore,
                on_problem=lambda _count, text: self._problem(f"{line.mark.connection}: {text}"),
            )
        return line.intakes[reader]

    def _publish(self, publisher: Publisher, records: list[Decoded]) -> None:
        for record in records:
            self._tally[str(type(record).__struct_config__.tag)] += 1
        publisher.publish(records)
        if trades := trades_of(records):
            publisher.publish_trades(trades, self.now_ms)

    def _problem(self, text: str) -> None:
        """Count what could not be used. Told at the 1st, 2nd, 4th, 8th ..."""
        self._tally["malformed"] += 1
        count = self._tally["malformed"]
        if count & (count - 1) == 0:
            self.log.warning("frame_malformed", n=count, reason=text[:300])

    def _take_trades(self, kept: TradesKept) -> None:
        columns = {kept.instrument: (kept.times_ms, kept.prices, kept.coins)}
        self._tally["trade"] += self._direct.publish_trades(columns, kept.at_ms).trades

    def _take_history(self, asset: str, span: BarSpan | OpenInterestSpan | None) -> None:
        if span is not None:
            self._tally["history_span"] += 1
            self.send(paths.symbol_path(asset), HistorySeen(asset=asset, span=span))

    # -- answers ------------------------------------------------------------------------------------------------------

    def _take_reply(self, reply: ReplyRead) -> None:
        match reply.purpose:
            case "instruments":
                self._read_instruments(reply)
            case "open_interest":
                self._read_open_interest(reply)

    def _read_instruments(self, reply: ReplyRead) -> None:
        if reply.call == self._exchange.instruments_call():
            self._gathered = {}
        try:
            page = self._exchange.read_instruments(reply.body, reply.call)
        except FrameError as error:
            self._problem(str(error))
            return
        self._gathered.update((one.instrument, one) for one in page.instruments)
        if page.following is None:
            self._list(self._gathered[name] for name in sorted(self._gathered))

    def _list(self, instruments: Iterable[Instrument]) -> None:
        known = {one.instrument: one for one in instruments}
        if known == self._instruments:
            return
        self._instruments = known
        self._ask_by_list()
        for publisher in self._publishers():
            publisher.take_instruments(known.values())
        for line in self._lines.values():
            for intake in line.intakes.values():
                intake.take_instruments(known)
                intake.renew()

    def _watch(self, assets: frozenset[str]) -> None:
        """What somebody took the trouble to convert is watched, whatever the settings name."""
        self._assets |= assets
        self._direct = Publisher(self, self._venue, self._assets, self._instruments.values(), FeedTally())
        self._direct.venues, self._direct.excluded = self._able, self._settled.excluded

    def _ask_by_list(self) -> None:
        data = market_data(self._venue, dict(self._settled.settled))
        self._queries = {query.call: query for query in data.open_interest(self._instruments)}

    def _read_open_interest(self, reply: ReplyRead) -> None:
        query = self._queries.get(reply.call)
        if query is None:
            self._tally["answers_unused"] += 1  # of a contract that the list does not hold any more
            return
        try:
            reading = query.read(reply.body, reply.at_ms)
        except FrameError as error:
            self._problem(str(error))
            return
        if reading.following is not None:
            self._queries[reading.following.call] = reading.following
        self._publish(self._direct, [row for row in reading.rows if self._has_moved(row)])

    def _has_moved(self, row: OpenInterest) -> bool:
        """Whether it is a new observation; the poller tells no others."""
        if row.exchange_ms <= self._newest_ms.get(row.instrument, 0):
            return False
        self._newest_ms[row.instrument] = row.exchange_ms
        return True

    # -- connections --------------------------------------------------------------------------------------------------

    def _mark(self, mark: SocketMarked) -> None:
        line = self._lines.get(mark.connection)
        if line is not None and mark.again and mark.state == line.mark.state:
            return  # said before, in the file before this one
        if line is None or (line.mark.feeds, line.mark.assets) != (mark.feeds, mark.assets):
            assets = self._assets | frozenset(mark.assets)
            publisher = Publisher(self, self._venue, assets, self._instruments.values(), FeedTally())
            publisher.venues, publisher.excluded = self._able, self._settled.excluded
            line = self._lines[mark.connection] = _Line(mark, publisher)
        line.mark = mark
        line.publisher.repeats_until_s = self.system.clock.monotonic() + mark.repeats_s
        changed = ConnectionChanged(
            venue=self._venue,
            connection=mark.connection,
            state=mark.state,
            brings_liquidations=mark.brings_liquidations,
            reason=mark.reason,
        )
        self.send(paths.VENUES, changed, redeliver=True, retain=True)

    def _publishers(self) -> Iterable[Publisher]:
        return (self._direct, *(line.publisher for line in self._lines.values()))


def _ignore(control: Control) -> None:
    """Leave it: what it meant to the connection is recorded as that connection's state."""
