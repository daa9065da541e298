"""Many assets at once: one incident with breadth, leaders and totals, and what becomes of the assets' own alerts."""

import pytest

from intelligence.alerts import AlertKind, Severity, Stage, VenueShare
from intelligence.detectors.market_wide import MarketWideDetector, MarketWideRule
from intelligence.market import Coverage, PositionSide
from tests.intelligence.builders import T0, an_alert

ASSETS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "DOT", "BNB", "AVAX", "LINK")


def a_cascade(asset, at_ms=0, **overrides):
    fields = {
        "alert_id": f"cascade-{asset}",
        "kind": AlertKind.CASCADE,
        "asset": asset,
        "severity": Severity.P3,
        "exchange_ms": T0 + at_ms,
        "latest_ms": T0 + at_ms,
        "value": 1e6,
        "threshold": 5e5,
        "position_side": PositionSide.LONG,
    }
    return an_alert(**(fields | overrides))


def a_detector(watched=30, **rule):
    return MarketWideDetector(MarketWideRule(**rule), watched)


def feed(detector, alerts):
    return [detector.take(alert, alert.exchange_ms + 500) for alert in alerts]


def opened(watched=30):
    """A detector whose incident five cascades opened, a second apart."""
    detector = a_detector(watched)
    return detector, feed(detector, [a_cascade(asset, index * 1_000) for index, asset in enumerate(ASSETS[:5])])


def test_five_assets_of_thirty_open_an_incident():
    _, verdicts = opened()

    assert [verdict.alert is not None for verdict in verdicts] == [False, False, False, False, True]
    alert = verdicts[-1].alert
    assert (alert.kind, alert.value, alert.threshold, alert.severity) == (AlertKind.MARKET_WIDE, 5.0, 5.0, Severity.P2)


def test_a_larger_universe_needs_more_assets():
    detector = a_detector(watched=50)

    verdicts = feed(detector, [a_cascade(asset, index) for index, asset in enumerate(ASSETS[:8])])

    assert [verdict.alert is not None for verdict in verdicts].index(True) == 7  # 15 % of 50, rounded up


def test_alerts_far_apart_are_no_event_of_the_market():
    detector = a_detector()

    verdicts = feed(detector, [a_cascade(asset, index * 100_000) for index, asset in enumerate(ASSETS)])

    assert all(verdict.alert is None for verdict in verdicts)


def test_many_alerts_of_one_asset_are_not_many_assets():
    detector = a_detector()

    verdicts = feed(detector, [a_cascade("BTC", index, alert_id=f"id{index}") for index in range(9)])

    assert all(verdict.alert is None for verdict in verdicts)


def test_assets_that_join_fold_into_it():
    detector, verdicts = opened()

    verdict = detector.take(a_cascade("ADA", 6_000), T0)

    assert verdict.folded_into == verdicts[-1].alert.alert_id == detector.open_incident


def test_what_an_asset_says_later_goes_the_way_of_its_first_word():
    detector, _ = opened()
    detector.take(a_cascade("ADA", 6_000), T0)

    folded = detector.take(a_cascade("ADA", 6_000, stage=Stage.ENDED, latest_ms=T0 + 60_000), T0)
    own = detector.take(a_cascade("BTC", 0, stage=Stage.ENDED, latest_ms=T0 + 60_000), T0)

    assert folded.folded_into == detector.open_incident
    assert own.folded_into is None


def test_the_first_alert_that_wakes_people_is_not_hidden_and_the_next_one_is():
    detector, _ = opened()

    first = detector.take(a_cascade("ADA", 6_000, severity=Severity.P1), T0)
    second = detector.take(a_cascade("DOT", 7_000, severity=Severity.P1), T0)

    assert first.folded_into is None
    assert first.alert.severity is Severity.P1
    assert second.folded_into == detector.open_incident


def test_small_single_orders_fold_and_do_not_open_it():
    detector, _ = opened()
    small = an_alert(asset="DOT", severity=Severity.P3, exchange_ms=T0 + 6_000, alert_id="small")

    assert detector.take(small, T0).folded_into == detector.open_incident
    assert all(
        verdict.alert is None
        for verdict in feed(a_detector(), [an_alert(asset=asset, severity=Severity.P3) for asset in ASSETS])
    )


def test_it_tells_breadth_leaders_totals_and_who_was_first():
    detector = a_detector()
    cascades = [a_cascade(asset, index * 1_000, value=1e6 * (index + 1)) for index, asset in enumerate(ASSETS[:5])]

    alert = feed(detector, cascades)[-1].alert
    seen = dict(alert.context)

    assert seen["assets"] == "BTC, DOGE, ETH, SOL, XRP"
    assert seen["leaders"].startswith("DOGE 10.0x, XRP 8.0x")
    assert seen["first_mover"] == "BTC"
    assert seen["long_liquidated_usd"] == pytest.approx(15e6)
    assert alert.text.splitlines()[0] == "Market-wide: longs of 5 of 30 assets in 4 s"


def test_an_order_that_is_part_of_a_cascade_is_not_counted_twice():
    detector = a_detector()
    order = an_alert(asset="BTC", value=4e5, severity=Severity.P2, alert_id="order")

    alert = feed(detector, [order] + [a_cascade(asset, index) for index, asset in enumerate(ASSETS[:5])])[-1].alert

    assert dict(alert.context)["long_liquidated_usd"] == pytest.approx(5e6)


def test_venues_are_added_over_the_assets_and_a_sample_stays_a_lower_bound():
    detector = a_detector()
    share = VenueShare(venue="binance", notional_usd=1e6, count=5, coverage=Coverage.CAPPED)

    alert = feed(detector, [a_cascade(asset, by_venue=(share,)) for asset in ASSETS[:5]])[-1].alert

    assert alert.by_venue == (VenueShare(venue="binance", notional_usd=5e6, count=25, coverage=Coverage.CAPPED),)
    assert alert.coverage is Coverage.CAPPED


def test_most_of_the_market_in_cascades_wakes_people():
    detector = a_detector(watched=20)

    verdicts = feed(detector, [a_cascade(asset, index * 1_000) for index, asset in enumerate(ASSETS[:8])])

    assert [verdict.alert.severity for verdict in verdicts if verdict.alert] == [Severity.P2, Severity.P1]


def test_it_ends_when_nothing_has_come_for_ten_minutes_and_can_begin_again():
    detector, verdicts = opened()

    assert detector.end_by(T0 + 600_000) is None
    ended = detector.end_by(T0 + 604_000)
    again = feed(
        detector, [a_cascade(asset, 900_000 + i, alert_id=f"again-{asset}") for i, asset in enumerate(ASSETS[:5])]
    )

    assert (ended.stage, ended.alert_id) == (Stage.ENDED, verdicts[-1].alert.alert_id)
    assert again[-1].alert.alert_id != ended.alert_id


def test_growth_is_told_every_ten_seconds_at_the_most():
    detector, _ = opened()

    verdicts = feed(detector, [a_cascade(asset, 5_000 + index * 4_000) for index, asset in enumerate(ASSETS[5:])])

    assert [verdict.alert is not None for verdict in verdicts] == [False, False, False, True, False]


def a_spike(asset, at_ms=0, **overrides):
    return a_cascade(asset, at_ms, alert_id=f"volume-{asset}", kind=AlertKind.VOLUME_SPIKE, **overrides)


def test_volume_spikes_open_no_incident():
    verdicts = feed(a_detector(), [a_spike(asset, index) for index, asset in enumerate(ASSETS)])

    assert {(verdict.alert, verdict.folded_into) for verdict in verdicts} == {(None, None)}


def test_an_open_incident_tells_volume_spikes_and_does_not_count_them():
    detector, verdicts = opened()
    raised = detector.take(a_spike("LINK", 6_000), T0 + 6_500)
    ended = detector.take(a_spike("LINK", 7_000, stage=Stage.ENDED), T0 + 7_500)

    assert raised.folded_into == ended.folded_into == verdicts[-1].alert.alert_id
    joined = detector.take(a_cascade("DOT", 120_000), T0 + 120_500).alert
    assert joined.value == 6.0


def test_a_volume_spike_that_is_graver_than_the_incident_is_told_itself():
    detector, _ = opened()

    assert detector.take(a_spike("LINK", 6_000, severity=Severity.P1), T0 + 6_500).folded_into is None
