import msgspec
import pytest

from intelligence.alerts import AlertKind, Severity
from intelligence.gates import (
    Decision,
    Gate,
    Loudness,
    Mute,
    OwnThreshold,
    Preferences,
    QuietHours,
    Standing,
    decide,
)
from intelligence.inhibition import FRESH_MS, inhibitor
from intelligence.market import PositionSide
from tests.intelligence.builders import T0, an_alert

MIDDAY_MS = T0 - T0 % 86_400_000 + 12 * 3_600_000  # 2023-11-14 12:00 UTC


def held(alert=None, **standing):
    return decide(alert or an_alert(), Standing(**({"now_ms": MIDDAY_MS} | standing))).held


def chosen(**preferences):
    return {"preferences": Preferences(**preferences)}


def test_without_any_choice_everything_is_told_and_p3_arrives_silently():
    told = [decide(an_alert(severity=severity), Standing(now_ms=0)) for severity in Severity]

    assert told == [Decision(), Decision(), Decision(silent=True)]


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        ({"folded_into": "market"}, "folded:market"),
        ({"inhibited_by": "cascade"}, "inhibited:cascade"),
        ({"alerts_on": False}, "alerts_off"),
        ({"is_dead": True}, "chat_dead"),
        (chosen(kinds={AlertKind.LIQUIDATION: Loudness.OFF}), "kind_off"),
        (chosen(severities={Severity.P2: Loudness.OFF}), "kind_off"),
        (chosen(assets=("SOL",)), "not_watched"),
        (chosen(own_thresholds=(OwnThreshold(kind=AlertKind.LIQUIDATION, value=1e12),)), "below_own_threshold"),
        (chosen(mutes=(Mute(),)), "muted"),
        (chosen(quiet=QuietHours(from_minute=700, to_minute=800, zone="UTC")), "quiet_hours"),
        (chosen(pushes_a_day=3) | {"pushed": 3}, "budget"),
    ],
)
def test_each_gate_names_itself(standing, reason):
    assert held(**standing) == reason


def test_the_first_gate_in_the_order_of_their_names_wins():
    everything = {
        "alerts_on": False,
        "is_dead": True,
        "inhibited_by": "x",
        **chosen(mutes=(Mute(),), pushes_a_day=0),
    }
    assert held(**everything) == "inhibited:x"
    assert held(msgspec.structs.replace(an_alert(), shadow=True), **everything) == Gate.SHADOW


def test_a_threshold_of_ones_own_for_an_asset_beats_that_for_all():
    own = (
        OwnThreshold(kind=AlertKind.LIQUIDATION, value=1e12),
        OwnThreshold(kind=AlertKind.LIQUIDATION, value=1.0, asset="BTC"),
    )
    assert held(an_alert(asset="BTC"), **chosen(own_thresholds=own)) == ""
    assert held(an_alert(asset="SOL"), **chosen(own_thresholds=own)) == "below_own_threshold"


@pytest.mark.parametrize(
    ("mute", "muted"),
    [
        (Mute(asset="BTC"), True),
        (Mute(asset="SOL"), False),
        (Mute(asset="BTC", kind=AlertKind.OPEN_INTEREST), False),
        (Mute(until_ms=MIDDAY_MS + 1), True),
        (Mute(until_ms=MIDDAY_MS), False),
    ],
)
def test_a_mute_holds_for_its_asset_its_kind_and_its_time(mute, muted):
    assert (held(**chosen(mutes=(mute,))) == "muted") is muted


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [
        ((12 * 60, 13 * 60, "UTC"), True),
        ((13 * 60, 12 * 60, "UTC"), False),
        ((23 * 60, 12 * 60 + 1, "UTC"), True),
        ((13 * 60, 14 * 60, "Europe/Berlin"), True),
        ((12 * 60, 12 * 60, "UTC"), False),
    ],
)
def test_quiet_hours_are_those_of_the_readers_clock_and_may_pass_midnight(hours, quiet):
    one = QuietHours(from_minute=hours[0], to_minute=hours[1], zone=hours[2])
    assert (held(**chosen(quiet=one)) == "quiet_hours") is quiet


def test_what_wakes_people_passes_quiet_hours_and_budget():
    quiet = QuietHours(from_minute=0, to_minute=1439, zone="UTC")
    grave = an_alert(severity=Severity.P1)
    assert held(grave, pushed=9, **chosen(quiet=quiet, pushes_a_day=1)) == ""
    strict = msgspec.structs.replace(quiet, p1_passes=False)
    assert held(grave, **chosen(quiet=strict)) == "quiet_hours"


def test_the_quieter_of_kind_and_severity_counts():
    both = Preferences(kinds={AlertKind.LIQUIDATION: Loudness.SILENT}, severities={Severity.P2: Loudness.LOUD})
    assert decide(an_alert(), Standing(now_ms=0, preferences=both)).silent


def a_cascade(**overrides):
    fields = {"alert_id": "cascade", "kind": AlertKind.CASCADE, "position_side": PositionSide.LONG, "latest_ms": T0}
    return an_alert(**(fields | overrides))


@pytest.mark.parametrize(
    ("alert", "by"),
    [
        (an_alert(position_side=PositionSide.LONG), "cascade"),
        (an_alert(position_side=PositionSide.SHORT), ""),
        (an_alert(position_side=PositionSide.LONG, asset="DOGE"), ""),
        (an_alert(kind=AlertKind.VOLUME_SPIKE, position_side=None), "cascade"),
        (an_alert(kind=AlertKind.OPEN_INTEREST, position_side=None), ""),
        (an_alert(position_side=PositionSide.LONG, severity=Severity.P1), ""),
    ],
)
def test_an_open_cascade_speaks_for_what_is_part_of_it_unless_that_is_graver(alert, by):
    assert inhibitor(alert, [a_cascade()], T0 + 1_000) == by


def test_an_incident_that_has_told_nothing_for_long_speaks_for_nobody():
    alert = an_alert(position_side=PositionSide.LONG)
    assert inhibitor(alert, [a_cascade()], T0 + FRESH_MS + 1) == ""
