"""The chance of a touch: the reflection formula, and what an asset's own moves correct."""

import random
from itertools import pairwise
from math import exp, log, sqrt

import pytest

from intelligence.zones.touch import HORIZONS_MIN, Touches, reflection
from tests.intelligence.zones.builders import wandering

MINUTE_MS = 60_000


def fed(prices):
    touches = Touches()
    for index, (before, price) in enumerate(pairwise(prices)):
        touches.take(index * MINUTE_MS, min(before, price), max(before, price), price)
    return touches


def test_the_baseline_is_that_of_the_reference():
    """detection.md 10.4: 1 % within 4 h at 50 % and 80 % a year, 2 % within 24 h."""
    for volatility, hours, away, expected in ((0.5, 4, 0.01, 0.35), (0.8, 4, 0.01, 0.56), (0.5, 24, 0.02, 0.44)):
        sigma = volatility * sqrt(hours / 24 / 365)

        assert reflection(away / sigma) == pytest.approx(expected, abs=0.01)


def test_nothing_is_said_before_volatility_is_known():
    assert fed(wandering(10)).chances(0.01, is_above=True) == ()


def test_every_horizon_is_told_and_longer_ones_are_likelier():
    chances = fed(wandering(300)).chances(0.01, is_above=True)

    assert tuple(chance.minutes for chance in chances) == HORIZONS_MIN
    assert [chance.baseline for chance in chances] == sorted(chance.baseline for chance in chances)


def test_what_price_is_at_is_certain():
    assert {chance.probability for chance in fed(wandering(300)).chances(0.0, is_above=True)} == {1.0}


def test_a_market_that_turns_back_every_minute_makes_far_levels_less_likely_than_reflection():
    prices = [100.1 if index % 2 else 100.0 for index in range(3000)]
    within_15 = fed(prices).chances(log(1.003), is_above=True)[1]

    assert within_15.probability < 0.8 * within_15.baseline


def test_a_walk_without_drift_is_hardly_corrected():
    touches = fed(wandering(5000, seed=3))
    for sigmas in (0.5, 1.0, 1.5):
        chance = touches.chances(sigmas * 0.001 * sqrt(60), is_above=False)[2]

        assert chance.probability == pytest.approx(chance.baseline, abs=0.12)


def test_a_gap_in_the_minutes_judges_nothing_over_it():
    whole, gapped = fed(wandering(200)), Touches()
    prices = wandering(200)
    for index, price in enumerate(prices[1:]):
        gapped.take(index * 2 * MINUTE_MS, price, price, price)

    assert sum(whole.kept().moves[0].seen) > 0
    assert sum(gapped.kept().moves[0].seen) == 0


def test_in_a_market_whose_moves_go_on_levels_ahead_are_likelier_than_those_behind():
    draw, prices, left, step = random.Random(1), [100.0], 0, 0.0
    for _ in range(6000):
        if left == 0:
            left, step = draw.randrange(1, 6), draw.choice((-1, 1)) * 0.001
        left -= 1
        prices.append(prices[-1] * exp(step + draw.gauss(0.0, 0.0002)))
    prices += [prices[-1] * exp(0.001), prices[-1] * exp(0.002)]
    touches = fed(prices)

    ahead, behind = (touches.chances(0.002, is_above=is_above)[0] for is_above in (True, False))
    assert ahead.baseline == behind.baseline
    assert ahead.probability > 1.3 * behind.probability


def test_after_a_wild_hour_longer_horizons_expect_calmer_ones():
    draw = random.Random(1)
    prices = [100.0]
    for index in range(3000):
        prices.append(prices[-1] * exp(draw.gauss(0.0, 0.003 if index >= 2940 else 0.0005)))
    chances = fed(prices).chances(0.01, is_above=True)

    deviations = [0.01 / chance.sigmas / sqrt(chance.minutes) for chance in chances]
    assert deviations[-1] < 0.8 * deviations[2] < 0.8 * deviations[0]
