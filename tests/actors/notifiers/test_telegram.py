import socket
import sqlite3

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.clock import ManualClock
from actors.delivery_book import DeliveryBook
from actors.messages.alerts import DeliverNow
from actors.messages.outcomes import ScoresTold
from actors.notifiers.bot_api import BotApi
from actors.notifiers.telegram import TelegramNotifier
from actors.outbox_rows import Planned, telegram_target
from config.settings import Outbox as OutboxSettings
from config.values import Secret
from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import scores
from tests.intelligence.builders import T0, an_alert
from tests.intelligence.outcomes.test_scores import NOW_MS, spread
from tests.telegram_stand import proxy
from tests.telegram_stand.post import RULES, Post
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, OTHER, TOKEN, Stand, telegram_settings


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def post(stand, tmp_path):
    post = Post(stand, tmp_path / "foreshock.db")
    yield post
    post.close()


@pytest.fixture
def still(stand, tmp_path):
    """The same under a clock that only the test moves."""
    post = Post(stand, tmp_path / "foreshock.db", ManualClock())
    yield post
    post.close()


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


def ids(calls):
    return [call.text.rpartition("<code>")[2].partition("</code>")[0] for call in calls]


def some(count, **overrides):
    return [an_alert(alert_id=f"alert-{number:02}", **overrides) for number in range(count)]


def test_how_such_alerts_have_done_is_in_the_footer(post, stand):
    told = scores(spread(60, 24), NOW_MS, OutcomeRules())
    post.open().tell(ScoresTold(scores=told))
    post.queue(an_alert(kind=AlertKind.CASCADE, started_ms=T0, latest_ms=T0)).tell()
    post.done()

    assert "A2 of such alerts, 30 d: 71 % [61-80], base 20 %, n=84" in stand.sent()[0].text


# -- delivery and order -----------------------------------------------------------------------------------------------


def test_alert_arrives_as_html_without_link_preview_and_is_marked(post, logged):
    post.open().queue(an_alert()).tell()

    (call,) = post.stand.wait_sent(1)
    post.done()
    assert call.text.startswith("<b>BTC long liquidated")
    assert (call.chat, call.fields["parse_mode"]) == (ME, "HTML")
    assert call.fields["link_preview_options"] == {"is_disabled": True}
    assert post.states() == [("abcdefghijkl", "delivered")]
    line = logged("alert_delivered")[0]
    assert (line["alert_id"], line["target"], line["attempt"]) == ("abcdefghijkl", "telegram:11", 1)
    assert line["event_latency_ms"] - line["latency_ms"] == 300


def test_every_chat_gets_its_alerts_in_order(post):
    post.open().queue(*some(10), chats=(ME, GROUP)).tell()
    post.done()

    expected = [alert.alert_id for alert in some(10)]
    assert ids(post.stand.sent(ME)) == expected
    assert ids(post.stand.sent(GROUP)) == expected


def test_graver_alerts_overtake_and_keep_their_order(post):
    let_go = post.stand.hold(text="alert-00")
    post.queue(*some(1, severity=Severity.P3)).open()
    wait_for(post.stand.calls, "the first message to be on its way")
    post.queue(
        an_alert(alert_id="p3-a", severity=Severity.P3),
        an_alert(alert_id="p2-a", severity=Severity.P2),
        an_alert(alert_id="p1-a", severity=Severity.P1),
        an_alert(alert_id="p3-b", severity=Severity.P3),
        an_alert(alert_id="p1-b", severity=Severity.P1),
    ).tell()

    let_go()
    post.done()

    assert ids(post.stand.sent()) == ["alert-00", "p1-a", "p1-b", "p2-a", "p3-a", "p3-b"]


def an_incident(stage=Stage.RAISED, **overrides):
    return an_alert(kind=AlertKind.CASCADE, stage=stage, **overrides)


def test_growth_and_end_of_an_incident_are_written_into_its_message(post):
    post.queue(an_incident()).open()
    post.done()
    post.queue(an_incident(Stage.UPDATED, value=2e6))
    post.tell()
    post.done()
    post.queue(an_incident(Stage.ENDED, value=3e6))
    post.tell()
    post.done()

    (first,) = post.stand.sent()
    edits = post.stand.calls("editMessageText")
    assert [edit.fields["message_id"] for edit in edits] == [1, 1]
    assert len({first.text, *(edit.text for edit in edits)}) == 3


def test_an_end_whose_message_is_gone_gets_one_of_its_own(post):
    post.stand.fail(method="editMessageText", answer=proxy.refusal(400, "Bad Request: message to edit not found"))
    post.queue(an_incident(), an_incident(Stage.ENDED)).open()
    post.done()

    assert len(post.stand.sent()) == 2
    assert [state[1] for state in post.states()] == ["delivered", "delivered"]


def test_growth_whose_message_is_gone_is_not_told(post):
    post.stand.fail(method="editMessageText", answer=proxy.refusal(400, "Bad Request: message can't be edited"))
    post.queue(an_incident(), an_incident(Stage.UPDATED)).open()
    post.done()

    assert len(post.stand.sent()) == 1
    assert [state[1] for state in post.states()] == ["delivered", "failed"]


def test_an_edit_that_changes_nothing_is_as_good_as_made(post):
    post.stand.fail(method="editMessageText", answer=proxy.refusal(400, "Bad Request: message is not modified: ..."))
    post.queue(an_incident(), an_incident(Stage.UPDATED)).open()
    post.done()

    assert [state[1] for state in post.states()] == ["delivered", "delivered"]


def test_an_edit_whose_answer_is_lost_is_made_again_however_grave_it_is(post):
    post.stand.fail(method="editMessageText", drop="after")
    post.queue(an_incident(severity=Severity.P3), an_incident(Stage.UPDATED, severity=Severity.P3)).open()
    post.done()

    assert len(post.stand.calls("editMessageText")) == 2


def test_a_silent_delivery_arrives_without_a_sound(post):
    now_ms = post.theatre.clock.now_ms()
    target = telegram_target(ME)
    post.outbox.append(an_alert(), [Planned(target=target, stage=Stage.RAISED, silent=True)], now_ms)
    post.queue(an_alert(alert_id="loud")).open()
    post.done()

    assert [call.fields.get("disable_notification") for call in post.stand.sent()] == [True, None]


def test_end_is_not_told_where_the_start_never_arrived(post, logged):
    post.stand.fail(answer=proxy.refusal(400, "Bad Request: message text is empty"))
    post.queue(an_alert(kind=AlertKind.CASCADE), an_alert(kind=AlertKind.CASCADE, stage=Stage.ENDED)).open()
    post.done()

    assert post.stand.sent() == []
    assert [state[2] for state in post.states()] == [
        "http_400 Bad Request: message text is empty",
        "start_not_delivered",
    ]


def test_chat_is_sent_to_at_its_pace_and_a_slow_one_holds_nobody_up(still):
    still.queue(*some(2), chats=(ME, GROUP)).open(private_gap_s=1.05, group_gap_s=3.0)
    still.stand.wait_sent(1)
    still.run(0.01)
    still.stand.wait_sent(2)

    still.run(1.0)
    assert still.theatre.system.place(paths.TELEGRAM).vitals.note == "2 waiting"
    still.run(0.05)
    still.stand.wait_sent(2, ME)
    assert len(still.stand.sent(GROUP)) == 1

    still.run(1.95)
    still.stand.wait_sent(2, GROUP)


def test_flood_model_of_telegram_is_never_hit_at_the_pace_of_the_settings(post, logged):
    post.stand.proxy.flood = proxy.FloodModel(burst=2, window_s=0.1, retry_after=1)
    post.queue(*some(8)).open(private_gap_s=0.06)
    post.done()

    assert len(post.stand.sent()) == 8
    assert logged("telegram_throttled") == []


def test_late_alert_says_how_old_it_is(still):
    still.queue(an_alert(exchange_ms=still.theatre.clock.now_ms()))
    still.theatre.clock.advance(95)
    still.open()

    (call,) = still.stand.wait_sent(1)
    assert "ago)" in call.text


def test_alert_that_is_too_old_is_not_sent_and_the_log_says_so(still, logged):
    still.queue(an_alert(severity=Severity.P3, alert_id="old"))
    still.theatre.clock.advance(601)
    still.queue(an_alert(severity=Severity.P3, alert_id="new")).open()

    still.stand.wait_sent(1)
    still.done()
    assert still.states() == [("old", "failed", "expired"), ("new", "delivered")]
    assert [(e["alert_id"], e["reason"]) for e in logged("alert_failed")] == [("old", "expired")]


def test_rows_that_nobody_announced_are_found_by_looking_again(post):
    rules = OutboxSettings(reread_s=0.05, busy_s=1, keep_days=7, p1_valid_s=60, p2_valid_s=60, p3_valid_s=60)
    post.open(outbox=rules).queue(an_alert())

    post.stand.wait_sent(1)


def test_delivery_that_was_taken_back_is_not_made(post):
    let_go = post.stand.hold(text="alert-00")
    post.queue(*some(2)).open()
    wait_for(post.stand.calls)

    post.outbox.deliveries.withdraw(telegram_target(ME), "suppressed", "alerts_off")
    let_go()
    post.done()

    assert post.states() == [("alert-00", "delivered"), ("alert-01", "suppressed", "alerts_off")]
    assert ids(post.stand.sent()) == ["alert-00"]


def test_texts_of_every_severity_are_what_telegrams_parser_takes(post):
    post.queue(
        an_alert(alert_id="a<b>&amp;", asset="<i>&", venue="<script>", instrument="A&B<C>"),
        an_alert(alert_id="words", kind=AlertKind.FEED_HEALTH, text="down & <out>\nsecond", position_side=None),
    ).open()
    post.done()

    assert [call.status for call in post.stand.calls()] == [200, 200]


# -- what Telegram may answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked_s", [7, 0, None])
def test_429_waits_exactly_as_long_as_asked_and_counts_no_attempt(still, logged, asked_s):
    waits_s = asked_s or 5
    still.stand.fail(answer=proxy.flood(asked_s) if asked_s is not None else (429, "<html>slow down</html>"), chat=ME)
    still.queue(an_alert(), chats=(ME, OTHER)).open()
    still.run(0.1)  # the pace over all chats
    still.stand.wait_sent(1, OTHER)
    wait_for(lambda: logged("telegram_throttled"))
    wait_for(lambda: [row.attempts for row in still.outbox.deliveries.waiting("telegram:")] == [0])

    still.run(waits_s - 0.2)
    assert still.stand.sent(ME) == []
    still.run(0.2)
    still.stand.wait_sent(1, ME)
    still.done()

    assert [entry["wait_s"] for entry in logged("telegram_throttled")] == [waits_s]
    assert [entry["attempt"] for entry in logged("alert_delivered")] == [1, 1]


def test_wait_that_telegram_asked_for_outlives_the_notifier(still, logged):
    still.stand.fail(answer=proxy.flood(30))
    still.queue(an_alert()).open()
    wait_for(lambda: still.outbox.deliveries.waiting("telegram:")[0].not_before_ms)

    still.theatre.crash(paths.TELEGRAM)
    still.run(29)
    assert len(still.stand.calls()) == 1
    still.run(1.1)

    still.stand.wait_sent(1)


@pytest.mark.parametrize(
    "answer",
    [
        proxy.refusal(500, "Internal Server Error"),
        (502, "<html>Bad Gateway</html>"),
        (503, ""),
        (504, "<html>"),
        (401, "<html>log in first</html>"),
        (403, "<html>the firewall of a hotel</html>"),
        (404, "<html>no such page</html>"),
        (302, ""),
    ],
    ids=lambda answer: str(answer[0]),
)
def test_errors_of_the_way_there_are_tried_again(post, logged, answer):
    post.stand.fail(answer=answer, times=3)
    post.queue(an_alert()).open()
    post.done()

    assert len(post.stand.calls()) == 4
    assert post.states() == [("abcdefghijkl", "delivered")]
    assert [entry["attempt"] for entry in logged("delivery_delayed")] == [1, 2, 3]


def test_refused_connections_are_tried_until_somebody_listens(post, logged):
    post.stand.refuse_connections()
    post.queue(*some(3)).open()
    wait_for(lambda: len(logged("delivery_delayed")) >= 6)

    post.stand.listen()
    post.done()

    assert ids(post.stand.sent()) == ["alert-00", "alert-01", "alert-02"]
    assert {entry["reason"] for entry in logged("delivery_delayed")} == {"NewConnectionError"}
    assert {entry["log_level"] for entry in logged("delivery_delayed")} == {"warning", "error"}


def test_a_name_that_is_not_found_is_asked_for_again(post, logged, monkeypatch):
    real, failures = socket.getaddrinfo, iter([True] * 3)

    def asked(*args, **kwargs):
        if next(failures, False):
            raise socket.gaierror("Temporary failure in name resolution")
        return real(*args, **kwargs)

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", asked)
    post.queue(an_alert(severity=Severity.P3)).open()
    post.done()

    assert len(post.stand.calls()) == 1
    assert {entry["reason"] for entry in logged("delivery_delayed")} == {"NameResolutionError"}


def test_message_that_telegram_cannot_stomach_lets_the_others_go_first(post):
    post.stand.fail(text="alert-00", answer=proxy.refusal(500, "Internal Server Error"), times=9)
    post.queue(*some(3)).open()
    post.done()

    assert ids(post.stand.sent()) == ["alert-01", "alert-02", "alert-00"]


@pytest.mark.parametrize("answer", [(502, "<html>Bad Gateway</html>"), (503, "")], ids=["502", "503"])
def test_while_nobody_answers_no_message_loses_its_place(post, answer):
    post.stand.fail(text="alert-00", answer=answer, times=20)
    post.queue(*some(3)).open()
    post.done()

    assert ids(post.stand.sent()) == ["alert-00", "alert-01", "alert-02"]


LOST = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "late": {"after": 5.0},
    "truncated": {"cut": 30},
    "somebody else's page": {"answer": (200, "<html>welcome to the hotel</html>")},
}


@pytest.mark.parametrize("how", LOST.values(), ids=LOST.keys())
def test_unknown_outcome_repeats_what_wakes_people_once_with_the_same_id(post, how):
    post.stand.fail(**how)
    post.queue(an_alert(severity=Severity.P1)).open(read_timeout_s=0.2)
    post.done()

    assert ids(post.stand.calls()) == ["abcdefghijkl", "abcdefghijkl"]
    assert post.states() == [("abcdefghijkl", "delivered")]


SWALLOWED = {
    "dropped": {"drop": "before"},
    "never answered": {"before": 5.0},
    "somebody else's page": {"answer": (200, "<html>welcome to the hotel</html>")},
}


@pytest.mark.parametrize("how", SWALLOWED.values(), ids=SWALLOWED.keys())
def test_while_telegram_swallows_requests_no_further_message_is_put_at_stake(post, logged, how):
    post.open(read_timeout_s=0.2)
    wait_for(lambda: post.stand.calls("getMe"))
    for method in ("sendMessage", "getMe"):
        post.stand.fail(method=method, times=1 if method == "sendMessage" else 4, **how)
    post.queue(*some(5), chats=(ME, OTHER)).tell()
    post.done()

    assert len(post.stand.calls()) == 2 * 5 + 1
    arrived = {chat: [call for call in post.stand.sent(chat) if call.result] for chat in (ME, OTHER)}
    assert ids(arrived[ME]) == ids(arrived[OTHER]) == [alert.alert_id for alert in some(5)]
    assert [line["attempt"] for line in logged("telegram_silent")] == [1, 2, 4]


def test_second_unknown_outcome_is_the_end_of_it(post, logged):
    post.stand.fail(drop="after", times=5)
    post.queue(an_alert(severity=Severity.P1)).open()
    post.done()

    assert len(post.stand.calls()) == 2
    assert post.states() == [("abcdefghijkl", "failed", "unknown")]
    assert [entry["reason"] for entry in logged("alert_failed")] == ["unknown"]


def test_unknown_outcome_of_the_least_grave_is_not_repeated(post, logged):
    post.stand.fail(drop="after")
    post.queue(an_alert(severity=Severity.P3)).open()
    post.done()

    assert len(post.stand.calls()) == 1
    assert post.states() == [("abcdefghijkl", "failed", "unknown")]


def test_answer_that_drips_is_not_waited_for(post, monkeypatch):
    monkeypatch.setattr("actors.notifiers.bot_api.MAX_ANSWER_BYTES", 10)
    post.queue(an_alert(severity=Severity.P3)).open()
    post.done()

    assert post.states() == [("abcdefghijkl", "failed", "unknown")]


GONE = {
    "blocked": proxy.BLOCKED,
    "kicked": proxy.KICKED,
    "deactivated": proxy.DEACTIVATED,
    "never wrote": proxy.NEVER_WROTE,
    "not found": proxy.NOT_FOUND,
}


@pytest.mark.parametrize("state", GONE.values(), ids=GONE.keys())
def test_chat_that_refuses_us_is_dead_and_the_others_go_on(post, logged, state):
    post.outbox.chats.set_alerts(ME, on=True, by=ME, now_ms=5)
    post.stand.proxy.chats[ME] = state
    post.queue(*some(3), chats=(ME, OTHER)).open()
    post.done()

    assert len(post.stand.calls(chat=ME)) == 1
    assert len(post.stand.sent(OTHER)) == 3
    chat = post.outbox.chats.all()[ME]
    assert (chat.alerts_on, chat.changed_ms) == (True, 5)
    assert chat.dead_reason.startswith("http_")
    assert [entry["chat_id"] for entry in logged("chat_dead")] == [ME]
    assert {entry["reason"] for entry in logged("alert_failed")} == {"chat_dead"}
    assert len(logged("alert_failed")) == 3


def test_group_that_became_a_supergroup_is_followed(post):
    post.stand.proxy.chats[GROUP] = proxy.moved_to(-1001)
    post.queue(*some(2), chats=(GROUP,)).open()
    post.done()

    assert ids(post.stand.sent(-1001)) == ["alert-00", "alert-01"]
    assert len(post.stand.calls(chat=GROUP)) == 1
    assert post.outbox.chats.all()[GROUP].moved_to == -1001


def test_markup_that_telegram_cannot_read_goes_out_as_plain_text(post, logged, monkeypatch):
    monkeypatch.setattr("actors.notifiers.texts.telegram_html", lambda *_, **__: "<b>broken")
    post.queue(an_alert()).open()
    post.done()

    (call,) = post.stand.sent()
    assert call.text.startswith("BTC long liquidated")
    assert "parse_mode" not in call.fields
    assert [entry["log_level"] for entry in logged("template_rejected")] == ["error"]


def test_text_that_is_too_long_is_cut_before_it_is_sent(post, monkeypatch):
    monkeypatch.setattr("actors.notifiers.texts.telegram_html", lambda *_, **__: "<b>x</b>" * 2000)
    monkeypatch.setattr("actors.notifiers.texts.plain_text", lambda *_, **__: "🔥" * 4000)
    post.queue(an_alert()).open()
    post.done()

    (call,) = post.stand.calls()
    assert call.status == 200
    assert call.text.endswith("🔥…")


@pytest.mark.parametrize(
    "answer",
    [proxy.refusal(413, "Request Entity Too Large"), proxy.refusal(400, "Bad Request: message is too long")],
    ids=["too large", "too long"],
)
def test_refusal_for_good_is_not_repeated(post, answer):
    post.stand.fail(answer=answer)
    post.queue(*some(2)).open()
    post.done()

    assert [state[1] for state in post.states()] == ["failed", "delivered"]


# -- a wrong token ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 404])
def test_wrong_token_asks_for_a_person_and_keeps_the_alerts(post, status):
    post.stand.fail(method="getMe", answer=proxy.refusal(status, "Unauthorized"))
    post.queue(an_alert())
    post.theatre._cast[paths.TELEGRAM] = (
        TelegramNotifier,
        {"database": post.database, "telegram": telegram_settings(post.stand), "outbox": RULES},
    )
    let_go = post.stand.hold()
    post.theatre.begin(paths.TELEGRAM)

    notice = post.theatre.exit_of(paths.TELEGRAM)

    let_go()
    assert notice.park.startswith(f"Telegram does not know this bot (HTTP {status}): correct TELEGRAM_BOT_TOKEN")
    assert TOKEN not in repr(notice)
    assert TOKEN.partition(":")[2] not in repr(notice)


def test_token_that_is_revoked_later_parks_with_the_alert_still_waiting(post):
    post.open()
    post.queue(an_alert())
    wait_for(lambda: post.stand.calls("getMe"))
    post.stand.fail(answer=proxy.refusal(401, "Unauthorized"))
    post.tell()

    notice = post.theatre.exit_of(paths.TELEGRAM)

    assert "HTTP 401" in notice.park
    assert post.states() == [("abcdefghijkl", "queued", "no_such_bot")]


def test_token_stands_in_no_log_line_whatever_fails(post, logged, caplog):
    caplog.set_level("DEBUG")
    for how in ({"drop": "after"}, {"drop": "before"}, {"answer": (500, "")}, {"cut": 3}, {"after": 1.0}):
        post.stand.fail(**how)
    post.queue(*some(6, severity=Severity.P1)).open(read_timeout_s=0.2, token=Secret(TOKEN))
    post.done()
    post.stand.refuse_connections()
    post.queue(an_alert(alert_id="later")).tell()
    wait_for(lambda: logged("delivery_delayed"))
    post.theatre.stop(paths.TELEGRAM)
    post.stand.listen()

    ours = [entry for event in ("delivery_delayed", "delivery_repeated", "alert_failed") for entry in logged(event)]
    assert ours
    assert TOKEN.partition(":")[2] not in repr(ours)
    assert TOKEN not in repr([r.getMessage() for r in caplog.records if not r.name.startswith("urllib3")])


# -- crashes, stops, restarts -----------------------------------------------------------------------------------------


def test_crash_between_any_two_messages_loses_nothing_and_repeats_nothing(post):
    post.open()
    for alert in some(5):
        post.queue(alert).tell()
        post.theatre.crash(paths.TELEGRAM, error="SystemExit")
    post.tell()
    post.done()

    assert ids(post.stand.sent()) == [alert.alert_id for alert in some(5)]


STEPS = {  # which call fails, whether it is made before, and how many messages Telegram then gets
    "before the claim": (DeliveryBook, "claim", False, 3),
    "after the claim": (DeliveryBook, "claim", True, 3),
    "after the request": (BotApi, "send", True, 4),
    "before the mark": (DeliveryBook, "delivered", False, 4),
    "after the mark": (DeliveryBook, "delivered", True, 3),
}


@pytest.mark.parametrize(("owner", "name", "made", "messages"), STEPS.values(), ids=STEPS.keys())
def test_crash_at_any_step_of_a_delivery_loses_nothing(post, monkeypatch, owner, name, made, messages):
    real, failures = getattr(owner, name), iter([True])

    def failing(self, first, *args, **kwargs):
        fails = first != "getMe" and next(failures, False)
        if made or not fails:
            result = real(self, first, *args, **kwargs)
        if fails:
            raise SystemExit("drill")
        return result

    post.queue(*some(3))
    monkeypatch.setattr(owner, name, failing)
    post.open()
    assert post.theatre.exit_of(paths.TELEGRAM).kind == "failed"

    post.theatre.begin(paths.TELEGRAM)
    post.done()

    told = ids(post.stand.sent())
    assert sorted(set(told)) == ["alert-00", "alert-01", "alert-02"]
    assert len(told) == messages


def test_row_found_in_flight_is_sent_once_more_and_then_given_up(post, logged):
    post.queue(an_alert())
    row = post.outbox.deliveries.waiting("telegram:")[0]
    post.outbox.deliveries.claim(row.id, epoch=1)

    post.open()
    post.stand.wait_sent(1)
    post.done()

    assert [entry["reason"] for entry in logged("delivery_repeated")] == ["interrupted"]


def test_stop_sends_what_may_be_sent_now_and_the_rest_stays_in_the_outbox(post, logged):
    let_go = post.stand.hold(text="alert-00")
    post.queue(*some(1, severity=Severity.P1)).open(private_gap_s=30)
    wait_for(post.stand.calls)
    post.queue(an_alert(alert_id="other-chat"), chats=(OTHER,)).queue(an_alert(alert_id="too-soon")).tell()

    let_go()
    post.theatre.stop(paths.TELEGRAM, drain=True)

    assert ids(post.stand.sent()) == ["alert-00", "other-chat"]
    assert [state[:2] for state in post.states()][-1] == ("too-soon", "queued")
    assert [entry["n"] for entry in logged("deliveries_left")] == [1]


def test_stop_does_not_wait_for_a_telegram_that_does_not_answer(post, monkeypatch):
    monkeypatch.setattr("actors.notifiers.telegram.DRAIN_S", 0.1)
    let_go = post.stand.hold(method="getMe")
    post.open(read_timeout_s=30)
    wait_for(lambda: post.stand.calls("getMe"))
    post.queue(an_alert(severity=Severity.P3)).tell()
    post.stand.fail(after=20)
    post.theatre.ask_to_stop(paths.TELEGRAM, drain=True)

    let_go()
    post.theatre.exit_of(paths.TELEGRAM)

    assert post.states() == [("abcdefghijkl", "sending")]  # the next start sends it once more


# -- when the outbox cannot be written --------------------------------------------------------------------------------


def test_alert_from_memory_is_sent_and_only_marked_when_its_row_appears(post):
    post.open()
    post.tell(DeliverNow(alert=an_alert(), targets=(telegram_target(ME),)))
    post.stand.wait_sent(1)

    post.queue(an_alert()).tell()
    post.done()

    assert len(post.stand.calls()) == 1
    assert post.states() == [("abcdefghijkl", "delivered")]


def test_an_incident_told_from_memory_ends_in_its_own_message(post):
    post.open()
    for stage in (Stage.RAISED, Stage.ENDED):
        post.tell(DeliverNow(alert=an_incident(stage), targets=(telegram_target(ME),)))
    (edit,) = wait_for(post.stand.edits)
    assert edit.fields["message_id"] == post.stand.sent()[0].result["message_id"]

    post.queue(an_incident(), an_incident(Stage.UPDATED)).tell()
    post.tell(DeliverNow(alert=an_alert(alert_id="next"), targets=(telegram_target(ME),)))
    post.stand.wait_sent(2)
    post.queue(an_incident(Stage.ENDED)).tell()
    post.done()

    assert len(post.stand.sent()) == 2
    assert len(post.stand.calls("editMessageText")) == 1  # growth is not written over the end


def test_alert_from_memory_that_could_not_be_sent_is_sent_from_its_row(post, logged):
    post.stand.refuse_connections()
    post.open()
    post.tell(DeliverNow(alert=an_alert(), targets=(telegram_target(ME),)))
    wait_for(lambda: logged("delivery_delayed"))

    post.queue(an_alert()).tell()
    post.stand.listen()
    post.done()

    assert len(post.stand.sent()) == 1


def test_mark_that_cannot_be_written_is_written_later_and_nothing_is_sent_twice(post, logged):
    rules = OutboxSettings(reread_s=0.05, busy_s=0.02, keep_days=7, p1_valid_s=60, p2_valid_s=60, p3_valid_s=60)
    let_go = post.stand.hold()
    post.queue(an_alert()).open(outbox=rules)
    wait_for(post.stand.calls)
    blocker = sqlite3.connect(post.database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    let_go()
    wait_for(lambda: logged("outbox_unavailable"))
    blocker.execute("ROLLBACK")
    blocker.close()
    post.done()

    assert len(post.stand.calls()) == 1
    assert post.states() == [("abcdefghijkl", "delivered")]
