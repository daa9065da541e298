"""Topics of a group: answered where they ask, with alerts of their own once somebody has said /alerts here."""

import pytest

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.outbox import Outbox
from intelligence.alerts import AlertKind
from intelligence.gates import Loudness
from tests.intelligence.builders import an_alert
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME

TOPIC = 7
OI = AlertKind.OPEN_INTEREST


@pytest.fixture
def bot(bot):
    return bot.dispatcher().open(assets=("BTC", "SOL"))


def says(bot, text, topic=TOPIC):
    return bot.stand.answers(text, chat=GROUP, user=ME, topic=topic)


def state(bot, topic=TOPIC):
    return bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=GROUP, topic=topic))


def targets(bot, **alert):
    """Who is told of an alert."""
    now_ms = bot.theatre.clock.now_ms()
    raised = an_alert(**({"exchange_ms": now_ms, "detected_ms": now_ms} | alert))
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=raised))
    state(bot)
    outbox = Outbox(bot.database, 1)
    found = [fate.target for fate in outbox.alerts.fates(raised.alert_id) if fate.state == "queued"]
    outbox.close()
    return found


def test_a_command_is_answered_in_its_topic(bot):
    says(bot, "/help")

    assert bot.stand.sent(GROUP)[-1].fields["message_thread_id"] == str(TOPIC)


def test_a_topic_without_alerts_of_its_own_shows_and_changes_the_group(bot):
    answer = says(bot, "/alerts oi silent")

    assert answer.startswith("Alerts of this group as a whole are <b>on</b>")
    assert "/alerts here brings them to this topic" in answer
    assert state(bot, 0).preferences.kinds == {OI: Loudness.SILENT}


def test_alerts_here_gives_a_topic_alerts_of_its_own(bot):
    says(bot, "/alerts oi silent")

    assert says(bot, "/alerts here").startswith("Alerts in this topic are <b>on</b>")
    says(bot, "/alerts oi off")
    assert state(bot).preferences.kinds == {OI: Loudness.OFF}
    assert state(bot, 0).preferences.kinds == {OI: Loudness.SILENT}
    assert targets(bot) == ["telegram:11", "telegram:-22", "telegram:-22/7"]


def test_families_go_to_the_topics_that_want_them(bot):
    says(bot, "/alerts here liquidations")
    says(bot, "/alerts here oi, volume", topic=8)
    says(bot, "/alerts stop", topic=None)

    assert targets(bot) == ["telegram:11", "telegram:-22/7"]
    assert targets(bot, kind=OI, alert_id="oi") == ["telegram:11", "telegram:-22/8"]
    assert "2 topics have alerts of their own" in says(bot, "/alerts", topic=None)


def test_mutes_budgets_and_clocks_are_the_topics_own(bot):
    says(bot, "/alerts here")
    bot.stand.presses("mute BTC liquidation 1h", chat=GROUP, user=ME, topic=TOPIC, message_id=5)
    says(bot, "/timezone Asia/Tokyo")

    assert targets(bot) == ["telegram:11", "telegram:-22"]
    assert (state(bot).preferences.zone, state(bot, 0).preferences.zone) == ("Asia/Tokyo", "UTC")


def test_stop_in_a_topic_leaves_the_group_alone(bot):
    says(bot, "/alerts here")
    says(bot, "/alerts stop")

    assert targets(bot) == ["telegram:11", "telegram:-22"]


def test_outside_of_a_topic_here_is_explained(bot):
    assert bot.stand.answers("/alerts here").startswith("This is no topic of a group")


def test_whoever_writes_in_a_lost_topic_brings_it_back(bot):
    says(bot, "/alerts here")
    outbox = Outbox(bot.database, 1)
    outbox.chats.set_lost(GROUP, TOPIC, "http_400 TOPIC_CLOSED")
    assert targets(bot) == ["telegram:11", "telegram:-22"]

    says(bot, "/help")

    wait_for(lambda: not outbox.chats.of(GROUP, TOPIC).lost_reason, "the topic to be known again")
    outbox.close()


def test_why_tells_each_place_of_the_group(bot):
    says(bot, "/alerts here")
    targets(bot)

    answer = says(bot, "/why abcdefghijkl")
    assert "this chat: raised queued" in answer
    assert "this topic: raised queued" in answer
    assert "telegram:11" not in answer
