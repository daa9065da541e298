"""The picture of predicted zones says what /zones says, and what chance would have done."""

import pytest

from charts.requests import Rate
from charts.zone_assembly import zones_chart
from intelligence.zones.record import Tally
from tests.charts.samples import NOW_MS, a_tape, a_view


def test_every_listed_zone_is_a_band_from_its_birth_with_size_chance_and_age():
    view = a_view(59_800.0)
    request = zones_chart(view, a_tape())

    nearest = request.zones[0]
    assert (nearest.low, nearest.high, nearest.longs) == (view.zones[0].low, view.zones[0].high, False)
    assert nearest.from_ms == NOW_MS - 37 * 60_000
    assert nearest.label.startswith("$4M, 71%, 37")
    assert [band.longs for band in request.zones] == [False] * 3 + [True] * 3


def test_what_was_reached_stands_beside_what_chance_gives():
    first, second = zones_chart(a_view(), a_tape()).rates

    assert first == Rate("Predicted within a day", 43, 71, pytest.approx(36.9 / 71))
    assert second == Rate("Warned within 15 min", 15, 20, pytest.approx(0.84))


def test_nothing_judged_yet_gives_no_rates():
    assert zones_chart(a_view(record=Tally(), warned=Tally()), a_tape()).rates == ()


def test_how_much_more_is_liquidated_in_zones_is_noted_once_it_is_known():
    assert zones_chart(a_view(), a_tape()).notes == ("1.4 x as much liquidated in zones as beside them",)
    assert zones_chart(a_view(reaction=None), a_tape()).notes == ()
