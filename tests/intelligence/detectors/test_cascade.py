"""Cascades of SOL: single threshold 25 000, cascade threshold 125 000 USD; a_burst brings 30 000 a second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.market import Coverage, PositionSide
from tests.intelligence.builders import T0, a_burst, a_detection, a_liquidation, a_mark, feed, of_kind

SHORT = {"position_side": PositionSide.SHORT}
CAPPED = {"coverage": Coverage.CAPPED}


def cascades(records, stage=None, **overrides):
    return of_kind(feed(a_detection(), records, **overrides), AlertKind.CASCADE, stage)


def marks(from_ms, to_ms, price=140.0):
    return [a_mark(at_ms, price) for at_ms in range(from_ms, to_ms, 1_000)]


def by_time(*records):
    return sorted((record for series in records for record in series), key=lambda record: record.exchange_ms)


def test_a_cascade_is_raised_when_sum_count_and_share_of_a_minute_are_reached():
    (alert,) = cascades(a_burst(orders=5))

    assert (alert.stage, alert.value, alert.threshold, alert.count) == (Stage.RAISED, 150_000.0, 125_000.0, 5)
    assert (alert.asset, alert.position_side) == ("SOL", PositionSide.LONG)
    assert (alert.exchange_ms, alert.started_ms, alert.latest_ms) == (T0, T0, T0 + 4_000)


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(a_burst(orders=4, usd=100_000.0), id="four orders"),
        pytest.param(a_burst(orders=6, usd=20_000.0), id="sum below the threshold"),
        pytest.param(a_burst(orders=5, usd=25_000.0, every_ms=15_000), id="spread over more than a minute"),
        pytest.param([a_liquidation(0, 40_000.0, **SHORT), *a_burst(1, orders=5)], id="share of 0.79"),
        pytest.param(by_time(marks(-60_000, 9_000), a_burst()), id="price that stands still"),
        pytest.param(by_time(marks(-60_000, 0), marks(0, 9_000, 139.87), a_burst()), id="price down by 0.093 %"),
        pytest.param(by_time(marks(-60_000, 0), marks(0, 9_000, 145.0), a_burst()), id="price against the longs"),
    ],
)
def test_no_cascade_is_raised_short_of_any_condition(records):
    assert cascades(records) == []


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(a_burst(orders=5, usd=25_000.0, every_ms=14_999), id="sum exactly reached in a minute"),
        pytest.param([a_liquidation(0, 37_500.0, **SHORT), *a_burst(1, orders=5)], id="share of exactly 0.80"),
        pytest.param(by_time(marks(-61_000, 0), marks(0, 9_000, 139.85), a_burst()), id="price down by 0.107 %"),
        pytest.param(by_time(marks(-61_000, 0), marks(0, 9_000, 141.0), a_burst(**SHORT)), id="shorts push up"),
    ],
)
def test_a_cascade_is_raised_when_every_condition_is_just_met(records):
    assert len(cascades(records, Stage.RAISED)) == 1


def test_the_move_may_follow_the_orders():
    records = by_time(marks(-61_000, 9_000), a_burst(), marks(9_000, 12_000, 139.0))

    (alert,) = cascades(records)

    assert (alert.stage, alert.exchange_ms) == (Stage.RAISED, T0)
    assert alert.detected_ms == T0 + 9_100


def test_what_stands_in_for_the_unknown_is_told():
    without_price = dict(cascades(a_burst())[0].factors)
    with_price = dict(cascades(by_time(marks(-61_000, 0), marks(0, 9_000, 130.0), a_burst()))[0].factors)

    assert without_price["move_test"] == "skipped, no price of a minute before"
    assert with_price["sigma_60s"] == "unknown, 0.1 % stands for 1.5 sigma"
    assert with_price["p90_order_usd"] == "unknown, the single threshold 25000 stands for it"


def test_a_learned_sigma_replaces_the_stand_in_and_ends_before_the_window():
    calm = [
        a_mark(minute * 60_000 + second * 1_000, 140.0 * (1.0002 if minute % 2 else 1.0))
        for minute in range(-45, 0)
        for second in range(60)
    ]
    crash = marks(0, 9_000, 139.93)  # 0.07 % under the minute before: below the stand-in, above 1.5 x 0.02 %

    (alert,) = cascades(by_time(calm, crash, a_burst()), Stage.RAISED)

    assert "sigma_60s" not in dict(alert.factors)
    assert dict(alert.context)["sigma_60s"] == pytest.approx(0.0002, rel=0.01)


@pytest.mark.parametrize(
    ("orders", "venues", "price", "severity"),
    [
        (5, ("bybit",), None, Severity.P3),
        (9, ("bybit",), None, Severity.P2),
        (5, ("bybit", "okx"), None, Severity.P2),
        (30, ("bybit", "okx"), None, Severity.P2),
        (30, ("bybit", "okx"), 139.0, Severity.P1),
        (30, ("bybit", "okx"), 139.8, Severity.P2),
        (30, ("bybit",), 139.0, Severity.P2),
    ],
    ids=[
        "one venue",
        "twice the threshold",
        "two venues",
        "five times, two venues, no price",
        "five times, two venues, 10 sigma",
        "five times, two venues, 2.1 sigma",
        "five times, one venue, 10 sigma",
    ],
)
def test_severity_follows_ratio_venues_and_move(orders, venues, price, severity):
    burst = [a_liquidation(index * 1_000, 30_000.0, venue=venues[index % len(venues)]) for index in range(orders)]
    prices = [] if price is None else [*marks(-61_000, 0), *marks(0, 60_000, price)]

    alerts = cascades(by_time(prices, burst))

    assert alerts[-1].severity is severity


def test_severity_never_falls_while_an_incident_is_open():
    alerts = cascades(by_time(a_burst(orders=40), a_burst(45_000, orders=3)))

    severities = [alert.severity for alert in alerts]
    assert severities == sorted(severities, reverse=True)


def test_a_venue_not_able_to_report_does_not_count_for_agreement():
    burst = [a_liquidation(index * 500, 30_000.0, venue=("bybit", "okx")[index % 2]) for index in range(6)]

    (alert, *_) = cascades(burst, able=("bybit", "binance"))

    assert alert.severity is Severity.P3


def test_bursts_of_two_venues_more_than_five_seconds_apart_do_not_agree():
    together = [*a_burst(0, 4), a_liquidation(8_000, 30_000.0, venue="okx")]
    apart = [*a_burst(0, 4), a_liquidation(8_001, 30_000.0, venue="okx")]

    assert cascades(together)[0].severity is Severity.P2
    assert cascades(apart)[0].severity is Severity.P3


def test_an_incident_is_raised_once_updated_when_it_matters_and_ended():
    alerts = cascades([*a_burst(orders=12), 120_000])

    assert [alert.stage for alert in alerts] == [Stage.RAISED, Stage.UPDATED, Stage.ENDED]
    assert [alert.value for alert in alerts] == [150_000.0, 270_000.0, 360_000.0]
    assert len({alert.alert_id for alert in alerts}) == 1


def test_growth_alone_is_told_every_five_seconds_of_event_time():
    alerts = cascades(a_burst(orders=200, usd=30_000.0, every_ms=100), Stage.UPDATED)

    growth = [alert for alert, before in zip(alerts[1:], alerts, strict=False) if alert.severity is before.severity]
    assert 3 <= len(growth) <= 4


def test_the_end_tells_totals_by_venue_count_duration_move_and_first_venue():
    burst = [a_liquidation(index * 2_000, 30_000.0, venue=("okx", "bybit")[index % 2]) for index in range(11)]
    prices = [*marks(-61_000, 0), *marks(0, 80_000, 133.0)]

    ended = cascades([*by_time(prices, burst), 120_000])[-1]

    assert ended.stage is Stage.ENDED
    assert (ended.value, ended.count, ended.first_venue) == (330_000.0, 11, "okx")
    assert ended.ended_ms - ended.started_ms == 20_000
    assert [(share.venue, share.notional_usd, share.count) for share in ended.by_venue] == [
        ("okx", 180_000.0, 6),
        ("bybit", 150_000.0, 5),
    ]
    assert ended.move == pytest.approx(133.0 / 140.0 - 1)


def test_a_quiet_minute_ends_it_whether_an_event_or_a_tick_shows_it():
    last_ms = 5_000
    by_tick = cascades([*a_burst(), last_ms + 62_999, last_ms + 63_000])
    by_event = cascades([*a_burst(), a_liquidation(last_ms + 60_001, 10.0)])

    assert [alert.stage for alert in by_tick] == [Stage.RAISED, Stage.ENDED]
    assert by_tick[-1].detected_ms == T0 + last_ms + 63_000
    assert by_event[-1].stage is Stage.ENDED
    assert by_event[-1].value == by_tick[-1].value


def test_small_orders_do_not_keep_it_open_but_many_together_do():
    trickle = [a_liquidation(at_ms, 3_000.0) for at_ms in range(8_000, 120_000, 8_000)]
    stream = [a_liquidation(at_ms, 3_000.0) for at_ms in range(6_000, 120_000, 1_000)]

    assert Stage.ENDED in [alert.stage for alert in cascades([*a_burst(), *trickle])]
    assert Stage.ENDED not in [alert.stage for alert in cascades([*a_burst(), *stream])]


def test_a_large_order_within_a_minute_keeps_it_open():
    large = [a_liquidation(at_ms, 25_000.0) for at_ms in range(60_000, 300_000, 55_000)]

    assert cascades([*a_burst(), *large], Stage.ENDED) == []


def test_it_ends_when_the_other_side_has_had_its_part_for_a_minute():
    both = [
        a_liquidation(at_ms + shift, 30_000.0, position_side=side)
        for at_ms in range(6_000, 200_000, 6_000)
        for shift, side in ((0, PositionSide.LONG), (1, PositionSide.SHORT))
    ]

    (ended,) = cascades([*a_burst(), *both], Stage.ENDED)

    assert 60_000 < ended.detected_ms - T0 < 130_000


def test_a_sum_that_hovers_around_the_threshold_makes_one_incident():
    # 24 000 every 10 s: 144 000 a minute, with pauses that drop it to 96 000 (0.77 of the threshold), for an hour
    hovering = [a_liquidation(at_ms, 24_000.0) for at_ms in range(0, 3_600_000, 10_000) if at_ms % 120_000 < 90_000]

    assert len(cascades(hovering, Stage.RAISED)) == 1


def test_a_new_incident_needs_the_sum_below_the_rearm_level_for_two_windows():
    first = a_burst(
        0
    )  # at or above 75 000 until its fourth order is a minute old, at 63 s; the next reach it with their third
    before, after = a_burst(80_999, 5), a_burst(81_000, 5)

    assert len(cascades([*first, *before], Stage.RAISED)) == 1
    assert len(cascades([*first, *after], Stage.RAISED)) == 2


def test_longs_and_shorts_have_incidents_of_their_own():
    alerts = cascades([*a_burst(0), *a_burst(90_000, **SHORT)], Stage.RAISED)

    assert [alert.position_side for alert in alerts] == [PositionSide.LONG, PositionSide.SHORT]
    assert len({alert.alert_id for alert in alerts}) == 2


def test_an_order_up_to_three_seconds_late_counts_at_its_event_time():
    burst = a_burst(0, 4)
    late = a_liquidation(0, 30_000.0, price=1.0)
    newest = a_liquidation(3_000, 1.0)

    (alert,) = cascades([*burst[1:], newest, burst[0], late], Stage.RAISED)

    assert alert.exchange_ms == T0


def test_a_window_that_has_passed_is_judged_again_for_a_late_order():
    early, later = a_burst(0, 4, 31_250.0), a_liquidation(62_000, 1.0)
    late = a_liquidation(59_999, 31_250.0)

    (alert,) = cascades([*early, later, late], Stage.RAISED)

    assert alert.exchange_ms == T0
    assert alert.value == 156_251.0


def test_an_order_more_than_three_seconds_late_is_counted_and_not_used():
    detection = a_detection()

    alerts = feed(detection, [*a_burst(0, 4), a_liquidation(10_000, 1.0), a_liquidation(6_999, 30_000.0)])

    assert of_kind(alerts, AlertKind.CASCADE) == []
    assert detection.counters.late == 1


def test_sums_with_a_capped_feed_are_marked_as_lower_bounds():
    complete = cascades(a_burst())[0]
    capped = cascades([*a_burst(0, 4), a_liquidation(4_000, 30_000.0, venue="binance", **CAPPED)])[0]

    assert complete.coverage is Coverage.COMPLETE
    assert capped.coverage is Coverage.CAPPED
    assert {share.venue: share.coverage for share in capped.by_venue} == {
        "bybit": Coverage.COMPLETE,
        "binance": Coverage.CAPPED,
    }


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000), st.sampled_from([5_000, 20_000, 30_000, 60_000]), st.sampled_from(PositionSide)
        ),
        min_size=5,
        max_size=60,
    )
)
def test_the_first_incident_is_raised_where_the_definition_says(steps):
    at_ms, events = 0, []
    for wait_ms, usd, side in steps:
        at_ms += wait_ms
        events.append((at_ms, float(usd), side))

    expected = first_entry(events, PositionSide.LONG, threshold=125_000.0)

    records = [a_liquidation(time_ms, usd, position_side=side) for time_ms, usd, side in events]
    raised = [alert for alert in cascades(records, Stage.RAISED) if alert.position_side is PositionSide.LONG]
    assert (raised[0].exchange_ms - T0 if raised else None) == expected


def first_entry(events, side, threshold):
    """The definition of detection.md 5.2 word for word, for a tape without prices: the first order of that window."""
    for index, (now_ms, _, _) in enumerate(events):
        window = [event for event in events[: index + 1] if event[0] > now_ms - 60_000]
        own = [(at_ms, usd) for at_ms, usd, event_side in window if event_side is side]
        total = sum(usd for _, usd in own)
        if total >= threshold and len(own) >= 5 and total / sum(usd for _, usd, _ in window) >= 0.8:
            return own[0][0]
    return None


def test_the_threshold_is_that_of_the_asset():
    alerts = feed(a_detection("BTC"), a_burst(orders=10, usd=99_999.0, asset="BTC"))

    assert [(alert.stage, alert.value, alert.threshold) for alert in alerts] == [(Stage.RAISED, 599_994.0, 500_000.0)]
