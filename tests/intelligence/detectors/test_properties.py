"""What must hold for every market (detection.md 12.9): units, the order of venues, delays and what is not yet known."""

from dataclasses import replace as changed
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.detectors.asset import DetectionRules
from intelligence.detectors.market_wide import MarketWideDetector, MarketWideRule
from intelligence.detectors.open_interest import OpenInterestDetector, OpenInterestRule, OpenInterestThresholds
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.detectors.volume_spike import VolumeSpikeDetector
from intelligence.market import PositionSide
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import (
    T0,
    VENUES,
    a_detection,
    a_liquidation,
    a_mark,
    a_minute,
    an_alert,
    an_open_interest,
    feed,
)

FACTORS = st.sampled_from([2.0, 16.0, 1_024.0])  # exact in binary, so that no tie is decided by rounding

# -- liquidations and cascades --------------------------------------------------------------------------------------------

orders = st.lists(
    st.tuples(
        st.integers(0, 45_000),  # within one window of a minute
        st.integers(1_000, 400_000),
        st.sampled_from(VENUES),
        st.sampled_from([PositionSide.LONG, PositionSide.LONG, PositionSide.LONG, PositionSide.SHORT]),
    ),
    min_size=3,
    max_size=25,
    unique_by=lambda order: order[0],
)
moves = st.sampled_from([0.0, -0.05])  # in the minute of the orders: none, or far more than three sigmas


def a_market(rows, move, scale=1.0):
    """Marks every second for three minutes, the last one with orders; each record with the ms at which it comes."""
    marks = [
        a_mark(second * 1_000, price=140.0 * (1 + move * max(0, second - 120) / 60), venue=venue)
        for second in range(-60, 200, 4)
        for venue in VENUES
    ]
    forced = [
        a_liquidation(120_000 + at_ms, usd * scale, venue=venue, position_side=side) for at_ms, usd, venue, side in rows
    ]
    return sorted(((one.exchange_ms - T0 + 200, one) for one in [*marks, *forced]), key=_arrival)


def _arrival(arriving):
    return arriving[0], arriving[1].venue


def told(arriving, rules=None):
    """All alerts, and those of the end."""
    return feed(a_detection(rules=rules), [*(record for _, record in arriving), 600_000])


def outcome(alerts):
    """What people end up with: how grave each thing became, and its last figures but money."""
    last = {alert.alert_id: alert for alert in alerts}
    gravest = {key: min(alert.severity for alert in alerts if alert.alert_id == key) for key in last}
    return {(alert.kind, alert.position_side, alert.count, gravest[key], key) for key, alert in last.items()}


@given(orders, moves, FACTORS)
@settings(max_examples=20)
def test_scaling_all_money_changes_no_liquidation_and_no_cascade(rows, move, factor):
    given_ = StaticThresholds()
    rules = DetectionRules(thresholds=changed(given_, single_usd={}, default_usd=10_000.0))
    scaled = DetectionRules(thresholds=changed(given_, single_usd={}, default_usd=10_000.0 * factor))

    here, there = told(a_market(rows, move), rules), told(a_market(rows, move, factor), scaled)

    assert [(a.kind, a.stage, a.severity, a.count) for a in here] == [
        (a.kind, a.stage, a.severity, a.count) for a in there
    ]


@given(orders, moves, st.permutations(VENUES))
@settings(max_examples=20)
def test_the_order_in_which_venues_are_read_changes_nothing(rows, move, ranking):
    """Within a quarter of a second, as one round over the sockets."""
    market = a_market(rows, move)
    rounds = sorted(market, key=lambda arriving: (arriving[0] // 250, ranking.index(arriving[1].venue), arriving[0]))

    assert outcome(told(rounds)) == outcome(told(market))


@given(orders, moves, st.sampled_from(VENUES))
@settings(max_examples=20)
def test_a_venue_that_is_two_seconds_late_changes_nothing_that_wakes_people(rows, move, late):
    market = a_market(rows, move)
    delayed = sorted(
        ((at_ms + 2_000 * (record.venue == late), record) for at_ms, record in market),
        key=_arrival,
    )

    assert _waking(told(delayed)) == _waking(told(market))


def _waking(alerts):
    return {alert.alert_id for alert in alerts if alert.severity is Severity.P1}


@given(orders, moves, st.integers(100_000, 200_000))
@settings(max_examples=20)
def test_liquidations_of_later_do_not_change_what_was_told(rows, move, cut_ms):
    market = a_market(rows, move)
    before = [record for at_ms, record in market if at_ms <= cut_ms]

    whole = feed(a_detection(), [record for _, record in market])
    part = feed(a_detection(), before)

    assert part == whole[: len(part)]
    assert all(alert.detected_ms > T0 + cut_ms - 400 for alert in whole[len(part) :])


# -- open interest --------------------------------------------------------------------------------------------------------

figures = st.lists(st.tuples(*[st.sampled_from([0.8, 0.97, 1.0, 1.0, 1.0, 1.03, 1.3])] * 3), min_size=20, max_size=45)


def oi_minutes(steps, scale=1.0, order=(0, 1, 2)):
    """Minutes with figures of three venues that change by these factors. The third counts in a way of its own."""
    coins = [3e6, 1e6, 2e6]
    minutes = []
    for index, factors in enumerate(steps):
        coins = [amount * factor for amount, factor in zip(coins, factors, strict=True)]
        records = [
            an_open_interest(
                index * 60_000, coins[venue] * scale, venue=VENUES[venue], uncertain="sides" if venue == 2 else ""
            )
            for venue in order
        ]
        minutes.append(a_minute(index, open_interest=tuple(records)))
    return minutes


def oi_alerts(minutes, scale=1.0):
    thresholds = OpenInterestThresholds(
        change_pct=Threshold(value=19.37),  # no factor hits it exactly
        minimum_usd=Threshold(value=3.1234567e8 * scale),  # about half of them reach it
    )
    detector = OpenInterestDetector("SOL", OpenInterestRule(), thresholds)
    return [alert for minute in minutes if (alert := detector.take(minute, minute.to_ms)) is not None]


def _verdicts(alerts):
    return [(alert.alert_id, alert.stage, alert.severity, round(alert.value, 6)) for alert in alerts]


@given(figures, FACTORS)
def test_scaling_all_coins_changes_no_explosion(steps, factor):
    assert _verdicts(oi_alerts(oi_minutes(steps, factor), factor)) == _verdicts(oi_alerts(oi_minutes(steps)))


@given(figures, st.permutations([0, 1, 2]))
def test_the_order_of_venues_changes_no_explosion(steps, order):
    assert oi_alerts(oi_minutes(steps, order=order)) == oi_alerts(oi_minutes(steps))


@given(figures, st.integers(1, 45))
def test_figures_of_later_do_not_change_what_was_told(steps, cut):
    minutes = oi_minutes(steps)
    whole = oi_alerts(minutes)

    assert oi_alerts(minutes[:cut]) == [alert for alert in whole if alert.latest_ms <= T0 + cut * 60_000]


@given(figures, st.integers(0, 1_000))
def test_a_figure_of_after_the_minute_is_not_looked_at(steps, ahead_ms):
    """A push may be newer than the end of the minute with which it comes."""
    minutes = oi_minutes(steps)
    last = minutes[-1]
    future = an_open_interest(last.to_ms - T0 + 1 + ahead_ms, 9e6, venue="binance")
    shown = replace(last, open_interest=(*last.open_interest, future))

    assert oi_alerts([*minutes[:-1], shown]) == oi_alerts(minutes)


# -- volume ---------------------------------------------------------------------------------------------------------------

WARM = 1_500  # minutes
bursts = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 4.0, 20.0]), st.sampled_from([-0.004, 0.0, 0.004]), st.booleans()),
    min_size=5,
    max_size=40,
)


def a_volume_minute(index, times, move, *, bought, scale=1.0, price=100.0):
    usd = 1e6 * times * scale
    after = price * (1 + move)
    return a_minute(
        index,
        price=after,
        open=price,
        high=max(price, after) * 1.0002,
        low=min(price, after) * 0.9998,
        buy_usd=usd * (0.8 if bought else 0.5),
        sell_usd=usd * (0.2 if bought else 0.5),
    )


def quiet_minutes(scale, first, last):
    return [a_volume_minute(i, 1.0, 0.0, bought=False, scale=scale) for i in range(first, last)]


@cache
def learned(scale):
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    for minute in quiet_minutes(scale, 0, WARM):
        detector.learn(minute)
    return detector.state


def volume_alerts(steps, scale=1.0):
    rule = VolumeRule(minimum_usd=250_000.0 * scale, minimum_lift=1.5)
    detector = VolumeSpikeDetector("SOL", rule, learned(scale))
    for minute in quiet_minutes(scale, WARM - 250, WARM):
        detector.learn(minute)
    price, alerts = 100.0, []
    for step, (times, move, bought) in enumerate(steps):
        minute = a_volume_minute(WARM + step, times, move, bought=bought, scale=scale, price=price)
        price = minute.close
        alerts.append(detector.take(minute, minute.to_ms))
    return [alert for alert in alerts if alert is not None]


@given(bursts, FACTORS)
@settings(max_examples=20)
def test_scaling_all_money_changes_no_volume_spike(steps, factor):
    def verdicts(alerts):
        return [(alert.alert_id, alert.stage, alert.severity) for alert in alerts]

    assert verdicts(volume_alerts(steps, factor)) == verdicts(volume_alerts(steps))


@given(bursts, st.integers(1, 40))
@settings(max_examples=20)
def test_minutes_of_later_do_not_change_what_was_told(steps, cut):
    whole = volume_alerts(steps)

    assert volume_alerts(steps[:cut]) == [alert for alert in whole if alert.latest_ms <= T0 + (WARM + cut) * 60_000]


# -- the market -----------------------------------------------------------------------------------------------------------

asset_alerts = st.lists(
    st.tuples(
        st.integers(0, 900), st.integers(0, 9), st.sampled_from([1.5, 3.0, 9.0]), st.sampled_from(list(Severity))
    ),
    max_size=30,
)


def market_verdicts(rows, scale=1.0):
    detector = MarketWideDetector(MarketWideRule(), watched=20)
    verdicts = []
    for place, (second, asset, ratio, severity) in enumerate(sorted(rows)):
        alert = an_alert(
            alert_id=f"alert{place}",
            kind=AlertKind.CASCADE,
            asset=f"A{asset}",
            severity=severity,
            exchange_ms=T0 + second * 1_000,
            value=1e5 * ratio * scale,
            threshold=1e5 * scale,
        )
        ended = detector.end_by(alert.exchange_ms)
        verdicts.append((alert.exchange_ms, ended, detector.take(alert, alert.exchange_ms)))
    return verdicts


@given(asset_alerts, FACTORS)
def test_scaling_all_money_changes_no_market_wide_incident(rows, factor):
    def verdicts(found):
        return [
            (
                verdict.folded_into,
                verdict.alert and (verdict.alert.alert_id, verdict.alert.stage, verdict.alert.severity),
            )
            for _, _, verdict in found
        ]

    assert verdicts(market_verdicts(rows, factor)) == verdicts(market_verdicts(rows))


@given(asset_alerts, st.integers(0, 900))
def test_alerts_of_later_do_not_change_what_was_folded(rows, cut):
    whole = market_verdicts(rows)
    part = market_verdicts([row for row in rows if row[0] <= cut])

    assert part == [found for found in whole if found[0] <= T0 + cut * 1_000]


@given(asset_alerts)
def test_every_asset_alert_is_told_once_by_itself_or_by_the_incident(rows):
    verdicts = [verdict for _, _, verdict in market_verdicts(rows)]
    opened = {verdict.alert.alert_id for verdict in verdicts if verdict.alert and verdict.alert.stage is Stage.RAISED}

    assert {verdict.folded_into for verdict in verdicts} <= {None, *opened}
