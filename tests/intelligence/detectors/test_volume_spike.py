"""Volume spikes: what is one, what is only traded much, and how the incident goes on."""

from functools import cache
from math import log

import pytest

from intelligence.alerts import Severity, Stage
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.detectors.volume_spike import VolumeSpikeDetector
from intelligence.thresholds.records import Threshold
from tests.intelligence.volume_minutes import WARM, burst, calm


@cache
def learned(make=calm):
    """What a detector knows after more than a day of such minutes."""
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    for index in range(WARM):
        detector.learn(make(index))
    return detector.state


def warm_detector(make=calm):
    """A detector after a day of such minutes that has the last four hours of them before it."""
    detector = VolumeSpikeDetector("SOL", VolumeRule(), learned(make))
    for index in range(WARM - 250, WARM):
        assert detector.take(make(index), 0) is None
    return detector


def run(detector, minutes, first=WARM):
    """The alerts of these minutes, `None`s left out."""
    alerts = [detector.take(minute, minute.to_ms + 3_000) for minute in minutes]
    return [alert for alert in alerts if alert is not None]


def a_burst(length=20, first=WARM, **overrides):
    return [burst(first + step, step, **overrides) for step in range(length)]


def test_a_burst_that_moves_the_price_is_told_within_minutes():
    raised = run(warm_detector(), a_burst())[0]

    assert raised.stage is Stage.RAISED
    assert raised.exchange_ms <= burst(WARM + 10, 10).to_ms
    assert raised.value >= raised.threshold


def test_it_says_how_much_is_usual_and_who_was_impatient():
    seen = dict(run(warm_detector(), a_burst())[0].context)

    assert seen["rvol"] > 3
    assert seen["imbalance"] == pytest.approx(0.4, abs=0.1)
    assert seen["range_lift"] >= VolumeRule().minimum_lift


def test_volume_without_a_move_is_not_told():
    flat = [calm(WARM + step, buy_usd=4e6, sell_usd=4e6) for step in range(30)]

    assert run(warm_detector(), flat) == []


def test_a_move_without_volume_is_not_told():
    assert run(warm_detector(), a_burst(times=1.2)) == []


def test_nothing_is_told_before_a_day_is_known():
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    for index in range(900):
        detector.learn(calm(index))

    assert run(detector, a_burst(first=900)) == []


def test_minutes_of_the_past_make_it_know_at_once():
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    for index in range(WARM):
        detector.learn(calm(index))

    assert run(detector, a_burst())[0].alert_id == run(warm_detector(), a_burst())[0].alert_id


def test_missing_minutes_are_not_zero_and_make_no_spike():
    gap = 40

    assert run(warm_detector(), [burst(WARM + gap + step, step) for step in range(3)]) == []


def test_minutes_received_in_part_do_not_count():
    assert run(warm_detector(), a_burst(complete=False)) == []


def test_a_thin_market_stays_below_the_floor():
    def thin(index):
        return calm(index, buy_usd=50.0, sell_usd=50.0)

    assert run(warm_detector(make=thin), a_burst(times=0.01)) == []


def test_a_market_without_usual_volume_is_judged_by_the_floor_alone():
    def silent(index):
        return calm(index, buy_usd=0.0, sell_usd=0.0)

    alert = run(warm_detector(make=silent), a_burst())[0]

    assert "rvol" not in dict(alert.context)
    assert "where none is usual" in alert.text


def test_one_trade_that_is_most_of_it_is_named():
    alert = run(warm_detector(), [burst(WARM, 0, times=40.0, largest_usd=39e6, high=103.0)])[0]

    assert dict(alert.context)["one_block"] == "yes"
    assert "one block: a single trade is" in alert.text


def test_a_threshold_of_the_chain_replaces_the_own_multiple():
    detector = warm_detector()
    detector.threshold = Threshold(value=200e6, source="tiered", factors=(("multiple", 3.0),))

    assert run(detector, a_burst()) == []

    detector.threshold = Threshold(value=46e6, source="tiered", factors=(("multiple", 3.0),))
    again = run(detector, a_burst(first=WARM + 20, times=12.0))[0]

    assert again.threshold_source == "tiered"
    assert ("multiple", 3.0) in again.factors


def test_its_threshold_can_be_recomputed_from_the_record():
    alert = run(warm_detector(), a_burst())[0]
    factors = dict(alert.factors)

    whole = max(factors["multiple"] * factors["usual_15m_usd"], factors["floor_15m_usd"])
    assert alert.threshold == pytest.approx(whole * factors["window_factor"])


def test_one_burst_is_one_incident_that_ends():
    detector = warm_detector()
    after = [calm(WARM + 20 + step) for step in range(40)]

    alerts = run(detector, a_burst() + after)

    assert len({alert.alert_id for alert in alerts}) == 1
    assert alerts[-1].stage is Stage.ENDED
    assert "volume over" in alerts[-1].text


def test_two_incidents_are_an_hour_apart():
    detector = warm_detector()
    pause = [calm(WARM + 5 + step) for step in range(30)]
    second = a_burst(10, first=WARM + 35)

    assert [alert.stage for alert in run(detector, a_burst(5) + pause + second)].count(Stage.RAISED) == 1


def test_it_grows_graver_and_never_wakes_people():
    alerts = run(warm_detector(), a_burst(30, times=20.0))

    assert {alert.severity for alert in alerts} <= {Severity.P2, Severity.P3}
    assert alerts[-1].severity is Severity.P2


def test_the_lift_is_one_in_a_market_as_always():
    detector = warm_detector()

    assert log(detector.range_lift(calm(WARM - 1).to_ms)) == pytest.approx(0.0, abs=0.3)


def test_a_past_from_elsewhere_makes_a_cold_detector_know_at_once():
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    minutes = [calm(index) for index in range(WARM)]
    for minute in minutes[-10:]:
        detector.take(minute, 0)
    detector.begin_with(minutes[:-10], {})

    assert run(detector, a_burst())[0].alert_id == run(warm_detector(), a_burst())[0].alert_id


def test_hours_of_turnover_say_what_is_usual_before_the_first_minute_of_the_past():
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    minutes = [calm(index) for index in range(WARM)]
    detector.take(minutes[-1], 0)
    hour_ms = 3_600_000
    first_ms = minutes[0].from_ms // hour_ms * hour_ms
    detector.begin_with(minutes[:-1], {first_ms - hour * hour_ms: 60e6 for hour in range(1, 101)})

    assert detector.known_quarters(minutes[-1].to_ms) == pytest.approx(100 * 4 + WARM / 15, abs=4)


def near_miss(detector, minutes):
    for minute in minutes:
        assert detector.take(minute, 0) is None
    return detector.near_miss(minutes[-1])


def test_a_quiet_minute_is_no_near_miss():
    assert near_miss(warm_detector(), [calm(WARM)]) is None


def test_volume_without_a_move_is_told_as_a_near_miss_with_what_it_lacked():
    flat = [calm(WARM + step, buy_usd=4e6, sell_usd=4e6) for step in range(6)]
    found = near_miss(warm_detector(), flat)

    assert found.value > found.threshold
    assert any("times the usual" in missing for missing in found.missing)


def test_half_of_what_would_be_told_is_asked_about():
    found = near_miss(warm_detector(), [calm(WARM + step, buy_usd=1.3e6, sell_usd=1.3e6) for step in range(5)])

    assert found.missing[0].startswith("5 min threshold")


def test_a_detector_that_warms_up_says_so_once_a_quarter_of_an_hour():
    detector = VolumeSpikeDetector("SOL", VolumeRule())
    told = []
    for index in range(60):
        detector.take(calm(index), 0)
        told.append(detector.near_miss(calm(index)))

    assert len([one for one in told if one is not None]) == 4
    assert {one.missing[0].partition(":")[0] for one in told if one is not None} == {"warming"}


def test_an_open_incident_is_no_near_miss():
    detector = warm_detector()
    run(detector, a_burst())

    assert detector.near_miss(a_burst()[-1]) is None
