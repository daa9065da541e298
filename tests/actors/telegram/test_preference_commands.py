import json

import pytest

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.messages.supervision import OperatorCommand
from actors.outbox import Outbox
from actors.telegram.answers import NOT_A_TARGET
from intelligence.alerts import AlertKind, Severity
from intelligence.gates import Loudness, OwnThreshold, QuietHours
from tests.intelligence.builders import an_alert
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, STRANGER

OI = AlertKind.OPEN_INTEREST


@pytest.fixture
def bot(bot):
    return bot.dispatcher().open(assets=("BTC", "SOL", "PEPE"))


def chosen(bot, chat=ME):
    return bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=chat)).preferences


def buttons(call):
    return {
        one["callback_data"]: one["text"]
        for row in json.loads(call.fields["reply_markup"])["inline_keyboard"]
        for one in row
    }


def raised(bot, **overrides):
    now_ms = bot.theatre.clock.now_ms()
    alert = an_alert(**({"exchange_ms": now_ms, "detected_ms": now_ms} | overrides))
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
    bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))
    return alert


# -- families and severities --------------------------------------------------------------------------------------------


def test_alerts_shows_a_menu_whose_buttons_name_what_they_do(bot):
    bot.stand.answers("/alerts")

    menu = buttons(bot.stand.sent()[-1])
    assert menu["alerts oi silent"] == "🔔 Open interest"
    assert menu["alerts p3 off"] == "🔈 P3"
    assert "alerts stop" in menu


def test_a_press_on_the_menu_changes_what_is_stored_and_the_message(bot):
    bot.stand.answers("/alerts")
    bot.stand.presses("alerts oi silent")

    (edit,) = wait_for(bot.stand.edits)
    assert "Changed: Open interest silent" in edit.text
    assert buttons(edit)["alerts oi off"] == "🔈 Open interest"
    assert chosen(bot).kinds == {OI: Loudness.SILENT}


def test_loudness_may_be_typed(bot):
    assert "P2 off" in bot.stand.answers("/alerts P2 off")
    assert chosen(bot).severities == {Severity.P2: Loudness.OFF}


# -- assets and thresholds ----------------------------------------------------------------------------------------------


def test_watch_and_unwatch(bot):
    assert bot.stand.answers("/watch btc 1000pepe").startswith("Alerts of BTC, PEPE only")
    assert bot.stand.answers("/unwatch btc").startswith("Alerts of PEPE only")
    assert "last one" in bot.stand.answers("/unwatch pepe")
    assert bot.stand.answers("/watch all").startswith("Alerts of all assets")
    assert bot.stand.answers("/watch") == bot.stand.sent()[-1].text


def test_an_asset_that_nobody_watches_is_not_taken(bot):
    assert bot.stand.answers("/watch slo") == "slo is not watched. Is it SOL?"
    assert chosen(bot).assets == ()


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("/threshold SOL liquidation 50k", OwnThreshold(kind=AlertKind.LIQUIDATION, value=50_000.0, asset="SOL")),
        ("/threshold btc oi 10%", OwnThreshold(kind=OI, value=10.0, asset="BTC")),
        ("/threshold all cascade $1.5m", OwnThreshold(kind=AlertKind.CASCADE, value=1.5e6)),
    ],
)
def test_thresholds_of_a_chat(bot, command, own):
    bot.stand.answers(command)

    assert chosen(bot).own_thresholds == (own,)
    bot.stand.answers(command.rpartition(" ")[0] + " off")
    assert chosen(bot).own_thresholds == ()


@pytest.mark.parametrize(
    "words", ["SOL", "SOL liquidation 10%", "SOL nonsense 5k", "SOL oi -5", "SOL health 5", "SOL oi 0"]
)
def test_a_threshold_that_makes_no_sense_brings_the_usage(bot, words):
    assert bot.stand.answers(f"/threshold {words}").startswith("For example /threshold")


# -- when it is left alone ----------------------------------------------------------------------------------------------


def test_mute_and_unmute(bot):
    answer = bot.stand.answers("/mute SOL oi 4h")

    (mute,) = chosen(bot).mutes
    assert answer.startswith("Muted: SOL open interest until ")
    assert (mute.asset, mute.kind) == ("SOL", OI)
    assert 4 * 3_600_000 - 60_000 < mute.until_ms - bot.theatre.clock.now_ms() <= 4 * 3_600_000
    assert bot.stand.answers("/unmute sol").startswith("Nothing is muted")


def test_a_word_that_is_nothing_is_not_guessed_at(bot):
    assert "SLO is neither" in bot.stand.answers("/mute SLO 1h")
    assert chosen(bot).mutes == ()


def test_quiet_hours_in_a_zone(bot):
    assert (
        bot.stand.answers("/quiet 23:00-07:00 europe/berlin") == "Quiet hours: 23:00 to 07:00 Europe/Berlin, P1 passes"
    )
    assert chosen(bot).quiet == QuietHours(from_minute=1_380, to_minute=420, zone="Europe/Berlin")
    assert bot.stand.answers("/quiet off").startswith("Quiet hours: none")


def test_budget_digest_and_clock(bot):
    assert "20 alerts" in bot.stand.answers("/budget 20")
    assert "Asia/Tokyo" in bot.stand.answers("/timezone asia/tokyo")
    assert "daily at 08:00 Asia/Tokyo" in bot.stand.answers("/digest 8:00")
    assert (chosen(bot).pushes_a_day, chosen(bot).digest_minute, chosen(bot).zone) == (20, 480, "Asia/Tokyo")
    for command in ("/budget off", "/digest off"):
        assert "none" in bot.stand.answers(command)
    for command in ("/budget many", "/digest noon", "/timezone Mars"):
        assert "For example" in bot.stand.answers(command)


def test_what_is_chosen_survives_restarts_and_stands_in_the_status(bot):
    for command in ("/mute SOL 4h", "/quiet 23:00-07:00", "/budget 5", "/watch BTC", "/alerts cascade off"):
        bot.stand.answers(command)
    bot.theatre.restart(paths.DISPATCHER)

    status = bot.stand.answers("/alerts status")

    for told in ("Changed: Cascades off", "Only: BTC", "Muted: SOL until", "Quiet: 23:00", "Budget: 5"):
        assert told in status


# -- buttons under an alert -----------------------------------------------------------------------------------------------


def test_a_mute_button_mutes_leaves_the_alert_as_it_is_and_is_pressed_twice_in_vain(bot):
    bot.theatre.restart(paths.COMMANDS)
    bot.polling()

    assert bot.stand.presses("mute DOGE cascade 1h", message_id=7).startswith("Muted: DOGE cascades until")
    assert bot.stand.presses("mute DOGE cascade 1h", message_id=7) == ""
    bot.silent()

    assert [(mute.asset, mute.kind) for mute in chosen(bot).mutes] == [("DOGE", AlertKind.CASCADE)]
    assert bot.stand.edits() == []


def test_a_vote_is_stored_with_the_alert_and_the_last_one_counts(bot):
    alert = raised(bot)
    bot.stand.presses(f"vote {alert.alert_id} up", message_id=7)
    told = bot.stand.presses(f"vote {alert.alert_id} down", message_id=7)

    assert told.startswith("Noted, thank you: 0 👍, 1 👎")
    outbox = Outbox(bot.database, 1)
    assert outbox.votes.of(alert.alert_id) == (0, 1)
    outbox.close()


def test_a_vote_on_an_alert_that_is_gone_is_refused(bot):
    assert "not kept any more" in bot.stand.presses("vote nosuchalert up", message_id=7)


@pytest.mark.parametrize(
    "command", ["mute BTC 1h", "vote abcdefghijkl up", "alerts stop", "budget 1", "quiet 1:00-2:00"]
)
def test_in_a_group_only_authorised_users_change_anything_by_buttons(bot, command):
    before = chosen(bot, GROUP)

    told = bot.stand.presses(command, chat=GROUP, user=STRANGER, message_id=7)

    assert str(STRANGER) in told
    assert chosen(bot, GROUP) == before
    assert bot.is_on(GROUP)


def test_a_chat_that_gets_no_alerts_has_nothing_to_choose(bot):
    assert bot.stand.answers("/mute BTC 1h", chat=-77, user=ME) == NOT_A_TARGET


# -- why ------------------------------------------------------------------------------------------------------------------


def test_why_tells_the_threshold_and_what_was_decided_for_this_chat_alone(bot):
    bot.stand.answers("/alerts P2 off")
    alert = raised(bot)

    answer = bot.stand.answers(f"/why {alert.alert_id.upper()}")

    assert "threshold $100K (static)" in answer
    assert "this chat: raised suppressed, this kind or severity is off in this chat" in answer
    assert str(GROUP) not in answer


def test_why_of_an_unknown_id(bot):
    assert bot.stand.answers("/why nosuchalert").startswith("There is no alert of that id")


def test_whynot_looks_at_the_minutes_around_a_time_in_the_clock_of_the_chat(bot):
    bot.stand.answers("/timezone Asia/Tokyo")
    alert = raised(bot)
    now_ms = bot.theatre.clock.now_ms()
    minute = (now_ms // 60_000 + 9 * 60) % 1_440

    assert alert.alert_id in bot.stand.answers(f"/whynot btc {minute // 60:02}:{minute % 60:02}")
    other = (minute - 60) % 1_440
    assert "Nothing reached" in bot.stand.answers(f"/whynot btc {other // 60:02}:{other % 60:02}")


# -- the daemon -----------------------------------------------------------------------------------------------------------


def test_test_alert_goes_the_way_of_real_ones(bot):
    assert "P1 test alert follows, with a sound" in bot.stand.answers("/test p1")
    bot.stand.answers("/alerts p1 off")

    assert "would not be sent now: this kind or severity is off" in bot.stand.answers("/test p1")
    outbox = Outbox(bot.database, 1)
    (row,) = outbox.deliveries.waiting("telegram:")
    outbox.close()
    assert (row.alert.severity, row.silent) == (Severity.P1, False)


def test_venues_config_and_version_come_from_what_is_written_down(bot):
    nodes = [
        {"path": f"{paths.FEEDS}/binance-market", "health": "healthy", "state": "running"},
        {"path": f"{paths.OPEN_INTEREST}/binance", "health": "unhealthy", "state": "parked", "why": "HTTP 451"},
    ]
    report = {"version": "9.9", "uptime_s": 3_700.0, "tree": {"path": "/", "children": nodes}}
    (bot.folder / "status.json").write_text(json.dumps(report))

    venues = bot.stand.answers("/venues")
    assert "binance: 1 of 2 parts healthy" in venues
    assert f"{paths.OPEN_INTEREST}/binance: unhealthy, parked: HTTP 451" in venues
    assert "okx: no part of it runs" in venues
    assert bot.stand.answers("/version") == "Foreshock 9.9, up for 1 h 1 min"
    assert "Venues: binance, okx" in bot.stand.answers("/config")


# -- owners ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def operated(bot):
    bot.orders = bot.theatre.record("/core/feeds")
    bot.theatre.record("/core/feeds/binance-market")
    return bot


def confirmation(bot):
    return next(iter(buttons(bot.stand.sent()[-1])))


def test_an_owner_restarts_a_part_after_a_second_press_and_only_once(operated):
    assert "restart /core/feeds/binance-market?" in operated.stand.answers("/restart /core/feeds/binance-market")
    assert operated.orders == []

    command = confirmation(operated)
    operated.stand.presses(command)
    wait_for(operated.stand.edits)
    assert "too long ago, or is done" in operated.stand.presses(command, message_id=1_000)

    assert operated.orders == [OperatorCommand(child_id="binance-market", command="restart", by=f"telegram:{ME}")]


def test_only_who_wished_may_confirm(operated):
    operated.stand.answers("/pause /core/feeds/binance-market")

    told = operated.stand.presses(confirmation(operated), user=GROUP)

    assert "is not among the" in told or "user id" in told
    assert operated.orders == []


def test_whoever_is_no_owner_may_not_operate(bot):
    bot.theatre.stop(paths.COMMANDS)
    bot.open(owner_users=(12,))

    assert bot.stand.answers("/restart /core") == f"Your user id {ME} is not among the OWNER_USERS."
    assert "/restart" not in bot.stand.answers("/help")


def test_a_part_that_is_not_there_and_the_bot_itself_cannot_be_paused(operated):
    assert "There is no /core/nothing" in operated.stand.answers("/restart core/nothing")
    operated.theatre.record("/edge")
    assert "could not hear you" in operated.stand.answers("/pause /edge/commands")
