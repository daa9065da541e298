"""Whether a silence can be chance."""

import pytest

from intelligence.feed_rate import FeedRate

T0 = 1_739_502_302_000
HALF_LIFE_MS = 300_000


def heard(every_s, seconds, *, others_every_s=None, start_ms=T0, half_life_ms=HALF_LIFE_MS):
    """A source that was heard once in `every_s` for so long; and how much the others brought."""
    rate, others = FeedRate(half_life_ms, start_ms, 0), 0
    for second in range(every_s, seconds + 1, every_s):
        others = second // others_every_s if others_every_s else 0
        rate.hear(1, start_ms + 1000 * second, others)
    return rate, start_ms + 1000 * seconds, others


def alarm_after_s(rate, end_ms):
    return next((gap for gap in range(1, 100_000) if rate.chance(end_ms + 1000 * gap, 0) < 1e-4), None)


def test_a_source_heard_every_second_is_missed_after_ten():
    rate, end_ms, _ = heard(1, 600)

    assert alarm_after_s(rate, end_ms) == 10


def test_the_rarer_the_events_the_longer_the_patience():
    assert [alarm_after_s(*heard(every, 3600)[:2]) for every in (2, 10, 60)] == [19, 103, 1064]


def test_little_is_concluded_from_few_events():
    rate, end_ms, _ = heard(1, 3)

    assert alarm_after_s(rate, end_ms) > 40


def test_a_market_that_is_quiet_everywhere_is_no_dead_feed():
    rate, end_ms, others = heard(1, 600, others_every_s=1)

    assert rate.chance(end_ms + 60_000, others) == 1.0
    assert rate.chance(end_ms + 60_000, others + 12) < 1e-4


def test_others_that_were_never_heard_before_prove_nothing_of_a_rare_source():
    rate, end_ms, _ = heard(60, 600)

    assert rate.chance(end_ms + 20_000, 40) > 0.1


def test_an_outburst_elsewhere_is_evidence_where_that_is_asked_for():
    rate, end_ms, others = heard(60, 7200, others_every_s=30, half_life_ms=3_600_000)

    assert rate.chance(end_ms + 90_000, others + 90) > 0.01
    assert rate.chance_by_others(others + 90) < 1e-4


def test_others_that_bring_little_are_no_evidence_by_themselves():
    rate, _, others = heard(60, 1200, others_every_s=120, half_life_ms=3_600_000)

    assert rate.chance_by_others(others + 1_000) == 1.0


def test_the_past_is_forgotten_by_half_life():
    rate, end_ms, _ = heard(1, 600)
    for minute in range(1, 61):
        rate.hear(1, end_ms + 60_000 * minute, 0)

    assert alarm_after_s(rate, end_ms + 3_600_000) > 300


def test_a_silence_begins_anew_with_the_connection():
    rate, end_ms, _ = heard(1, 600)
    rate.resume(end_ms + 60_000, 0)

    assert rate.silent_ms(end_ms + 65_000) == 5_000
    assert rate.chance(end_ms + 65_000, 0) > 1e-4


def test_nothing_is_concluded_of_a_source_that_was_never_heard():
    assert FeedRate(HALF_LIFE_MS, T0, 0).chance(T0 + 10**9, 10**6) == pytest.approx(1.0)
