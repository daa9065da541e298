"""Hands on what a socket brought: one letter an asset and read to the symbol streams, on the reader's thread."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from actors import paths
from actors.exchanges.exchange import Instrument, TradeColumns
from actors.feed_tally import FeedTally
from actors.mailbox import Lane
from actors.messages.feeds import AssetsWatched, VenuesAble
from actors.messages.market import LiquidationsSeen, MarksSeen, OpenInterestSeen, TradesSeen
from intelligence.feed_health import FeedKind
from intelligence.market import Decoded, Liquidation, MarkPrice, OpenInterest, TakerSide, Trade

if TYPE_CHECKING:
    from actors.supervised import Supervised

TRADE_LETTERS = 1_000  # that may wait for one asset; while more do, its trades are shed: nothing else ever is
LOOK_EVERY = 32  # letters of this socket to one asset; so the bound is kept to within that for each socket


class Given(NamedTuple):
    """How many trades were handed on, and how many shed because their stream is behind."""

    trades: int
    shed: int


class Publisher:
    """Speaks for its `owner`, a connection. The owner replaces `venues`, `watched`, `excluded` and `repeats_until_s` as a
    whole; nothing else is shared between its thread and those of its readers.

    `excluded`: contracts whose size is in doubt; of them only prices are handed on.

    `repeats_until_s`: machine time until which events may have come before, over an earlier socket or a second one.
    """

    def __init__(
        self,
        owner: "Supervised",
        venue: str,
        assets: frozenset[str],
        instruments: Iterable[Instrument],
        tally: FeedTally,
    ) -> None:
        self._owner = owner
        self._clock = owner.system.clock
        self._tally = tally
        self._venue = venue
        self.watched = AssetsWatched(assets=assets)
        self._unlooked: dict[str, int] = {}  # letters to a path that may go before the next look at its mailbox
        self._sheds = self._shed = 0  # reads of which trades were shed, and those trades
        self.take_instruments(instruments)
        self.venues = VenuesAble(able=(), configured=())
        self.excluded: frozenset[str] = frozenset()
        self.repeats_until_s = math.inf

    def take_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Hand on what these instruments bring, from the next read on."""
        self._ways = {one.instrument: (one.asset, paths.symbol_path(one.asset)) for one in instruments}

    def publish(self, records: list[Decoded]) -> int:
        """Send what one read brought; return how many liquidations it held. Raises Fenced when the owner is replaced."""
        if rejected := self.watched.rejected:
            records = [record for record in records if record.instrument not in rejected]
        if excluded := self.excluded:
            records = [one for one in records if isinstance(one, MarkPrice) or one.instrument not in excluded]
        liquidations, marks, interests = split(records)
        if liquidations:
            self._send_liquidations(liquidations)
        self._send_marks(marks.values())
        for record in interests.values():
            if self._is_watched(record.asset, path := paths.symbol_path(record.asset)):
                merge = ("open_interest", self._venue, record.instrument)
                self._owner.send(path, OpenInterestSeen(record=record), lane=Lane.DATA, merge=merge)
        return sum(map(len, liquidations.values()))

    def publish_trades(self, columns: dict[str, TradeColumns], received_ms: int) -> Given:
        """Send the trades of one read by instrument, one letter an asset. Raises Fenced when the owner is replaced."""
        given = shed = 0
        self._tally.note(FeedKind.TRADES, columns, received_ms, _newest_ms(columns))
        if excluded := self.excluded:
            columns = {name: trades for name, trades in columns.items() if name not in excluded}
        for asset, path, (times_ms, prices, coins) in self._by_asset(columns):
            if not self._is_watched(asset, path):
                continue
            if self._is_behind(path):
                shed += len(times_ms)
            else:
                seen = TradesSeen(
                    asset=asset,
                    venue=self._venue,
                    received_ms=received_ms,
                    times_ms=times_ms,
                    prices=prices,
                    coins=coins,
                )
                self._owner.send(path, seen, lane=Lane.DATA)
                given += len(times_ms)
        if shed:
            self._tell_shed(shed)
        return Given(given, shed)

    def _tell_shed(self, shed: int) -> None:
        self._sheds, self._shed = self._sheds + 1, self._shed + shed
        if self._sheds & (self._sheds - 1) == 0:
            self._owner.log.warning("trades_shed", n=self._sheds, shed=self._shed)

    def _send_marks(self, marks: Iterable[MarkPrice]) -> None:
        sent = []
        for mark in marks:
            if self._is_watched(mark.asset, path := paths.symbol_path(mark.asset)):
                merge = ("mark", self._venue, mark.instrument)
                self._owner.send(path, MarksSeen(mark=mark), lane=Lane.DATA, merge=merge)
                sent.append(mark.instrument)
        if sent:
            self._tally.note(FeedKind.MARK_PRICES, sent, mark.received_ms, mark.exchange_ms)

    def _is_behind(self, path: str) -> bool:
        """Whether a stream has more to do than may wait. Looking costs as much as sending, so not every time."""
        left = self._unlooked.get(path, 0)
        if left:
            self._unlooked[path] = left - 1
            return False
        place = self._owner.system.find(path)
        behind = place is not None and place.mailbox.depths().data >= TRADE_LETTERS
        self._unlooked[path] = 0 if behind else LOOK_EVERY - 1
        return behind

    def _by_asset(self, columns: Mapping[str, TradeColumns]) -> Iterable[tuple[str, str, TradeColumns]]:
        """Asset, path and columns; those of an asset's second instrument are appended to the first one's."""
        found: dict[str, tuple[str, str, TradeColumns]] = {}
        rejected = self.watched.rejected
        for instrument, more in columns.items():
            if (way := self._ways.get(instrument)) is None or instrument in rejected:
                continue
            asset, path = way
            if asset in found:
                times_ms, prices, coins = found[asset][2]
                times_ms.extend(more[0])
                prices.extend(more[1])
                coins.extend(more[2])
            else:
                found[asset] = (asset, path, more)
        return found.values()

    def _is_watched(self, asset: str, path: str) -> bool:
        """Data alone starts no stream: an all-market feed names assets that nobody watches."""
        return asset in self.watched.assets or self._owner.system.find(path) is not None

    def _send_liquidations(self, liquidations: Mapping[str, list[Liquidation]]) -> None:
        venues = self.venues
        counts = self._venue in venues.configured or not venues.configured
        able = tuple(sorted({*venues.able, self._venue})) if counts and self._venue not in venues.able else venues.able
        configured = venues.configured or able
        repeats = self._clock.monotonic() < self.repeats_until_s
        for events in liquidations.values():
            names, newest = {event.instrument for event in events}, events[-1]
            self._tally.note(FeedKind.LIQUIDATIONS, names, newest.received_ms, newest.exchange_ms)
        for asset, events in liquidations.items():
            seen = LiquidationsSeen(
                asset=asset, events=tuple(events), able=able, configured=configured, after_reconnect=repeats
            )
            self._owner.send(paths.symbol_path(asset), seen, redeliver=True, retain=True)


def split(
    records: list[Decoded],
) -> tuple[dict[str, list[Liquidation]], dict[str, MarkPrice], dict[str, OpenInterest]]:
    """The liquidations of each asset in wire order, and the newest mark price and open interest of each instrument."""
    liquidations: dict[str, list[Liquidation]] = {}
    marks: dict[str, MarkPrice] = {}
    interests: dict[str, OpenInterest] = {}
    for record in records:
        if isinstance(record, Liquidation):
            liquidations.setdefault(record.asset, []).append(record)
        elif isinstance(record, MarkPrice):
            marks[record.instrument] = record
        elif isinstance(record, OpenInterest):
            interests[record.instrument] = record
    return liquidations, marks, interests


def _newest_ms(columns: dict[str, TradeColumns]) -> int:
    """The last event time of the instrument that came last; there is one."""
    return columns[next(reversed(columns))][0][-1]


def trades_of(records: Iterable[Decoded]) -> dict[str, TradeColumns]:
    """Columns by instrument of the trades that came one by one, beside other records (Deribit)."""
    columns: dict[str, TradeColumns] = {}
    for record in records:
        if isinstance(record, Trade):
            times_ms, prices, coins = columns.setdefault(record.instrument, ([], [], []))
            times_ms.append(record.exchange_ms)
            prices.append(record.price)
            coins.append(record.quantity if record.taker_side is TakerSide.BUY else -record.quantity)
    return columns
