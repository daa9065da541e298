"""What is held to be a cascade, what counts as found, and the two detectors that ours is measured against."""

import pytest

from benchmarks.cascades.reference import Cascade, ForcedOrder, ReferenceRule, Told, cascades, matched
from benchmarks.cascades.rivals import FixedDollars, Point, PriceOnly, above, limit_for
from benchmarks.cascades.scores import BLOCK_MS, Score, difference, score
from intelligence.market import PositionSide
from tests.intelligence.builders import T0, a_liquidation, a_mark

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
DEPTH = {"SOL": 100e6, "BTC": 1e9}


def orders(*at_s, usd=50_000.0, side=LONG, asset="SOL"):
    return [ForcedOrder(asset=asset, side=side, at_ms=round(at * 1000), usd=usd) for at in at_s]


def a_cascade(from_s=0, until_s=30, side=LONG, asset="SOL"):
    return Cascade(
        asset=asset,
        side=side,
        from_ms=from_s * 1000,
        until_ms=until_s * 1000,
        fifth_ms=from_s * 1000 + 4_000,
        orders=9,
        usd=1e6,
    )


def told(at_s, side=LONG, asset="SOL"):
    return Told(asset=asset, side=side, at_ms=round(at_s * 1000))


# -- the truth --------------------------------------------------------------------------------------------------------


def test_a_run_of_one_side_that_pushes_the_price_is_a_cascade():
    (found,) = cascades(orders(0, 10, 20, 21, 22, 30), DEPTH, ReferenceRule())

    assert (found.from_ms, found.fifth_ms, found.until_ms) == (0, 22_000, 45_000)
    assert (found.orders, found.usd) == (6, 300_000.0)


def test_a_pause_ends_a_run():
    assert len(cascades(orders(0, 1, 2, 3, 4, 20, 21, 22, 23, 24), DEPTH, ReferenceRule())) == 2


@pytest.mark.parametrize(
    "run",
    [
        orders(0, 1, 2, 3, usd=1e6),
        orders(0, 1, 2, 3, 4, usd=39_000.0),
        [*orders(0, 2, 4), *orders(1, 3, 5, side=SHORT)],
        [*orders(0, 2, 4), *orders(1, 3, 5, asset="BTC")],
    ],
    ids=["four orders", "a push too small", "both sides", "two assets"],
)
def test_less_is_none(run):
    assert cascades(run, DEPTH, ReferenceRule()) == []


# -- matching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at_s", "found"), [(-61, False), (-60, True), (30, True), (31, False)])
def test_an_alert_finds_an_event_from_a_minute_before_it_to_its_end(at_s, found):
    assert bool(matched([told(at_s)], [a_cascade()])) is found


def test_a_second_alert_on_one_event_is_false():
    first, second = told(5), told(10)

    assert matched([second, first], [a_cascade()]) == {first: a_cascade()}


def test_an_alert_finds_one_event():
    assert len(matched([told(5)], [a_cascade(0, 30), a_cascade(10, 40)])) == 1


def test_two_alerts_find_two_events_that_overlap_whatever_their_order():
    early, late = a_cascade(0, 200), a_cascade(10, 40)

    assert matched([told(20), told(100)], [early, late]) == {told(20): late, told(100): early}


def test_another_side_or_asset_is_no_find():
    assert matched([told(5, side=SHORT), told(5, asset="BTC")], [a_cascade()]) == {}


# -- the rivals -------------------------------------------------------------------------------------------------------


def test_fixed_dollars_sum_a_minute_of_one_side_of_one_asset():
    rival = FixedDollars()
    for at_ms, usd, changes in (
        (0, 10.0, {}),
        (30_000, 20.0, {}),
        (40_000, 500.0, {"position_side": SHORT}),
        (41_000, 700.0, {"asset": "BTC"}),
        (60_000, 40.0, {}),
    ):
        rival.take(a_liquidation(at_ms, usd, **changes))

    assert [point.score for point in rival.points if point.side is LONG and point.asset == "SOL"] == [10, 30, 60]


def test_fixed_dollars_tell_when_the_order_was_received():
    rival = FixedDollars()
    rival.take(a_liquidation(0, 10.0))

    assert rival.points[0].at_ms == T0 + 200


def marks(last):
    """Forty minutes that swing by 0.1 % a minute, then a last price after another minute."""
    swings = [a_mark(60_000 * minute, 140.0 if minute % 2 else 140.14) for minute in range(41)]
    return [*swings, a_mark(60_000 * 41, last)]


@pytest.mark.parametrize(("last", "side"), [(139.0, LONG), (141.5, SHORT)])
def test_price_only_feels_a_minute_that_is_many_sigmas_and_names_the_side_it_hurts(last, side):
    rival = PriceOnly()
    for mark in marks(last):
        rival.take(mark)
    (point,) = [point for point in rival.points if point.at_ms == T0 + 60_000 * 41 + 100]

    assert point.side is side
    assert point.score > 5


def test_price_only_keeps_silent_while_sigma_is_unknown():
    rival = PriceOnly()
    for mark in (a_mark(0), a_mark(60_000, 130.0)):
        rival.take(mark)

    assert rival.points == []


def points(*scores_at):
    return [Point(at_s * 1000, "SOL", LONG, score) for at_s, score in scores_at]


def test_a_rival_tells_a_burst_once_and_a_new_one_after_a_quiet_minute():
    felt = points((0, 5.0), (50, 6.0), (100, 7.0), (161, 5.0))

    assert above(felt, 5.0) == [told(0), told(161)]


def test_a_rivals_limit_is_the_lowest_that_tells_no_more():
    felt = points((0, 5.0), (100, 7.0), (200, 6.0))

    assert limit_for(2, [felt], lambda _: True) == 6.0
    assert limit_for(0, [felt], lambda _: True) == float("inf")


# -- scores -----------------------------------------------------------------------------------------------------------


def test_precision_recall_and_delay_of_a_run():
    events = [a_cascade(0, 30), a_cascade(100, 130), a_cascade(200, 230)]
    whole = Score(tuple(score([told(5), told(104.5), told(135)], events, 0, BLOCK_MS)))

    assert whole.precision().value == pytest.approx(2 / 3)
    assert whole.recall().value == pytest.approx(2 / 3)
    assert whole.delays_ms == [500, 1_000]
    assert whole.median_delay_s().value == 0.75


def test_the_warm_up_does_not_count():
    blocks = score([told(5)], [a_cascade(0, 30)], 60_000, 60_000 + BLOCK_MS)

    assert (blocks[0].alerts, blocks[0].events) == (0, 0)


def test_a_difference_is_taken_over_the_same_blocks():
    events = [a_cascade(0, 30), a_cascade(2_000, 2_030)]
    found = Score(tuple(score([told(5), told(2_005)], events, 0, 2 * BLOCK_MS)))

    precision, recall = difference(found, found)

    assert (precision.low, precision.value, precision.high) == (0.0, 0.0, 0.0)
    assert (recall.low, recall.value, recall.high) == (0.0, 0.0, 0.0)
