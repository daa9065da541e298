"""Cutting zones out of densities, and knowing them again."""

from math import log

from intelligence.market import PositionSide
from intelligence.zones.grid import CELL
from intelligence.zones.rules import CutRule
from intelligence.zones.zone import cut, zones_of

LONG = PositionSide.LONG


def ground(peaks, cells=200):
    usd = [1.0 + 0.001 * place for place in range(cells)]
    for place, value in peaks.items():
        usd[place] = value
    return usd


def spans(peaks, **rule):
    return cut(ground(peaks), 0, CutRule(**{"quantile": 0.97, **rule}))


def test_a_run_of_high_density_is_one_zone():
    (only,) = spans(dict.fromkeys(range(60, 66), 50.0))

    assert (only.first, only.after) == (60, 66)


def test_a_gap_of_one_cell_does_not_part_a_run():
    (only,) = spans(dict.fromkeys((60, 61, 63, 64, 65, 66), 50.0))

    assert (only.first, only.after) == (60, 67)


def test_a_single_cell_is_widened_to_the_least_width():
    found = cut(ground(dict.fromkeys((20, 50, 80, 110, 140, 170), 50.0)), 0, CutRule(quantile=0.975, a_side=9))

    assert {span.after - span.first for span in found} == {2}


def test_a_long_run_is_cut_at_the_most_width():
    found = cut(ground(dict.fromkeys(range(60, 90), 50.0)), 0, CutRule(quantile=0.86))

    assert sorted((span.first, span.after) for span in found) == [(60, 75), (75, 90)]


def test_only_the_largest_are_kept():
    peaks = {place: 10.0 + place for start in range(10, 190, 20) for place in (start, start + 1)}
    found = spans(peaks, quantile=0.9, a_side=5)

    assert [span.usd for span in found] == sorted((span.usd for span in found), reverse=True)
    assert len(found) == 5


def test_nothing_is_cut_out_of_nothing():
    assert cut([0.0] * 100, 0, CutRule()) == ()


def zones(found, known=(), at_ms=0):
    return zones_of(found, known, asset="SOL", side=LONG, at_ms=at_ms, expires_ms=at_ms + 1000)


def test_a_zone_that_moves_a_little_keeps_its_id_and_birth():
    (before,) = zones(spans(dict.fromkeys(range(60, 66), 50.0)))
    (after,) = zones(spans(dict.fromkeys(range(62, 68), 50.0)), [before], at_ms=60_000)

    assert (after.zone_id, after.born_ms) == (before.zone_id, before.born_ms)
    assert round(log(after.high / before.high) / CELL) == 2


def test_a_zone_elsewhere_is_a_new_one():
    (before,) = zones(spans(dict.fromkeys(range(60, 66), 50.0)))
    (after,) = zones(spans(dict.fromkeys(range(90, 96), 50.0)), [before], at_ms=60_000)

    assert after.zone_id != before.zone_id
    assert after.born_ms == 60_000
