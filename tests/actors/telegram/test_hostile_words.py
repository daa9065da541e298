"""Whatever people type and files say, Telegram's own parser takes every answer, caption and notice of the bot."""

import json

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.messages.market import TradesSeen
from intelligence.alerts import AlertKind
from tests.telegram_stand.hostile import DECODED, HOSTILE, alerts_named
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME, STRANGER

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


@pytest.mark.parametrize("word", DECODED.values(), ids=DECODED.keys())
def test_what_is_known_of_alerts_and_parts_named_so_is_told(bot, logged, word):
    now_ms = bot.theatre.clock.now_ms()
    ids = {kind: f"{kind:a<12}"[:12].replace("_", "a") for kind in AlertKind}
    for alert in alerts_named(word):
        named = {"alert_id": ids[alert.kind], "exchange_ms": now_ms, "detected_ms": now_ms}
        bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=msgspec.structs.replace(alert, **named)))
    bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))
    node = {"path": f"/core/feeds/{word}", "health": "unhealthy", "state": "parked", "why": word, "epoch": 1}
    report = {"version": word, "uptime_s": 9.0, "tree": {"path": "/", "children": [node]}}
    (bot.folder / "status.json").write_text(json.dumps(report))
    (bot.folder / "status.txt").write_text(word * 3)

    asked = [*(f"/why {alert_id}" for alert_id in ids.values()), "/whynot BTC", "/alerts status"]
    asked += ["/status", "/status core/feeds", "/venues", "/version", "/stats"]
    for words in asked:
        bot.stand.say(words)
    answered(bot, len(asked))

    assert [line for line in logged if line["event"] in BUGS] == []


def test_answers_notices_and_captions_are_cut_to_what_telegram_takes(bot, logged):
    now_ms = bot.theatre.clock.now_ms()
    trade = TradesSeen(asset="SOL", venue="bybit", received_ms=now_ms, times_ms=[now_ms], prices=[140.0], coins=[1.0])
    bot.theatre.stop(paths.COMMANDS)
    bot.stream("SOL", trade).charts().open(assets=("SOL",), heading="W" * 1_030)

    bot.stand.say("/help")
    answered(bot, 1)
    assert len(bot.stand.presses("mute SOL 1h", message_id=7)) == 200
    bot.stand.say("/chart SOL")
    (photo,) = wait_for(lambda: bot.stand.calls("sendPhoto"), "a picture", 20)
    wait_for(lambda: photo.status is not None)

    assert photo.status == 200
    assert [line for line in logged if line["event"] in BUGS] == []
