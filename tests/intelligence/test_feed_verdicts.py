"""From what is silent to how feeds are, in words."""

from intelligence.clock_offset import ClockSeen
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.feed_verdicts import Transport, of_connection, of_feeds, words
from intelligence.silent_feeds import Silent, Source

T0 = 1_739_502_302_000  # 03:05:02 UTC
TRADES, MARKS, LIQUIDATIONS = FeedKind.TRADES, FeedKind.MARK_PRICES, FeedKind.LIQUIDATIONS
JUMP = ClockSeen(TRADES, 40, 5_000, jumped=True)


def bybit(part="1", kinds=(TRADES,), *, up=True, clocks=()):
    return Transport(venue="bybit", connection=f"bybit-{part}", kinds=frozenset(kinds), up=up, clocks=clocks)


def silent(kind=TRADES, asset="", instrument="", connection="bybit-1"):
    return Silent(Source("bybit", connection, kind, asset, instrument), T0, 1e-5)


def test_words_say_what_stays_away_and_since_when():
    assert words(silent()) == "no trade since 03:05:02 UTC"
    assert words(silent(asset="ETH", instrument="ETHUSDT")) == "no trade of ETHUSDT since 03:05:02 UTC"
    assert words(silent(LIQUIDATIONS, "BTC", connection="")) == "no liquidation of BTC came since 03:05:02 UTC"


def test_a_connection_of_which_a_whole_kind_stays_away_is_stale_and_says_which():
    health, mute = of_connection(bybit(), [silent()])

    assert (health.state, mute) == (Health.STALE, (TRADES,))


def test_missing_liquidations_of_btc_stand_for_all():
    feed = bybit(kinds=(LIQUIDATIONS, MARKS))

    assert of_connection(feed, [silent(LIQUIDATIONS, "BTC", "BTCUSDT")])[1] == (LIQUIDATIONS,)


def test_a_silent_instrument_or_a_clock_that_jumped_degrades():
    assert of_connection(bybit(), [silent(asset="ETH", instrument="ETHUSDT")]) == (
        FeedHealth(Health.DEGRADED, "no trade of ETHUSDT since 03:05:02 UTC"),
        (),
    )
    assert of_connection(bybit(clocks=(JUMP,)), []) == (FeedHealth(Health.DEGRADED, "times of trades jumped"), ())


def test_many_silent_instruments_are_counted():
    found = [silent(asset=asset, instrument=asset) for asset in ("A", "B", "C", "D", "E")]

    assert of_connection(bybit(), found)[0].why.endswith("; 2 more silent")


def test_other_connections_and_venues_are_not_blamed():
    assert of_connection(bybit("2"), [silent()]) == (FeedHealth(Health.HEALTHY), ())
    assert of_connection(bybit("2"), [silent(connection="")])[0].state is Health.STALE


def states(*connections, found=(), asset="BTC"):
    return {f"{venue} {kind}": one.state for (venue, kind), one in of_feeds(connections, found, asset).items()}


def test_the_feeds_of_an_asset_by_venue_and_kind():
    marks = bybit("marks", (MARKS,))

    assert states(bybit(), marks) == {"bybit mark_prices": Health.HEALTHY, "bybit trades": Health.HEALTHY}
    assert states(bybit(up=False), marks)["bybit trades"] is Health.DOWN
    assert states(bybit(), bybit("2", up=False))["bybit trades"] is Health.DEGRADED
    assert states(bybit(clocks=(JUMP,)), marks) == {
        "bybit mark_prices": Health.HEALTHY,
        "bybit trades": Health.DEGRADED,
    }


def test_an_asset_that_is_silent_is_stale_and_the_others_are_not():
    found = [silent(asset="ETH", instrument="ETHUSDT")]

    assert states(bybit(), found=found, asset="ETH") == {"bybit trades": Health.STALE}
    assert states(bybit(), found=found, asset="BTC") == {"bybit trades": Health.HEALTHY}


def test_one_silent_socket_of_two_leaves_it_open_for_an_asset():
    assert states(bybit(), bybit("2"), found=[silent()]) == {"bybit trades": Health.DEGRADED}
    assert states(bybit(), found=[silent()]) == {"bybit trades": Health.STALE}
