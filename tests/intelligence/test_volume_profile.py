"""Invariants of the volume profile (detection.md 9), against the plainest way to grow a value area."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.trade_window import MAX_ROWS, VALUE_AREA, volume_profile

volumes = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60).filter(lambda rows: sum(rows) > 0)
sparse = st.dictionaries(st.integers(1, 5_000), st.floats(1.0, 1e6), min_size=1, max_size=40)


def profile_of(rows, width=1.0, first=1_000):
    return volume_profile(dict(enumerate(rows, start=first)), width)


@given(volumes)
def test_rows_hold_all_volume(rows):
    assert sum(usd for _, usd in profile_of(rows).rows) == pytest.approx(sum(rows), rel=1e-9)


@given(sparse)
def test_too_many_rows_are_joined_without_losing_volume(by_row):
    profile = volume_profile(by_row, 0.5)

    assert len(profile.rows) <= MAX_ROWS
    assert sum(usd for _, usd in profile.rows) == pytest.approx(sum(by_row.values()), rel=1e-9)


@given(sparse)
def test_the_value_area_surrounds_the_poc_within_the_profile(by_row):
    profile = volume_profile(by_row, 0.5)

    assert profile.rows[0][0] <= profile.value_area_low <= profile.poc <= profile.value_area_high
    assert profile.value_area_high <= profile.rows[-1][0] + profile.row_width + 1e-9


@given(volumes)
def test_the_poc_is_the_row_with_most_volume_and_of_equals_the_nearest_to_the_middle(rows):
    profile = profile_of(rows)
    poc = int(profile.poc) - 1_000
    middle = (len(rows) - 1) / 2

    assert rows[poc] == max(rows)
    assert abs(poc - middle) == min(abs(row - middle) for row, usd in enumerate(rows) if usd == max(rows))


@given(volumes)
def test_the_value_area_holds_seventy_per_cent_and_only_its_last_step_is_over(rows):
    profile = profile_of(rows)
    low, high = round(profile.value_area_low) - 1_000, round(profile.value_area_high) - 1_000 - 1

    assert sum(rows[low : high + 1]) >= VALUE_AREA * sum(rows) * (1 - 1e-9)
    smaller = [sum(rows[low + 2 : high + 1]), sum(rows[low : max(high - 1, 0)])]
    poc = int(profile.poc) - 1_000
    inside = [held for held, kept in zip(smaller, (low + 2 <= poc, high - 2 >= poc), strict=True) if kept]
    assert not inside or min(inside) < VALUE_AREA * sum(rows) * (1 + 1e-9)


@given(volumes)
def test_it_is_the_two_row_version_of_the_field(rows):
    profile = profile_of(rows)

    assert (round(profile.value_area_low), round(profile.value_area_high)) == _plain_area(
        rows, int(profile.poc) - 1_000
    )


def _plain_area(rows, poc):
    """Row by row as the page describes it, with empty rows beyond the edges; a tie goes up."""
    inside = {poc}
    while sum(rows[row] for row in inside) < VALUE_AREA * sum(rows) * (1 - 1e-12) and len(inside) < len(rows):
        above = [row for row in (max(inside) + 1, max(inside) + 2) if row < len(rows)]
        below = [row for row in (min(inside) - 1, min(inside) - 2) if row >= 0]
        up = above and (not below or sum(rows[r] for r in above) >= sum(rows[r] for r in below))
        inside |= set(above if up else below)
    return 1_000 + min(inside), 1_000 + max(inside) + 1


@given(volumes, st.integers(-500, 500))
def test_shifting_all_prices_by_rows_shifts_the_area_by_as_many(rows, shift):
    here, there = profile_of(rows), profile_of(rows, first=1_000 + shift)

    assert there.value_area_low - here.value_area_low == pytest.approx(shift)
    assert there.value_area_high - here.value_area_high == pytest.approx(shift)
    assert there.poc - here.poc == pytest.approx(shift)


@given(volumes)
def test_scaling_the_volume_moves_nothing(rows):
    here, there = profile_of(rows), profile_of([usd * 2.0**10 for usd in rows])

    assert (here.poc, here.value_area_low, here.value_area_high) == (
        there.poc,
        there.value_area_low,
        there.value_area_high,
    )
