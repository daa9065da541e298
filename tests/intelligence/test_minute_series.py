"""Minutes summed: what is missing is not zero, and prices come from trades alone."""

from math import log

import pytest

from intelligence.market import PositionSide
from intelligence.minute_series import MinuteSeries
from tests.intelligence.builders import a_liquidation, a_minute


def a_series(*minutes):
    series = MinuteSeries()
    for minute in minutes:
        series.add(minute)
    return series


def test_the_last_minutes_are_one_stretch():
    series = a_series(
        a_minute(0, price=100.0, buy_usd=3.0, sell_usd=1.0, largest_usd=2.0),
        a_minute(1, price=110.0, open=100.0, buy_usd=5.0, sell_usd=1.0, largest_usd=3.0),
    )

    flow = series.flow(2)

    assert (flow.total_usd, flow.imbalance, flow.largest_share) == (10.0, pytest.approx(0.6), pytest.approx(0.3))
    assert flow.move == pytest.approx(log(1.1))


def test_a_minute_told_twice_counts_once():
    series = a_series(a_minute(0))

    assert not series.add(a_minute(0))
    assert len(series.newest(5)) == 1


def test_a_window_with_a_minute_missing_is_not_known():
    assert a_series(a_minute(0), a_minute(2)).flow(3) is None
    assert a_series(a_minute(0), a_minute(2)).flow(3, present=0.6) is not None


def test_a_minute_received_in_part_is_missing():
    assert a_series(a_minute(0, complete=False), a_minute(1)).flow(2) is None


def test_a_minute_without_trades_is_zero_and_has_no_price():
    silent = a_minute(1, volume_usd=0.0, open=None, high=None, low=None, close=None)

    flow = a_series(a_minute(0, price=100.0), silent).flow(2)

    assert flow.total_usd == 1e6
    assert flow.move == pytest.approx(0.0)


def test_liquidations_are_summed_by_side():
    forced = (a_liquidation(usd=3e4), a_liquidation(usd=2e4, position_side=PositionSide.SHORT))

    flow = a_series(a_minute(0, liquidations=forced)).flow(1)

    assert (flow.long_usd, flow.short_usd) == (3e4, 2e4)
