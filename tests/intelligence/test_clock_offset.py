"""The clock of a venue against ours."""

from random import Random

from intelligence.clock_offset import KNOWN, RECENT, ClockOffset

JUMP_MS = 2_000


def taken(*delays, jump_ms=JUMP_MS):
    clock = ClockOffset(jump_ms)
    for delay in delays:
        clock.take(delay)
    return clock


def usual(count, offset=40, seed=1):
    """Delays with a long tail upwards."""
    random = Random(seed)
    return [offset + int(random.expovariate(1 / 60)) for _ in range(count)]


def test_the_offset_is_what_the_quickest_show():
    clock = taken(*usual(500))

    assert 40 <= clock.offset_ms <= 50
    assert not clock.jumped
    assert abs(clock.drift_ms) < 20


def test_nothing_is_known_before_the_first_sample():
    clock = taken()

    assert (clock.offset_ms, clock.drift_ms, clock.jumped) == (None, 0, False)


def test_a_jump_forward_and_one_back_are_seen_and_the_old_offset_is_kept_as_the_measure():
    for jump in (5_000, -5_000):
        clock = taken(*usual(300), *usual(RECENT, 40 + jump, seed=2))

        assert clock.jumped
        assert abs(clock.drift_ms - jump) < 100
        assert 40 <= clock.offset_ms <= 50


def test_less_than_the_limit_is_drift_and_no_jump():
    clock = taken(*usual(300), *usual(RECENT, 1_500))

    assert not clock.jumped
    assert 1_300 < clock.drift_ms < 1_700


def test_a_few_late_or_broken_times_are_no_jump():
    assert not taken(*usual(300), *[60_000] * (RECENT - 2)).jumped
    assert not taken(*usual(300), *[-60_000] * (RECENT // 2 - 1)).jumped


def test_a_clock_that_comes_back_is_well_again():
    assert not taken(*usual(300), *usual(50, 5_000), *usual(RECENT)).jumped


def test_an_offset_that_stands_becomes_what_is_normal():
    clock = taken(*usual(300), *usual(KNOWN + 3 * RECENT, 5_000))

    assert not clock.jumped
    assert 5_000 <= clock.offset_ms <= 5_020
