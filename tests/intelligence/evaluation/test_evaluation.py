"""Matching, intervals, calibration, splits and selective delivery: what an honest score rests on."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.alerts import AlertKind
from intelligence.evaluation.calibration import calibration, isotonic
from intelligence.evaluation.daemon_selection import pushed_by_daemon
from intelligence.evaluation.intervals import Share, bootstrap_difference, bootstrap_mean
from intelligence.evaluation.matching import Event, match
from intelligence.evaluation.played import open_interest_changes
from intelligence.evaluation.selective import Candidate, fit_logistic, score_forward
from intelligence.evaluation.splits import Lengths, held_out, walk_forward
from intelligence.outcomes.rules import SelectionRule
from tests.intelligence.builders import a_minute, an_open_interest


def test_the_second_alert_of_an_event_is_false():
    matching = match([1_000_000, 1_030_000], [Event(1_000_000, 1_000_000)], whole=False)

    assert matching.pairs == ((0, 0),)
    assert matching.precision == 0.5
    assert matching.recall == 1.0


def test_an_alert_is_of_one_event_alone():
    matching = match([1_000_000], [Event(1_000_000, 1_100_000), Event(1_030_000, 1_200_000)], whole=True)

    assert len(matching.pairs) == 1


def test_an_alert_after_the_window_matches_nothing():
    assert match([1_121_000], [Event(1_000_000, 1_400_000)], whole=False).pairs == ()
    assert len(match([1_121_000], [Event(1_000_000, 1_400_000)], whole=True).pairs) == 1


def test_lead_is_the_start_less_the_delivery():
    assert match([970_000], [Event(1_000_000, 1_000_000)], whole=False).leads_ms == (30_000,)


@given(st.lists(st.integers(0, 3_000_000), max_size=25), st.lists(st.integers(0, 3_000_000), max_size=25))
def test_matching_is_one_to_one(alerts, starts):
    matching = match(alerts, [Event(start, start + 60_000) for start in starts], whole=True)

    assert len({alert for alert, _ in matching.pairs}) == len(matching.pairs)
    assert len({event for _, event in matching.pairs}) == len(matching.pairs)


def test_the_bootstrap_by_days_covers_the_truth():
    """Alerts of a day share their fate, so that an interval by single alerts would be far too narrow."""
    draw, covered = np.random.default_rng(7), 0
    for _ in range(200):
        days = np.repeat(np.arange(40), 5)
        hits = np.repeat(draw.random(40) < 0.6, 5)
        interval = bootstrap_mean(hits, days, draws=300)
        covered += interval.low <= 0.6 <= interval.high

    assert 0.88 <= covered / 200 <= 0.99


def test_one_day_alone_has_no_interval():
    interval = bootstrap_mean(np.array([True, False]), np.array([3, 3]))

    assert interval.value == 0.5
    assert np.isnan(interval.low)


def test_a_difference_between_equals_does_not_exclude_nothing():
    draw = np.random.default_rng(2)
    days = np.repeat(np.arange(30), 4)
    interval = bootstrap_difference((draw.random(120) < 0.5, days), (draw.random(120) < 0.5, days))

    assert not interval.excludes(0.0)


def test_the_wilson_bound_is_that_of_the_reference():
    assert Share(70, 74).lower >= 0.85  # detection.md 11: 74 alerts at 92 % or more observed
    assert Share(36, 38).lower == pytest.approx(0.85, abs=0.01)


def test_isotonic_never_falls_and_keeps_the_mean():
    values = np.random.default_rng(1).random(200)
    fitted = isotonic(values)

    assert (np.diff(fitted) >= 0).all()
    assert fitted.mean() == pytest.approx(values.mean())


def test_true_probabilities_are_calibrated_and_beat_a_constant():
    draw = np.random.default_rng(4)
    said = draw.random(4_000)
    found = calibration(said, np.full(4_000, 0.5), draw.random(4_000) < said, np.repeat(np.arange(40), 100))

    assert found.error < 0.03
    assert found.skill.low > 0


def test_days_between_the_slices_are_in_none_of_them():
    slices = list(walk_forward(0, 121, Lengths()))

    assert [one.score[0] - one.choose[1] for one in slices] == [1] * len(slices)
    assert [one.choose[0] - one.fit[1] for one in slices] == [1] * len(slices)
    scored = [day for one in slices for day in range(*one.score)]
    assert len(scored) == len(set(scored)) > 0


def test_an_asset_that_is_held_out_is_not_fitted_on():
    assert dict(held_out(("BTC", "ETH", "SOL")))["ETH"] == ("BTC", "SOL")


def candidates(count=600, seed=1, sharp=2.0):
    draw = np.random.default_rng(seed)
    for number in range(count):
        known = float(draw.normal())
        came = bool(draw.random() < 1 / (1 + np.exp(-sharp * known)))
        features = (known, float(draw.normal()))
        yield Candidate(
            asset=("BTC", "ETH", "SOL")[number % 3],
            place=number,
            at_ms=number * 8_640_000,
            day=number // 10,
            strength=float(np.exp(known)),
            features=features,
            came=came,
            strict=came,
        )


def test_a_rule_finds_the_feature_that_matters():
    rows = list(candidates())
    rule = fit_logistic(np.array([one.features for one in rows]), np.array([one.came for one in rows]))

    assert rule.weights[1] > 1.0
    assert abs(rule.weights[2]) < 0.3


def test_what_is_pushed_by_the_rule_is_more_often_consequential():
    scored = score_forward(list(candidates()), 0, 60)
    pushed = [one.candidate.came for one in scored if one.is_pushed]

    assert len(pushed) >= 20
    assert np.mean(pushed) > np.mean([one.candidate.came for one in scored])


def test_a_rule_never_sees_the_days_and_the_asset_that_it_is_scored_on():
    rows = list(candidates())
    changed = [one if one.day < 50 else replace(one, came=not one.came) for one in rows]

    before = {one.candidate.place: one.said for one in score_forward(rows, 0, 60) if one.candidate.day < 50}
    after = {one.candidate.place: one.said for one in score_forward(changed, 0, 60) if one.candidate.day < 50}

    assert before == after


def test_the_daemons_own_rule_pushes_what_is_more_often_consequential_once_it_knows():
    rows = list(candidates(sharp=4.0))
    pushed = pushed_by_daemon(rows, AlertKind.VOLUME_SPIKE, SelectionRule())
    late = [one for one in rows if one.day > 40]

    assert all(one in pushed for one in rows if one.day < 15)
    assert np.mean([one.came for one in late if one in pushed]) > 0.8 > np.mean([one.came for one in late])


def test_the_daemons_own_rule_never_sees_what_comes_later():
    rows = list(candidates(sharp=4.0))
    changed = [one if one.day < 50 else replace(one, came=not one.came) for one in rows]
    before, after = (pushed_by_daemon(some, AlertKind.VOLUME_SPIKE, SelectionRule()) for some in (rows, changed))

    assert {one.place for one in before if one.day < 50} == {one.place for one in after if one.day < 50}


def figures(changes):
    """Minutes with open interest that changes by so many per cent, ten minutes apart."""
    coins, minutes = 1e6, []
    for step, change in enumerate(changes):
        coins *= 1 + change / 100
        for minute in range(10 * step, 10 * step + 10):
            told = an_open_interest((minute + 1) * 60_000 - 1, coins)
            minutes.append(a_minute(minute, open_interest=(told,)))
    return minutes


def test_planted_look_ahead_is_caught_in_what_the_backtest_plays():
    def honest(minutes):
        return [(one.at_ms, one) for one in open_interest_changes(minutes, None, step_min=1, warm_up=0)]

    def cheat(minutes):
        """Each minute with the open interest of the next one."""
        ahead = [
            msgspec.structs.replace(one, open_interest=later.open_interest)
            for one, later in zip(minutes, [*minutes[1:], minutes[-1]], strict=True)
        ]
        dated = [
            msgspec.structs.replace(
                one,
                open_interest=tuple(msgspec.structs.replace(o, exchange_ms=one.to_ms - 1) for o in one.open_interest),
            )
            for one in ahead
        ]
        return honest(dated)

    minutes = figures([0, 0, 0, 40, 0, 0])

    assert honest(minutes)
    assert first_look_ahead(honest, minutes) is None
    assert first_look_ahead(cheat, minutes) == minutes[29].to_ms


def first_look_ahead(tell, minutes):
    """The end of the first minute (ms) at which a run of the minutes so far has told something else than the whole run had
    by then; None if honest.
    """
    whole = tell(minutes)
    for cut, last in enumerate(minutes, start=1):
        if tell(minutes[:cut]) != [one for one in whole if one[0] <= last.to_ms]:
            return last.to_ms
    return None
