"""Predictions are judged as they were made, when their time is over."""

import msgspec

from intelligence.market import PositionSide
from intelligence.zones.record import Record
from intelligence.zones.touch import Chance
from intelligence.zones.zone import Zone

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
MINUTE_MS = 60_000


def a_zone(low=95.0, high=96.0, **overrides):
    fields = {
        "zone_id": "z1",
        "asset": "SOL",
        "side": LONG,
        "low": low,
        "high": high,
        "expected_usd": 100_000.0,
        "least_usd": 10_000.0,
        "most_usd": 300_000.0,
        "born_ms": 0,
        "expires_ms": 86_400_000,
        "at_ms": 0,
        "chances": (Chance(minutes=15, sigmas=1.0, baseline=0.3, probability=0.4),),
    }
    return Zone(**(fields | overrides))


def play(*minutes, zone=None, warned=False):
    """Lowest and highest mark price of each minute, and perhaps what was liquidated: longs at 95.5, USD."""
    record = Record()
    record.predict(zone or a_zone(), 15, warned=warned)
    for index, (low, high, *usd) in enumerate(minutes, 1):
        record.take(index * MINUTE_MS, low, high, [(LONG, 95.5, one) for one in usd])
    return record


QUIET = (99.0, 100.0)
TOUCH = (95.8, 97.0)


def test_a_prediction_that_price_never_reached_counts_against_what_was_said():
    record = play(*[QUIET] * 15)

    assert (record.zones.predicted, record.zones.reached, record.zones.baseline) == (1, 0, 0.3)
    assert record.zones.error == 0.4**2


def test_one_that_was_reached_is_not_counted_before_the_others_of_its_time():
    early = play(QUIET, TOUCH, *[QUIET] * 12)
    over = play(QUIET, TOUCH, *[QUIET] * 13)

    assert early.zones.predicted == 0
    assert (over.zones.predicted, over.zones.reached) == (1, 1)


def test_a_touch_after_the_time_is_over_is_none():
    record = play(*[QUIET] * 15, TOUCH)

    assert (record.zones.predicted, record.zones.reached) == (1, 0)


def test_liquidations_count_for_ten_minutes_from_the_touch():
    within = play(QUIET, TOUCH, *[QUIET] * 3, (99.0, 100.0, 20_000.0), *[QUIET] * 9)
    too_late = play(QUIET, TOUCH, *[QUIET] * 11, (99.0, 100.0, 20_000.0), QUIET)

    assert (within.zones.touched, within.zones.reacted) == (1, 1)
    assert (too_late.zones.touched, too_late.zones.reacted) == (1, 0)


def test_liquidations_of_the_other_side_do_not_count():
    record = Record()
    record.predict(a_zone(), 15, warned=False)
    for index in range(1, 16):
        record.take(index * MINUTE_MS, *TOUCH, [(SHORT, 95.5, 50_000.0)])

    assert record.zones.reacted == 0


def test_warnings_are_counted_apart():
    record = play(*[TOUCH] * 15, warned=True)

    assert (record.warnings.reached, record.zones.predicted) == (1, 0)


def test_the_interval_is_believed_until_enough_was_seen_and_then_that_of_what_was_seen():
    record = Record()
    assert record.interval() == (0.1, 3.0)
    for index in range(20):
        record.predict(msgspec.structs.replace(a_zone(), zone_id=str(index), at_ms=index * 3_600_000), 15, warned=False)
        for minute in range(1, 16):
            usd = (10_000.0 * (index + 1),) if minute == 2 else ()
            record.take(index * 3_600_000 + minute * MINUTE_MS, *TOUCH, [(LONG, 95.5, one) for one in usd])

    least, most = record.interval()
    assert (round(least, 1), round(most, 1)) == (0.3, 1.8)


def test_what_waits_is_bounded():
    record = Record()
    for index in range(400):
        record.predict(msgspec.structs.replace(a_zone(), zone_id=str(index)), 15, warned=False)

    assert len(record.kept().open) == 256
    assert record.refused == 144
