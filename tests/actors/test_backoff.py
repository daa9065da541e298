"""The waits between tries."""

from hypothesis import given
from hypothesis import strategies as st

from actors.backoff import Backoff

BACKOFF = Backoff(base_s=1.0, factor=2.0, cap_s=60.0)


def test_waits_double_up_to_the_cap():
    assert [BACKOFF.nominal_s(attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_chance_takes_off_up_to_half(attempt, chance):
    nominal_s = BACKOFF.nominal_s(attempt)

    assert nominal_s / 2 <= BACKOFF.delay_s(attempt, chance) <= nominal_s


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True), st.floats(0, 1e6))
def test_what_the_venue_asks_for_is_never_undercut(attempt, chance, asked_s):
    assert BACKOFF.delay_s(attempt, chance, at_least_s=asked_s) >= asked_s
