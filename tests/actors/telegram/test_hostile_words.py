"""Whatever people type and files say, Telegram's own parser takes every answer, caption and notice of the bot."""

import pytest
from structlog.testing import capture_logs

from tests.telegram_stand.hostile import HOSTILE
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import STRANGER

TYPED = ("price", "oi", "chart", "watch", "unwatch", "mute", "unmute", "quiet", "timezone", "digest", "threshold")
TYPED += ("budget", "alerts", "why", "whynot", "status", "test", "zones", "liquidations", "restart", "promote", "what")
BUGS = {"answer_template_rejected", "command_crashed", "command_failed"}


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def bot(bot):
    return bot.dispatcher().open(assets=("BTC", "SOL"), commands_per_minute=100_000)


def answered(bot, count):
    """Wait for so many answers; every one was taken."""
    calls = wait_for(lambda: len(got := bot.stand.calls()) >= count and got, f"{count} answers", 30)
    wait_for(lambda: all(call.status is not None for call in calls))
    assert [(call.text[:80], call.status) for call in calls if call.status != 200] == []


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_command_answers_whatever_word_it_is_given(bot, logged, word):
    for command in TYPED:
        bot.stand.say(f"/{command} {word}")
    bot.stand.say(f"/price {word}", chat=STRANGER)
    answered(bot, len(TYPED) + 1)

    assert [line for line in logged if line["event"] in BUGS] == []
