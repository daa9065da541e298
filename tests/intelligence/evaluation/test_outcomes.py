"""A2: what counts as consequential, and that nobody gets it by chance or by knowing the future."""

from dataclasses import replace

import numpy as np
import pytest

from intelligence.evaluation.bars import Bars, range_after
from intelligence.evaluation.baselines import above, at_random, naive_volume, price_only, strongest
from intelligence.evaluation.outcomes import RECORDED, Outcomes
from intelligence.outcomes.bars import Bars as LedgerBars
from intelligence.outcomes.bars import HourBars
from intelligence.outcomes.controls import control_minutes
from intelligence.outcomes.judging import judge
from intelligence.outcomes.rules import ConsequenceRule, OutcomeRules
from tests.intelligence.evaluation.builders import DAY, walk
from tests.intelligence.outcomes.builders import a_told

NO_FLOOR = replace(RECORDED, consequence=ConsequenceRule(floor=0.0))
ANYTHING = replace(RECORDED, consequence=ConsequenceRule(percentile=0.0, floor=0.0))


def test_a_detector_that_fires_at_random_scores_the_base_rate():
    bars = walk(days=60)
    outcomes = Outcomes(bars, 15, NO_FLOOR)
    # far apart, so that alerts do not take one another's control times
    places = np.sort(np.random.default_rng(3).choice(np.arange(10 * DAY, 60 * DAY - 20, 97), 600, replace=False))

    judged = outcomes.judge(places)

    assert judged.plain.mean() == pytest.approx(0.20, abs=0.05)
    assert judged.strict.mean() == pytest.approx(0.20, abs=0.05)


def test_the_random_baseline_scores_the_base_rate_too():
    bars = walk(days=60, seed=5)
    judged = Outcomes(bars, 15, NO_FLOOR).judge(at_random(bars, 400, seed=1, first=20 * DAY))

    assert judged.plain.mean() == pytest.approx(0.20, abs=0.06)


def test_a_detector_that_knows_the_future_scores_far_above_what_is_honest():
    bars = walk()
    ahead = np.nan_to_num(range_after(bars, 15))

    planted = Outcomes(bars, 15).judge(strongest(ahead, 60, bars, 8 * DAY))
    honest = Outcomes(bars, 15).judge(strongest(price_only(bars), 60, bars, 8 * DAY))

    assert planted.plain.mean() > 0.95
    assert honest.plain.mean() < 0.5


def test_what_followed_begins_after_the_alert():
    bars = walk()
    bars.high[12 * DAY] *= 2.0

    judged = Outcomes(bars, 15).judge([12 * DAY])

    assert judged.followed[0] < 0.05


def test_a_move_below_the_costs_is_not_consequential():
    bars = walk(sigma=0.00001)
    judged = Outcomes(bars, 15).judge(np.arange(10 * DAY, 12 * DAY, 90))

    assert not judged.plain.any()


def test_a_move_that_was_over_at_delivery_leaves_no_room():
    bars = walk(sigma=0.0005)
    place = 20 * DAY
    bars.close[place - 5 :] *= 1.10
    bars.high[place - 5 :] *= 1.10
    bars.low[place - 4 :] *= 1.10
    quiet = Outcomes(bars, 15, ANYTHING).judge([place], [place - 6])

    assert quiet.plain[0]
    assert not quiet.with_room[0]


def test_without_control_times_an_alert_is_not_measurable():
    judged = Outcomes(walk(days=3), 15).judge([500])

    assert (len(judged.places), judged.not_measurable) == (0, 1)


def test_the_ledger_and_the_backtest_say_the_same_of_the_same_alerts():
    bars, rules = walk(days=40, sigma=0.0007), OutcomeRules()
    hours = {}
    for minute in range(len(bars)):
        hours.setdefault(minute // 60, HourBars()).put(
            minute, (bars.high[minute], bars.low[minute], bars.close[minute])
        )
    starts = np.arange(30 * DAY + 100, 39 * DAY, 400)
    told = [a_told(int(start), started_ms=int(start) * 60_000, delivered_s=240.0) for start in starts]

    recorded = Outcomes(bars, 15, rules, control_minutes).judge(starts + 3, starts)
    live = [
        judge(one, 15, LedgerBars(hours), control_minutes(start, starts.tolist(), 61, rules.controls), rules)
        for one, start in zip(told, starts.tolist(), strict=True)
    ]

    assert recorded.not_measurable == 0
    assert [one.consequential for one in live] == recorded.with_room.tolist()
    assert [one.rank for one in live] == pytest.approx(recorded.rank, abs=0.01)
    assert [one.base for one in live] == pytest.approx(recorded.base, abs=0.01)
    assert [one.strict for one in live] == (recorded.strict & recorded.with_room).tolist()
    assert 0 < recorded.with_room.mean() < 1


def test_control_times_lie_before_the_alert():
    bars = walk()
    changed = walk()
    changed.high[15 * DAY + 20 :] *= 3.0
    place = 15 * DAY

    before = Outcomes(bars, 15).judge([place])
    after = Outcomes(changed, 15).judge([place])

    assert before.rank[0] == after.rank[0]


@pytest.mark.parametrize("scores", [naive_volume, price_only])
def test_baselines_do_not_look_ahead(scores):
    bars = walk(days=4)
    cut = Bars("BTC", 1, *(getattr(bars, name)[: 3 * DAY] for name in ("from_ms", "high", "low", "close", "usd")))

    assert np.array_equal(scores(bars)[: 3 * DAY], scores(cut))


def test_the_strongest_alarms_are_as_many_as_asked_and_an_hour_apart():
    bars = walk(days=10)

    found = strongest(price_only(bars), 12, bars, 2 * DAY)

    assert len(found) == 12
    assert np.diff(found).min() >= 60
    assert len(above(price_only(bars), 1e9, bars)) == 0
