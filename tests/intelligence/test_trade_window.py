"""Rolling volume, CVD and profile against the plainest thing that could be right: a list of all trades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.asset_market import AssetMarket
from intelligence.trade_window import LATE_S, WINDOW_S, TradeWindow, nice_width, volume_profile, with_clock

T0_MS = 1_790_000_000_000

trades = st.lists(
    st.tuples(
        st.integers(0, 1_200_000),
        st.floats(90.0, 110.0),
        st.floats(0.001, 50.0).flatmap(lambda size: st.sampled_from([size, -size])),
    ),
    min_size=1,
    max_size=200,
)


def a_window(rows, batch=7):
    """A window fed with (ms after T0, price, signed coins) in batches, oldest first."""
    window = TradeWindow()
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        window.add([T0_MS + at for at, _, _ in part], [price for _, price, _ in part], [q for _, _, q in part])
    return window


@given(trades, st.sampled_from([60, 300, 900]), st.integers(1, 20))
def test_sums_are_those_of_the_trades_of_the_last_seconds(rows, seconds, batch) -> None:
    rows = sorted(rows)
    newest = (T0_MS + rows[-1][0]) // 1000
    inside = [(p, q) for at, p, q in rows if (T0_MS + at) // 1000 > newest - seconds]

    sums = a_window(rows, batch).sums(seconds)

    assert sums.trades == len(inside)
    assert sums.buy_usd == pytest.approx(sum(p * q for p, q in inside if q > 0))
    assert sums.sell_usd == pytest.approx(sum(-p * q for p, q in inside if q < 0))
    assert sums.largest_usd == pytest.approx(max(abs(p * q) for p, q in inside))


@given(trades)
def test_the_profile_holds_all_volume_and_its_area_surrounds_the_poc(rows) -> None:
    window = a_window(sorted(rows))

    profile = window.profile()

    inside = [price * abs(coins) for at, price, coins in rows if T0_MS + at >= profile.from_ms]
    assert sum(usd for _, usd in profile.rows) == pytest.approx(sum(inside), rel=1e-9)
    assert profile.value_area_low <= profile.poc <= profile.value_area_high


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=50), st.integers(-100, 100))
def test_shifting_every_price_by_a_row_shifts_the_profile_by_a_row(volumes, shift) -> None:
    here = volume_profile(dict(enumerate(volumes, start=1000)), 1.0)
    there = volume_profile(dict(enumerate(volumes, start=1000 + shift)), 1.0)

    assert there.poc - here.poc == shift
    assert there.value_area_low - here.value_area_low == shift
    assert there.value_area_high - here.value_area_high == shift


def test_a_trade_a_little_late_counts_at_its_time_and_an_older_one_is_only_counted() -> None:
    window = a_window([(10_000, 100.0, 1.0), (10_000 - LATE_S * 1000, 100.0, 2.0), (1_000, 100.0, 4.0)])

    assert window.sums(60).buy_usd == 300.0
    assert window.late == 1


def test_a_trade_from_far_ahead_is_only_counted_and_makes_no_other_trade_late() -> None:
    window = TradeWindow()

    window.add([T0_MS, T0_MS + 3_600_000, T0_MS + 1], [100.0] * 3, [1.0, 2.0, 4.0], now_ms=T0_MS)

    assert window.sums(60).buy_usd == 500.0
    assert (window.ahead, window.late) == (1, 0)


def test_a_venue_whose_clock_goes_ahead_makes_no_other_venues_trades_late() -> None:
    market = AssetMarket("SOL")

    market.trades([T0_MS + 10_000], [100.0], [1.0], received_ms=T0_MS)
    market.trades([T0_MS - 50], [100.0], [2.0], received_ms=T0_MS)

    assert market.left_out == (0, 0)
    assert market.newest_trade_ms == T0_MS // 1000 * 1000


def test_event_times_up_to_a_second_ahead_are_believed_and_impossible_ones_stay_impossible() -> None:
    assert with_clock([T0_MS + 900], T0_MS) == [T0_MS + 900]
    assert with_clock([T0_MS - 5, T0_MS + 5_000, T0_MS + 3_600_000], T0_MS) == [T0_MS - 5, T0_MS, T0_MS + 3_600_000]


def test_it_says_from_when_on_it_holds_everything() -> None:
    window = a_window([(5_500, 100.0, 1.0)])
    assert window.complete_from_ms == T0_MS + 5_000

    window.add([T0_MS + 2 * WINDOW_S * 1000], [100.0], [1.0])
    assert window.complete_from_ms == T0_MS + (WINDOW_S + 1) * 1000
    assert TradeWindow().complete_from_ms is None


def test_time_that_passes_without_trades_empties_the_window() -> None:
    window = a_window([(0, 100.0, 1.0)])

    until_ms = T0_MS + WINDOW_S * 1000 + 1000

    assert window.sums(WINDOW_S, until_ms).trades == 0
    assert window.profile(until_ms) is None


def test_looking_later_makes_no_trade_late() -> None:
    window = a_window([(0, 100.0, 1.0)])

    assert window.sums(60, T0_MS + 59_000).trades == 1
    assert window.sums(60, T0_MS + 60_000).trades == 0
    window.add([T0_MS + 1], [100.0], [1.0])

    assert (window.sums(60).trades, window.late) == (2, 0)


def test_sums_between_two_times_are_those_of_whole_seconds() -> None:
    window = a_window([(0, 100.0, 1.0), (59_999, 100.0, -2.0), (60_000, 100.0, 4.0), (910_000, 100.0, 8.0)])

    sums = window.sums_between(T0_MS + 60_000, T0_MS + 120_000)
    assert (sums.buy_usd, sums.sell_usd, sums.trades) == (400.0, 0.0, 1)
    assert window.sums_between(T0_MS, T0_MS + 60_000).sell_usd == 200.0, "the first seconds have left the window"


def test_the_daily_cvd_starts_anew_at_midnight_utc() -> None:
    day_ms = 86_400_000
    midnight = (T0_MS // day_ms + 1) * day_ms - T0_MS

    window = a_window([(midnight - 1000, 100.0, 5.0), (midnight + 500, 100.0, -1.0)])

    assert window.cvd_usd(T0_MS + midnight + 600) == -100.0
    assert window.cvd_usd(T0_MS + midnight + day_ms) == 0.0


def test_a_wide_range_is_shown_in_at_most_four_hundred_rows() -> None:
    profile = volume_profile({0: 1.0, 10_000: 3.0}, 0.1)

    assert len(profile.rows) <= 400
    assert sum(usd for _, usd in profile.rows) == 4.0


@pytest.mark.parametrize(("about", "width"), [(0.9, 1.0), (1.0, 1.0), (1.1, 2.0), (31.0, 50.0), (0.0000042, 0.000005)])
def test_row_widths_are_round(about, width) -> None:
    assert nice_width(about) == pytest.approx(width)


def test_the_volume_of_the_day_begins_anew_at_midnight_utc():
    day_ms = 86_400_000
    midnight_ms = (T0_MS // day_ms + 1) * day_ms
    window = TradeWindow()
    window.add([midnight_ms - 2_000, midnight_ms - 1_000], [100.0, 100.0], [2.0, -1.0])
    assert (window.volume_day_usd(midnight_ms - 1), window.day_from_ms(midnight_ms - 1)) == (300.0, midnight_ms - 2_000)

    window.add([midnight_ms + 5], [100.0], [-4.0])

    assert (window.volume_day_usd(midnight_ms + 5), window.day_from_ms(midnight_ms + 5)) == (400.0, midnight_ms)
    assert window.volume_day_usd(midnight_ms + day_ms) == 0.0
