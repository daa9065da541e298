"""Explosions of open interest: what counts as one, and what only looks like one."""

import dataclasses

import pytest
from msgspec.structs import replace

from intelligence.alerts import Severity, Stage
from intelligence.detectors.open_interest import OpenInterestDetector, OpenInterestRule, OpenInterestThresholds
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import T0, a_liquidation, a_minute, an_open_interest

STATIC = OpenInterestThresholds.of(StaticThresholds().of("SOL"))
AT = 250  # minutes: every window has its history then


def run(figures, minutes=None, *, thresholds=STATIC, until=AT + 30):
    """The alerts of minute after minute. `figures`: the records of a minute, `minutes`: the rest of it, by number."""
    detector = OpenInterestDetector("SOL", OpenInterestRule(), thresholds)
    alerts = []
    for index in range(until):
        minute = minutes(index) if minutes else a_minute(index)
        alerts.append(detector.take(replace(minute, open_interest=tuple(figures(index))), minute.to_ms + 3_000))
    return [alert for alert in alerts if alert is not None]


def a_figure(index, coins, **overrides):
    return an_open_interest(index * 60_000, coins, **overrides)


def steps(*venues, at=AT, by=1.25, start=1e6, **overrides):
    """Flat figures of these venues that change once by a factor."""

    def figures(index):
        quantity = start * (by if index >= at else 1.0)
        return [a_figure(index, quantity, venue=venue, **overrides) for venue in venues]

    return figures


def test_a_quarter_more_within_minutes_is_raised_once_and_ended():
    alerts = run(steps("binance", "bybit"), until=AT + 320)

    assert [alert.stage for alert in alerts] == [Stage.RAISED, Stage.ENDED]
    assert alerts[0].value == pytest.approx(25.0)
    assert alerts[0].threshold == 20.0
    assert len({alert.alert_id for alert in alerts}) == 1


def test_the_first_minute_that_shows_it_raises_it():
    assert run(steps("binance", "bybit", at=AT))[0].exchange_ms == T0 + (AT + 1) * 60_000


def test_a_fall_is_an_explosion_too():
    alert = run(steps("binance", "bybit", by=0.7))[0]

    assert alert.value == pytest.approx(30.0)
    assert dict(alert.context)["change_pct"] == pytest.approx(-30.0)


def test_a_price_that_doubles_is_no_change_of_open_interest():
    def minutes(index):
        return a_minute(index, price=100.0 * (2.0 if index > AT else 1.0))

    assert run(steps("binance", "bybit", by=1.0), minutes) == []


def test_too_little_open_interest_is_not_told():
    assert run(steps("binance", "bybit", start=20_000.0)) == []  # two venues, four million dollars


def test_what_was_created_must_be_worth_something_where_a_floor_is_known():
    floor = OpenInterestThresholds(
        change_pct=STATIC.change_pct, minimum_usd=STATIC.minimum_usd, minimum_change_usd=Threshold(value=60e6)
    )

    assert run(steps("binance", "bybit"), thresholds=floor) == []


def test_a_venue_that_drops_out_is_no_crash_and_its_return_no_explosion():
    def figures(index):
        there = ["binance", "bybit"] if not AT <= index < AT + 20 else ["binance"]
        return [a_figure(index, 1e6, venue=venue) for venue in there]

    assert run(figures, until=AT + 250) == []


def test_a_venue_that_joins_is_no_explosion():
    def figures(index):
        return [a_figure(index, 1e6, venue=v) for v in ("binance", "bybit", "okx")[: 2 if index < AT else 3]]

    assert run(figures, until=AT + 250) == []


def test_a_small_venue_alone_does_not_speak_for_the_asset():
    def figures(index):
        return [
            a_figure(index, 1e6, venue="binance"),
            a_figure(index, 1e5 * (2.9 if index >= AT else 1.0), venue="gate", uncertain="sides"),
        ]

    assert run(figures) == []


def test_venues_that_count_differently_are_compared_in_per_cent_and_never_added():
    def figures(index):
        factor = 1.3 if index >= AT else 1.0
        return [
            a_figure(index, 1e6 * factor, venue="binance"),
            a_figure(index, 5e6 * factor, venue="okx", uncertain="sides"),
        ]

    alert = run(figures)[0]

    assert dict(alert.context)["coins_after"] in (pytest.approx(1.3e6), pytest.approx(6.5e6))
    assert dict(alert.context)["venues_agreeing"] == "binance, okx"


def test_a_stale_poll_is_no_plateau_and_no_figure():
    def figures(index):
        return [a_figure(min(index, AT), 1e6, venue="binance"), a_figure(index, 1e5, venue="bybit")]

    assert run(figures) == []


def test_a_new_contract_size_is_no_explosion():
    assert run(steps("binance", by=10.0), until=AT + 250) == []


@pytest.mark.parametrize(("days", "raised"), [(13, False), (15, True)])
def test_a_contract_counts_once_it_is_traded_for_a_fortnight(days, raised):
    listed_ms = T0 + AT * 60_000 - days * 86_400_000

    assert bool(run(steps("binance", "bybit", listed_ms=listed_ms))) is raised


def test_new_contracts_leave_the_others_of_the_asset_to_be_judged():
    old, new = steps("binance", "bybit"), steps("okx", by=3.0, listed_ms=T0)

    alert = run(lambda index: [*old(index), *new(index)])[0]

    assert (alert.value, alert.venues_able) == (pytest.approx(25.0), ("binance", "bybit"))


def test_a_learned_threshold_of_one_window_is_used_and_named():
    learned = Threshold(value=3.0, source="learned", factors=(("quantile", 0.999),))
    thresholds = OpenInterestThresholds(
        change_pct=STATIC.change_pct, minimum_usd=STATIC.minimum_usd, by_window_ms={3_600_000: learned}
    )

    alert = run(steps("binance", "bybit", by=1.06), thresholds=thresholds)[0]

    assert alert.threshold_source == "learned"
    assert ("quantile", 0.999) in alert.factors
    assert alert.severity is Severity.P2
    assert alert.text.splitlines()[0] == "SOL open interest +6.0 % in 1 h"


def test_a_learned_threshold_of_fifteen_minutes_grows_with_the_root_of_the_window():
    learned = dataclasses.replace(StaticThresholds().of("SOL"), oi_change_pct=Threshold(value=2.0, source="learned"))

    change = OpenInterestThresholds.of(learned).change

    assert [change(minutes * 60_000).value for minutes in (15, 60, 240)] == pytest.approx([2.0, 4.0, 8.0])
    assert dict(change(3_600_000).factors) == {"pct_15m": 2.0, "window_factor": 2.0}


def test_it_is_not_raised_again_before_it_has_calmed_down():
    def figures(index):
        quantity = 1e6 * (
            1.22 if AT <= index < AT + 3 else 1.18 if AT + 3 <= index < AT + 6 else 1.22 if index >= AT + 6 else 1.0
        )
        return [a_figure(index, quantity, venue=venue) for venue in ("binance", "bybit")]

    assert [alert.stage for alert in run(figures)] == [Stage.RAISED]


def test_a_larger_change_updates_the_incident():
    def figures(index):
        quantity = 1e6 * (1.22 if AT <= index < AT + 3 else 1.5 if index >= AT + 3 else 1.0)
        return [a_figure(index, quantity, venue=venue) for venue in ("binance", "bybit")]

    raised, updated = run(figures)

    assert (raised.severity, updated.severity) == (Severity.P3, Severity.P2)
    assert updated.stage is Stage.UPDATED
    assert updated.value == pytest.approx(50.0)


def test_the_context_tells_what_was_seen_beside_it():
    def minutes(index):
        forced = (a_liquidation(usd=5e4),) if index == AT else ()
        return a_minute(index, buy_usd=6e5, sell_usd=4e5, liquidations=forced)

    alert = run(steps("binance", "bybit"), minutes)[0]
    seen = dict(alert.context)

    assert seen["taker_imbalance"] == pytest.approx(0.2)
    assert seen["long_liquidated_usd"] == 5e4
    assert "Meanwhile price +0.00 %, takers bought 20.00 % net of volume, longs liquidated at least $50K" in alert.text


def near_miss(figures, until=AT + 1, **overrides):
    """The near miss of the last minute."""
    detector = OpenInterestDetector("SOL", OpenInterestRule(), dataclasses.replace(STATIC, **overrides))
    for index in range(until):
        minute = a_minute(index, open_interest=tuple(figures(index)))
        detector.take(minute, minute.to_ms)
    return detector.near_miss(minute)


def test_a_change_below_the_threshold_is_a_near_miss():
    found = near_miss(steps("binance", "bybit", by=1.15))

    assert (found.value, found.threshold) == (pytest.approx(15.0), 20.0)
    assert found.missing == ("5 min threshold 15 of 20",)


def test_a_change_of_little_that_is_open_names_the_minimum():
    found = near_miss(steps("binance", "bybit"), minimum_usd=Threshold(value=1e9))

    assert found.missing == ("5 min open interest 2.5e+08 of 1e+09 USD",)


def test_a_venue_alone_is_named():
    def figures(index):
        moved = 1.3e6 if index >= AT else 0.9e6
        return [
            a_figure(index, moved, venue="okx"),
            *(a_figure(index, 1e6, venue=venue) for venue in ("binance", "bybit")),
        ]

    found = near_miss(figures, change_pct=Threshold(value=10.0))

    assert found.missing == ("5 min one venue alone: okx",)


def test_a_new_market_is_named():
    quarter = (T0 + AT * 60_000) // 900_000 * 900_000
    found = near_miss(steps("binance", listed_ms=T0), until=(quarter - T0) // 60_000)

    assert found.missing == ("new market, traded for less than 14 days: binance SOL-P",)


def test_what_nobody_would_ask_about_is_no_near_miss():
    assert near_miss(steps("binance", "bybit", by=1.02)) is None


def test_an_explosion_is_no_near_miss():
    assert near_miss(steps("binance", "bybit")) is None


def test_while_no_window_has_two_ends_that_is_said_once_a_quarter_of_an_hour():
    detector = OpenInterestDetector("SOL", OpenInterestRule(), STATIC)
    told = []
    for index in range(30):
        minute = a_minute(index, open_interest=(a_figure(100 * index, 1e6),))
        detector.take(minute, minute.to_ms)
        told.append(detector.near_miss(minute))

    assert [one.missing for one in told if one] == [("warming: no venue at both ends of a window",)] * 2
