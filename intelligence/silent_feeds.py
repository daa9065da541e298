"""Which feeds are silent: every source against its own past and against the other venues (detection.md 13.4, 3.8)."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from intelligence.feed_health import FeedKind, HealthRules
from intelligence.feed_rate import FeedRate

SENTINEL = "BTC"  # whatever else does: while others bring its liquidations, they must come


class Source(NamedTuple):
    """Something that can be silent by itself: an instrument, or with `asset` empty everything of a kind on a connection.

    With `connection` empty: an asset, or all assets, of which no connection of the venue has brought anything yet.
    """

    venue: str
    connection: str
    kind: FeedKind
    asset: str = ""
    instrument: str = ""


class Silent(NamedTuple):
    """A source found silent, since when (market time), and how probable that was by chance.

    `usual_per_s`: how many periods with events it brings in a second while all is well, 0 of what was never heard.
    """

    source: Source
    since_ms: int
    chance: float
    usual_per_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a connection has subscribed to, since when (market time).

    `assets`: those it must bring prices or trades of, as far as they are listed; `instruments`: all that the venue lists.
    """

    venue: str
    connection: str
    kinds: frozenset[FeedKind]
    assets: frozenset[str]
    instruments: frozenset[str]
    since_ms: int


@dataclass(slots=True)
class _Known:
    rate: FeedRate
    heard_s: float  # machine time; or when it could first have been heard
    periods: int = 0  # as its connection counts them
    silent: Silent | None = None


@dataclass(slots=True)
class _Totals:
    """Periods with events so far, by venue."""

    by_venue: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def of_others(self, venue: str) -> int:
        return sum(self.by_venue.values()) - self.by_venue.get(venue, 0)

    def other_venues(self, venue: str) -> int:
        return len(self.by_venue.keys() - {venue})


class SilentFeeds:
    """The book of all sources. Times in market ms; `now_s` is machine time, in which a standstill of ours shows.

    `reporting`, set from outside: the venues whose liquidations are judged; those of others only tell what the market does.
    """

    def __init__(self, rules: HealthRules) -> None:
        self._rules = rules
        self.reporting: frozenset[str] = frozenset()
        self._known: dict[Source, _Known] = {}
        self._totals: dict[tuple[FeedKind, str], _Totals] = defaultdict(_Totals)
        self._up: dict[str, Subscription] = {}
        self._heard: set[tuple[str, FeedKind, str]] = set()

    def come_up(self, subscription: Subscription, now_s: float) -> None:
        """Take in that from now on what it asks for, and what the connection brought before, can be silent."""
        self._up[subscription.connection] = subscription
        self._drop(subscription)
        for kind in subscription.kinds:
            assets = {SENTINEL} if kind is FeedKind.LIQUIDATIONS else subscription.assets
            for asset in ("", *assets):
                if (subscription.venue, kind, asset) not in self._heard:
                    self._enter(Source(subscription.venue, "", kind, asset), subscription.since_ms, now_s)
        for source, known in self._known.items():
            if source.connection == subscription.connection:
                known.rate.resume(subscription.since_ms, self._others(source))
                known.heard_s = now_s

    def go_down(self, connection: str) -> None:
        """Until it comes up again its transport says all there is to say."""
        self._up.pop(connection, None)

    def forget(self, connection: str) -> None:
        """Take in that nobody wants it any more."""
        self._up.pop(connection, None)
        self._known = {source: known for source, known in self._known.items() if source.connection != connection}

    def hear(self, source: Source, periods: int, last_ms: int, now_s: float) -> None:
        """Take in how many periods with events its connection has counted, the last of them at `last_ms`."""
        if source.kind is FeedKind.LIQUIDATIONS and source.asset not in {"", SENTINEL}:
            return  # too rare and too clumped to conclude anything
        known = self._known.get(source) or self._enter(source, last_ms, now_s)
        more = periods - known.periods if periods >= known.periods else periods  # less: the connection began anew
        known.periods = periods
        if more <= 0:
            return
        self._totals[source.kind, source.asset].by_venue[source.venue] += more
        known.rate.hear(more, last_ms, self._others(source))
        known.heard_s, known.silent = now_s, None
        if (heard := (source.venue, source.kind, source.asset)) not in self._heard:
            self._heard.add(heard)
            self._known.pop(Source(source.venue, "", source.kind, source.asset), None)

    def judge(self, now_ms: int, now_s: float) -> tuple[Silent, ...]:
        """Every source that is silent now. Once found, it is so until it is heard."""
        subscribed = {(one.venue, kind) for one in self._up.values() for kind in one.kinds}
        for source, known in self._known.items():
            is_up = source.connection in self._up if source.connection else (source.venue, source.kind) in subscribed
            if is_up and now_s - known.heard_s >= self._rules.settle_s:
                self._judge(source, known, now_ms)
        return tuple(known.silent for known in self._known.values() if known.silent is not None)

    def _judge(self, source: Source, known: _Known, now_ms: int) -> None:
        if source.kind is FeedKind.LIQUIDATIONS and source.venue not in self.reporting:
            return
        silent_ms = known.rate.silent_ms(now_ms)
        if silent_ms < self._rules.silent_ms(source.kind):
            return
        chance = self._chance(source, known.rate, now_ms)
        if chance < self._rules.alarm_probability:
            since_ms = now_ms - silent_ms if known.silent is None else known.silent.since_ms
            known.silent = Silent(source, since_ms, chance, known.rate.usual_per_s)

    def _chance(self, source: Source, rate: FeedRate, now_ms: int) -> float:
        others = self._others(source)
        if rate.is_heard:
            return (
                rate.chance_by_others(others) if source.kind is FeedKind.LIQUIDATIONS else rate.chance(now_ms, others)
            )
        expected = 0.0
        if venues := self._totals[source.kind, source.asset].other_venues(source.venue):
            expected = rate.others_meanwhile(others) / venues
        elif source.kind is FeedKind.TRADES and not source.asset:  # nobody to compare with: held to one second in one
            expected = rate.silent_ms(now_ms) / 1000
        return math.exp(-self._rules.unheard_share * expected)

    def _others(self, source: Source) -> int:
        return self._totals[source.kind, source.asset].of_others(source.venue)

    def _enter(self, source: Source, at_ms: int, now_s: float) -> _Known:
        if (known := self._known.get(source)) is None:
            rate = FeedRate(self._rules.half_life_ms(source.kind), at_ms, self._others(source))
            known = self._known[source] = _Known(rate, now_s)
        return known

    def _drop(self, subscription: Subscription) -> None:
        """Forget what the connection cannot bring any more: contracts that are gone, assets that nobody watches."""
        gone = [
            source
            for source in self._known
            if source.connection == subscription.connection
            and source.instrument
            and (
                source.instrument not in subscription.instruments
                or (source.kind is not FeedKind.LIQUIDATIONS and source.asset not in subscription.assets)
            )
        ]
        for source in gone:
            del self._known[source]
            self._heard.discard((source.venue, source.kind, source.asset))
