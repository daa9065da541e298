"""Many alerts at once, through the notifier and over HTTP: Telegram's limits, order, and nothing lost or doubled by what fails.

In time that the test moves, so that minutes of pacing take seconds.
"""

import os
import random
from collections import Counter
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from actors.clock import ManualClock
from intelligence.alerts import AlertKind, Severity, Stage
from tests.intelligence.builders import an_alert
from tests.telegram_stand import proxy
from tests.telegram_stand.post import RULES, Post
from tests.telegram_stand.stand import Stand

ALERTS = 500 if "DRILLS" in os.environ else 50  # to each chat: `make drills` sends the 5,000 messages of issue 5
CHATS = (*range(1, 8), -1, -2, -3)
PACE = {"private_gap_s": 1.05, "group_gap_s": 3.05, "overall_per_s": 25.0}  # as in config/default.toml
SEVERITIES = tuple(Severity)
PATIENT = replace(RULES, **dict.fromkeys(("p1_valid_s", "p2_valid_s", "p3_valid_s"), 86_400.0))


@pytest.fixture
def post(tmp_path):
    stand = Stand()
    post = Post(stand, tmp_path / "foreshock.db", ManualClock())
    yield post
    post.close()
    stand.close()


def some(count, **overrides):
    return [an_alert(alert_id=f"alert-{n:03}", severity=SEVERITIES[n % 3], **overrides) for n in range(count)]


def told(post, chat):
    """What has arrived, whether we know it or not."""
    arrived = [call for call in post.stand.calls(chat=chat) if call.result is not None]
    return [call.text.rpartition("<code>")[2].partition("</code>")[0] for call in arrived]


@pytest.mark.timeout(600)
def test_a_burst_to_ten_chats_meets_no_limit_and_arrives_gravest_first_in_order(post):
    alerts = some(ALERTS)
    post.stand.proxy.flood = proxy.Limits()
    post.queue(*alerts, chats=CHATS).open(outbox=PATIENT, **PACE).in_time(4 * ALERTS)

    expected = [alert.alert_id for alert in sorted(alerts, key=lambda alert: alert.severity)]
    assert {chat: told(post, chat) for chat in CHATS} == dict.fromkeys(CHATS, expected)
    assert {call.status for call in post.stand.calls()} == {200}


def test_growth_that_is_told_by_edits_meets_no_limit_either(post):
    incidents = [an_alert(alert_id=f"alert-{n}", asset=f"A{n}", kind=AlertKind.CASCADE) for n in range(6)]
    post.stand.proxy.flood = proxy.Limits()
    post.queue(*incidents, chats=CHATS).open(**PACE).in_time(30)
    for stage in (Stage.UPDATED, Stage.ENDED):
        grown = [an_alert(alert_id=one.alert_id, kind=one.kind, value=9e6, stage=stage) for one in incidents]
        post.queue(*grown, chats=CHATS).tell()
        post.in_time(30)

    edits = post.stand.calls("editMessageText")
    assert len(edits) == 2 * len(incidents) * len(CHATS)
    assert {call.status for call in (*post.stand.calls(), *edits)} == {200}


FAULTS = (
    {"drop": "before"},
    {"drop": "after"},
    {"cut": 20},
    {"answer": (502, "<html>")},
    {"answer": proxy.refusal(500, "Internal Server Error")},
    {"answer": proxy.flood(3)},
)


def test_whatever_fails_in_a_burst_keeps_order_loses_nothing_and_doubles_only_what_is_unknown(post):
    chance, chats, alerts = random.Random(5), CHATS[5:9], some(45)
    for alert in alerts:
        if chance.random() < 0.3:
            post.stand.fail(text=alert.alert_id, chat=chance.choice(chats), **chance.choice(FAULTS))
    with capture_logs() as logged:
        post.queue(*alerts, chats=chats).open(**PACE).in_time(600)

    assert all(fault.hit for fault in post.stand.proxy.faults)
    unknown = {
        event: {(line["target"], line["alert_id"]) for line in logged if line["event"] == event}
        for event in ("delivery_repeated", "alert_failed")
    }
    for chat in chats:
        got = Counter(told(post, chat))
        first_arrivals = list(dict.fromkeys(told(post, chat)))
        missing = {(f"telegram:{chat}", alert.alert_id) for alert in alerts} - {
            (f"telegram:{chat}", one) for one in got
        }
        assert missing <= unknown["alert_failed"]
        assert {(f"telegram:{chat}", one) for one, n in got.items() if n > 1} <= unknown["delivery_repeated"]
        order = [alert.alert_id for alert in sorted(alerts, key=lambda alert: alert.severity)]
        assert first_arrivals == [one for one in order if one in got]
    assert len(unknown["alert_failed"]) < 10
