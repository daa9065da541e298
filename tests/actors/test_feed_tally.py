"""What a connection counts of its feeds."""

from actors.feed_tally import FeedTally, Heard
from intelligence.feed_health import FeedKind

T0 = 1_739_502_300_000
TRADES, LIQUIDATIONS = FeedKind.TRADES, FeedKind.LIQUIDATIONS
ASSETS = {"BTCUSDT": "BTC", "ETHUSDT": "ETH"}


def a_tally():
    return FeedTally((TRADES, LIQUIDATIONS), jump_ms=2_000)


def test_events_of_one_second_count_once_and_so_they_do_for_the_whole_whatever_the_instrument():
    tally = a_tally()
    for at in (0, 5, 999, 1000):
        tally.note(TRADES, ("BTCUSDT",), T0 + at, T0 + at)
    tally.note(TRADES, ("ETHUSDT",), T0 + 1500, T0 + 1500)

    assert set(tally.heard(ASSETS)) == {
        Heard(TRADES, "BTCUSDT", "BTC", 2, T0 + 1000),
        Heard(TRADES, "ETHUSDT", "ETH", 1, T0 + 1000),
        Heard(TRADES, "", "", 2, T0 + 1000),
    }


def test_liquidations_of_ten_seconds_count_once():
    tally = a_tally()
    for at in (0, 4_000, 9_000, 12_000):
        tally.note(LIQUIDATIONS, ("BTCUSDT",), T0 + at, T0 + at)

    assert {one.periods for one in tally.heard(ASSETS)} == {2}


def test_only_what_is_new_and_listed_is_told():
    tally = a_tally()
    tally.note(TRADES, ("BTCUSDT", "GONEUSDT"), T0, T0)
    first = tally.heard(ASSETS)
    tally.note(TRADES, ("BTCUSDT",), T0 + 500, T0 + 500)

    assert {one.instrument for one in first} == {"BTCUSDT", ""}
    assert tally.heard(ASSETS) == ()


def test_the_clock_of_each_kind_is_its_own():
    tally = a_tally()
    for second in range(30):
        tally.note(TRADES, ("BTCUSDT",), T0 + 1000 * second, T0 + 1000 * second - 40)

    trades, liquidations = tally.clocks()

    assert (trades.kind, trades.offset_ms) == (TRADES, 40)
    assert (liquidations.kind, liquidations.offset_ms) == (LIQUIDATIONS, None)
