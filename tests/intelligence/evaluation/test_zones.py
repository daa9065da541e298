"""Zones in markets whose truth is known: knowing is told from guessing, and what is changed at the last moment does not count."""

import numpy as np
import pytest

from intelligence.evaluation.bars import Bars
from intelligence.evaluation.zone_forecasts import (
    CELL,
    CELLS,
    Forecast,
    Liquidated,
    Seen,
    Warned,
    leads,
    watch,
    world_of,
)
from intelligence.evaluation.zone_nulls import NAMES, density_nulls, nulls
from intelligence.evaluation.zone_scores import (
    capture,
    cells_of,
    density_of,
    reaction_ratio,
    reflection,
    touched,
    warned_of,
)

MINUTES = 4 * 1_440


def market(seed=1):
    draw = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.0006, MINUTES)))
    before = np.concatenate(([100.0], close[:-1]))
    return Bars(
        asset="BTC",
        step_min=1,
        from_ms=np.arange(MINUTES, dtype=np.int64) * 60_000,
        high=np.maximum(before, close),
        low=np.minimum(before, close),
        close=close,
        usd=np.zeros(MINUTES),
    )


def tape(bars, wanted, seed=2):
    """Liquidations along the path of price, each place with the chance that `wanted` gives its price."""
    draw = np.random.default_rng(seed)
    prices = draw.uniform(bars.low, bars.high)
    kept = draw.random(MINUTES) < wanted(prices)
    falling = np.diff(bars.close, prepend=bars.close[0]) < 0
    return Liquidated(bars.from_ms[kept] + 30_000, falling[kept], prices[kept], np.full(int(kept.sum()), 1_000.0))


def near_a_level(prices, part=0.01):
    """Where positions of this market wait: at prices that are whole parts of a hundred, by logarithm."""
    place = np.log(prices) / part % 1
    return (place > 0.4) & (place < 0.6)


class Zones:
    """Zones at every level near the price, right ones or shifted by a random part of a level."""

    def __init__(self, bars, shift=0.0, part=0.01):
        self._bars, self._shift, self._part = bars, shift, part

    def take(self, place):
        price = self._bars.close[place]
        here = np.log(price) / self._part
        shift = self._shift * np.random.default_rng(place).random()
        zones = []
        for step in range(-4, 5):
            low, high = (
                (np.floor(here) + step + 0.4 + shift) * self._part,
                (np.floor(here) + step + 0.6 + shift) * self._part,
            )
            zones.append(
                Forecast(high < np.log(price), float(np.exp(low)), float(np.exp(high)), 1e6, None, is_large=True)
            )
        return Seen(tuple(zones))

    def density(self):
        return None


@pytest.fixture(scope="module")
def world():
    bars = market()
    return world_of(bars, tape(bars, lambda prices: np.where(near_a_level(prices), 0.6, 0.02)), 720, blocks_a_day=4)


@pytest.fixture(scope="module")
def knowing(world):
    return watch(world, Zones(world.bars)).levels


@pytest.fixture(scope="module")
def guessing(world):
    return watch(world, Zones(world.bars, shift=1.0)).levels


def ratio(levels, world):
    """Of reactions, against random levels at the same distances."""
    random = nulls(levels, world, seed=1)[NAMES[0]]
    return reaction_ratio(touched(levels, world).reaction, touched(random, world).reaction)


def test_zones_that_know_are_told_from_random_ones(world, knowing):
    assert ratio(knowing, world).low > 1.0


def test_zones_that_guess_are_no_better_than_random_ones(world, guessing):
    assert ratio(guessing, world).low < 1.0 < ratio(guessing, world).high


def test_where_liquidations_lie_anywhere_no_zone_is_better_than_random_ones(world, knowing):
    anywhere = tape(world.bars, lambda prices: np.full(len(prices), 0.1))
    silent = world_of(world.bars, anywhere, 720, blocks_a_day=4)

    assert ratio(knowing, silent).low < 1.0 < ratio(knowing, silent).high


def test_the_capture_curve_of_who_knows_lies_below_that_of_who_guesses(world, knowing, guessing):
    knows, guesses = (capture(cells_of(density_of(one, world), world)) for one in (knowing, guessing))

    assert knows.h.low > guesses.h.value
    assert (knows.covered[-1], knows.missed[-1]) == (1.0, 0.0)


def densities(world, centre):
    """All of it around the levels nearest to each price; `centre`: where in a level."""
    cells = (np.arange(CELLS) + 0.5) * CELL
    prices = np.log(world.price)[:, None, None] + np.array([-1, 1])[None, :, None] * cells
    return np.where(np.abs(prices / 0.01 % 1 - centre) < 0.1, 1.0, 0.01)


def test_a_density_that_knows_captures_more_than_its_nulls_and_one_beside_the_truth_less(world):
    knows = densities(world, 0.5)
    found = {name: capture(cells_of(one, world)).h for name, one in density_nulls(knows, world, seed=4).items()}

    assert capture(cells_of(knows, world)).h.low > max(one.value for one in found.values())
    assert capture(cells_of(densities(world, 0.0), world)).h.value < 0.05


def test_null_zones_are_as_wide_and_on_the_same_sides(world, knowing):
    found = nulls(knowing, world, seed=3)

    for name in (NAMES[0], NAMES[4]):
        assert found[name].width.mean() == pytest.approx(knowing.width.mean())
        assert found[name].sign.mean() == pytest.approx(knowing.sign.mean(), abs=0.05)
    assert len(found[NAMES[0]]) == len(knowing)
    assert all((one.away > 0).all() for one in found.values())


def test_touches_of_random_levels_are_as_often_as_reflection_says(world, knowing):
    levels = nulls(knowing, world, seed=3)[NAMES[0]]
    said = reflection(levels.away / world.sigma[levels.epoch])

    assert touched(levels, world).is_touched.mean() == pytest.approx(said.mean(), abs=0.05)


class AtTheLastMoment:
    """Draws a zone around the price that the next minute reaches."""

    def __init__(self, bars):
        self._bars = bars

    def take(self, place):
        after = self._bars.low[min(place + 1, MINUTES - 1)]
        zone = Forecast(True, after * 0.99, after, 1e6, None, is_large=True)
        return Seen((zone,), (zone,))

    def density(self):
        return None


def test_a_zone_that_is_drawn_just_before_the_touch_is_not_warned_of_in_time(world):
    watched = watch(world, AtTheLastMoment(world.bars))

    assert len(watched.warned) > 1_000
    assert all(np.isnan(lead) or lead == 0.5 for lead in leads(watched))


def test_what_a_warning_said_is_kept_beside_what_came(world):
    zone = Forecast(True, 1.0, float(world.bars.close[800]) * 0.9999, 1e6, 0.6, is_large=True)
    found = warned_of([Warned(800, zone)], world)

    assert found.said.tolist() == [0.6]
    assert found.baseline[0] > 0.9
