"""Our model of zones, held to properties on markets that wander."""

import msgspec
import pytest

from intelligence.history import Bar, History
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import PositionSide
from intelligence.zones.approach import Warnings
from intelligence.zones.rules import ApproachRule, CutRule, ZoneRules
from tests.intelligence.builders import T0
from tests.intelligence.zones.builders import MINUTE_MS, a_falling_market, a_model, a_zone_minute, history
from tests.intelligence.zones.test_record import a_zone

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
WIDE = ZoneRules(cut=CutRule(reach_least=0.25))  # for prices that stand still, which reach nothing
NO_FLOOR = ZoneRules(approach=ApproachRule(large_usd=1e-9))


def total(view, side):
    return sum(zone.expected_usd for zone in view.zones if zone.side is side)


def test_longs_wait_below_the_price_and_shorts_above():
    view = a_model(history()).view()

    assert {zone.side for zone in view.zones} == {LONG, SHORT}
    assert all(zone.low < view.price for zone in view.zones if zone.side is LONG)
    assert all(zone.high > view.price for zone in view.zones if zone.side is SHORT)


def test_more_open_interest_at_a_price_makes_a_zone_where_its_leverages_end():
    coins = [1e6] * 60 + [3e6] * 60
    before = a_model((a_zone_minute(index, 100.0, 1e6) for index in range(60)), WIDE)
    after = a_model((a_zone_minute(index, 100.0, one) for index, one in enumerate(coins)), WIDE)

    assert before.view().zones == ()
    tenfold = [zone for zone in after.view().zones if zone.side is LONG and zone.low <= 100 * 0.9 / 0.995 <= zone.high]
    assert len(tenfold) == 1


def test_what_price_has_passed_is_gone():
    minutes = [a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index)) for index in range(60)]
    fall = [a_zone_minute(60 + index, 85.0, 1.6e6, before=100.0 if index == 0 else 85.0) for index in range(3)]
    before, after = a_model(minutes, WIDE).view(), a_model([*minutes, *fall], WIDE).view()

    assert any(zone.low > 85.0 for zone in before.zones if zone.side is LONG)
    assert not any(zone.high > 85.2 for zone in after.zones if zone.side is LONG)


def test_what_was_closed_takes_off_all_alike():
    minutes = [a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index)) for index in range(60)]
    halved = [a_zone_minute(60, 100.0, 0.8e6)]
    before, after = a_model(minutes, WIDE).view(), a_model([*minutes, *halved], WIDE).view()

    assert total(after, LONG) == pytest.approx(0.5 * total(before, LONG), rel=0.03)


def test_scaling_every_quantity_scales_sizes_and_nothing_else():
    one, tenfold = a_model(history(), NO_FLOOR).view(), a_model(history(scale=10.0), NO_FLOOR).view()

    assert [(zone.zone_id, zone.low, zone.chances) for zone in one.zones] == [
        (zone.zone_id, zone.low, zone.chances) for zone in tenfold.zones
    ]
    assert [zone.expected_usd for zone in tenfold.zones] == pytest.approx(
        [10 * zone.expected_usd for zone in one.zones]
    )


def test_a_run_that_is_cut_off_says_what_the_whole_run_said_then():
    minutes = history(300)
    whole, said, warned = a_model(), [], []
    for minute in minutes:
        warned.append(whole.take(minute))
        said.append(whole.view())
    for cut_at in (50, 170, 299):
        cut = a_model()
        assert [cut.take(minute) for minute in minutes[: cut_at + 1]] == warned[: cut_at + 1]
        assert cut.view() == said[cut_at]


def test_memory_does_not_grow_with_time():
    model = a_model(history(300, seed=2))
    early = len(msgspec.msgpack.encode(model.kept_book()))
    for minute in history(2500, seed=2)[300:]:
        model.take(minute)

    assert len(msgspec.msgpack.encode(model.kept_book())) <= early + 4096
    assert len(model.kept().record.open) <= 256


def test_a_wish_to_look_further_than_the_grid_is_cut_to_it():
    rules = ZoneRules(cut=CutRule(reach_least=1.0, reach_most=1.0))

    assert a_model(history(120), rules).view().zones


def test_a_minute_told_twice_changes_nothing():
    minutes = history(60)
    twice = a_model(one for minute in minutes for one in (minute, minute))

    assert twice.view() == a_model(minutes).view()


def test_a_price_that_moves_only_in_trades_touches_nothing():
    minutes = [a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index)) for index in range(60)]
    wick = msgspec.structs.replace(a_zone_minute(60, 100.0, 1.6e6), low=80.0)
    view = a_model([*minutes, wick], WIDE).view()

    assert any(zone.low > 85.0 for zone in view.zones if zone.side is LONG)


def test_what_is_liquidated_teaches_how_much_is():
    minutes = history(300, seed=4)
    few = [
        msgspec.structs.replace(
            minute,
            liquidations=tuple(
                msgspec.structs.replace(one, quantity=0.01 * one.quantity) for one in minute.liquidations
            ),
        )
        for minute in minutes
    ]

    assert total(a_model(minutes).view(), LONG) > total(a_model(few).view(), LONG)


def test_the_past_is_taken_in_once_and_not_what_price_has_passed_since():
    bars = tuple(Bar(T0 - back * MINUTE_MS, 100.0, 1e3, 1e5, None) for back in range(300, 0, -1))
    points = tuple((T0 - back * 5 * MINUTE_MS, 1e6 * (2 - 0.01 * back)) for back in range(59, 0, -1))
    past = History(reference=None, bars={"1m": bars, "1h": ()}, open_interest={("bybit", "SOL-P"): points})
    model = a_model([a_zone_minute(0, 100.0, 2e6)], WIDE)

    assert model.wants_past
    model.begin_with(past)
    assert not model.wants_past
    model.take(a_zone_minute(1, 100.0, 2e6))
    view = model.view()
    assert any(zone.low <= 100 * 0.9 / 0.995 <= zone.high for zone in view.zones)


def test_tiers_of_a_venue_move_its_zones():
    strict = MarginTiers(
        venue="bybit", instrument="X", asset="SOL", unit="usd", tiers=(MarginTier(cap=1e9, maintenance_rate=0.05),)
    )
    minutes = [a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index)) for index in range(60)]
    usual, told = a_model((), WIDE), a_model((), WIDE)
    told.set_tiers({"bybit": strict, "binance": strict})
    for minute in minutes:
        usual.take(minute)
        told.take(minute)

    tenfold = 100 * 0.9 / 0.95
    assert any(zone.low <= tenfold <= zone.high for zone in told.view().zones if zone.side is LONG)
    assert not any(zone.low <= tenfold <= zone.high for zone in usual.view().zones if zone.side is LONG)


def test_what_was_kept_goes_on_as_if_nothing_had_ended():
    minutes = history(400)
    whole, first = a_model(minutes), a_model(minutes[:300])
    second = a_model()
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.kept()), type=type(first.kept()))
    book = msgspec.msgpack.decode(msgspec.msgpack.encode(first.kept_book()), type=type(first.kept_book()))
    second.restore(kept, book)
    for minute in minutes[300:]:
        second.take(minute)

    assert total(second.view(), LONG) == pytest.approx(total(whole.view(), LONG), rel=0.02)
    assert second.view().seen_minutes == 400


def test_what_was_kept_in_another_shape_is_refused():
    kept = a_model(history(60)).kept_book()
    wrong = msgspec.structs.replace(kept, densities=kept.densities[:3])

    with pytest.raises(ValueError, match="other kinds"):
        a_model().restore(None, wrong)


class TestWarnings:
    def test_a_zone_is_told_once_a_day(self):
        warnings = Warnings(a_day=6)

        assert warnings.allow(a_zone(), 0)
        assert not warnings.allow(a_zone(zone_id="the same under another id", low=95.5, high=96.5), 60_000)

    def test_it_is_told_again_when_price_has_gone_through(self):
        warnings = Warnings(a_day=6)
        warnings.allow(a_zone(), 0)
        warnings.pass_minute(60_000, 94.0, 100.0)

        assert warnings.allow(a_zone(), 120_000)

    def test_a_touch_is_not_a_passage(self):
        warnings = Warnings(a_day=6)
        warnings.allow(a_zone(), 0)
        warnings.pass_minute(60_000, 95.5, 100.0)

        assert not warnings.allow(a_zone(), 120_000)

    def test_no_more_than_so_many_a_day(self):
        warnings = Warnings(a_day=2)
        told = [warnings.allow(a_zone(low=90.0 - place, high=90.5 - place), place) for place in range(3)]

        assert told == [True, True, False]
        assert warnings.allow(a_zone(low=50.0, high=50.1), 86_400_001)


def approaching():
    rules = ZoneRules(approach=ApproachRule(large_usd=1.0, large_quantile=0.01))
    model = a_model((), rules)
    return model, [one for minute in a_falling_market() for one in model.take(minute)]


def test_people_are_warned_before_price_gets_to_a_large_zone():
    _, warned = approaching()

    assert warned
    first = warned[0]
    assert first.zone.side is LONG
    assert first.price > first.zone.high
    assert 0.4 <= first.zone.within(5).probability < 0.7


def test_a_warning_is_judged_like_any_prediction():
    model, warned = approaching()

    assert 0 < model.view().warned.predicted <= len(warned)
    assert model.view().warned.touched >= 1
