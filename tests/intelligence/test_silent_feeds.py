"""Which feeds are silent, one second after the other."""

import pytest

from intelligence.feed_health import FeedKind, HealthRules
from intelligence.silent_feeds import SilentFeeds, Source, Subscription

T0 = 1_739_502_302_000
TRADES, LIQUIDATIONS = FeedKind.TRADES, FeedKind.LIQUIDATIONS
REPORTING = frozenset({"binance", "bybit", "okx"})


class Venues:
    """Connections that bring what a test says, and a judge every second."""

    def __init__(self, rules=None):
        self.feeds = SilentFeeds(rules or HealthRules())
        self.feeds.reporting = REPORTING
        self.now_ms, self.now_s = T0, 1_000.0
        self.counts = {}
        self.found = ()

    def up(self, venue, kind=TRADES, assets=("BTC", "ETH"), part="1", listed=("BTCUSDT", "ETHUSDT", "BTCPERP")):
        subscription = Subscription(
            venue=venue,
            connection=f"{venue}-{part}",
            kinds=frozenset({kind}),
            assets=frozenset(assets),
            instruments=frozenset(listed),
            since_ms=self.now_ms,
        )
        self.feeds.come_up(subscription, self.now_s)

    def bring(self, venue, *instruments, kind=TRADES, part="1"):
        for instrument in ("", *instruments):
            source = Source(venue, f"{venue}-{part}", kind, instrument[:3], instrument)
            self.counts[source] = self.counts.get(source, 0) + 1
            self.feeds.hear(source, self.counts[source], self.now_ms, self.now_s)

    def second(self, **what):
        """Pass one in which these venues bring these instruments (a text with blanks)."""
        self.now_ms, self.now_s = self.now_ms + 1000, self.now_s + 1
        for venue, instruments in what.items():
            self.bring(venue, *instruments.split())
        self.found = self.feeds.judge(self.now_ms, self.now_s)
        return self.silent()

    def silent(self):
        return {tuple(part for part in silent.source if part) for silent in self.found}

    def until_silent(self, most=1000, **what):
        return next((second for second in range(1, most) if self.second(**what)), None)


@pytest.fixture
def venues():
    one = Venues()
    for venue in ("binance", "bybit", "okx"):
        one.up(venue)
    return one


ALL = {"binance": "BTCUSDT ETHUSDT", "bybit": "BTCUSDT ETHUSDT", "okx": "BTCUSDT ETHUSDT"}


def test_a_trade_subscription_that_falls_silent_is_found_within_15_seconds(venues):
    assert venues.until_silent(600, **ALL) is None

    assert venues.until_silent(**ALL | {"bybit": "BTCUSDT"}) <= 15

    assert venues.silent() == {("bybit", "bybit-1", "trades", "ETH", "ETHUSDT")}


def test_a_whole_socket_that_falls_silent_is_found_within_15_seconds_and_so_are_its_instruments(venues):
    assert venues.until_silent(600, **ALL) is None
    del (others := dict(ALL))["bybit"]

    assert venues.until_silent(**others) <= 15

    assert ("bybit", "bybit-1", "trades") in venues.silent()


def test_a_trade_subscription_that_was_accepted_and_never_brought_anything_is_found_within_15_seconds(venues):
    assert venues.until_silent(binance="BTCUSDT ETHUSDT", bybit="ETHUSDT", okx="BTCUSDT ETHUSDT") <= 15

    assert venues.silent() == {("bybit", "trades", "BTC")}


def test_a_socket_that_never_brought_anything_is_found_within_15_seconds_even_with_nobody_to_compare_with():
    venues = Venues()
    venues.up("bybit")

    assert venues.until_silent() <= 15
    assert venues.silent() == {("bybit", "trades")}


def test_a_market_that_is_quiet_everywhere_is_no_dead_feed(venues):
    assert venues.until_silent(600, **ALL) is None

    assert venues.until_silent(120) is None


def test_it_is_silent_until_it_is_heard(venues):
    venues.until_silent(600, **ALL)
    venues.until_silent(**ALL | {"bybit": "BTCUSDT"})
    venues.up("bybit")

    assert venues.second(**ALL | {"bybit": "BTCUSDT"}) == {("bybit", "bybit-1", "trades", "ETH", "ETHUSDT")}
    assert venues.second(**ALL) == set()


def test_a_connection_that_is_down_is_not_judged_and_begins_anew_when_it_is_up(venues):
    venues.until_silent(600, **ALL)
    venues.feeds.go_down("bybit-1")
    del (others := dict(ALL))["bybit"]

    assert venues.until_silent(60, **others) is None
    venues.up("bybit")
    assert venues.until_silent(9, **others) is None
    assert venues.until_silent(15, **others) is not None


def test_a_standstill_of_the_machine_is_no_silence(venues):
    venues.until_silent(600, **ALL)
    venues.now_ms += 30_000
    venues.bring("okx", "BTCUSDT")

    assert venues.feeds.judge(venues.now_ms, venues.now_s) == ()


def liquidations(venues, seconds, bringing, every=10):
    """BTC liquidations of these venues, `every` so many seconds: after how many something was found."""
    for second in range(1, seconds + 1):
        if second % every == 0:
            for venue in bringing:
                venues.bring(venue, "BTCUSDT", kind=LIQUIDATIONS)
        if venues.second():
            return second
    return None


def test_btc_liquidations_that_stay_away_are_found_within_3_minutes():
    venues = Venues()
    for venue in REPORTING:
        venues.up(venue, LIQUIDATIONS)
    assert liquidations(venues, 3600, REPORTING) is None

    assert liquidations(venues, 600, REPORTING - {"binance"}) <= 180
    assert ("binance", "binance-1", "liquidations", "BTC", "BTCUSDT") in venues.silent()


def test_btc_liquidations_that_never_came_are_found_within_3_minutes():
    venues = Venues()
    for venue in REPORTING:
        venues.up(venue, LIQUIDATIONS)

    assert liquidations(venues, 600, REPORTING - {"binance"}) <= 180
    assert ("binance", "liquidations", "BTC") in venues.silent()


def test_a_calm_hour_of_liquidations_is_no_alarm():
    venues = Venues()
    for venue in REPORTING:
        venues.up(venue, LIQUIDATIONS)
    assert liquidations(venues, 3600, REPORTING) is None

    assert liquidations(venues, 3600, ()) is None


def test_liquidations_of_a_venue_that_cannot_report_are_not_judged():
    venues = Venues()
    for venue in (*REPORTING, "gate"):
        venues.up(venue, LIQUIDATIONS)

    assert liquidations(venues, 3600, REPORTING) is None


def test_contracts_that_are_gone_and_assets_that_nobody_watches_are_forgotten(venues):
    venues.until_silent(600, **ALL)
    venues.up("bybit", assets=("BTC",), listed=("BTCUSDT", "ETHUSDT"))
    venues.up("okx", assets=("BTC",), listed=("BTCUSDT",))
    less = {"binance": "BTCUSDT ETHUSDT", "bybit": "BTCUSDT", "okx": "BTCUSDT"}

    assert venues.until_silent(60, **less) is None


def test_a_connection_that_began_anew_counts_on(venues):
    venues.until_silent(600, **ALL)
    venues.counts.clear()

    assert venues.until_silent(100, **ALL) is None
    assert venues.until_silent(**ALL | {"bybit": "BTCUSDT"}) <= 15
