"""Every way in which somebody may reach the bot: who may not, learns nothing and changes nothing."""

import time

import pytest

from actors import paths
from actors.messages.chats import AskAlerts
from actors.telegram import polling
from tests.telegram_stand.stand import GROUP, ME, OTHER, STRANGER

EVERYTHING = ("message", "edited_message", "channel_post", "edited_channel_post", "inline_query", "callback_query")
GIVEN = {  # a command that would change something where it is let through
    "alerts": "alerts stop",
    "watch": "watch BTC",
    "unwatch": "unwatch BTC",
    "threshold": "threshold BTC oi 10%",
    "mute": "mute BTC 1h",
    "unmute": "unmute all",
    "quiet": "quiet 1:00-2:00",
    "budget": "budget 1",
    "digest": "digest 8:00",
    "timezone": "timezone Asia/Kolkata",
    "vote": "vote abcdefghijkl up",
    "test": "test p1",
    "restart": "restart /core/feeds",
    "pause": "pause /core/feeds",
    "resume": "resume /core/feeds",
    "promote": "promote volume",
}


@pytest.fixture
def bot(bot):
    bot.orders = bot.theatre.record(paths.FEEDS)
    return bot.dispatcher().open(assets=("BTC",))


def kept(bot, chat):
    """All that a chat has chosen and waits for."""
    return bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=chat))


def given(bot):
    """Every command of the bot, as somebody would give it."""
    return [GIVEN.get(command.name, command.name) for command in bot.commands()]


def test_there_is_a_change_for_every_command_that_changes():
    assert len(GIVEN) == len(set(GIVEN.values()))


def test_a_stranger_learns_the_own_ids_by_no_command(bot):
    for words in given(bot):
        bot.stand.say(f"/{words}", chat=STRANGER)
    bot.silent()

    ids = f"chat id: <code>{STRANGER}</code>\nuser id: <code>{STRANGER}</code>"
    assert {call.text for call in bot.stand.sent(STRANGER)} == {ids}
    assert len(bot.stand.sent(STRANGER)) == 5  # a minute
    assert (bot.stand.calls("sendPhoto"), bot.orders) == ([], [])


def test_a_stranger_learns_the_own_id_by_no_button(bot):
    told = {bot.stand.presses(words, chat=STRANGER, message_id=7) for words in given(bot)}

    assert told == {f"user id: {STRANGER}", ""}
    assert bot.stand.sent() == bot.stand.edits() == bot.orders == []


def test_a_stranger_changes_nothing_in_a_group_of_ours_by_word_or_button(bot):
    before = kept(bot, GROUP)
    for words in GIVEN.values():
        refused = bot.stand.answers(f"/{words}", chat=GROUP, user=STRANGER) if words.split()[0] != "vote" else ""
        pressed = bot.stand.presses(words, chat=GROUP, user=STRANGER, message_id=7)

        assert str(STRANGER) in pressed
        assert str(STRANGER) in refused or not refused

    assert kept(bot, GROUP) == before
    assert bot.orders == []


def test_who_writes_in_the_name_of_a_group_or_channel_is_nobody_in_particular(bot):
    before = kept(bot, GROUP)
    for user in (
        1087968824,
        136817688,
        777000,
    ):  # Telegram's stand-ins for anonymous admins, channels and its own posts
        assert str(user) in bot.stand.answers("/alerts stop", chat=GROUP, user=user)

    assert kept(bot, GROUP) == before


@pytest.mark.parametrize("kind", ["edited_message", "channel_post", "edited_channel_post"])
@pytest.mark.parametrize("chat", [ME, GROUP])
def test_what_is_edited_or_posted_in_a_channel_is_no_command_even_where_telegram_brings_it(
    bot, monkeypatch, kind, chat
):
    monkeypatch.setattr(polling, "ALLOWED_UPDATES", EVERYTHING)
    bot.theatre.restart(paths.COMMANDS)
    bot.polling()
    bot.stand.say("/alerts stop", chat=chat, user=ME, kind=kind)
    bot.silent()

    assert bot.is_on(chat)
    assert bot.stand.sent(GROUP) == []


def test_an_inline_query_brings_nothing(bot, monkeypatch):
    monkeypatch.setattr(polling, "ALLOWED_UPDATES", EVERYTHING)
    bot.theatre.restart(paths.COMMANDS)
    bot.polling()
    bot.stand.update(
        inline_query={
            "id": "1",
            "from": {"id": ME, "is_bot": False, "first_name": "A"},
            "query": "status",
            "offset": "",
        }
    )
    bot.silent()

    assert bot.stand.calls("answerInlineQuery") == []


def test_a_button_on_a_message_that_telegram_does_not_show_any_more_does_nothing(bot):
    query = {"id": "77", "from": {"id": ME, "is_bot": False, "first_name": "A"}, "chat_instance": "1"}
    bot.stand.update(callback_query={**query, "inline_message_id": "elsewhere", "data": "alerts stop"})
    bot.silent()

    assert len(bot.stand.calls("answerCallbackQuery")) == 1
    assert bot.is_on()


def test_a_stranger_who_adds_the_bot_to_a_group_brings_it_to_life_nowhere(bot):
    us = {"id": 7, "is_bot": True, "first_name": "Fixture"}
    bot.stand.update(
        my_chat_member={
            "chat": {"id": -77, "type": "group", "title": "theirs"},
            "from": {"id": STRANGER, "is_bot": False, "first_name": "A"},
            "date": int(time.time()),
            "old_chat_member": {"status": "left", "user": us},
            "new_chat_member": {"status": "member", "user": us},
        }
    )
    bot.silent()

    assert bot.stand.sent(-77) == []


# -- how often --------------------------------------------------------------------------------------------------------


def test_buttons_count_among_the_commands_of_a_user_and_of_nobody_else(bot):
    bot.theatre.stop(paths.COMMANDS)
    bot.open(commands_per_minute=2, authorized_users=(ME, OTHER, GROUP))
    bot.stand.answers("/help")

    assert bot.stand.presses("mute BTC 1h", message_id=7).startswith("Muted")
    assert bot.stand.presses("mute BTC 4h", message_id=7).startswith("Too many commands. Go on in ")
    assert "Foreshock" in bot.stand.answers("/help", chat=OTHER)


# -- once -------------------------------------------------------------------------------------------------------------


def test_a_press_that_telegram_sends_again_does_its_work_once(bot):
    bot.stand.fail(method="getUpdates", drop="after", times=2)
    bot.stand.presses("test p1", message_id=7)
    bot.silent()

    assert len(bot.stand.calls("answerCallbackQuery")) == 1


def test_buttons_of_before_a_restart_of_everything_work(bot):
    for path in (paths.COMMANDS, paths.DISPATCHER):
        bot.theatre.restart(path)
    bot.polling()

    for command in ("mute BTC 1h", "alerts oi silent", "quiet 1:00-2:00"):
        bot.stand.presses(command, message_id=7)
    chosen = kept(bot, ME).preferences
    assert (len(chosen.mutes), len(chosen.kinds), chosen.quiet is not None) == (1, 1, True)
