"""CVD and where it parts from the price: dated when confirmed, judged by what came before."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.divergence import CvdTracker, DivergenceRule, Kind, robust_z, theil_sen
from tests.intelligence.builders import T0, a_minute


def minutes(prices, deltas):
    """Minutes with these closes and these taker sums (buys less sells, USD)."""
    return [
        a_minute(index, price=price, buy_usd=1e6 + delta / 2, sell_usd=1e6 - delta / 2)
        for index, (price, delta) in enumerate(zip(prices, deltas, strict=True))
    ]


def swings(prices, deltas, tracker=None):
    tracker = tracker or CvdTracker()
    found = []
    for minute in minutes(prices, deltas):
        tracker.take(minute)
        if tracker.swing is not None:
            found.append(tracker.swing)
    return found


TWO_HIGHS = [100, 101, 102, 103, 104, 103, 102, 101, 102, 103, 104, 105, 106, 105, 104, 103, 102]
SELLERS = [1e5] * 5 + [-2e5] * 12


def test_a_higher_high_without_buyers_is_a_bearish_divergence():
    swing = swings(TWO_HIGHS, SELLERS)[0]

    assert swing.kind is Kind.BEARISH
    assert swing.price_change > 0
    assert swing.cvd_change_usd < 0


def test_a_lower_low_with_buyers_is_a_bullish_divergence():
    mirrored = [200 - price for price in TWO_HIGHS]

    assert swings(mirrored, [-delta for delta in SELLERS])[0].kind is Kind.BULLISH


def test_it_is_dated_when_the_turn_was_confirmed():
    swing = swings(TWO_HIGHS, SELLERS)[0]

    assert swing.second_ms == T0 + 13 * 60_000  # the end of minute 12, the high
    assert swing.confirmed_ms == swing.second_ms + DivergenceRule().confirm * 60_000


def test_it_is_told_once():
    assert len(swings([*TWO_HIGHS, 101, 100, 99], [*SELLERS, 0, 0, 0])) == 1


def test_a_higher_high_that_buyers_follow_is_none():
    assert swings(TWO_HIGHS, [1e5] * len(TWO_HIGHS)) == []


@given(st.lists(st.tuples(st.floats(-0.01, 0.01), st.floats(-1e6, 1e6)), min_size=20, max_size=90), st.integers(1, 60))
def test_nothing_that_comes_later_changes_what_was_told(steps, cut):
    prices, price = [], 100.0
    for move, _ in steps:
        price *= exp(move)
        prices.append(price)
    deltas = [delta for _, delta in steps]
    cut = min(cut, len(steps))
    end_ms = T0 + cut * 60_000

    whole = [swing for swing in swings(prices, deltas) if swing.confirmed_ms <= end_ms]

    assert whole == swings(prices[:cut], deltas[:cut])


def test_cvd_of_the_day_begins_at_midnight_and_the_rolling_one_forgets_after_a_day():
    tracker = CvdTracker()
    for index in range(1_500):
        tracker.take(a_minute(index, buy_usd=2.0, sell_usd=1.0))
    midnight_ms = T0 // 86_400_000 * 86_400_000 + 86_400_000
    since_midnight = (T0 + 1_500 * 60_000 - midnight_ms) // 60_000

    assert tracker.rolling_24h_usd == pytest.approx(1_440.0)
    assert tracker.day_usd == pytest.approx(since_midnight)
    assert tracker.since_ms == T0


def test_slopes_that_part_are_told_in_z_of_their_history():
    tracker = CvdTracker(DivergenceRule(history=100))
    price = 100.0
    for index in range(60 * 40):
        price *= 1.0001 if index // 7 % 2 else 0.9999
        tracker.take(a_minute(index, price=price, buy_usd=1e6, sell_usd=1e6 + (index % 13 - 6) * 1e4))
    assert tracker.slope is None

    for index in range(60 * 40, 60 * 42):
        price *= 1.002
        tracker.take(a_minute(index, price=price, buy_usd=1e6, sell_usd=2e6))

    assert tracker.slope.price_z > 1.5
    assert tracker.slope.cvd_z < -1.5
    assert tracker.slope.strength > 3


@given(st.floats(-10, 10), st.floats(-10, 10), st.integers(2, 30))
def test_the_slope_of_a_line_is_its_slope_whatever_one_point_does(slope, start, length):
    line = [start + slope * at for at in range(length)]
    bent = [*line[:-1], line[-1] + 1e6]

    assert theil_sen(line) == pytest.approx(slope, abs=1e-9)
    if length >= 8:
        assert theil_sen(bent) == pytest.approx(slope, abs=1e-6)


def test_a_history_that_does_not_vary_gives_no_score():
    assert robust_z(5.0, [1.0] * 50) is None


def test_where_most_of_a_history_is_equal_the_mean_deviation_stands_in():
    assert robust_z(10.0, [0.0] * 40 + [10.0] * 10) == pytest.approx(10 / (1.2533 * 2))


def test_too_little_history_gives_no_score():
    assert robust_z(5.0, [1.0, 2.0, 3.0]) is None
