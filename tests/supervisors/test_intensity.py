from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors.intensity import SPREAD_MAX_S, Failures, book, delay_s, exhausted
from supervisors.spec import PROFILES, nominal_delay_s
from tests.builders import a_profile


def after(*times, profile, ready_s=None):
    failures = Failures()
    for now_s in times:
        failures = book(failures, profile, now_s=now_s, ready_s=ready_s)
    return failures


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("core", [0, 0.5, 1, 2, 4, 8]),
        ("io", [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]),
        ("subtree", [0, 1, 2]),
        ("bulkhead", [0, 2, 4]),
    ],
)
def test_nominal_delays_are_those_of_the_table(name, expected):
    profile = PROFILES[name]

    assert [nominal_delay_s(profile, k) for k in range(1, profile.max_restarts + 1)] == expected


@given(
    name=st.sampled_from(sorted(PROFILES)),
    k=st.integers(2, 10_000),
    seed=st.integers(0, 1000),
    siblings=st.integers(0, 500),
)
def test_a_delay_is_at_least_half_the_nominal_one_and_never_above_the_cap(name, k, seed, siblings):
    profile = PROFILES[name]

    delay = delay_s(Failures(k), profile, Random(seed), siblings=siblings, retry_after_s=0)

    assert nominal_delay_s(profile, k) * 0.5 <= delay <= profile.cap_s
    assert nominal_delay_s(profile, k) <= nominal_delay_s(profile, k + 1)


@given(siblings=st.integers(0, 10_000), seed=st.integers(0, 1000))
def test_a_first_restart_is_spread_by_the_number_of_siblings(siblings, seed):
    delay = delay_s(Failures(1), a_profile(), Random(seed), siblings=siblings, retry_after_s=0)

    assert 0 <= delay <= min(SPREAD_MAX_S, 0.02 * siblings)


@pytest.mark.parametrize("k", [1, 2, 50])
def test_a_delay_is_never_shorter_than_the_failure_asks_for(k):
    delay = delay_s(Failures(k), a_profile(cap_s=10), Random(1), siblings=1, retry_after_s=77)

    assert delay == 77


def test_the_same_seed_gives_the_same_delays():
    first, second = (
        [delay_s(Failures(k), PROFILES["io"], random, siblings=3, retry_after_s=0) for k in range(20)]
        for random in (Random(7), Random(7))
    )

    assert first == second


def test_exactly_the_allowed_number_of_failures_is_tolerated():
    profile = a_profile(max_restarts=3, window_s=100)

    assert not exhausted(after(0, 1, 2, profile=profile), profile)
    assert exhausted(after(0, 1, 2, 3, profile=profile), profile)


@pytest.mark.parametrize(("last_s", "counted"), [(99.9, 4), (100.0, 3)])
def test_a_failure_counts_until_the_window_has_passed(last_s, counted):
    profile = a_profile(max_restarts=3, window_s=100)

    assert len(after(0, 1, 2, last_s, profile=profile).times) == counted


def test_only_a_stable_run_starts_the_series_again():
    profile = a_profile(stable_s=60)
    twice = after(0, 1, profile=profile)

    assert book(twice, profile, now_s=100, ready_s=40.1).k == 3
    assert book(twice, profile, now_s=100, ready_s=40).k == 1
    assert book(twice, profile, now_s=100, ready_s=None).k == 3


def test_a_child_that_starts_well_and_dies_soon_after_is_exhausted():
    profile = a_profile(max_restarts=3, window_s=100, stable_s=60)
    failures, now_s = Failures(), 0.0
    for _ in range(4):
        failures = book(failures, profile, now_s=now_s + 1, ready_s=now_s)
        now_s += 1 + nominal_delay_s(profile, failures.k)

    assert exhausted(failures, profile)
