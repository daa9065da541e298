"""A real socket that accepts a subscription and stays silent: who finds it, and what becomes of it."""

import json

import pytest

from actors import paths, socket_reader
from actors.exchanges.exchange import Feed as Kind
from actors.exchanges.exchange import Instrument
from actors.feed_reporter import FeedReporter
from actors.feed_watch import FeedWatch
from actors.messages.feeds import FeedJudged, VenuesAble
from intelligence.feed_health import FeedKind, Health, HealthRules
from tests.feed_stand.feed import Feed, a_plan
from tests.feed_stand.venues import T0, bybit_liquidation

TRADES = a_plan(name="trades-1", brings_liquidations=False, feeds=frozenset({Kind.TRADES}))
LIQUIDATIONS = a_plan(feeds=frozenset({Kind.LIQUIDATIONS}))
VENUES = ("binance", "bybit", "okx")


@pytest.fixture
def feed(monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.005)
    one = Feed()
    one.stage.start(paths.FEED_WATCH, FeedWatch, rules=HealthRules())
    one.stage.tell(paths.FEED_WATCH, VenuesAble(able=(), configured=VENUES))
    yield one
    one.close()


def others(kind):
    """Two more venues, which bring BTC."""
    return [
        FeedReporter(
            venue=venue,
            connection=f"{venue}-1",
            feeds=frozenset({Kind(kind)}),
            assets=frozenset({"BTC"}),
            instruments=(Instrument(venue=venue, instrument="BTCUSDT", asset="BTC"),),
            jump_ms=2_000,
        )
        for venue in VENUES
        if venue != "bybit"
    ]


def found_after(feed, kind, verdict, every_s=1, most_s=600):
    """Let the others bring something `every_s`, and tell after how many seconds bybit was judged so."""
    elsewhere = others(kind)
    for second in range(1, most_s + 1):
        feed.clock.advance(1.0)
        now_ms = feed.clock.now_ms()
        feed.stage.quiet(feed.path)  # has handed in its report
        for one in elsewhere:
            if second % every_s == 0:
                one.tally.note(kind, ("BTCUSDT",), now_ms, now_ms)
            feed.stage.ask(paths.FEED_WATCH, one.report(1, now_ms))
        feed.stage.quiet(paths.VENUES)
        if (last := judged(feed)) is not None and last.health.state is verdict:
            return second
    return None


def judged(feed):
    told = [one for one in feed.venues if isinstance(one, FeedJudged) and one.venue == "bybit"]
    return told[-1] if told else None


def a_trade():
    row = {"T": T0, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "90000", "i": "1", "BT": False}
    return json.dumps({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": T0, "data": [row]})


def test_silent_trades_are_found_within_15_seconds_and_subscribed_anew(feed):
    feed.up(plan=TRADES)

    assert found_after(feed, FeedKind.TRADES, Health.STALE) <= 15
    assert judged(feed).mute == (FeedKind.TRADES,)
    assert "no trade came since" in feed.wait_state("down").reason
    feed.reconnect()
    feed.wait_state("up", 2)
    assert feed.stand.socket(2).texts() == feed.stand.socket(1).texts()


def test_the_next_socket_is_stale_until_it_brings_something(feed):
    feed.up(plan=TRADES)
    found_after(feed, FeedKind.TRADES, Health.STALE)
    feed.reconnect()
    feed.wait_state("up", 2)
    feed.clock.advance(2.0)
    feed.stage.quiet(paths.FEED_WATCH)
    feed.stage.quiet(paths.VENUES)
    assert judged(feed).health.state is Health.STALE

    feed.stand.socket(2).send(a_trade())
    feed.pass_until(lambda: judged(feed).health.state is Health.HEALTHY, "the verdict")


def test_silent_liquidations_of_btc_are_found_within_3_minutes(feed):
    feed.up(plan=LIQUIDATIONS)

    assert found_after(feed, FeedKind.LIQUIDATIONS, Health.STALE, every_s=10) <= 180
    assert judged(feed).mute == (FeedKind.LIQUIDATIONS,)
    feed.wait_state("down")


def test_a_liquidation_and_a_pause_are_no_alarm(feed):
    venue = feed.up(plan=LIQUIDATIONS)
    venue.send(bybit_liquidation(("BTCUSDT", 2, 90_000, 0)))
    feed.liquidations()

    assert found_after(feed, FeedKind.LIQUIDATIONS, Health.STALE, every_s=10, most_s=200) is None
