"""The baselines of one asset: what they hold, what they leave out, and that a restart changes nothing."""

import msgspec
import pytest
from msgspec.structs import replace

from intelligence.market import Coverage
from intelligence.thresholds.history import Day, History, Progress, order_sizes_usd
from intelligence.thresholds.rules import HistoryRule
from tests.intelligence.builders import a_liquidation
from tests.intelligence.thresholds.builders import DAY_MS, MINUTE_MS, MONDAY, a_history, a_minute, minutes


def fed(records):
    history = History(HistoryRule())
    for minute in records:
        history.take(minute)
    return history


def test_a_quarter_enters_when_the_one_after_it_has_closed():
    history = fed(a_minute(number) for number in range(30))
    assert history.mean_15m_usd(MONDAY + DAY_MS, 7) is None

    history.take(a_minute(30))
    assert history.mean_15m_usd(MONDAY + DAY_MS, 7) == (15_000.0, 1)


def test_missing_minutes_are_not_zero():
    kept = [number for number in range(31) if number not in {3, 4, 5}]

    assert fed(map(a_minute, kept)).mean_15m_usd(MONDAY + DAY_MS, 7) == (15_000.0, 1)


def test_a_quarter_that_was_hardly_watched_is_unknown():
    assert fed(map(a_minute, range(9, 31))).mean_15m_usd(MONDAY + DAY_MS, 7) is None


def test_a_minute_counts_once():
    history = fed(a_minute(number) for number in (*range(15), *range(15), *range(15, 31)))

    assert history.mean_15m_usd(MONDAY + DAY_MS, 7) == (15_000.0, 1)


def test_the_season_tells_busy_hours_from_quiet_ones():
    history = a_history(14)
    monday = MONDAY + 14 * DAY_MS
    noon, afternoon = (history.season(monday + hour * 60 * MINUTE_MS).index for hour in (10, 15))
    saturday = history.season(monday + 5 * DAY_MS + 15 * 60 * MINUTE_MS).index

    assert afternoon / noon == pytest.approx(3, rel=0.15)
    assert saturday / afternoon == pytest.approx(0.5, rel=0.15)


def test_a_past_without_anything_in_it_leaves_the_season_of_the_hour():
    history = a_history(14)
    asked = MONDAY + 14 * DAY_MS + 10 * 60 * MINUTE_MS
    season = history.season(asked)
    history.backfill_hours({})

    assert history.season(asked) is season


def test_hours_of_the_past_give_a_season_at_once():
    history = History(HistoryRule())
    hours = {MONDAY + hour * 3_600_000: 3e6 if hour % 24 == 15 else 1e6 for hour in range(14 * 24)}
    history.backfill_hours(hours)

    assert history.season(MONDAY + 14 * DAY_MS + 15 * 3_600_000).index == pytest.approx(3)
    assert history.observed_days == 0  # nobody watched


def test_a_reference_is_raised_to_the_level_of_all_venues_where_both_are_known():
    history = fed(a_minute(number, usd=1_000.0) for number in range(3 * 60 + 31))
    history.backfill_hours({MONDAY + hour * 3_600_000: 20_000.0 for hour in range(-24, 3)})

    assert history.reference_factor == pytest.approx(3)
    assert history.mean_15m_usd(MONDAY + 3 * 3_600_000, 1) == (pytest.approx(15_000.0), 96)


def test_an_asset_that_hardly_trades_has_no_season():
    history = fed(a_minute(number, usd=0.0) for number in range(3 * 1440))

    assert history.season(MONDAY + 3 * DAY_MS) is None


def test_days_older_than_four_weeks_are_forgotten():
    history = a_history(30)

    assert len(history.days) == 28
    assert history.observed_days == pytest.approx(28, abs=0.05)


def test_volatility_is_judged_against_its_usual_level():
    history = a_history(8)
    calm = history.volatility(MONDAY + 8 * DAY_MS).multiplier
    wild = 100.0
    for number in range(8 * 1440, 8 * 1440 + 120):
        wild *= 1.01 if number % 2 else 0.99
        history.take(a_minute(number, close=wild))

    assert calm == pytest.approx(1, rel=0.2)
    assert history.volatility(MONDAY + 8 * DAY_MS + 120 * MINUTE_MS).multiplier == 2.5


def test_volatility_does_not_see_the_window_that_is_judged():
    history = a_history(8)
    before = history.volatility(MONDAY + 8 * DAY_MS).multiplier
    for number in range(8 * 1440, 8 * 1440 + 14):
        history.take(a_minute(number, close=100.0 if number % 2 else 110.0))

    assert history.volatility(MONDAY + 8 * DAY_MS + 14 * MINUTE_MS).multiplier == pytest.approx(before, rel=0.02)


def oi_changes(*figures):
    """The changes in the baselines after quarters with these coins by venue, a figure a minute for each."""
    history = History(HistoryRule())
    for number in range(15 * len(figures) + 31):
        history.take(a_minute(number, oi=figures[min(number // 15, len(figures) - 1)].items()))
    return [change for day in history.days.values() for change in day.oi_changes.waiting]


def test_changes_of_open_interest_are_those_of_the_venues_at_both_ends():
    assert max(oi_changes({"a": 100.0}, {"a": 110.0, "b": 900.0})) == pytest.approx(10)


def test_fills_of_one_order_count_as_one():
    fills = [a_liquidation(at_ms, usd=1e3, price=140.0) for at_ms in (0, 100, 1_500)]

    assert order_sizes_usd(fills) == [1e3, 2e3]
    assert order_sizes_usd([replace(fill, coverage=Coverage.CAPPED) for fill in fills]) == [1e3] * 3


def test_minutes_without_all_their_trades_say_nothing_of_the_volume():
    assert fed(a_minute(number, complete=False) for number in range(60)).mean_15m_usd(MONDAY + DAY_MS, 7) is None


def test_a_restored_history_goes_on_as_the_lost_one_would_have():
    all_minutes = list(minutes(3))
    whole = fed(all_minutes)
    first = fed(all_minutes[: 2 * 1440])
    days = [msgspec.msgpack.decode(msgspec.msgpack.encode(day), type=Day) for day in first.days.values()]
    progress = msgspec.msgpack.decode(msgspec.msgpack.encode(first.progress), type=Progress)
    restored = History(HistoryRule(), days=days, progress=progress)
    for minute in all_minutes[2 * 1440 :]:
        restored.take(minute)

    missing = whole.observed_days - restored.observed_days
    assert missing <= 30 / 1440 + 1e-9  # the half hour that had not entered yet
    later = MONDAY + 3 * DAY_MS
    assert restored.season(later).index == pytest.approx(whole.season(later).index, rel=0.05)
    assert restored.progress.sigmas[-20:] == pytest.approx(whole.progress.sigmas[-20:], rel=0.01)
