"""How much is liquidated in zones, a unit of price, against beside them."""

import pytest

from intelligence.market import PositionSide
from intelligence.zones.reaction import Reaction
from tests.intelligence.zones.test_record import a_zone

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def fallen(*liquidated):
    """Price fell from 100 to 90, through a zone of longs between 95 and 96."""
    return Reaction().after((a_zone(),), 90.0, 100.0, before=100.0, liquidated=liquidated)


def test_what_is_as_dense_in_zones_as_beside_them_has_the_ratio_one():
    even = tuple((LONG, 90.05 + 0.1 * step, 100.0) for step in range(100))

    assert fallen(*even).ratio == pytest.approx(1.0, rel=0.12)


def test_liquidations_in_a_zone_raise_the_ratio():
    assert fallen((LONG, 95.5, 1000.0), (LONG, 91.0, 1000.0)).ratio == pytest.approx(9.1, rel=0.02)


def test_the_other_side_is_never_in_the_zone():
    told = fallen((SHORT, 95.5, 1000.0))

    assert (told.usd_within, told.usd_beside) == (0.0, 1000.0)


def test_without_enough_of_both_nothing_is_said():
    assert Reaction().ratio is None
    assert fallen((LONG, 95.5, 1000.0)).ratio is None  # nothing beside
