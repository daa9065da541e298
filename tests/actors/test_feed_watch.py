"""The feed watch: from what connections report to what the monitor, the connections and the symbol streams hear."""

import pytest

from actors import paths
from actors.clock import ManualClock
from actors.exchanges.exchange import Feed, Instrument
from actors.feed_reporter import FeedReporter
from actors.feed_watch import FeedWatch
from actors.messages.feeds import FeedFoundSilent, FeedJudged, VenuesAble
from actors.messages.market import FeedsHealth
from intelligence.feed_health import FeedKind, Health, HealthRules
from tests.telegram_stand.stage import Stage as Theatre

T0 = 1_739_502_302_000
VENUES = ("binance", "bybit", "okx")
TRADES, LIQUIDATIONS = FeedKind.TRADES, FeedKind.LIQUIDATIONS


class Desk:
    """A connection of trades and liquidations at each of three venues, and time that passes by the second."""

    def __init__(self):
        self.stage = Theatre(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.monitor = self.stage.record(paths.VENUES)
        self.connections = {venue: self.stage.record(f"{paths.FEEDS}/{venue}-1") for venue in VENUES}
        self.stream = self.stage.record(paths.symbol_path("BTC"))
        self.stage.start(paths.FEED_WATCH, FeedWatch, rules=HealthRules())
        self.stage.tell(paths.FEED_WATCH, VenuesAble(able=(), configured=VENUES))
        self.reporters = {venue: self.reporter(venue) for venue in VENUES}
        self.readers = dict.fromkeys(VENUES, 1)
        self.ahead_ms = dict.fromkeys(VENUES, 0)

    def reporter(self, venue):
        return FeedReporter(
            venue=venue,
            connection=f"{venue}-1",
            feeds=frozenset({Feed.TRADES, Feed.LIQUIDATIONS}),
            assets=frozenset({"BTC"}),
            instruments=(Instrument(venue=venue, instrument="BTCUSDT", asset="BTC"),),
            jump_ms=2_000,
        )

    def seconds(self, count, *, trades=VENUES, liquidations=VENUES):
        for second in range(count):
            self.clock.advance(1.0)
            now_ms = self.clock.now_ms()
            for venue, reporter in self.reporters.items():
                if venue in trades:
                    reporter.tally.note(TRADES, ("BTCUSDT",), now_ms, now_ms + self.ahead_ms[venue])
                if venue in liquidations and second % 10 == 0:
                    reporter.tally.note(LIQUIDATIONS, ("BTCUSDT",), now_ms, now_ms)
                self.stage.ask(paths.FEED_WATCH, reporter.report(self.readers[venue], now_ms))
        for path in (paths.VENUES, paths.symbol_path("BTC"), *(f"{paths.FEEDS}/{venue}-1" for venue in VENUES)):
            self.stage.quiet(path)
        return self

    def verdict(self, venue):
        return [one for one in self.monitor if isinstance(one, FeedJudged) and one.venue == venue][-1]

    def health(self, venue, kind=TRADES):
        return [one for one in self.stream if isinstance(one, FeedsHealth)][-1].feeds[venue, kind]

    def asked(self, venue):
        return [one.reason for one in self.connections[venue] if isinstance(one, FeedFoundSilent)]

    def note(self):
        return self.stage.system.place(paths.FEED_WATCH).vitals.note


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.stage.close()


def but(venue):
    return [one for one in VENUES if one != venue]


def test_while_everything_comes_all_is_healthy(desk):
    desk.seconds(120)

    assert {desk.verdict(venue).health.state for venue in VENUES} == {Health.HEALTHY}
    assert desk.health("okx").state is Health.HEALTHY
    assert desk.note() == "3 of 3 connections bring what they should"


def test_silent_trades_are_stale_within_15_seconds_and_the_connection_is_to_subscribe_anew(desk):
    desk.seconds(120).seconds(15, trades=but("bybit"))

    assert (desk.verdict("bybit").health.state, desk.verdict("bybit").mute) == (Health.STALE, (TRADES,))
    assert desk.health("bybit").state is Health.STALE
    assert desk.health("okx").state is Health.HEALTHY
    assert desk.asked("bybit")[0].startswith("no trade since")
    assert desk.asked("okx") == []
    assert "bybit-1 stale: no trade since" in desk.note()


def test_silent_liquidations_are_stale_within_3_minutes(desk):
    desk.seconds(600).seconds(180, liquidations=but("binance"))

    assert desk.verdict("binance").mute == (LIQUIDATIONS,)
    assert desk.health("binance", LIQUIDATIONS).state is Health.STALE
    assert desk.health("binance", TRADES).state is Health.HEALTHY


def test_it_stays_stale_over_the_next_socket_until_it_is_heard_and_the_waits_between_sockets_grow(desk):
    desk.seconds(120).seconds(15, trades=but("bybit"))
    desk.readers["bybit"] = 2
    desk.seconds(200, trades=but("bybit"))

    assert desk.verdict("bybit").health.state is Health.STALE
    assert len(desk.asked("bybit")) == 3
    desk.seconds(2)
    assert desk.verdict("bybit").health.state is Health.HEALTHY


def test_a_market_that_is_quiet_everywhere_is_no_alarm(desk):
    desk.seconds(120).seconds(60, trades=(), liquidations=())

    assert {desk.verdict(venue).health.state for venue in VENUES} == {Health.HEALTHY}


def test_a_venue_whose_clock_jumps_is_degraded_and_so_are_its_figures(desk):
    desk.seconds(120)
    desk.ahead_ms["okx"] = 3_000
    desk.seconds(30)

    assert desk.verdict("okx").health == desk.health("okx")
    assert (desk.health("okx").state, desk.health("okx").why) == (Health.DEGRADED, "times of trades jumped")
    assert desk.health("okx", LIQUIDATIONS).state is Health.HEALTHY


def test_a_connection_without_a_socket_is_down_and_one_that_reports_no_more_too(desk):
    desk.seconds(60)
    desk.readers["okx"] = None
    del desk.reporters["bybit"]
    desk.seconds(10)

    assert desk.health("okx").state is Health.DOWN
    assert desk.health("bybit").state is Health.DOWN


def test_a_successor_says_how_things_are_though_it_knows_no_past(desk):
    desk.seconds(120).seconds(15, trades=but("bybit"))

    desk.stage.crash(paths.FEED_WATCH)
    desk.seconds(3)

    assert desk.verdict("bybit").health.state is Health.HEALTHY
    assert desk.verdict("okx").health.state is Health.HEALTHY


def test_a_market_that_stops_everywhere_within_three_seconds_is_no_alarm(desk):
    desk.seconds(300)
    desk.seconds(3, trades=but("bybit"))

    assert desk.seconds(60, trades=()).asked("bybit") == []
