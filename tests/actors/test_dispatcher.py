import sqlite3

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.clock import ManualClock
from actors.dispatcher import Dispatcher
from actors.mailbox import MailboxSpec
from actors.messages.alerts import AlertRaised, DeliveriesQueued, DeliverNow
from actors.messages.chats import AlertsState, AskAlerts, AskTrials, ChatSeen, Promote, Refused, SetAlerts, TrialsState
from actors.messages.feeds import AssetsWatched
from actors.messages.outcomes import SelectionSet
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, telegram_target
from config.settings import Outbox as OutboxSettings
from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.detectors.market_wide import MarketWideDetector, MarketWideRule
from intelligence.gates import Preferences, QuietHours
from intelligence.outcomes.selection import Demotion, Selection
from tests.intelligence.builders import T0, an_alert
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

ME, GROUP = 11, -22
RULES = OutboxSettings(reread_s=0.02, busy_s=0.02, keep_days=7, p1_valid_s=600, p2_valid_s=600, p3_valid_s=600)


class Desk:
    """A dispatcher with recorders in the places of the notifiers."""

    def __init__(self, theatre, database):
        self.theatre, self.database = theatre, database
        self.terminal = theatre.record(paths.TERMINAL)
        self.telegram = theatre.record(paths.TELEGRAM)

    def open(self, **overrides):
        args = {
            "database": str(self.database),
            "outbox": RULES,
            "chats": (ME, GROUP),
            "notifiers": (paths.TERMINAL, paths.TELEGRAM),
            "market_wide": MarketWideRule(),
            "watched": 10,
        }
        self.theatre.start(paths.DISPATCHER, Dispatcher, **(args | overrides))
        return self

    def tell(self, *alerts):
        for alert in alerts:
            self.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
        self.settle()

    def settle(self):
        """Wait until everything told so far has been handled, by the dispatcher and then by the recorders."""
        self.ask(AskAlerts(chat_id=0))
        for path in (paths.TERMINAL, paths.TELEGRAM):
            self.theatre.ask(path, "settle")

    def ask(self, message):
        return self.theatre.ask(paths.DISPATCHER, message)

    def now(self, letters):
        return [letter for letter in letters if isinstance(letter, DeliverNow)]

    def rows(self):
        db = sqlite3.connect(self.database)
        rows = db.execute("SELECT alert_id, stage, target, state, reason FROM deliveries ORDER BY id").fetchall()
        db.close()
        return rows

    def states(self):
        return {(alert_id, stage, target): state for alert_id, stage, target, state, _ in self.rows()}


@pytest.fixture
def theatre():
    theatre = Theatre()
    yield theatre
    theatre.close()


@pytest.fixture
def desk(theatre, tmp_path):
    return Desk(theatre, tmp_path / "foreshock.db")


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


class LockedFile:
    """Somebody else writes to the file and does not come to an end."""

    def __init__(self, database):
        self._db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)

    def __enter__(self):
        self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_):
        self._db.execute("ROLLBACK")
        self._db.close()


def test_alert_is_in_the_outbox_before_the_notifiers_hear_of_it(desk):
    desk.open().tell(an_alert())

    assert desk.states() == {
        ("abcdefghijkl", "raised", target): "queued"
        for target in (TERMINAL, telegram_target(ME), telegram_target(GROUP))
    }
    assert desk.terminal.count(DeliveriesQueued()) == 2  # at the start of the dispatcher, and for this alert
    assert desk.telegram.count(DeliveriesQueued()) == 2


def test_alert_is_journalled_with_its_whole_record_and_its_words(desk, logged):
    desk.open().tell(an_alert(factors=(("single_usd", 100_000.0),)))

    (line,) = logged("alert_raised")
    assert line["alert_id"] == "abcdefghijkl"
    assert line["kind"] == "liquidation"
    assert line["severity"] == "P2"
    assert line["text"].startswith("BTC long liquidated")
    assert line["factors"] == (("single_usd", 100_000.0),)
    assert line["venues_able"] is not None
    assert line["path"] == paths.DISPATCHER


def test_life_of_an_alert_can_be_followed_by_its_id(desk, logged):
    desk.open().tell(an_alert())

    (line,) = logged("alert_queued")
    assert line["alert_id"] == "abcdefghijkl"
    assert line["targets"] == (TERMINAL, telegram_target(ME), telegram_target(GROUP))


def test_same_alert_twice_is_one_alert(desk, logged):
    desk.open().tell(an_alert(), an_alert())

    assert len(desk.rows()) == 3
    assert len(logged("alert_raised")) == 1
    assert [entry["reason"] for entry in logged("alert_suppressed")] == ["duplicate"]


def test_same_alert_after_a_crash_is_one_alert(desk, logged):
    desk.open().tell(an_alert())

    desk.theatre.crash(paths.DISPATCHER)
    desk.tell(an_alert())

    assert len(desk.rows()) == 3
    assert len(logged("alert_raised")) == 1


def test_alert_that_waits_while_the_dispatcher_is_down_is_stored_by_its_successor(desk):
    desk.open()
    desk.theatre.stop(paths.DISPATCHER)
    desk.theatre.tell(paths.DISPATCHER, AlertRaised(alert=an_alert()))

    desk.theatre.begin(paths.DISPATCHER)

    wait_for(lambda: len(desk.rows()) == 3)


def test_chat_with_alerts_off_gets_none_and_the_log_says_why(desk, logged):
    desk.open().ask(SetAlerts(chat_id=ME, on=False, by=ME))

    desk.tell(an_alert())

    assert desk.states()["abcdefghijkl", "raised", telegram_target(ME)] == "suppressed"
    assert desk.states()["abcdefghijkl", "raised", telegram_target(GROUP)] == "queued"
    (line,) = logged("alert_suppressed")
    assert (line["target"], line["reason"], line["alert_id"]) == (telegram_target(ME), "alerts_off", "abcdefghijkl")


def test_choice_of_a_chat_survives_a_restart(desk):
    state = desk.open().ask(SetAlerts(chat_id=ME, on=False, by=ME))
    assert isinstance(state, AlertsState)
    assert (state.chat_id, state.on) == (ME, False)

    desk.theatre.restart(paths.DISPATCHER)

    again = desk.ask(AskAlerts(chat_id=ME))
    assert (again.on, again.since_ms) == (False, state.since_ms)
    assert desk.ask(AskAlerts(chat_id=GROUP)).on


def test_switching_off_takes_back_what_has_not_been_sent(desk, logged):
    desk.open().tell(an_alert())

    desk.ask(SetAlerts(chat_id=ME, on=False, by=ME))

    assert desk.states()["abcdefghijkl", "raised", telegram_target(ME)] == "suppressed"
    assert desk.ask(AskAlerts(chat_id=GROUP)).waiting == 1
    assert [entry["reason"] for entry in logged("alert_suppressed")] == ["alerts_off"]


def test_end_goes_to_those_who_got_the_start(desk):
    desk.open().ask(SetAlerts(chat_id=ME, on=False, by=ME))
    desk.tell(an_alert(kind=AlertKind.CASCADE))
    desk.ask(SetAlerts(chat_id=ME, on=True, by=ME))

    desk.tell(an_alert(kind=AlertKind.CASCADE, stage=Stage.ENDED))

    ends = {target for (_, stage, target) in desk.states() if stage == "ended"}
    assert ends == {TERMINAL, telegram_target(GROUP)}


def updated(desk):
    return [target for (_, stage, target) in desk.states() if stage == "updated"]


def test_growth_goes_to_chats_and_to_the_terminal_only_when_it_is_graver(desk):
    desk.open().tell(
        an_alert(kind=AlertKind.CASCADE, severity=Severity.P2),
        an_alert(kind=AlertKind.CASCADE, severity=Severity.P2, stage=Stage.UPDATED, value=2e6),
    )
    assert updated(desk) == [telegram_target(ME), telegram_target(GROUP)]

    desk.tell(an_alert(kind=AlertKind.CASCADE, severity=Severity.P1, stage=Stage.UPDATED, value=5e6))

    assert updated(desk) == [telegram_target(ME), telegram_target(GROUP), TERMINAL]


@pytest.fixture
def still(tmp_path):
    """A desk whose clock stands at the time of the alerts."""
    theatre = Theatre(ManualClock(market_ms=T0))
    theatre.system.place(paths.DISPATCHER, MailboxSpec(retain_max=1))
    yield Desk(theatre, tmp_path / "foreshock.db").open()
    theatre.close()


def test_a_message_is_edited_at_most_every_three_seconds_and_then_with_the_newest(still):
    desk = still
    growth = [an_alert(kind=AlertKind.CASCADE, stage=Stage.UPDATED, value=value) for value in (2e6, 3e6, 4e6)]
    desk.tell(an_alert(kind=AlertKind.CASCADE), growth[0])
    outbox = Outbox(desk.database, 1)
    (row,) = [row for row in outbox.deliveries.waiting(telegram_target(ME)) if row.stage is Stage.UPDATED]
    assert outbox.deliveries.claim(row.id, 1)
    assert outbox.deliveries.delivered(row.id, 1, now_ms=1)

    desk.tell(*growth[1:])
    assert [row.stage for row in outbox.deliveries.waiting(telegram_target(ME))] == [Stage.RAISED]

    desk.theatre.clock.advance(3.1)
    desk.settle()
    newest = [row.alert.value for row in outbox.deliveries.waiting(telegram_target(ME)) if row.stage is Stage.UPDATED]
    assert newest == [4e6]
    outbox.close()


def test_the_end_takes_the_place_of_growth_that_nobody_was_told(desk):
    desk.open().tell(
        an_alert(kind=AlertKind.CASCADE),
        an_alert(kind=AlertKind.CASCADE, stage=Stage.UPDATED),
        an_alert(kind=AlertKind.CASCADE, stage=Stage.ENDED),
    )

    assert desk.states()["abcdefghijkl", "updated", telegram_target(ME)] == "suppressed"
    assert desk.states()["abcdefghijkl", "ended", telegram_target(ME)] == "queued"


def reasons(desk, alert_id):
    return {reason for known, _, _, _, reason in desk.rows() if known == alert_id}


def test_a_liquidation_inside_an_open_cascade_is_recorded_and_not_sent(still, logged):
    still.tell(
        an_alert(alert_id="cascade", kind=AlertKind.CASCADE, severity=Severity.P2),
        an_alert(alert_id="part", severity=Severity.P2),
        an_alert(alert_id="graver", severity=Severity.P1),
    )

    assert reasons(still, "part") == {"inhibited:cascade"}
    assert reasons(still, "graver") == {""}
    assert len(logged("alert_raised")) == 3


def test_a_successor_knows_the_open_incidents(still):
    still.tell(an_alert(alert_id="cascade", kind=AlertKind.CASCADE))
    still.theatre.crash(paths.DISPATCHER)
    still.tell(an_alert(alert_id="part"))

    assert reasons(still, "part") == {"inhibited:cascade"}


ASSETS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA")


def cascades(assets=ASSETS, **overrides):
    return [an_alert(alert_id=asset, asset=asset, kind=AlertKind.CASCADE, **overrides) for asset in assets]


def of_the_market(desk):
    """The deliveries about the whole market: stage and state of each target, by id."""
    db = sqlite3.connect(desk.database)
    rows = db.execute(
        "SELECT d.alert_id, d.stage, d.target, d.state FROM deliveries d JOIN alerts USING (alert_id)"
        " WHERE kind = 'market_wide' ORDER BY id"
    ).fetchall()
    db.close()
    return rows


def test_what_many_assets_tell_is_one_incident_and_the_rest_folds_into_it(still):
    still.tell(*cascades())

    ids = {alert_id for alert_id, *_ in of_the_market(still)}
    assert len(ids) == 1
    assert reasons(still, "DOGE") == {""}, "the fifth makes it one"
    assert reasons(still, "ADA") == {f"folded:{ids.pop()}"}


def test_a_successor_goes_on_with_the_incident_of_the_market(still):
    still.tell(*cascades(ASSETS[:5]))
    (before, *_) = of_the_market(still)
    still.theatre.crash(paths.DISPATCHER)
    still.tell(*cascades(ASSETS[5:]))

    assert reasons(still, "ADA") == {f"folded:{before[0]}"}
    assert {alert_id for alert_id, *_ in of_the_market(still)} == {before[0]}


def test_the_incident_of_the_market_ends_when_nothing_more_comes(still):
    still.tell(*cascades())
    still.theatre.clock.advance(700)
    still.settle()

    assert {stage for _, stage, _, _ in of_the_market(still)} == {"raised", "ended"}


def test_how_many_assets_make_the_market_follows_the_universe(still):
    still.theatre.tell(paths.DISPATCHER, AssetsWatched(assets=frozenset(f"A{number}" for number in range(100))))
    still.tell(*cascades())

    assert of_the_market(still) == []


def test_a_failure_of_folding_costs_no_alert(still, logged, monkeypatch):
    monkeypatch.setattr(MarketWideDetector, "take", lambda *_: 1 / 0)
    still.tell(*cascades())

    assert {reason for *_, reason in still.rows()} == {""}
    assert len(logged("market_wide_failed")) == len(ASSETS)


def test_who_was_spared_the_start_is_told_when_it_becomes_grave(desk):
    quiet = QuietHours(from_minute=0, to_minute=1439, zone="UTC")
    outbox = Outbox(desk.database, 1)
    outbox.chats.set_preferences(ME, Preferences(quiet=quiet))
    outbox.close()
    desk.open().tell(an_alert(kind=AlertKind.CASCADE, severity=Severity.P2))
    assert desk.states()["abcdefghijkl", "raised", telegram_target(ME)] == "suppressed"

    desk.tell(an_alert(kind=AlertKind.CASCADE, severity=Severity.P1, stage=Stage.UPDATED))

    assert desk.states()["abcdefghijkl", "raised", telegram_target(ME)] == "queued"


def test_update_of_an_incident_whose_start_was_lost_raises_it(desk, logged):
    desk.open().tell(an_alert(stage=Stage.UPDATED))

    assert {stage for (_, stage, _) in desk.states()} == {"raised"}
    assert len(logged("alert_raised")) == 1


def test_late_update_of_an_ended_incident_changes_nothing(desk):
    desk.open().tell(an_alert(), an_alert(stage=Stage.ENDED))
    before = desk.rows()

    desk.tell(an_alert(stage=Stage.UPDATED, severity=Severity.P1), an_alert(stage=Stage.ENDED), an_alert())

    assert desk.rows() == before


def test_alert_about_a_feed_goes_the_same_way(desk):
    words = "Binance cannot report liquidations\nreconnecting"
    desk.open().tell(an_alert(kind=AlertKind.FEED_HEALTH, text=words, position_side=None))

    assert len(desk.rows()) == 3


def test_dead_chat_gets_nothing_until_it_writes_again(desk, logged):
    desk.open()
    outbox = Outbox(desk.database, 1)
    outbox.chats.set_dead(ME, "blocked")
    outbox.close()

    desk.tell(an_alert(alert_id="one"))
    desk.theatre.tell(paths.DISPATCHER, ChatSeen(chat_id=ME))
    desk.tell(an_alert(alert_id="two"))

    assert desk.states()["one", "raised", telegram_target(ME)] == "suppressed"
    assert desk.states()["two", "raised", telegram_target(ME)] == "queued"
    assert [entry["reason"] for entry in logged("alert_suppressed")] == ["chat_dead"]
    assert [entry["chat_id"] for entry in logged("chat_revived")] == [ME]


def test_alerts_go_out_from_memory_while_the_file_is_locked_and_are_stored_afterwards(desk, logged):
    desk.open()
    alert, second = an_alert(alert_id="one"), an_alert(alert_id="two")

    with LockedFile(desk.database):
        desk.tell(alert, second, second)
        assert [letter.alert for letter in desk.now(desk.telegram)] == [alert, second]
        assert desk.now(desk.telegram)[0].targets == (telegram_target(ME), telegram_target(GROUP))
        assert [letter.alert for letter in desk.now(desk.terminal)] == [alert, second]
        assert "2 alerts in memory" in desk.theatre.system.place(paths.DISPATCHER).vitals.note

    wait_for(lambda: len(desk.rows()) == 6, "the alerts to be stored")
    wait_for(lambda: not desk.theatre.system.place(paths.DISPATCHER).vitals.note, "the note to go")
    assert [entry["alert_id"] for entry in logged("alert_raised")] == ["one", "two"]
    assert logged("outbox_failed")[0]["log_level"] == "error"
    assert [entry["stored"] for entry in logged("outbox_recovered")] == [2]


def test_what_was_decided_from_memory_stands_whatever_begins_before_it_is_stored(still):
    with LockedFile(still.database):
        still.tell(an_alert(alert_id="before"), an_alert(alert_id="cascade", kind=AlertKind.CASCADE))
        still.tell(an_alert(alert_id="part"))
        assert [letter.alert.alert_id for letter in still.now(still.telegram)] == ["before", "cascade"]

    still.theatre.clock.advance(1)
    wait_for(lambda: len(still.rows()) == 9, "the alerts to be stored")
    states = {alert_id: state for alert_id, _, target, state, _ in still.rows() if target == telegram_target(ME)}
    assert states == {"before": "queued", "cascade": "queued", "part": "suppressed"}


def test_what_arrives_without_a_sound_does_so_from_memory_too(desk):
    desk.open()

    with LockedFile(desk.database):
        desk.tell(an_alert(severity=Severity.P3))
        (letter,) = desk.now(desk.telegram)

    assert letter.silent == (telegram_target(ME), telegram_target(GROUP))


def test_chat_that_cannot_be_served_now_is_told_so(desk):
    desk.open()

    with LockedFile(desk.database):
        answer = desk.ask(SetAlerts(chat_id=ME, on=False, by=ME))

    assert isinstance(answer, Refused)


def test_alerts_go_out_when_the_file_cannot_even_be_opened(desk, logged):
    desk.database.write_bytes(b"something else entirely, and long enough to be looked at" * 50)

    desk.open()
    desk.theatre.tell(paths.DISPATCHER, AlertRaised(alert=an_alert()))
    wait_for(lambda: desk.now(desk.telegram), "the alert")

    assert "not a database" in logged("outbox_failed")[0]["reason"]
    assert isinstance(desk.ask(AskAlerts(chat_id=ME)), Refused)


def test_without_telegram_only_the_terminal_is_a_target(desk):
    desk.open(notifiers=(paths.TERMINAL,)).tell(an_alert())

    assert list(desk.states()) == [("abcdefghijkl", "raised", TERMINAL)]


def test_wording_that_fails_costs_its_beauty_and_not_the_alert(desk, logged, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("actors.notifiers.texts.plain_text", broken)

    desk.open().tell(an_alert())

    assert "abcdefghijkl" in logged("alert_raised")[0]["text"]
    assert len(logged("wording_failed")) == 1
    assert len(desk.rows()) == 3


def a_selection(desk, **overrides):
    fields = {
        "valid_until_ms": desk.theatre.clock.now_ms() + 3_600_000,
        "outcomes": 500,
        "needed": 150,
        "goal": 0.85,
        "enabled": True,
        "holds_p1": False,
        "limit": 0.9,
        "steps": ((AlertKind.LIQUIDATION, ((1.0, 0.3), (20.0, 0.95))),),
    }
    return SelectionSet(selection=Selection(**(fields | overrides)))


def test_what_is_less_likely_consequential_waits_for_the_digest_of_chats(desk):
    desk.open()
    desk.theatre.tell(paths.DISPATCHER, a_selection(desk))
    desk.tell(an_alert(), an_alert(alert_id="strong", value=2_500_000.0))

    held = {target: reason for alert_id, _, target, _, reason in desk.rows() if alert_id == an_alert().alert_id}
    assert held == {
        TERMINAL: "",
        telegram_target(ME): "digest:A2 in 30 % of such alerts, pushed from 90 %",
        telegram_target(GROUP): "digest:A2 in 30 % of such alerts, pushed from 90 %",
    }
    assert desk.states()["strong", "raised", telegram_target(ME)] == "queued"


def test_chats_hear_once_that_a_family_goes_to_the_digest(desk):
    desk.open()
    demoted = a_selection(desk, demoted=(Demotion(kind=AlertKind.VOLUME_SPIKE, since_day=3),))
    desk.theatre.tell(paths.DISPATCHER, demoted)
    desk.theatre.tell(paths.DISPATCHER, demoted)
    desk.settle()

    assert [(target, state) for _, _, target, state, _ in desk.rows()] == [
        (telegram_target(ME), "queued"),
        (telegram_target(GROUP), "queued"),
    ]


def test_a_selection_that_fails_costs_no_alert(desk):
    desk.open()
    desk.theatre.tell(paths.DISPATCHER, a_selection(desk, steps=((AlertKind.LIQUIDATION, (("broken", None),)),)))
    desk.tell(an_alert())

    assert desk.states()[an_alert().alert_id, "raised", telegram_target(ME)] == "queued"


def test_a_family_on_trial_is_recorded_and_never_sent(desk):
    desk.open(trials=(AlertKind.LIQUIDATION,)).tell(an_alert())

    assert {reason for *_, reason in desk.rows()} == {"shadow"}


def test_a_promoted_family_is_sent_also_by_the_next_process(desk):
    desk.open(trials=(AlertKind.LIQUIDATION,))
    state = desk.ask(Promote(kind=AlertKind.LIQUIDATION, on=True, by=ME))
    assert state == TrialsState(on_trial=(), promoted=(AlertKind.LIQUIDATION,))

    desk.theatre.restart(paths.DISPATCHER)
    desk.tell(an_alert())
    assert {state for _, _, _, state, _ in desk.rows()} == {"queued"}


def test_a_family_goes_back_on_trial(desk):
    desk.open(trials=(AlertKind.LIQUIDATION,))
    desk.ask(Promote(kind=AlertKind.LIQUIDATION, on=True, by=ME))
    desk.ask(Promote(kind=AlertKind.LIQUIDATION, on=False, by=ME))

    assert desk.ask(AskTrials()).on_trial == (AlertKind.LIQUIDATION,)
