import io
import json
import logging
import threading

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.outbox import Outbox
from actors.outbox_rows import telegram_target
from actors.telegram import answers
from actors.telegram.chat_commands import USAGE_OF_ALERTS
from actors.telegram.commands import Files, TelegramCommands
from config.loading import load_settings
from config.logs import configure_logs
from tests.intelligence.builders import an_alert
from tests.telegram_stand import proxy
from tests.telegram_stand.bot import PICTURES
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, STRANGER, TOKEN, telegram_settings

MENU = [
    *("price", "volume", "cvd", "oi", "profile", "liquidations", "funding", "chart", "zones"),
    *("alerts", "help", "watch", "unwatch", "threshold"),
    *("mute", "unmute", "quiet", "budget", "digest", "timezone"),
    *("why", "whynot", "stats", "status", "venues", "config", "test", "version"),
]
OPERATIONS = ["restart", "pause", "resume", "promote"]


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


# -- what the bot answers ---------------------------------------------------------------------------------------------


def test_help_lists_every_command_in_html_that_telegram_takes(bot):
    answer = bot.dispatcher().open().stand.answers("/help")

    assert all(f"/{name} " in answer or f"/{name}:" in answer for name in MENU)


def test_start_welcomes_and_says_how_alerts_stand(bot):
    answer = bot.dispatcher().open().stand.answers("/start")

    assert "<b>Foreshock</b>" in answer
    assert "Alerts in this chat are <b>on</b>" in answer


def test_every_answer_of_a_simulation_says_so(bot):
    bot.dispatcher().open(heading="SIMULATION")

    for command in ("/help", "/status", "/alerts stop", "/nonsense"):
        assert bot.stand.answers(command).startswith("SIMULATION ")
    assert bot.stand.answers("/start", chat=STRANGER).startswith("SIMULATION ")


def test_unknown_command_is_answered(bot):
    assert bot.dispatcher().open().stand.answers("/frobnicate") == answers.UNKNOWN


def test_status_is_the_page_that_the_pulse_wrote_escaped(bot):
    (bot.folder / "status.txt").write_text("Foreshock healthy <&>")

    assert bot.open().stand.answers("/status") == "<pre>Foreshock healthy &lt;&amp;&gt;</pre>"


def test_status_of_a_path(bot):
    node = {"path": "/core", "health": "healthy", "state": "running", "epoch": 2}
    (bot.folder / "status.json").write_text(json.dumps({"tree": {"path": "/", "children": [node]}}))

    assert bot.open().stand.answers("/status /core") == "<pre>/core: healthy, running, epoch 2</pre>"


def test_status_answers_while_nobody_else_does(bot):
    (bot.folder / "status.txt").write_text("all well")

    assert "all well" in bot.open().stand.answers("/status")
    assert bot.stand.answers("/alerts status") == answers.UNAVAILABLE


def test_alerts_stop_is_stored_beats_the_default_and_survives_restarts(bot):
    bot.dispatcher().open()
    assert "<b>off</b>" in bot.stand.answers("/alerts stop")

    bot.theatre.restart(paths.DISPATCHER)
    bot.theatre.restart(paths.COMMANDS)
    bot.polling()

    assert "<b>off</b>, set " in bot.stand.answers("/alerts status")
    assert bot.is_on(GROUP)
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=an_alert()))
    assert "<b>on</b>" in bot.stand.answers("/alerts start")
    assert bot.is_on()


def test_alerts_without_a_word_is_status_and_a_wrong_word_brings_the_usage(bot):
    bot.dispatcher().open()

    assert "<b>on</b>" in bot.stand.answers("/alerts")
    assert bot.stand.answers("/alerts sideways") == USAGE_OF_ALERTS


def test_alerts_status_counts_what_waits(bot):
    bot.dispatcher().open().theatre.tell(paths.DISPATCHER, AlertRaised(alert=an_alert()))
    wait_for(lambda: bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME)).waiting)

    assert "0 sent in the last 24 h, 1 waiting" in bot.stand.answers("/alerts status")


def test_settings_that_cannot_be_stored_are_not_claimed_to_be(bot):
    bot.database.write_bytes(b"no database at all, and long enough to be looked at" * 50)

    assert bot.dispatcher().open().stand.answers("/alerts stop").startswith("Not done: ")


def test_chat_that_writes_is_alive_again(bot, logged):
    outbox = Outbox(bot.database, 1)
    bot.dispatcher().open()
    outbox.chats.set_dead(ME, "blocked")

    bot.stand.answers("/start")

    wait_for(lambda: outbox.chats.all()[ME].dead_reason == "")
    outbox.close()


def test_chat_that_unblocks_us_is_alive_again(bot):
    outbox = Outbox(bot.database, 1)
    bot.dispatcher().open()
    outbox.chats.set_dead(ME, "blocked")
    chat, user = {"id": ME, "type": "private"}, {"id": ME, "is_bot": False, "first_name": "A"}
    us = {"id": 7, "is_bot": True, "first_name": "Fixture"}

    bot.stand.update(
        my_chat_member={
            "chat": chat,
            "from": user,
            "date": 1,
            "old_chat_member": {"status": "kicked", "user": us, "until_date": 0},
            "new_chat_member": {"status": "member", "user": us},
        }
    )

    wait_for(lambda: outbox.chats.all()[ME].dead_reason == "")
    outbox.close()


# -- who is answered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/start", "/help", "/status", "/alerts stop", "/alerts status", "/nonsense"])
def test_stranger_learns_the_own_ids_and_nothing_else(bot, command):
    answer = bot.dispatcher().open().stand.answers(command, chat=STRANGER)

    assert answer == f"chat id: <code>{STRANGER}</code>\nuser id: <code>{STRANGER}</code>"
    assert STRANGER not in Outbox(bot.database, 1).chats.all()


def test_without_authorised_users_everybody_is_a_stranger_and_the_log_says_so(bot, logged):
    bot.dispatcher().open(authorized_users=())

    assert "user id" in bot.stand.answers("/status")
    assert len(logged("nobody_authorized")) == 1


def test_stranger_in_an_unknown_group_changes_nothing(bot):
    assert "chat id" in bot.dispatcher().open().stand.answers("/alerts stop", chat=-77, user=STRANGER)

    assert bot.is_on(-77)


def test_in_a_group_everybody_may_ask_and_only_authorised_users_may_change(bot):
    bot.dispatcher().open()

    assert "<b>on</b>" in bot.stand.answers("/alerts status", chat=GROUP, user=STRANGER)
    assert str(STRANGER) in bot.stand.answers("/alerts stop", chat=GROUP, user=STRANGER)
    assert bot.is_on(GROUP)
    assert "<b>off</b>" in bot.stand.answers("/alerts stop", chat=GROUP, user=ME)
    assert not bot.is_on(GROUP)
    assert bot.is_on(ME)


def test_authorised_user_in_an_unknown_group_is_told_that_no_alerts_come_here(bot):
    assert bot.dispatcher().open().stand.answers("/alerts start", chat=-77, user=ME) == answers.NOT_A_TARGET


def test_commands_for_other_bots_in_a_group_are_not_ours(bot):
    bot.dispatcher().open()
    bot.stand.say("/alerts@other_bot stop", chat=GROUP, user=ME)
    bot.stand.say("/frobnicate", chat=GROUP, user=ME)
    bot.silent()

    assert bot.stand.sent(GROUP) == []
    assert bot.stand.answers("/frobnicate@foreshock_bot", chat=GROUP, user=ME) == answers.UNKNOWN


def test_edited_messages_and_plain_talk_are_ignored(bot):
    bot.dispatcher().open()
    bot.stand.say("/alerts stop", kind="edited_message")
    for talk in ("alerts stop", "stop", "hello there", "what a price that was today"):
        bot.stand.say(talk)
    bot.silent()

    assert len(bot.stand.sent()) == 1
    assert bot.is_on()


def test_other_names_and_slips_of_the_finger_are_understood(bot):
    bot.dispatcher().open()

    assert "<b>on</b>" in bot.stand.answers("/settings")
    assert bot.stand.answers("/alrets stop") == "I do not know /alrets. Is it /alerts?"
    assert "alerts stop" in bot.stand.sent()[-1].fields["reply_markup"]
    assert bot.is_on()


def test_update_that_telegram_sends_again_is_answered_once(bot):
    bot.dispatcher().open()
    bot.stand.fail(method="getUpdates", drop="after", times=2)
    bot.stand.say("/alerts stop")
    bot.stand.wait_sent(1)
    bot.silent()

    assert len(bot.stand.sent()) == 2
    assert not bot.is_on()


def test_changes_that_come_together_keep_their_order(bot):
    bot.stand.fail(method="getUpdates", after=0.1)
    bot.dispatcher().open()
    for word in ("stop", "start", "stop", "start", "stop"):
        bot.stand.say(f"/alerts {word}")
    bot.stand.wait_sent(5)

    assert not bot.is_on()


# -- how it lives -----------------------------------------------------------------------------------------------------


def test_daemon_starts_without_telegram_and_the_bot_comes_when_it_can(bot, logged):
    bot.stand.refuse_connections()
    bot.dispatcher().open(wait=False)
    wait_for(lambda: bot.note.startswith("not connected"))
    assert logged("polling_failed")[0]["caused_by"] == "NetworkError"

    bot.stand.listen()
    bot.polling()

    assert "Foreshock" in bot.stand.answers("/help")


def test_errors_while_starting_are_only_a_matter_of_time(bot):
    bot.stand.fail(method="getMe", answer=(502, "<html>"))
    bot.stand.fail(method="deleteWebhook", answer=(502, "<html>"))
    bot.stand.fail(method="setMyCommands", answer=proxy.refusal(500, "no"), times=99)

    bot.dispatcher().open()

    assert "Foreshock" in bot.stand.answers("/help")


def test_each_scope_has_its_menu_of_commands(bot):
    bot.open()

    calls = wait_for(lambda: len(got := bot.stand.calls("setMyCommands")) == 4 and got)
    names = [[entry["command"] for entry in json.loads(call.fields["commands"])] for call in calls]
    scopes = [json.loads(call.fields.get("scope", "{}")).get("chat_id") for call in calls]
    assert list(zip(scopes, names, strict=True)) == [
        (None, ["start"]),
        (ME, MENU + OPERATIONS),
        (GROUP, MENU),
        (GROUP, MENU + OPERATIONS),
    ]


def test_what_was_written_while_we_were_away_is_dropped(bot):
    bot.stand.say("/alerts stop")
    bot.dispatcher().open()
    bot.silent()

    assert bot.is_on()


def test_wrong_token_parks_with_a_message_that_does_not_contain_it(bot):
    bot.stand.proxy.tokens.clear()
    bot.dispatcher().open(wait=False)

    notice = bot.theatre.exit_of(paths.COMMANDS)

    assert "correct TELEGRAM_BOT_TOKEN" in notice.park
    assert TOKEN.partition(":")[2] not in repr(notice)
    assert bot.is_on()  # the dispatcher goes on


def test_token_that_is_revoked_later_parks_too(bot):
    bot.dispatcher().open(poll_stale_s=1)
    bot.stand.proxy.tokens.clear()
    bot.stand.say("/help")

    assert "correct TELEGRAM_BOT_TOKEN" in bot.theatre.exit_of(paths.COMMANDS).park


@pytest.mark.parametrize("status", [401, 404])
def test_one_refusal_does_not_end_polling(bot, logged, status):
    bot.dispatcher().open()
    refused = bot.stand.fail(method="getUpdates", answer=proxy.refusal(status, "Unauthorized"))
    wait_for(lambda: refused.hit, "a poll to be refused", 30)

    assert "Foreshock" in bot.stand.answers("/help")
    wait_for(lambda: [line["status"] for line in logged("poll_refused")] == [status])


@pytest.mark.parametrize("status", [401, 404])
def test_a_page_of_something_in_between_is_not_taken_for_telegrams_word(bot, logged, status):
    page = (status, "<html>log in to the hotel</html>")
    bot.stand.fail(method="getMe", answer=page)
    bot.dispatcher().open()
    refused = bot.stand.fail(method="getUpdates", answer=page)
    wait_for(lambda: refused.hit, "a poll to be refused", 30)

    assert "Foreshock" in bot.stand.answers("/help")
    assert logged("poll_refused") == []


def test_poll_that_hangs_is_revived(bot, logged):
    bot.dispatcher().open(poll_stale_s=0.5, read_timeout_s=20)
    bot.stand.fail(method="getUpdates", before=30)
    wait_for(lambda: logged("polling_revived"))

    assert "Foreshock" in bot.stand.answers("/help")


def test_update_that_the_library_cannot_read_does_not_stop_those_behind_it(bot, logged):
    bot.dispatcher().open(poll_stale_s=1)
    bot.stand.update(message={"message_id": 1, "date": "yesterday", "chat": {"id": ME, "type": "private"}})

    assert "Foreshock" in bot.stand.answers("/help")
    wait_for(lambda: logged("update_skipped"))


def test_second_poller_is_explained_in_the_log(bot, logged):
    bot.dispatcher().open()
    words = "Conflict: terminated by other getUpdates request"
    bot.stand.fail(method="getUpdates", answer=proxy.refusal(409, words), times=3)

    (line, *_) = wait_for(lambda: logged("polling_conflict"))
    assert (line["log_level"], "another program" in line["advice"]) == ("error", True)


def test_answer_that_cannot_be_sent_costs_only_that_answer(bot, logged):
    bot.dispatcher().open()
    bot.stand.fail(answer=proxy.refusal(400, "Bad Request: chat not found"))
    bot.stand.say("/help")
    wait_for(lambda: logged("command_failed"))

    assert "Foreshock" in bot.stand.answers("/help")


@pytest.mark.parametrize("trouble", ["polling", "unreachable", "silent"])
def test_stop_ends_the_loop_within_three_seconds_whatever_telegram_does(bot, trouble):
    if trouble == "unreachable":
        bot.stand.refuse_connections()
    elif trouble == "silent":
        bot.stand.fail(method="getMe", before=30)
    bot.dispatcher().open(wait=trouble == "polling", read_timeout_s=30, poll_timeout_s=30)
    thread = next(t for t in threading.enumerate() if t.name.endswith("/loop"))

    bot.theatre.stop(paths.COMMANDS)

    assert not thread.is_alive()
    if trouble == "unreachable":
        bot.stand.listen()


def test_crash_brings_a_new_loop_and_the_old_one_is_gone(bot):
    bot.dispatcher().open()

    bot.theatre.crash(paths.COMMANDS)
    bot.polling()

    assert "Foreshock" in bot.stand.answers("/help")
    assert len([t for t in threading.enumerate() if t.name.endswith("/loop")]) == 1


def test_loop_of_an_earlier_incarnation_must_end_first(bot):
    over = threading.Event()
    left = threading.Thread(target=over.wait, name=f"{paths.COMMANDS}#0/loop", daemon=True)
    left.start()
    bot.theatre._cast[paths.COMMANDS] = (
        TelegramCommands,
        {
            "telegram": telegram_settings(bot.stand),
            "files": Files(bot.folder, bot.database, bot.database, bot.database),
            "charts": PICTURES,
        },
    )
    bot.theatre.begin(paths.COMMANDS)

    notice = bot.theatre.exit_of(paths.COMMANDS)

    over.set()
    left.join()
    assert (notice.kind, notice.retry_after_s > 0) == ("start_failed", True)


def test_token_stands_in_no_log_line_at_debug(bot):
    stream = io.StringIO()
    environ = {"FORESHOCK_LOGS__LEVEL": "debug", "FORESHOCK_LOGS__FORMAT": "json"}
    sink = configure_logs(load_settings(environ=environ, env_file=bot.folder / "none").settings, stream)
    for name in ("telegram", "httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        bot.dispatcher().open(poll_stale_s=1)
        bot.stand.answers("/start")
        bot.stand.fail(method="getUpdates", answer=proxy.refusal(401, "Unauthorized"))
        bot.stand.fail(method="getUpdates", drop="before")
        bot.stand.fail(answer=(502, "<html>"))
        bot.stand.say("/help")
        wait_for(lambda: "poll_refused" in stream.getvalue())
        bot.stand.proxy.tokens.clear()
        bot.theatre.exit_of(paths.COMMANDS)
    finally:
        sink.close(5)
        for name in ("telegram", "httpx", "httpcore", "urllib3"):
            logging.getLogger(name).setLevel(logging.NOTSET)

    assert "polling_started" in stream.getvalue()
    assert TOKEN.partition(":")[2] not in stream.getvalue()


def test_target_of_a_chat_is_named_by_its_id():
    assert telegram_target(ME) == "telegram:11"
