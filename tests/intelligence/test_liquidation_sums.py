"""Rolling sums of liquidations against the plainest thing that could be right: a list of all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.liquidation_sums import DAY_MINUTES, FINE_S, SPANS_S, RollingLiquidations
from intelligence.market import Coverage, PositionSide
from tests.intelligence.builders import T0, a_liquidation


def over(rolling, span_s, now_ms):
    return next(sums for sums in rolling.sums(now_ms) if sums.seconds == span_s)


def fed(*events):
    rolling = RollingLiquidations()
    rolling.add(events)
    return rolling


@given(st.lists(st.integers(0, 172_800_000), max_size=60), st.sampled_from(SPANS_S))
def test_a_sum_is_that_of_the_last_seconds_or_minutes_in_whatever_order_within_the_day(times_ms, span_s):
    now_ms = T0 + max(times_ms, default=0)
    unit_ms = 1_000 if span_s <= FINE_S else 60_000
    from_ms = (now_ms // unit_ms + 1) * unit_ms - span_s * 1_000

    sums = over(fed(*(a_liquidation(at_ms, 10.0) for at_ms in times_ms)), span_s, now_ms)

    assert sums.usd(PositionSide.LONG) == 10.0 * sum(T0 + at_ms >= from_ms for at_ms in times_ms)


def test_venues_and_sides_stand_apart():
    short = {"position_side": PositionSide.SHORT}
    rolling = fed(a_liquidation(usd=5.0), a_liquidation(1, 7.0), a_liquidation(2, 3.0, venue="okx", **short))

    sums = over(rolling, 60, T0)

    assert [(row.venue, row.position_side, row.usd, row.count, row.largest_usd) for row in sums.rows] == [
        ("bybit", "long", 12.0, 2, 7.0),
        ("okx", "short", 3.0, 1, 3.0),
    ]
    assert (sums.usd(PositionSide.LONG), sums.usd(PositionSide.SHORT)) == (12.0, 3.0)


@pytest.mark.parametrize(("coverage", "bound"), [(Coverage.CAPPED, True), (Coverage.COMPLETE, False)])
def test_the_sum_of_a_feed_that_tells_only_some_is_a_lower_bound(coverage, bound):
    assert over(fed(a_liquidation(coverage=coverage)), 60, T0).lower_bound is bound


@pytest.mark.parametrize("doubt", [{"uncertain": "unit"}, {"coverage": Coverage.AGGREGATE}])
def test_what_is_in_doubt_stands_apart_and_in_no_total(doubt):
    rolling = fed(a_liquidation(usd=5.0))
    events = [a_liquidation(usd=90.0, venue="bitget", **doubt), a_liquidation(usd=5.0)]
    rolling.add_doubtful(events, after_reconnect=False)
    rolling.add_doubtful(events[:1], after_reconnect=True)

    sums = over(rolling, 60, T0)

    assert [(row.venue, row.usd, row.counts) for row in sums.rows] == [("bitget", 90.0, False), ("bybit", 5.0, True)]
    assert (sums.usd(PositionSide.LONG), sums.lower_bound) == (5.0, False)


def test_a_doubtful_one_without_value_or_from_the_future_is_left_out():
    rolling = RollingLiquidations()
    broken = a_liquidation(usd=-1.0, uncertain="unit"), a_liquidation(90_000, received_ms=T0, uncertain="unit")
    rolling.add_doubtful(broken, after_reconnect=False)

    assert over(rolling, 86_400, T0 + 90_000).rows == ()


def test_memory_is_bounded_by_the_day():
    rolling = RollingLiquidations()
    for minute in range(3 * DAY_MINUTES):
        rolling.add([a_liquidation(minute * 60_000)])

    assert len(rolling._minutes._cells) <= DAY_MINUTES
    assert len(rolling._seconds._cells) <= FINE_S
