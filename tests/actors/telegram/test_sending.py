"""The failure table of telegram.md 3 for answers: nothing doubled, nothing echoed, and the user is answered where that is sure."""

import pytest
from structlog.testing import capture_logs
from telegram.error import NetworkError, TimedOut
from telegram.request import HTTPXRequest

from actors.messages.alerts import ChatCharged
from actors.telegram import sending
from actors.telegram.answer import Answer
from actors.telegram.sending import plain
from tests.telegram_stand import proxy
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME

TOO_LATE = proxy.refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")


@pytest.fixture
def bot(bot):
    return bot.dispatcher().open()


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


def failed(bot, logged, **fault):
    """Ask for help while this goes wrong, and wait until it is given up."""
    hit = bot.stand.fail(**fault)
    bot.stand.say("/version")
    wait_for(lambda: hit.hit and logged("command_failed"))


def test_a_short_wait_that_telegram_asks_for_is_waited_for(bot):
    bot.stand.fail(answer=proxy.flood(1))

    assert "status" in bot.stand.answers("/version")


def test_the_sender_of_alerts_is_told_what_answers_take_of_the_pace(bot):
    bot.stand.fail(answer=proxy.flood(1))
    bot.stand.answers("/version")

    def charged():
        return [letter for letter in bot.told_sender if isinstance(letter, ChatCharged)]

    wait_for(lambda: len(charged()) == 2)
    assert charged() == [ChatCharged(chat_id=ME, wait_s=1.0), ChatCharged(chat_id=ME)]


def test_a_long_wait_costs_the_answer(bot, logged):
    failed(bot, logged, answer=proxy.flood(600))

    assert logged("command_failed")[0]["caused_by"] == "RetryAfter"
    assert "status" in bot.stand.answers("/version")


def test_markup_that_is_refused_goes_out_plain(bot, logged):
    words = "Bad Request: can't parse entities: Unsupported start tag"
    bot.stand.fail(answer=proxy.refusal(400, words))

    answer = bot.stand.answers("/help")

    assert answer.startswith("Foreshock warns")
    assert len(logged("answer_template_rejected")) == 1


@pytest.mark.parametrize("asked_s", [0, None], ids=["zero", "no time"])
def test_a_wait_without_a_time_is_waited_for_too(bot, monkeypatch, asked_s):
    monkeypatch.setattr(sending, "PATIENCE_S", 0.6)
    bot.stand.fail(answer=proxy.flood(0) if asked_s == 0 else proxy.refusal(429, "Too Many Requests"))

    assert "status" in bot.stand.answers("/version")
    assert ChatCharged(chat_id=ME, wait_s=0.6) in bot.told_sender


@pytest.mark.parametrize(
    "how",
    [
        {"drop": "before"},
        {"drop": "after"},
        {"after": 1.5},
        {"answer": (502, "<html>")},
        {"answer": (503, "")},
        {"cut": 20},
    ],
    ids=["dropped before", "dropped after", "late", "502", "503", "truncated"],
)
def test_an_answer_that_may_have_arrived_is_not_sent_again(bot, logged, how):
    failed(bot, logged, **how)
    bot.silent()

    assert len(bot.stand.calls()) == 2


@pytest.mark.parametrize(
    "error",
    [NetworkError("httpx.ConnectError: refused"), TimedOut("Pool timeout: All connections are occupied; not sent")],
    ids=["refused", "pool exhausted"],
)
def test_an_answer_that_surely_did_not_arrive_is_sent_again(bot, monkeypatch, error):
    real, failures = HTTPXRequest.do_request, iter([True])

    async def refused_once(self, url, *args, **kwargs):
        if url.endswith("/sendMessage") and next(failures, False):
            raise error
        return await real(self, url, *args, **kwargs)

    monkeypatch.setattr(HTTPXRequest, "do_request", refused_once)

    assert "status" in bot.stand.answers("/version")


REFUSALS = {
    "ok is false": (200, {"ok": False, "error_code": 400, "description": "Bad Request"}),  # the library: KeyError
    "chat not found": proxy.NOT_FOUND,
    "blocked": proxy.BLOCKED,
    "too long": proxy.refusal(400, "Bad Request: message is too long"),
    "too large": proxy.refusal(413, "Request Entity Too Large"),
    "a wrong token": proxy.refusal(401, "Unauthorized"),
    "somebody else's 404": (404, "<html>no such page</html>"),
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS.keys())
def test_an_answer_that_is_refused_is_not_sent_again_and_costs_no_other(bot, logged, answer):
    failed(bot, logged, answer=answer)

    assert "status" in bot.stand.answers("/version")
    assert len(bot.stand.calls()) == 2


def test_a_group_that_has_moved_is_answered_at_its_new_id(bot):
    bot.stand.proxy.chats[GROUP] = proxy.moved_to(-1_001)
    bot.stand.say("/version", chat=GROUP, user=ME)

    bot.stand.wait_sent(1, -1_001)


def test_an_answer_goes_into_the_topic_asked_in_and_to_the_group_when_that_is_closed(bot):
    message = {
        "message_id": 5,
        "date": 1_700_000_000,
        "chat": {"id": GROUP, "type": "supergroup", "title": "a group", "is_forum": True},
        "from": {"id": ME, "is_bot": False, "first_name": "A"},
        "text": "/version",
        "entities": [{"type": "bot_command", "offset": 0, "length": 8}],
        "message_thread_id": 3,
        "is_topic_message": True,
    }
    bot.stand.update(message=message)
    (first,) = bot.stand.wait_sent(1, GROUP)
    assert int(first.fields["message_thread_id"]) == 3

    bot.stand.fail(answer=proxy.refusal(400, "Bad Request: message thread not found"))
    bot.stand.update(message=message)
    assert "message_thread_id" not in bot.stand.wait_sent(2, GROUP)[1].fields


# -- buttons ----------------------------------------------------------------------------------------------------------------


def test_a_refresh_that_changes_nothing_is_no_error(bot, logged):
    bot.stand.answers("/status")
    bot.stand.fail(method="editMessageText", answer=proxy.refusal(400, "Bad Request: message is not modified"))
    bot.stand.presses("status")
    bot.silent()

    assert logged("command_failed") == []
    assert len(bot.stand.sent()) == 2


def test_a_message_that_is_gone_is_replaced_by_a_new_one(bot):
    bot.stand.answers("/status")
    bot.stand.fail(method="editMessageText", answer=proxy.refusal(400, "Bad Request: message to edit not found"))
    bot.stand.press("status")

    assert len(bot.stand.wait_sent(2, ME)) == 2


def test_a_press_that_is_too_old_to_be_settled_still_does_its_work(bot, logged):
    bot.stand.answers("/status")
    bot.stand.fail(method="answerCallbackQuery", answer=TOO_LATE)
    bot.stand.press("status")

    wait_for(bot.stand.edits)
    assert logged("command_failed") == []


def test_an_edit_whose_outcome_is_unknown_is_made_again(bot):
    bot.stand.answers("/status")
    fault = bot.stand.fail(method="editMessageText", after=1.5)
    bot.stand.press("status")

    wait_for(lambda: fault.hit and len(bot.stand.calls("editMessageText")) == 2 and bot.stand.edits())


def test_a_button_that_says_nothing_we_know_is_let_go_of(bot):
    assert bot.stand.presses("frobnicate", message_id=3).startswith("I do not know")


def test_plain_text_has_neither_tags_nor_escapes():
    assert plain("<b>A &amp; B</b> &lt; <code>c</code>") == "A & B < c"
    assert Answer().text == ""
