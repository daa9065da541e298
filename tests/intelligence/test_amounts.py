import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.amounts import compact_duration, compact_percent, compact_price, compact_ratio, compact_usd


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (0.5, "$0.5"),
        (950, "$950"),
        (999.6, "$1K"),
        (1_254, "$1.25K"),
        (100_000, "$100K"),
        (99_960, "$100K"),
        (1_250_000, "$1.25M"),
        (2_400_000, "$2.4M"),
        (999_999, "$1M"),
        (12_345_678_901, "$12.3B"),
        (-2_500, "-$2.5K"),
        (float("nan"), "$?"),
    ],
)
def test_dollars_are_three_digits_and_a_unit(value, text):
    assert compact_usd(value) == text


@pytest.mark.parametrize(("value", "text"), [(2_399_999, "$2.39M"), (2_400_000, "$2.4M"), (999_999, "$999K")])
def test_a_lower_bound_is_never_rounded_up(value, text):
    assert compact_usd(value, down=True) == text


@given(st.floats(0.01, 1e13))
def test_dollars_fit_into_eight_characters(value):
    assert len(compact_usd(value)) <= 8
    assert len(compact_usd(value, down=True)) <= 8


@pytest.mark.parametrize(("price", "text"), [(59_697.4, "$59,697.40"), (0.062314, "$0.06231"), (1.5, "$1.50")])
def test_prices_show_cents_or_four_digits(price, text):
    assert compact_price(price) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.0, "1x"), (1.29, "1.2x"), (9.99, "9.9x"), (12.5, "12x")])
def test_ratios_are_rounded_down(ratio, text):
    assert compact_ratio(ratio) == text


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(999, "0 s"), (45_000, "45 s"), (180_000, "3 min"), (200_999, "3 min 20 s"), (7_500_000, "2 h 5 min")],
)
def test_durations_are_two_units_at_most(duration_ms, text):
    assert compact_duration(duration_ms) == text


def test_a_fraction_is_told_in_percent():
    assert compact_percent(0.0042) == "0.42 %"
