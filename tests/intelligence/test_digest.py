import pytest

from intelligence.alerts import AlertKind, Severity
from intelligence.digest import Told, digest_text
from intelligence.time_of_day import clock_time, last_time_ms
from tests.intelligence.builders import T0, an_alert

DAY_MS = 86_400_000
NOON_MS = T0 - T0 % DAY_MS + DAY_MS // 2


def test_a_day_without_alerts_is_said_to_be_one():
    assert digest_text([], "UTC").startswith("Digest of 24 h: no alert")


def test_a_digest_counts_what_was_held_back_by_its_reason_and_names_the_gravest():
    day = [
        Told(an_alert(), ""),
        Told(an_alert(alert_id="b", value=9e6, asset="SOL"), "quiet_hours"),
        Told(an_alert(alert_id="c", severity=Severity.P1, exchange_ms=T0 + 60_000), "quiet_hours"),
        Told(an_alert(alert_id="d", kind=AlertKind.FEED_HEALTH, text="OKX silent for 40 s"), "inhibited:b"),
    ]

    lines = digest_text(day, "Europe/Berlin").splitlines()

    assert lines[0] == "Digest of 24 h: 4 alerts, 3 held back"
    assert lines[1] == "Held back: 2 quiet hours, 1 part of an incident that was open"
    assert lines[2] == "Liquidations: 3, first of all SOL long liquidated $9M on Binance"
    assert "Venues lost: 1, first of all OKX silent for 40 s" in lines
    assert "23:15 P1 BTC long liquidated $1.25M on Binance" in lines


def test_a_digest_of_a_wild_day_stays_short():
    day = [Told(an_alert(alert_id=str(n), exchange_ms=T0 + n), "budget") for n in range(1_000)]

    assert len(digest_text(day, "UTC").splitlines()) <= 30


@pytest.mark.parametrize(
    ("minute", "zone", "at_ms"),
    [
        (720, "UTC", NOON_MS),
        (721, "UTC", NOON_MS + 60_000 - DAY_MS),
        (13 * 60, "Europe/Berlin", NOON_MS),
        (0, "UTC", NOON_MS - DAY_MS // 2),
    ],
)
def test_a_time_of_day_is_the_last_one_that_was(minute, zone, at_ms):
    assert last_time_ms(minute, zone, NOON_MS) == at_ms
    assert clock_time(at_ms, zone) == f"{minute // 60:02}:{minute % 60:02}"
