"""A2 of one alert: from its delivery, against the past alone."""

import pytest

from intelligence.alerts import AlertKind
from intelligence.outcomes.bars import Bars, HourBars
from intelligence.outcomes.controls import DAY, WEEK, control_minutes
from intelligence.outcomes.judging import first_minute, strength_of, told_of
from intelligence.outcomes.rules import ControlRule, OutcomeRules
from tests.intelligence.builders import an_alert
from tests.intelligence.outcomes.builders import AT, MINUTE_MS, Market, a_told, judged

LARGE = 0.02


def test_what_follows_the_delivery_is_consequential():
    outcome = judged(Market().set([AT + 5], LARGE))

    assert (outcome.consequential, outcome.rank, outcome.controls) == (True, 1.0, 200)
    assert outcome.span == pytest.approx(0.0198, abs=1e-4)


def test_what_came_before_the_delivery_is_not_counted():
    late = a_told(delivered_s=180.0)
    outcome = judged(Market().set([AT, AT + 1, AT + 2], LARGE), late)

    assert outcome.consequential is False
    assert outcome.span == pytest.approx(0.001, abs=1e-4)


def test_the_minute_of_the_delivery_itself_is_not_counted():
    assert first_minute(AT * MINUTE_MS) == AT
    assert first_minute(AT * MINUTE_MS + 1) == AT + 1
    assert judged(Market().set([AT], LARGE)).consequential is False


def test_a_move_that_was_mostly_over_left_no_room():
    market = Market().set([AT], 0.05).set([AT + 5], 0.01)

    assert judged(market).rank == 1.0
    assert judged(market).consequential is False


def test_below_the_cost_floor_nothing_is_consequential():
    assert judged(Market().set([AT + 5], 0.002)).consequential is False


def test_an_ordinary_range_is_not_consequential():
    assert judged(Market(quiet=LARGE)).consequential is False


def test_what_comes_after_the_horizon_changes_nothing():
    market = Market().walk(range(AT - 9 * WEEK, AT + 16))
    after = Market().walk(range(AT - 9 * WEEK, AT + 16)).set(range(AT + 16, AT + 120), 0.5)

    assert judged(market, until=AT + 16) == judged(after)


def test_every_control_is_over_before_the_event():
    times = control_minutes(AT, [AT], 0, ControlRule())

    assert max(times) + 60 <= AT
    assert len({time // DAY for time in times}) == 8


def test_controls_lie_at_the_same_time_of_the_week():
    times = control_minutes(AT, [AT], 0, ControlRule())

    assert {(AT - time + 30) // WEEK * WEEK for time in times} == {week * WEEK for week in range(1, 9)}
    assert max(min((AT - time) % WEEK, (time - AT) % WEEK) for time in times) == 30


def test_no_control_is_near_an_alert_of_ours():
    times = control_minutes(AT, [AT - 2 * WEEK + 20, AT], 0, ControlRule())

    assert not [time for time in times if abs(time - (AT - 2 * WEEK + 20)) <= 60]


def test_where_weeks_are_too_few_all_weekdays_serve():
    busy = [AT - week * WEEK for week in range(1, 5)]
    times = control_minutes(AT, [*reversed(busy), AT], 0, ControlRule())

    assert len({time // DAY for time in times}) > 20
    assert not [time for time in times if (time // DAY + 3) % 7 >= 5]


def test_until_prices_are_there_for_five_weeks_all_weekdays_serve():
    times = control_minutes(AT, [AT], AT - 10 * DAY, ControlRule())

    assert len({time // DAY for time in times}) == 6
    assert min(times) >= AT - 10 * DAY


def test_strict_is_against_hours_as_wild_as_the_one_before():
    """What followed is far more than usual, and no more than usual after such an hour."""
    wild = range(AT - 61, AT)
    followed = Market().set([AT + 5], LARGE).set(wild, 0.05).set(range(AT - WEEK - 92, AT - WEEK + 46), 0.05)
    alone = Market().set([AT + 5], LARGE).set(wild, 0.05).set(range(AT - WEEK - 92, AT - WEEK - 30), 0.05)

    assert (judged(followed).consequential, judged(followed).strict) == (True, False)
    assert (judged(alone).consequential, judged(alone).strict) == (True, True)


def test_with_too_few_days_of_prices_it_is_not_measurable_yet():
    outcome = judged(Market().set([AT + 5], LARGE), from_minute=AT - 3 * DAY)

    assert (outcome.consequential, outcome.rank, outcome.base) == (None, None, None)
    assert outcome.span is not None


def test_missing_minutes_are_not_a_quiet_market():
    gone = Market().set(range(AT + 1, AT + 6), None)

    assert judged(gone).span is None
    assert judged(gone, minutes=60).span is not None


def test_the_market_is_judged_by_bitcoin():
    told = told_of(an_alert(kind=AlertKind.MARKET_WIDE, asset="MARKET"), decided_ms=1, awaited=True, held=())

    assert told.asset == "BTC"


def test_feeds_have_no_price():
    assert told_of(an_alert(kind=AlertKind.FEED_HEALTH), decided_ms=1, awaited=True, held=()) is None


def test_who_was_told_by_nobody_is_measured_from_the_decision():
    held = told_of(an_alert(), decided_ms=5_000, awaited=False, held=("folded:abc", "folded:def"))

    assert (held.from_ms, held.held) == (5_000, ("folded",))


def test_who_waits_for_a_delivery_is_not_measured_before():
    assert told_of(an_alert(), decided_ms=5_000, awaited=True, held=()).from_ms is None


def test_a_volume_spike_is_as_strong_as_its_price_ranges_are_wide():
    spike = an_alert(kind=AlertKind.VOLUME_SPIKE, value=9e6, threshold=1e6, context=(("range_lift", 3.2),))

    assert strength_of(spike) == 3.2
    assert strength_of(an_alert(value=9e6, threshold=1e6)) == 9.0


def test_an_hour_survives_being_packed():
    bars = HourBars()
    bars.put(61, (2.0, 1.0, 1.5))

    assert Bars({1: HourBars(bars.pack())}).span(61, 1) == pytest.approx(0.693, abs=1e-3)
    with pytest.raises(ValueError, match="expected 180 figures, was 1"):
        HourBars(b"\0\0\0\0")


def test_rules_of_the_page_hold_by_default():
    rules = OutcomeRules()

    assert (rules.consequence.percentile, rules.consequence.floor, rules.consequence.room) == (0.8, 0.0025, 0.4)
    assert (rules.controls.wanted, rules.controls.days, rules.controls.around, rules.controls.apart) == (
        200,
        60,
        30,
        60,
    )
