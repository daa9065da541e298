"""Writes a connection's reports for the feed watch."""

from collections.abc import Iterable

from actors.exchanges.exchange import Feed, Instrument
from actors.feed_tally import FeedTally
from actors.messages.feeds import FeedHeard
from intelligence.clock_offset import ClockSeen
from intelligence.feed_health import FeedKind
from intelligence.silent_feeds import Subscription


class FeedReporter:
    """For the actor's thread; readers have `tally`. A new socket, a new list or other assets are a new subscription."""

    def __init__(
        self,
        *,
        venue: str,
        connection: str,
        feeds: frozenset[Feed],
        assets: frozenset[str],
        instruments: Iterable[Instrument],
        jump_ms: float,
    ) -> None:
        self._venue, self._connection, self._watched = venue, connection, assets
        self._kinds = frozenset(kind for kind in FeedKind if Feed(kind) in feeds)
        self.tally = FeedTally(self._kinds, jump_ms)
        self._subscription: Subscription | None = None
        self._reader = 0
        self._clocks: tuple[ClockSeen, ...] = ()
        self.take_instruments(instruments)

    def take_instruments(self, instruments: Iterable[Instrument]) -> None:
        self._assets = {one.instrument: one.asset for one in instruments}
        self._subscription = None

    def take_assets(self, assets: frozenset[str]) -> None:
        if assets != self._watched:
            self._watched, self._subscription = assets, None

    def report(self, reader: int | None, now_ms: int) -> FeedHeard:
        """What came since the last report. `reader`: the number of the one that has subscribed, None without."""
        if reader is None:
            self._subscription = None
        elif self._subscription is None or reader != self._reader:
            self._reader, self._subscription = reader, self._subscribed(now_ms)
        self._clocks = self.tally.clocks()
        return FeedHeard(
            venue=self._venue,
            connection=self._connection,
            kinds=self._kinds,
            subscription=self._subscription,
            heard=self.tally.heard(self._assets),
            clocks=self._clocks,
            now_ms=now_ms,
        )

    def clock_words(self) -> str:
        """How late each feed is, and by how much more or less than usual."""
        seen = [one for one in self._clocks if one.offset_ms is not None]
        return ", ".join(f"{one.kind.one}s {one.offset_ms:+d} ms ({one.drift_ms:+d})" for one in seen)

    def _subscribed(self, now_ms: int) -> Subscription:
        return Subscription(
            venue=self._venue,
            connection=self._connection,
            kinds=self._kinds,
            assets=self._watched.intersection(self._assets.values()),
            instruments=frozenset(self._assets),
            since_ms=now_ms,
        )
