"""Bars of one venue raised to the level of all venues, and what they let the volume detector know."""

import pytest

from intelligence.borrowed_minutes import LEAST_MINUTES, borrowed, hours_usd, level_of
from intelligence.history import Bar, History
from tests.intelligence.builders import T0, a_minute

MINUTE_MS = 60_000
REFERENCE = ("binance", "SOLUSDT")


def bar(index, usd=4e5, close=100.0, bought=0.5):
    return Bar(T0 + index * MINUTE_MS, close, usd / close, usd, bought * usd / close)


def a_history(minutes, hours=(), reference=REFERENCE):
    return History(reference=reference, bars={"1m": tuple(minutes), "1h": tuple(hours), "1d": ()}, open_interest={})


def watched(count=LEAST_MINUTES, **overrides):
    return [a_minute(index, volume_usd=1e6, **overrides) for index in range(count)]


def test_the_level_is_the_turnover_of_all_venues_in_that_of_the_reference():
    level = level_of(a_history(map(bar, range(-10, 5))), watched())

    assert (level.factor, level.minutes, level.contract) == (pytest.approx(2.5), LEAST_MINUTES, REFERENCE)


def test_a_watched_range_is_wider_than_the_way_from_close_to_close():
    level = level_of(a_history(map(bar, range(-10, 5))), watched(high=100.2, low=100.0))

    (minute,) = borrowed("SOL", [bar(-3)], level)
    assert minute.high / minute.low == pytest.approx(1.002)


@pytest.mark.parametrize(
    ("minutes", "bars"),
    [
        (watched(LEAST_MINUTES - 1), range(-10, 5)),
        (watched(complete=False), range(-10, 5)),
        (watched(), range(-10, 0)),
        (watched(), ()),
    ],
    ids=["few", "in part", "not both ways", "no bars"],
)
def test_without_enough_minutes_known_both_ways_nothing_is_borrowed(minutes, bars):
    assert level_of(a_history(map(bar, bars)), minutes) is None


def test_a_reference_that_does_not_trade_says_nothing():
    assert level_of(a_history(bar(index, usd=0.0) for index in range(-10, 5)), watched()) is None


def test_a_minute_begins_where_the_one_before_has_ended():
    level = level_of(a_history(map(bar, range(-10, 5))), watched(high=100.0, low=100.0))

    before, minute, after_a_gap = borrowed("SOL", [bar(1, close=99.0), bar(2, close=101.0), bar(4)], level)
    assert (before.open, minute.open, minute.close, after_a_gap.open) == (99.0, 99.0, 101.0, 100.0)
    assert (minute.low, minute.high) == (99.0, 101.0)


def test_the_side_of_takers_is_kept():
    level = level_of(a_history(map(bar, range(-10, 5))), watched())

    (minute,) = borrowed("SOL", [bar(-3, bought=0.75)], level)
    assert (minute.buy_usd, minute.sell_usd) == (pytest.approx(7.5e5), pytest.approx(2.5e5))


def test_hours_are_raised_like_minutes():
    level = level_of(a_history(map(bar, range(-10, 5))), watched())

    assert hours_usd([bar(-60, usd=2e7)], level) == {T0 - 3_600_000: pytest.approx(5e7)}
