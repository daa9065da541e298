"""Who warns by the reflection formula alone: at the model's terms, at every level from which a chance is enough."""

import numpy as np
import pytest

from intelligence.evaluation.bars import Bars
from intelligence.evaluation.zone_forecasts import Forecast
from intelligence.evaluation.zone_reflection import LEVELS, ReflectionWarner, Terms

TERMS = Terms(a_day=6, too_late=0.7)


def bars_of(close):
    before = np.concatenate(([close[0]], close[:-1]))
    return Bars(
        asset="BTC",
        step_min=1,
        from_ms=np.arange(len(close), dtype=np.int64) * 60_000,
        high=np.maximum(before, close),
        low=np.minimum(before, close),
        close=close,
        usd=np.zeros(len(close)),
    )


def walk(minutes=1_440, seed=1):
    return bars_of(100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.001, minutes))))


def short_zone(low, width=0.002):
    return Forecast(False, low, low * (1 + width), 1e6, None, is_large=True)


def warned(bars, zones_at, terms=TERMS):
    warner = ReflectionWarner(bars, terms)
    for place in range(len(bars)):
        warner.take(place, zones_at(place))
    return warner.warned(first=0)


@pytest.fixture(scope="module")
def ahead():
    """A zone stands above the price, always at the same distance."""
    bars = walk()
    return bars, warned(bars, lambda place: [short_zone(bars.close[place] * 1.002)])


def test_a_higher_level_never_brings_more_warnings_of_a_zone_that_stands():
    bars = walk()
    zone = short_zone(float(np.quantile(bars.high, 0.97)), width=0.2)
    counts = [len(found) for found in warned(bars, lambda _: [zone], Terms(a_day=6, too_late=1.0)).values()]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 1


def test_there_are_no_more_warnings_a_day_than_the_terms_allow(ahead):
    assert max(len(found) for found in ahead[1].values()) <= TERMS.a_day


def test_nothing_is_told_from_that_chance_on_from_which_it_is_too_late(ahead):
    assert not any(ahead[1][level] for level in LEVELS if level >= TERMS.too_late)


def test_a_zone_is_told_again_only_after_price_has_gone_through_it():
    there, through = 100 * np.exp(0.001 * np.sin(np.arange(300))), 100 * np.exp(0.02 * np.sin(np.arange(300) / 10))
    terms = Terms(a_day=100, too_late=1.0)

    assert len(warned(bars_of(there), lambda _: [short_zone(100.15)], terms)[LEVELS[0]]) <= 1
    assert len(warned(bars_of(through), lambda _: [short_zone(101.0)], terms)[LEVELS[0]]) > 1
