"""What must hold of core detection as a whole, whatever the market does."""

import dataclasses
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.asset import DetectionRules
from intelligence.market import Coverage, Liquidation, MarkPrice, PositionSide
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import GIVEN_SINGLE_USD, StaticThresholds
from tests.intelligence.builders import T0, VENUES, a_burst, a_detection, a_liquidation, a_mark, feed, of_kind

MARKETS = st.integers(0, 2**32).map(Random)


def a_market(random, steps=250):
    """Calm and violent stretches, three venues, orders up to five seconds late, marks and ticks in between."""
    now_ms, price, records, calm = 0, 140.0, [], True
    for _ in range(steps):
        if random.random() < 0.04:
            calm = not calm
        now_ms += random.randint(500, 25_000) if calm else random.randint(0, 2_500)
        price *= 1 + random.gauss(0, 0.0002) - (0 if calm else 0.0004)
        records.append(_record(random, now_ms, price, calm=calm))
    return records


def _record(random, now_ms, price, *, calm):
    kind = random.random()
    if kind < 0.1:
        return now_ms
    if kind < 0.4:
        return a_mark(now_ms - random.randint(0, 300), price, venue=random.choice(VENUES))
    venue = random.choice(VENUES)
    event_ms = now_ms - random.choice((0, 0, 100, 900, 2_500, 5_000))
    return a_liquidation(
        event_ms,
        float(random.choice((900, 8_000, 30_000) if calm else (8_000, 30_000, 90_000))),
        price=round(price, random.choice((0, 3))),
        received_ms=T0 + now_ms,
        venue=venue,
        coverage=Coverage.COMPLETE if venue == "bybit" else Coverage.CAPPED,
        position_side=PositionSide.LONG if random.random() < (0.5 if calm else 0.95) else PositionSide.SHORT,
    )


def test_the_markets_of_these_tests_hold_cascades_of_every_kind():
    counted = dict.fromkeys(Stage, 0) | {AlertKind.LIQUIDATION: 0, "reopened": 0}
    for seed in range(40):
        alerts = feed(a_detection(), a_market(Random(seed)))
        for alert in of_kind(alerts, AlertKind.CASCADE):
            counted[alert.stage] += 1
        counted["reopened"] += len(of_kind(alerts, AlertKind.CASCADE, Stage.RAISED)) > 1
        counted[AlertKind.LIQUIDATION] += len(of_kind(alerts, AlertKind.LIQUIDATION))

    assert min(counted.values()) > 10


@given(MARKETS, st.sampled_from([2.0**-6, 0.5, 4.0, 2.0**10]))
def test_scaling_all_notionals_and_thresholds_changes_nothing(random, factor):
    market = a_market(random)
    scaled = [
        replace(record, notional_usd=record.notional_usd * factor) if isinstance(record, Liquidation) else record
        for record in market
    ]
    given_usd = StaticThresholds()
    larger = StaticThresholds(
        single_usd={asset: usd * factor for asset, usd in GIVEN_SINGLE_USD.items()},
        default_usd=given_usd.default_usd * factor,
    )

    alerts = feed(a_detection(), market)
    alerts_scaled = feed(a_detection(rules=DetectionRules(thresholds=larger)), scaled)

    assert [told(alert) for alert in alerts_scaled] == [told(alert) for alert in alerts]
    assert [alert.value for alert in alerts_scaled] == [alert.value * factor for alert in alerts]


def told(alert):
    return (alert.alert_id, alert.kind, alert.stage, alert.severity, alert.exchange_ms, alert.detected_ms, alert.count)


@given(MARKETS, st.permutations(VENUES))
def test_exchanging_the_names_of_venues_changes_only_names(random, permuted):
    names = dict(zip(VENUES, permuted, strict=True))
    market = a_market(random)
    renamed = [record if isinstance(record, int) else replace(record, venue=names[record.venue]) for record in market]

    alerts = feed(a_detection(), market)
    alerts_renamed = feed(a_detection(), renamed)

    assert [told(alert)[1:] for alert in alerts_renamed] == [told(alert)[1:] for alert in alerts]
    assert [alert.venue for alert in alerts_renamed] == [names.get(alert.venue) for alert in alerts]


@given(MARKETS)
def test_the_order_in_which_venues_bring_the_same_moment_changes_no_incident(random):
    # of one side: the share is judged at once, before the other side's orders of that moment have come
    market = [
        replace(record, exchange_ms=record.exchange_ms // 5_000 * 5_000, position_side=PositionSide.LONG)
        for record in a_market(random)
        if isinstance(record, Liquidation)
    ]
    market.sort(key=lambda record: record.exchange_ms)
    exchanged = sorted(market, key=lambda record: (record.exchange_ms, record.venue))

    def incidents(records):
        return [
            (alert.alert_id, alert.stage, alert.value, alert.count)
            for alert in of_kind(feed(a_detection(), [*records, 10**9]), AlertKind.CASCADE)
            if alert.stage is Stage.ENDED
        ]

    assert incidents(exchanged) == incidents(market)


@given(MARKETS, st.integers(0, 250))
def test_a_replay_cut_short_gives_the_same_alerts_up_to_there(random, cut):
    market = a_market(random)

    alerts = feed(a_detection(), market[:cut])

    assert feed(a_detection(), market)[: len(alerts)] == alerts


@settings(max_examples=200)
@given(MARKETS, st.integers(1, 250))
def test_an_instance_rebuilt_from_retained_events_tells_what_the_lost_one_would_have_told(random, cut):
    market = a_market(random)
    lost = a_detection()
    before = feed(lost, market[:cut])

    fresh = a_detection(refed_from_ms=lost.oldest_needed_ms, volatility=lost.volatility_state)
    retained = [
        record for record in market[:cut] if not isinstance(record, int) and record.exchange_ms >= lost.oldest_needed_ms
    ]
    ticks = [record for record in market[:cut] if isinstance(record, int)]
    again = feed(fresh, [*retained, *ticks[-1:]])

    raised = {alert.alert_id for alert in before if alert.stage is Stage.RAISED}
    assert {alert.alert_id for alert in again} <= raised
    assert fresh.open_incidents == lost.open_incidents
    assert feed(fresh, market[cut:]) == feed(lost, market[cut:])


@given(MARKETS)
def test_an_instance_asks_for_five_minutes_until_an_incident_reaches_further(random):
    detection, newest_ms = a_detection(), 0
    for record in a_market(random):
        raised = of_kind(feed(detection, [record]), AlertKind.CASCADE, Stage.RAISED)
        newest_ms = max(newest_ms, T0 + record if isinstance(record, int) else record.exchange_ms)
        if raised:
            assert detection.oldest_needed_ms == min(raised[0].started_ms, newest_ms - 10_000) - 300_000
            return
        assert detection.oldest_needed_ms == newest_ms - 310_000


def test_memory_for_a_rebuild_does_not_grow_with_incidents_far_apart():
    detection = a_detection()
    for start_ms in range(0, 40_000_000, 1_000_000):
        feed(detection, [*a_burst(start_ms), start_ms + 400_000])

        assert detection.oldest_needed_ms >= T0 + start_ms - 300_000


def test_rows_sent_twice_by_a_capped_feed_count_once():
    row = a_liquidation(0, 40_000.0, coverage=Coverage.CAPPED)
    detection = a_detection()

    alerts = feed(detection, [row] * 6)

    assert [alert.kind for alert in alerts] == [AlertKind.LIQUIDATION]
    assert detection.counters.duplicates == 5


def test_rows_alike_on_a_complete_feed_are_fills_unless_it_has_just_reconnected():
    row = a_liquidation(0, 10_000.0)
    detection = a_detection()

    assert feed(detection, [row] * 3)[0].value == 30_000.0
    assert feed(detection, [row], after_reconnect=True) == []
    assert detection.counters.duplicates == 1


@given(MARKETS, st.data())
def test_what_a_capped_venue_sends_again_never_alerts_twice(random, data):
    market = [
        replace(record, coverage=Coverage.CAPPED) for record in a_market(random) if isinstance(record, Liquidation)
    ]
    doubled = []
    for record in market:
        doubled.append(record)
        doubled += doubled[-data.draw(st.integers(1, 4)) :] if data.draw(st.booleans()) else []

    assert feed(a_detection(), doubled) == feed(a_detection(), market)


def test_totals_of_a_venue_are_no_orders():
    detection = a_detection()

    assert feed(detection, a_burst(usd=1e9, coverage=Coverage.AGGREGATE)) == []
    assert detection.counters.aggregate == 6


def test_what_is_in_doubt_is_counted_and_never_judged():
    detection = a_detection()

    assert feed(detection, a_burst(usd=1e9, uncertain="unit")) == []
    assert detection.counters.uncertain == 6


@pytest.mark.parametrize("usd", [0.0, -5.0, float("nan"), float("inf")])
def test_a_value_that_is_no_value_is_counted_and_harms_nothing(usd):
    detection = a_detection()

    feed(detection, [a_liquidation(usd=usd, quantity=1.0), a_mark(price=usd)])

    assert detection.counters.unusable == 2
    assert len(feed(detection, a_burst(orders=5, usd=24_999.9)[:0] + a_burst(1, 6, 24_000.0))) == 1


def test_a_broken_time_stamp_does_not_make_everything_after_it_late():
    detection = a_detection()

    feed(detection, [a_liquidation(10**12, 30_000.0, received_ms=T0), a_mark(10**12, received_ms=T0)])

    assert len(of_kind(feed(detection, a_burst()), AlertKind.CASCADE)) == 1
    assert detection.counters.ahead == 2
    assert detection.counters.late == 0


def test_a_slow_clock_of_ours_does_not_stop_detection():
    slow = [
        a_liquidation(index * 1_000, 30_000.0, venue=("bybit", "okx")[index % 2], received_ms=T0 - 600_000 + index)
        for index in range(8)
    ]

    assert len(of_kind(feed(a_detection(), slow), AlertKind.CASCADE, Stage.RAISED)) == 1


def test_every_alert_comes_with_its_text():
    alerts = feed(a_detection(), [*a_burst(orders=12), 120_000])

    assert all(alert.text.startswith("SOL ") for alert in alerts)


def test_one_read_may_bring_many_rows_at_once():
    detection = a_detection()
    records = a_burst(orders=12)

    together = detection.liquidations(records, able=VENUES, configured=VENUES, now_ms=T0)

    assert {told(alert)[:4] for alert in together} == {told(alert)[:4] for alert in feed(a_detection(), records)}


def test_marks_before_any_liquidation_raise_nothing():
    assert feed(a_detection(), [a_mark(at_ms, 140.0 - at_ms / 1e4) for at_ms in range(0, 90_000, 1_000)]) == []
    assert isinstance(a_mark(), MarkPrice)


def dynamic(single_usd, **overrides):
    """Thresholds of SOL that count for ever."""
    return dataclasses.replace(
        StaticThresholds(single_usd={"SOL": single_usd}).of("SOL"),
        **{
            "single": Threshold(value=single_usd, source="tiered"),
            "cascade": Threshold(value=5 * single_usd, source="tiered"),
            **overrides,
        },
    )


def test_other_thresholds_count_from_the_next_liquidation_on():
    detection = a_detection()
    before = feed(detection, [a_liquidation(0, 30_000.0)])
    detection.judge_by(dynamic(100_000.0))
    between = feed(detection, [a_liquidation(2_000, 30_000.0)])
    after = feed(detection, [a_liquidation(4_000, 120_000.0)])

    assert [alert.threshold_source for alert in before] == ["static"]
    assert between == []
    assert [(alert.threshold, alert.threshold_source) for alert in after] == [(100_000.0, "tiered")]


def test_other_thresholds_count_for_cascades_too():
    detection = a_detection()
    detection.judge_by(dynamic(100_000.0))

    assert of_kind(feed(detection, a_burst(orders=8)), AlertKind.CASCADE) == []
    (alert,) = of_kind(feed(detection, a_burst(8_000, orders=12)), AlertKind.CASCADE, Stage.RAISED)
    assert (alert.threshold, alert.threshold_source) == (500_000.0, "tiered")


def test_an_open_cascade_keeps_the_threshold_it_was_opened_with():
    detection = a_detection()
    feed(detection, a_burst(orders=6))
    detection.judge_by(dynamic(1_000_000.0))
    grown = of_kind(feed(detection, a_burst(6_000, orders=20)), AlertKind.CASCADE)

    assert {alert.threshold for alert in grown} == {125_000.0}


def test_thresholds_that_nobody_renews_give_way_to_the_given_ones():
    detection = a_detection()
    detection.judge_by(dynamic(100_000.0, valid_until_ms=T0 + 5_000))
    alerts = feed(detection, [a_liquidation(4_999, 30_000.0), a_liquidation(7_000, 30_000.0)])

    (alert,) = of_kind(alerts, AlertKind.LIQUIDATION)
    assert (alert.exchange_ms, alert.threshold_source) == (T0 + 7_000, "static")
    assert dict(alert.factors)["expired"] == "tiered"
