from intelligence.alerts import AlertKind
from intelligence.detectors.cascade import CascadeRule
from intelligence.market import PositionSide
from intelligence.near_misses import of_liquidations
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import a_liquidation, a_minute

GIVEN = StaticThresholds().of("SOL")  # 25 000 and 125 000 USD


def near(*orders, **minute):
    return of_liquidations(a_minute(liquidations=tuple(orders), **minute), GIVEN, CascadeRule(), sigma=0.001)


def test_an_order_below_the_threshold_is_told_with_what_it_lacked():
    (found,) = near(a_liquidation(usd=20_000.0))

    assert (found.kind, found.value, found.threshold) == (AlertKind.LIQUIDATION, 20_000.0, 25_000.0)
    assert found.missing == ("threshold 20000 of 25000",)


def test_an_order_that_raised_an_alert_is_no_near_miss():
    assert [found.kind for found in near(a_liquidation(usd=30_000.0))] == []


def test_what_nobody_would_ask_about_is_left_out():
    assert near(a_liquidation(usd=5_000.0)) == ()
    assert near() == ()


def test_a_cascade_names_every_condition_that_did_not_hold():
    orders = [a_liquidation(index, 60_000.0) for index in range(3)]
    orders.append(a_liquidation(9, 100_000.0, position_side=PositionSide.SHORT))

    cascade = next(found for found in near(*orders) if found.kind is AlertKind.CASCADE)

    assert cascade.position_side is PositionSide.LONG
    assert cascade.missing == (
        "orders 3 of 5",
        "share of the side 0.64 of 0.8",
        "move 0.0 of 1.5 sigma",
    )


def test_a_minute_in_which_everything_held_is_no_near_miss():
    orders = [a_liquidation(index, 30_000.0) for index in range(6)]

    assert near(*orders, open=100.0, close=99.0) == ()
