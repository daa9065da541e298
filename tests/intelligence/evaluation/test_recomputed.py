"""A1: an alert is true when its figure comes out again from the whole recording."""

import numpy as np
import pytest

from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.cascade import CascadeRule
from intelligence.evaluation.recomputed import of_cascades, of_open_interest, of_orders, of_volume, untrue
from intelligence.market import PositionSide
from tests.intelligence.builders import T0, a_liquidation
from tests.intelligence.evaluation.builders import told_at, walk

VOLUME, OPEN_INTEREST, CASCADE = AlertKind.VOLUME_SPIKE, AlertKind.OPEN_INTEREST, AlertKind.CASCADE


def a_market():
    bars = walk(days=1)
    bars.usd[:] = 1.0
    return bars, np.ones(len(bars), dtype=bool)


def doubts(told, kind=VOLUME, again=None):
    return untrue(told, kind, again or of_volume(*a_market()))


def test_a_figure_that_comes_out_again_is_true():
    assert doubts([told_at(100, value=5.0)]) == {}


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        ({"value": 5_000.0, "threshold": 2.0}, "figure"),
        ({"value": 5.0, "threshold": 5.1}, "rule"),
    ],
)
def test_wrong_units_and_a_rule_that_does_not_hold_are_not_true(alert, reason):
    assert doubts([told_at(100, **alert)]) == {"a100": reason}


def test_a_minute_that_is_not_there_is_the_feeds_fault():
    bars, whole = a_market()
    whole[98] = False

    assert doubts([told_at(100, value=5.0)], again=of_volume(bars, whole)) == {"a100": "feed"}


def test_a_second_incident_beside_an_open_one_is_a_duplicate():
    first, second = told_at(100, value=5.0), told_at(130, value=5.0)
    end = told_at(120, alert_id="a100", stage=Stage.ENDED)

    assert doubts([first, second]) == {"a130": "duplicate"}
    assert doubts([first, end, second]) == {}


def test_open_interest_is_compared_at_both_ends_of_its_window():
    bars, _ = a_market()
    coins = np.full(len(bars), 100.0)
    coins[99:] = 120.0
    told = told_at(100, kind=OPEN_INTEREST, value=20.0, threshold=15.0)

    assert doubts([told], OPEN_INTEREST, of_open_interest(bars, coins)) == {}
    coins[95] = np.nan
    assert doubts([told], OPEN_INTEREST, of_open_interest(bars, coins)) == {"a100": "feed"}


def a_cascade(**overrides):
    fields = {"kind": CASCADE, "side": PositionSide.LONG, "started_ms": T0, "latest_ms": T0 + 5_000, "window_ms": 0}
    return told_at(100, **(fields | {"value": 6e5, "threshold": 5e5} | overrides))


def test_a_cascade_is_counted_from_its_first_order_to_its_last():
    tape = [a_liquidation(second * 1_000, 1e5) for second in range(9)]

    assert doubts([a_cascade()], CASCADE, of_cascades(tape, CascadeRule())) == {}


def test_a_cascade_of_both_sides_breaks_its_rule():
    tape = [a_liquidation(second * 1_000, 1e5) for second in range(6)]
    tape += [a_liquidation(second * 1_000, 1e5, position_side=PositionSide.SHORT) for second in range(4)]

    assert doubts([a_cascade()], CASCADE, of_cascades(tape, CascadeRule())) == {"a100": "rule"}


def test_a_single_liquidation_is_looked_up_by_moment_and_side():
    tape = [a_liquidation(0, 2e5), a_liquidation(0, 9e5, position_side=PositionSide.SHORT)]
    told = told_at(0, kind=AlertKind.LIQUIDATION, side=PositionSide.LONG, started_ms=T0, value=2e5, threshold=1e5)

    assert doubts([told], AlertKind.LIQUIDATION, of_orders(tape)) == {}
    assert doubts([told], AlertKind.LIQUIDATION, of_orders([])) == {told.alert_id: "feed"}
