"""Daily volume and volatility out of daily candles."""

from math import exp

import pytest

from intelligence.thresholds.bars import DAY_MS, daily_volatility, daily_volume_usd, hourly_turnovers
from tests.intelligence.thresholds.builders import MONDAY, a_day_bar


def test_daily_volume_is_the_mean_of_seven_whole_days_over_all_venues():
    bars = [a_day_bar(day, usd=1e9, venue=venue) for day in range(10) for venue in ("binance", "bybit")]
    today = a_day_bar(10, usd=9e12)

    assert daily_volume_usd([*bars, today], MONDAY + 10 * DAY_MS + 5) == (2e9, 7)


def test_a_candle_that_is_still_open_does_not_count():
    assert daily_volume_usd([a_day_bar(0, closed=False)], MONDAY + 2 * DAY_MS) is None


def test_volatility_is_the_deviation_of_daily_log_returns():
    closes = [100.0 * (exp(0.05) if day % 2 else 1.0) for day in range(31)]
    bars = [a_day_bar(day, close) for day, close in enumerate(closes)]

    volatility, returns = daily_volatility(bars, MONDAY + 31 * DAY_MS)
    assert returns == 30
    assert volatility == pytest.approx(0.05 * (30 / 29) ** 0.5)


def test_volatility_comes_from_the_venue_with_most_days_whatever_the_order():
    long = [a_day_bar(day, 100.0 * exp(0.01 * (day % 2))) for day in range(20)]
    short = [a_day_bar(day, 100.0 * exp(0.5 * (day % 2)), usd=9e9, venue="bybit") for day in range(5)]

    there, back = (daily_volatility(bars, MONDAY + 31 * DAY_MS) for bars in ([*long, *short], [*short, *long]))
    assert there == back
    assert there[0] < 0.02


def test_a_gap_in_the_days_is_no_return():
    assert daily_volatility([a_day_bar(0), a_day_bar(2, 200.0), a_day_bar(4)], MONDAY + 9 * DAY_MS) is None


def test_hours_of_all_venues_are_added():
    hours = [a_day_bar(0, usd=1e6, venue=venue, interval="1h") for venue in ("binance", "bybit")]

    assert hourly_turnovers(hours, MONDAY + DAY_MS) == [(MONDAY, 2e6)]
