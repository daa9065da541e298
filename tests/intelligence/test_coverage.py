"""What a capped feed may have left out: learned from a complete one, an interval, never less than was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.coverage import CapSurvival, Kept, Range, SurvivalRule, capped, estimated_pairs
from intelligence.market import Coverage
from tests.intelligence.builders import a_liquidation

DAY = 86_400_000


def a_window(at_ms, sizes, every_ms=100, **overrides):
    """Orders of one contract that follow each other quickly."""
    return [a_liquidation(at_ms + index * every_ms, usd, **overrides) for index, usd in enumerate(sizes)]


def learned(sizes=(10_000.0, 10_000.0, 10_000.0, 10_000.0), days=6, windows=10):
    """What a complete feed teaches that shows four equal orders within a second, again and again."""
    survival = CapSurvival()
    for day in range(days):
        for window in range(windows + 1):  # the last one stays open
            for one in a_window(day * DAY + window * 20_000, sizes):
                survival.observe(one)
    return survival


def test_the_largest_or_the_latest_of_a_second_is_what_a_capped_feed_shows():
    orders = a_window(0, [1.0, 5.0, 2.0]) + a_window(1_000, [7.0])

    assert [one.notional_usd for one in capped(orders, Kept.LARGEST)] == [5.0, 7.0]
    assert [one.notional_usd for one in capped(orders, Kept.LATEST)] == [2.0, 7.0]


def test_four_equal_orders_a_second_mean_four_times_what_is_seen():
    assert learned().factors(1) == (pytest.approx(4.0), pytest.approx(4.0))


def test_sizes_that_differ_give_an_interval_over_both_ways_to_cap():
    low, high = learned(sizes=(80_000.0, 10_000.0, 10_000.0)).factors(1)

    assert low == pytest.approx(1.25)  # the largest was kept
    assert high == pytest.approx(10.0)  # the latest was kept


def test_only_what_is_capped_is_corrected():
    seen = [
        a_liquidation(0, 50_000.0, venue="binance", coverage=Coverage.CAPPED),
        a_liquidation(0, 30_000.0, venue="bybit"),
    ]

    assert learned().estimate(seen) == Range(pytest.approx(230_000.0), pytest.approx(230_000.0))


def test_complete_feeds_alone_need_no_estimate():
    assert learned().estimate([a_liquidation(0, 30_000.0)]) is None


def test_a_bin_that_was_never_seen_gives_no_estimate():
    busy = [a_liquidation(second * 1_000, 1e4, venue="binance", coverage=Coverage.CAPPED) for second in range(9)]

    assert learned().estimate(busy) is None


def test_a_few_days_are_not_enough():
    assert learned(days=4, windows=50).factors(1) is None


def test_capped_feeds_teach_nothing():
    survival = CapSurvival(SurvivalRule(least_days=1, least_windows=1))
    for window in range(50):
        survival.observe(a_liquidation(window * 20_000, coverage=Coverage.CAPPED))

    assert survival.factors(1) is None


@given(st.lists(st.lists(st.floats(1.0, 1e7), min_size=1, max_size=12), min_size=6, max_size=6), st.integers(1, 10))
def test_an_estimate_is_never_below_what_was_seen(days, orders):
    survival = CapSurvival(SurvivalRule(least_windows=1))
    for day, sizes in enumerate(days):
        for one in a_window(day * DAY, sizes) + a_window(day * DAY + 60_000, [1.0]):
            survival.observe(one)
    seen = [a_liquidation(second * 1_000, 1e4, venue="binance", coverage=Coverage.CAPPED) for second in range(orders)]

    estimate = survival.estimate(seen)

    assert estimate is None or orders * 1e4 * (1 - 1e-9) <= estimate.low <= estimate.high


def test_the_alert_gets_a_pair_only_where_there_is_more_than_was_seen():
    assert estimated_pairs(100.0, None) == ()
    assert estimated_pairs(100.0, Range(100.0, 100.0)) == ()
    assert estimated_pairs(100.0, Range(90.0, 300.0)) == (("low_usd", 100.0), ("high_usd", 300.0))
