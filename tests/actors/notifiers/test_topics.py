"""Alerts to topics of a group: there, and where the topic is gone in the group as a whole, once."""

import pytest

from actors.outbox import Outbox
from actors.outbox_rows import Planned, telegram_target
from intelligence.alerts import Stage
from intelligence.gates import Preferences
from tests.intelligence.builders import an_alert
from tests.telegram_stand import proxy
from tests.telegram_stand.post import Post
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, Stand

TOPIC, OTHER_TOPIC = 7, 8
GENERAL, IN_TOPIC, IN_OTHER = (telegram_target(GROUP, topic) for topic in (0, TOPIC, OTHER_TOPIC))


@pytest.fixture
def post(tmp_path):
    stand = Stand()
    post = Post(stand, tmp_path / "foreshock.db")
    for topic in (TOPIC, OTHER_TOPIC):
        post.outbox.chats.set_alerts(GROUP, topic=topic, on=True, by=ME, now_ms=1)
    yield post
    post.close()
    stand.close()


def queue(post, *targets, alert=None):
    alert = alert or an_alert()
    post.outbox.append(alert, [Planned(target=t, stage=alert.stage) for t in targets], post.theatre.clock.now_ms())
    post.tell()


def places(post):
    return [(call.text.splitlines()[0], call.fields.get("message_thread_id")) for call in post.stand.sent(GROUP)]


def test_an_alert_stands_in_every_topic_that_it_is_meant_for(post):
    post.open()
    queue(post, GENERAL, IN_TOPIC, IN_OTHER)
    post.done()

    assert [topic for _, topic in places(post)] == [None, TOPIC, OTHER_TOPIC]


@pytest.mark.parametrize("state", [proxy.NO_TOPIC, proxy.CLOSED])
def test_what_a_lost_topic_does_not_take_goes_to_the_group_which_is_told_once(post, state):
    post.stand.proxy.topics[GROUP, TOPIC] = state
    post.open()
    queue(post, IN_TOPIC)
    queue(post, IN_TOPIC, alert=an_alert(alert_id="second"))
    post.done()

    assert {topic for _, topic in places(post)} == {None}
    first_lines = sorted(line for line, _ in places(post))
    assert first_lines == [
        "<b>BTC long liquidated $1.25M on Binance</b>",
        "<b>BTC long liquidated $1.25M on Binance</b>",
        "<b>The topic that had alerts of its own takes no messages</b>",
    ]


def test_the_group_hears_nothing_twice_because_a_topic_is_lost(post):
    post.stand.proxy.topics[GROUP, TOPIC] = proxy.NO_TOPIC
    post.open()
    queue(post, GENERAL, IN_TOPIC)
    post.done()

    assert [line for line, _ in places(post) if "liquidated" in line] == [
        "<b>BTC long liquidated $1.25M on Binance</b>"
    ]
    assert ("abcdefghijkl", "failed", "topic_lost") in post.states()


def test_the_end_of_an_incident_edits_its_message_in_the_topic(post):
    post.open()
    queue(post, IN_TOPIC)
    post.done()
    queue(post, IN_TOPIC, alert=an_alert(stage=Stage.ENDED))
    post.done()

    (edit,) = wait_for(lambda: post.stand.edits(GROUP))
    assert edit.fields["message_id"] == post.stand.sent(GROUP)[0].result["message_id"]


def test_each_place_reads_its_own_clock(post):
    post.outbox.chats.set_preferences(GROUP, Preferences(zone="Asia/Tokyo"), TOPIC)
    post.outbox.chats.set_preferences(GROUP, Preferences(zone="America/New_York"))
    post.open()
    queue(post, GENERAL, IN_TOPIC, IN_OTHER)
    post.done()

    stamps = {call.fields.get("message_thread_id"): call.text.splitlines()[-1] for call in post.stand.sent(GROUP)}
    assert "2023-11-14 17:14:00 EST" in stamps[None]
    assert "2023-11-15 07:14:00 JST" in stamps[TOPIC]
    assert "2023-11-14 22:14:00 UTC" in stamps[OTHER_TOPIC]


def test_a_chat_that_refuses_us_loses_what_waits_for_its_topics_too(post):
    post.stand.proxy.chats[GROUP] = proxy.KICKED
    post.open()
    queue(post, GENERAL, IN_TOPIC)
    post.done()

    assert {state[1:] for state in post.states()} == {("failed", "chat_dead")}


def test_topics_are_kept_in_the_file(tmp_path):
    outbox = Outbox(tmp_path / "foreshock.db", 1)
    outbox.chats.set_alerts(GROUP, topic=TOPIC, on=True, by=ME, now_ms=1)
    outbox.chats.set_dead(GROUP, "kicked")

    assert outbox.chats.of(GROUP, TOPIC).topic == TOPIC
    assert outbox.chats.of(GROUP, TOPIC).dead_reason == "kicked"
    assert outbox.chats.of(GROUP, OTHER_TOPIC).topic == 0
    outbox.close()
