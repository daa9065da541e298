"""Finds subscriptions that were accepted and stay silent, and clocks that jump; tells what every feed is worth."""

from dataclasses import dataclass
from typing import Any

from actors import paths
from actors.mailbox import Lane
from actors.messages.feeds import FeedFoundSilent, FeedHeard, FeedJudged, VenuesAble, WatchVenues
from actors.messages.market import FeedsHealth
from actors.supervised import Supervised
from intelligence import feed_verdicts
from intelligence.feed_health import Health, HealthRules
from intelligence.feed_verdicts import Transport, concerns, is_mute, words
from intelligence.resubscribing import reason_to_subscribe_anew
from intelligence.silent_feeds import Silent, SilentFeeds, Source, Subscription

JUDGE_S = 1.0
REPORT_LATE_S = 5.0  # a connection reports every second; later than that it counts as not up
FORGET_S = 600.0
REPEAT_S = 60.0  # a verdict is told again so often, so that whoever missed it learns it
REPEAT_HEALTH_S = 10.0
RETRY_S = 60.0  # between two connects for the same silence; doubled each time, up to
RETRY_CAP_S = 3600.0


@dataclass(slots=True)
class _Connection:
    """`tries`, `next_try_s`: how often it was asked to subscribe anew since it was last sound, and when it may be again."""

    transport: Transport
    reported_s: float
    subscription: Subscription | None = None
    judged: FeedJudged | None = None
    tries: int = 0
    next_try_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Judge:
    pass


@dataclass(frozen=True, slots=True)
class _Repeat:
    pass


@dataclass(frozen=True, slots=True)
class _RepeatHealth:
    pass


class FeedWatch(Supervised):
    """Compares what every connection hears with its own past and with the other venues, once a second.

    An enhancement: without it connections are judged by their transport alone. A successor knows nothing of the past,
    tells so, and learns the usual rates anew. Liquidations are judged of the venues that the monitor counts on for them.
    """

    def init(self, *, rules: HealthRules) -> None:
        self._rules = rules
        self._feeds = SilentFeeds(rules)
        self._connections: dict[str, _Connection] = {}
        self._silent: tuple[Silent, ...] = ()
        self._logged: set[Source] = set()
        self._told: dict[str, FeedsHealth] = {}
        self._watch_venues()
        self.timer.every("judge", JUDGE_S, _Judge())
        self.timer.every("repeat", REPEAT_S, _Repeat())
        self.timer.every("repeat_health", REPEAT_HEALTH_S, _RepeatHealth())

    def handle(self, message: Any) -> None:
        match message:
            case FeedHeard():
                self._hear(message)
            case _Judge():
                self._judge()
            case VenuesAble(configured=configured):
                self._feeds.reporting = frozenset(configured)
            case _Repeat():
                self._watch_venues()
                for known in self._connections.values():
                    known.judged = None
            case _RepeatHealth():
                self._told.clear()
            case _:
                super().handle(message)

    def _watch_venues(self) -> None:
        self.send(paths.VENUES, WatchVenues(path=self.path), redeliver=True, retain=True)

    def _hear(self, report: FeedHeard) -> None:
        now_s = self.system.clock.monotonic()
        transport = Transport(
            venue=report.venue,
            connection=report.connection,
            kinds=report.kinds,
            up=report.subscription is not None,
            clocks=report.clocks,
        )
        known = self._connections.get(report.connection)
        if known is None:
            known = self._connections[report.connection] = _Connection(transport, now_s)
        known.transport, known.reported_s = transport, now_s
        for kind, instrument, asset, periods, last_ms in report.heard:
            self._feeds.hear(Source(report.venue, report.connection, kind, asset, instrument), periods, last_ms, now_s)
        if report.subscription is None:
            self._feeds.go_down(report.connection)
        elif report.subscription != known.subscription:
            self._feeds.come_up(report.subscription, now_s)
        known.subscription = report.subscription

    def _judge(self) -> None:
        now_s = self.system.clock.monotonic()
        self._miss_reports(now_s)
        self._silent = self._feeds.judge(self.now_ms, now_s)
        self._log_changes()
        for known in self._connections.values():
            if known.transport.up:
                self._tell_verdict(known)
                self._subscribe_anew(known, now_s)
        self._tell_streams()
        self._write_note()

    def _miss_reports(self, now_s: float) -> None:
        for name, known in tuple(self._connections.items()):
            if now_s - known.reported_s > FORGET_S:
                self._feeds.forget(name)
                del self._connections[name]
            elif now_s - known.reported_s > REPORT_LATE_S and known.subscription is not None:
                self._feeds.go_down(name)
                known.subscription = None
                known.transport = Transport(
                    venue=known.transport.venue, connection=name, kinds=known.transport.kinds, up=False
                )

    def _log_changes(self) -> None:
        """Log what became silent and what was heard again; of a connection that is silent as a whole not every instrument."""
        whole = {one.source for one in self._silent if not one.source.asset}
        named = {
            one.source: one
            for one in self._silent
            if one.source in whole or one.source._replace(asset="", instrument="") not in whole
        }
        for source in named.keys() - self._logged:
            level = self.log.warning if is_mute(named[source]) else self.log.info
            level("feed_silent", **_named(source), reason=words(named[source]), chance=named[source].chance)
        silent = {one.source for one in self._silent}
        for source in self._logged - silent:
            self.log.info("feed_heard_again", **_named(source))
        self._logged = (self._logged & silent) | named.keys()

    def _tell_verdict(self, known: _Connection) -> None:
        transport = known.transport
        health, mute = feed_verdicts.of_connection(transport, self._silent)
        judged = FeedJudged(venue=transport.venue, connection=transport.connection, health=health, mute=mute)
        if judged != known.judged:
            known.judged = judged
            self.send(paths.VENUES, judged, redeliver=True, retain=True)

    def _subscribe_anew(self, known: _Connection, now_s: float) -> None:
        """Ask for another socket where the silence is worth one."""
        found = [one for one in self._silent if concerns(one, known.transport)]
        reason = reason_to_subscribe_anew(found, self._rules)
        if not found:
            known.tries, known.next_try_s = 0, 0.0
        if reason is not None and now_s >= known.next_try_s:
            known.next_try_s = now_s + min(RETRY_CAP_S, RETRY_S * 2.0**known.tries)
            known.tries += 1
            path = f"{paths.FEEDS}/{known.transport.connection}"
            if self.system.find(path) is not None:
                self.send(path, FeedFoundSilent(reason=words(reason)))

    def _tell_streams(self) -> None:
        """Tell each asset's stream what changed."""
        transports = [known.transport for known in self._connections.values()]
        subscribed = [known.subscription for known in self._connections.values() if known.subscription is not None]
        assets = {asset for one in subscribed for asset in one.assets} | self._told.keys()
        usual = feed_verdicts.of_feeds(transports, [one for one in self._silent if not one.source.asset], "")
        special = {one.source.asset for one in self._silent}
        for asset in assets:
            path = paths.symbol_path(asset)
            feeds = feed_verdicts.of_feeds(transports, self._silent, asset) if asset in special else usual
            health = FeedsHealth(asset=asset, feeds=feeds)
            if health != self._told.get(asset) and self.system.find(path) is not None:
                self._told[asset] = health
                self.send(path, health, lane=Lane.DATA, merge="feeds_health")

    def _write_note(self) -> None:
        """How many connections are well; the others by name."""
        up = [known for known in self._connections.values() if known.transport.up and known.judged is not None]
        verdicts = [known.judged for known in up if known.judged is not None]
        well = sum(one.health.state is Health.HEALTHY for one in verdicts)
        others = "".join(
            f", {one.connection} {one.health.state}: {one.health.why}"
            for one in sorted(verdicts, key=lambda one: (one.health.state is not Health.STALE, one.connection))
            if one.health.state is not Health.HEALTHY
        )
        self.note(f"{well} of {len(verdicts)} connections bring what they should{others}"[:300])


def _named(source: Source) -> dict[str, str]:
    return {
        "venue": source.venue,
        "connection": source.connection,
        "kind": str(source.kind),
        "instrument": source.instrument or source.asset,
    }
