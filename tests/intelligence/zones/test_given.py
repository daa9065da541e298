"""The given baseline model, number by number (requirements.md 8)."""

import pytest

from intelligence.market import PositionSide
from intelligence.zones.given import GivenZones, estimated_leverage, predict
from intelligence.zones.rules import GivenRule
from tests.intelligence.zones.builders import a_zone_minute

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def levels(funding=0.0001, open_usd=1e9, price=100.0):
    return predict(GivenRule(), price=price, open_usd=open_usd, funding_8h=funding)


def test_levels_lie_one_over_the_leverage_and_a_fee_away():
    prices = {(level.leverage, level.side): level.price for level in levels(funding=0.0005)}

    assert prices[10, LONG] == pytest.approx(100 * (1 - 1 / 10 - 0.001))
    assert prices[25, SHORT] == pytest.approx(100 * (1 + 1 / 25 + 0.001))
    assert sorted({leverage for leverage, _ in prices}) == [10, 15, 20, 25]


def test_the_side_that_pays_funding_has_six_tenths():
    sizes = {level.side: level.usd for level in levels(funding=0.0001)}

    assert sizes == pytest.approx({LONG: 1e9 * 0.6 * 0.2, SHORT: 1e9 * 0.4 * 0.2})


def test_without_funding_shorts_count_as_the_payers():
    sizes = {level.side: level.usd for level in levels(funding=0.0)}

    assert sizes[SHORT] > sizes[LONG]


def test_leverage_is_estimated_from_funding_and_capped():
    assert estimated_leverage(0.0001) == pytest.approx(11.5)
    assert estimated_leverage(-0.0001) == estimated_leverage(0.0001)
    assert estimated_leverage(0.01) == 50.0


def test_leverages_beyond_one_and_a_half_times_the_estimate_are_left_out():
    assert {level.leverage for level in levels(funding=0.0)} == {10, 15}
    assert {level.leverage for level in levels(funding=0.0001)} == {10, 15}
    assert {level.leverage for level in levels(funding=0.0005)} == {10, 15, 20, 25}


def test_small_levels_do_not_count():
    assert {level.side for level in levels(funding=0.0001, open_usd=10e6)} == {LONG}


def play(prices, coins=5e6):
    """A model that saw these prices, minute by minute; `coins` are open on two venues. Returns it with its warnings."""
    model, warned = GivenZones("SOL", GivenRule()), []
    for index, (before, price) in enumerate(zip([prices[0], *prices], prices, strict=False)):
        minute = a_zone_minute(index, price, coins, before=before, funding_8h=0.0005)
        warned += model.take(minute, price, minute.mark_low, minute.mark_high)
    return model, warned


def test_people_are_warned_within_two_per_cent_of_a_large_level_and_once():
    _, warned = play([100.0, 99.0, 98.5, 97.8, 97.6, 97.7])

    assert [(round(one.zone.low, 2), one.price) for one in warned] == [(95.9, 97.8)]


def test_a_level_below_ten_million_warns_nobody():
    _, warned = play([100.0, 98.0, 97.0], coins=0.3e6)

    assert warned == []


def test_it_looks_again_after_five_minutes_and_not_before():
    model, _ = play([100.0, 101.0, 102.0])
    after_two = len(model.zones)
    model, _ = play([100.0, 101.0, 102.0, 102.0, 102.0, 102.0])

    assert (after_two, len(model.zones)) == (8, 16)


def test_a_level_that_price_has_gone_through_without_liquidations_is_refuted():
    model, _ = play([100.0, 95.0])

    assert model.tally.refuted == 1
    assert min(zone.low for zone in model.zones) > 89.0


def test_a_liquidation_beside_a_level_confirms_it():
    model = GivenZones("SOL", GivenRule())
    for index, (before, price) in enumerate([(100.0, 100.0), (100.0, 95.95)]):
        liquidations = [(LONG, 95.95, 50_000.0)] if index else []
        minute = a_zone_minute(index, price, 5e6, before=before, liquidations=liquidations, funding_8h=0.0005)
        model.take(minute, price, minute.mark_low, minute.mark_high)

    assert (model.tally.confirmed, model.tally.refuted) == (1, 0)
