"""Daily volume and volatility out of daily candles and of what was watched."""

from math import exp

import pytest

from intelligence.history import Bar
from intelligence.thresholds.bars import DAY_MS, daily_volatility, daily_volume_usd
from tests.intelligence.thresholds.builders import MONDAY


def a_day(day=0, close=100.0, usd=1e9):
    """Day `day` after MONDAY."""
    return Bar(MONDAY + day * DAY_MS, close, 5e6, usd, None)


def test_daily_volume_is_the_mean_of_seven_whole_days_at_the_level_of_all_venues():
    bars = [a_day(day, usd=9e12 if day in {2, 10} else 1e9) for day in range(11)]

    assert daily_volume_usd(bars, 2.5, {}, MONDAY + 10 * DAY_MS + 5) == (2.5e9, 7)


def test_without_a_day_there_is_no_volume():
    assert daily_volume_usd([], 1.0, {}, MONDAY) is None


def test_a_candle_without_dollars_counts_its_coins():
    assert daily_volume_usd([a_day(usd=None)], 1.0, {}, MONDAY + DAY_MS) == (5e8, 1)


def test_a_day_that_was_watched_counts_as_watched():
    watched = {MONDAY + day * DAY_MS: (3e9, 100.0) for day in (4, 5, 6)}

    usd, days = daily_volume_usd([a_day(day) for day in range(5)], 1.0, watched, MONDAY + 7 * DAY_MS)
    assert (usd, days) == (pytest.approx((4 * 1e9 + 3 * 3e9) / 7), 7)


def test_volatility_is_the_deviation_of_daily_log_returns_over_thirty_days():
    bars = [a_day(day, 100.0 * (exp(0.05) if day % 2 else 1.0)) for day in range(31)]

    volatility, returns = daily_volatility(bars, {}, MONDAY + 31 * DAY_MS)
    assert returns == 30
    assert volatility == pytest.approx(0.05 * (30 / 29) ** 0.5)


def test_a_gap_in_the_days_is_no_return():
    assert daily_volatility([a_day(0), a_day(2, 200.0), a_day(4)], {}, MONDAY + 9 * DAY_MS) is None


def test_watched_days_go_on_where_candles_end():
    watched = {MONDAY + day * DAY_MS: (1e9, 100.0) for day in (2, 3)}

    assert daily_volatility([a_day(0), a_day(1)], watched, MONDAY + 4 * DAY_MS) == (0.0, 3)
