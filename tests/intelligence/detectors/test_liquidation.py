import pytest

from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.market import Coverage, PositionSide
from tests.intelligence.builders import T0, a_burst, a_detection, a_liquidation, a_mark, feed, of_kind


def singles(records, **overrides):
    return of_kind(feed(a_detection(**overrides), records), AlertKind.LIQUIDATION)


@pytest.mark.parametrize(
    ("asset", "usd", "alerts"),
    [
        ("BTC", 100_000.0, 1),
        ("BTC", 99_999.99, 0),
        ("ETH", 50_000.0, 1),
        ("ETH", 49_999.0, 0),
        ("SOL", 25_000.0, 1),
        ("SOL", 24_999.0, 0),
        ("PEPE", 10_000.0, 1),
        ("PEPE", 9_999.0, 0),
    ],
)
def test_a_liquidation_alerts_from_its_threshold_on(asset, usd, alerts):
    assert len(singles([a_liquidation(usd=usd, asset=asset)], asset=asset)) == alerts


@pytest.mark.parametrize(
    ("usd", "severity"),
    [(25_000.0, Severity.P3), (124_999.0, Severity.P3), (125_000.0, Severity.P2), (9e9, Severity.P2)],
)
def test_severity_grows_with_the_ratio_and_never_reaches_p1(usd, severity):
    assert singles([a_liquidation(usd=usd)])[0].severity is severity


def test_the_record_tells_the_order_and_its_threshold():
    (alert,) = singles([a_liquidation(usd=30_000.0, position_side=PositionSide.SHORT)])

    assert (alert.value, alert.threshold, alert.threshold_source) == (30_000.0, 25_000.0, "static")
    assert (alert.venue, alert.instrument, alert.position_side) == ("bybit", "SOLUSDT", PositionSide.SHORT)
    assert (alert.exchange_ms, alert.detected_ms) == (T0, T0 + 200)
    assert alert.stage is Stage.RAISED


def test_fills_of_one_order_on_a_complete_feed_alert_at_the_first_crossing_and_later_ones_update_it():
    fills = [a_liquidation(at_ms, 10_000.0, price=140.0) for at_ms in (0, 400, 600, 1_000)]

    alerts = singles(fills)

    assert [alert.stage for alert in alerts] == [Stage.RAISED, Stage.UPDATED]
    assert [alert.value for alert in alerts] == [30_000.0, 40_000.0]
    assert [alert.count for alert in alerts] == [3, 4]
    assert {alert.exchange_ms for alert in alerts} == {T0}
    assert len({alert.alert_id for alert in alerts}) == 1


def test_the_name_of_an_order_is_that_of_its_first_fill():
    whole = singles([a_liquidation(0, 30_000.0, quantity=7.0)])
    filled = singles([a_liquidation(0, 10_000.0, quantity=7.0), a_liquidation(9, 20_000.0, price=140.0, quantity=1.0)])

    assert whole[0].alert_id == filled[0].alert_id


@pytest.mark.parametrize(
    "other",
    [
        {"at_ms": 1_001},
        {"price": 140.1},
        {"venue": "gate"},
        {"instrument": "SOLUSDC"},
        {"position_side": PositionSide.SHORT},
    ],
)
def test_what_differs_in_venue_instrument_side_price_or_time_is_another_order(other):
    second = a_liquidation(**({"at_ms": 500, "usd": 20_000.0, "price": 140.0} | other))

    assert singles([a_liquidation(0, 20_000.0, price=140.0), second]) == []


def test_rows_of_a_capped_feed_are_never_merged():
    rows = [
        a_liquidation(at_ms, 20_000.0, price=140.0, quantity=1.0 + at_ms, coverage=Coverage.CAPPED)
        for at_ms in (0, 300, 600)
    ]

    assert singles(rows) == []


def test_a_long_series_of_fills_is_several_orders_of_a_second_each():
    fills = [a_liquidation(at_ms, 10_000.0, price=140.0) for at_ms in range(0, 5_000, 500)]

    raised = [alert for alert in singles(fills) if alert.stage is Stage.RAISED]

    assert [alert.exchange_ms - T0 for alert in raised] == [0, 1_500, 3_000]


def test_a_fill_overtaken_by_a_newer_one_still_belongs_to_its_order():
    fills = [a_liquidation(at_ms, 15_000.0, price=140.0) for at_ms in (500, 0)]

    (alert,) = singles(fills)

    assert (alert.exchange_ms, alert.value) == (T0 + 500, 30_000.0)


def test_an_order_too_late_for_the_windows_still_alerts():
    alerts = singles([a_liquidation(60_000, 30_000.0), a_liquidation(0, 40_000.0)])

    assert [alert.value for alert in alerts] == [30_000.0, 40_000.0]


def test_a_row_sent_again_after_minutes_does_not_alert_again():
    row = a_liquidation(0, 30_000.0, coverage=Coverage.CAPPED)

    alerts = singles([row, a_liquidation(200_000, 1.0), row])

    assert len(alerts) == 1


def test_the_alert_shows_the_side_over_all_venues_in_the_last_minute_and_the_price_before():
    records = [
        a_mark(-1_000, 150.0),
        a_liquidation(0, 5_000.0, venue="okx", coverage=Coverage.CAPPED),
        a_liquidation(30_000, 30_000.0),
        a_mark(30_100, 100.0),
    ]

    (alert,) = singles(records)

    context = dict(alert.context)
    assert context["sum_60s_usd"] == 35_000.0
    assert context["count_60s"] == 2
    assert context["sum_60s_coverage"] == "capped"
    assert context["reference_price"] == 150.0


def test_orders_below_the_threshold_leave_nothing_behind():
    detection = a_detection()
    feed(detection, a_burst(orders=5_000, usd=10.0, every_ms=2_000))

    assert len(detection._single._orders) < 10
    assert len(detection._duplicates._seen) < 10
