import sqlite3
import threading

import pytest

from actors.outbox import MIGRATIONS, Outbox, OutboxError
from actors.outbox_rows import TERMINAL, Planned, Start, telegram_target
from intelligence.alerts import Severity, Stage
from tests.intelligence.builders import T0, an_alert

CHAT = telegram_target(11)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "foreshock.db"


@pytest.fixture
def outbox(file):
    outbox = Outbox(file, busy_s=1)
    yield outbox
    outbox.close()


def append(outbox, alert=None, *targets, stage=Stage.RAISED, now_ms=T0, suppressed=""):
    planned = [Planned(target=target, stage=stage, suppressed=suppressed) for target in targets or (TERMINAL,)]
    outbox.append(alert or an_alert(), planned, now_ms)


def states(file):
    with sqlite3.connect(file) as db:
        rows = db.execute("SELECT alert_id, stage, target, state, reason FROM deliveries ORDER BY id").fetchall()
    db.close()
    return rows


def test_new_file_has_our_schema_version_and_write_ahead_log(outbox, file):
    db = sqlite3.connect(file)

    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    db.close()


def test_file_of_a_newer_version_is_refused_and_left_alone(file):
    file.parent.mkdir()
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(OutboxError, match=r"schema version up to \d+ expected, was 99; a newer Foreshock"):
        Outbox(file, busy_s=1)

    db = sqlite3.connect(file)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    db.close()


def test_a_step_takes_an_older_file_to_the_newer_schema_and_keeps_its_rows(outbox, file, monkeypatch):
    append(outbox)
    monkeypatch.setattr("actors.outbox.MIGRATIONS", (*MIGRATIONS, "ALTER TABLE chats ADD COLUMN zone TEXT"))

    newer = Outbox(file, busy_s=1)

    assert [row.alert for row in newer.deliveries.waiting(TERMINAL)] == [an_alert()]
    newer.close()
    monkeypatch.setattr("actors.outbox.MIGRATIONS", MIGRATIONS)
    with pytest.raises(OutboxError, match="newer Foreshock"):
        Outbox(file, busy_s=1)


def test_many_actors_may_open_a_new_file_at_once(file):
    problems = []

    def open_it():
        try:
            Outbox(file, busy_s=5).close()
        except OutboxError as error:
            problems.append(str(error))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


def test_file_that_is_no_database_is_named(file):
    file.parent.mkdir()
    file.write_bytes(b"not a database, not a database, not a database" * 100)

    with pytest.raises(OutboxError, match=r"foreshock\.db: file is not a database"):
        Outbox(file, busy_s=1)


def test_record_comes_back_as_it_was(outbox):
    alert = an_alert(factors=(("single_usd", 100_000.0), ("why", "given")), estimated=(("x", 1.5),))

    append(outbox, alert)

    assert outbox.deliveries.waiting(TERMINAL)[0].alert == alert


def test_appending_the_same_alert_twice_is_one_alert(outbox, file):
    append(outbox, None, TERMINAL, CHAT)
    append(outbox, None, TERMINAL, CHAT, now_ms=T0 + 5)

    assert len(states(file)) == 2
    assert outbox.deliveries.waiting(TERMINAL)[0].created_ms == T0


def test_each_notifier_sees_its_own_rows_in_order(outbox):
    append(outbox, an_alert(alert_id="one"), TERMINAL, CHAT)
    append(outbox, an_alert(alert_id="two"), telegram_target(-22), CHAT)

    rows = outbox.deliveries.waiting("telegram:")

    assert [(row.alert.alert_id, row.target) for row in rows] == [
        ("one", CHAT),
        ("two", "telegram:-22"),
        ("two", CHAT),
    ]
    assert outbox.deliveries.waiting("telegram:", after_id=rows[0].id) == rows[1:]


def test_row_is_claimed_once_and_settled_by_its_claimant_only(outbox):
    append(outbox)
    row = outbox.deliveries.waiting(TERMINAL)[0]

    assert outbox.deliveries.claim(row.id, epoch=1)
    assert not outbox.deliveries.claim(row.id, epoch=2)
    assert not outbox.deliveries.delivered(row.id, epoch=2, now_ms=T0)
    assert outbox.deliveries.delivered(row.id, epoch=1, now_ms=T0)
    assert outbox.deliveries.waiting(TERMINAL) == []


def test_requeued_row_counts_its_attempt_unless_told_otherwise(outbox):
    append(outbox)
    row = outbox.deliveries.waiting(TERMINAL)[0]

    for counted in (True, False, True):
        outbox.deliveries.claim(row.id, epoch=1)
        outbox.deliveries.requeue(row.id, 1, reason="refused", not_before_ms=T0 + 9, counted=counted)

    again = outbox.deliveries.waiting(TERMINAL)[0]
    assert (again.attempts, again.not_before_ms) == (2, T0 + 9)


def test_row_in_flight_at_a_crash_is_taken_over_once(outbox, file):
    append(outbox)
    row = outbox.deliveries.waiting(TERMINAL)[0]
    outbox.deliveries.claim(row.id, epoch=1)

    again, given_up = outbox.deliveries.reclaim(TERMINAL)
    assert [r.id for r in again] == [row.id]
    assert given_up == []

    assert outbox.deliveries.claim(row.id, epoch=2)
    again, given_up = outbox.deliveries.reclaim(TERMINAL)
    assert again == []
    assert [r.id for r in given_up] == [row.id]
    assert states(file)[0][3:] == ("failed", "unknown")


def test_end_knows_whom_the_start_reached_and_the_message_that_told_it(outbox):
    append(outbox, None, CHAT)
    append(outbox, None, telegram_target(12), suppressed="alerts_off")
    row = outbox.deliveries.waiting("telegram:")[0]
    outbox.deliveries.claim(row.id, epoch=1)
    outbox.deliveries.delivered(row.id, epoch=1, now_ms=T0, message_id=77)
    ended = an_alert(stage=Stage.ENDED, value=9e6)

    append(outbox, ended, CHAT, stage=Stage.ENDED)

    assert outbox.told(ended.alert_id) == (CHAT,)
    assert outbox.deliveries.waiting("telegram:")[0].alert == ended
    assert outbox.deliveries.start_of(ended.alert_id, CHAT) == Start(may_have_arrived=True, message_id=77)
    assert outbox.deliveries.start_of(ended.alert_id, telegram_target(12)) == Start(
        may_have_arrived=False, message_id=None
    )


def test_gravest_severity_is_kept_and_an_end_is_final(outbox):
    append(outbox, an_alert(severity=Severity.P2))
    append(outbox, an_alert(severity=Severity.P1, stage=Stage.UPDATED), stage=Stage.UPDATED)
    append(outbox, an_alert(severity=Severity.P3, stage=Stage.ENDED), stage=Stage.ENDED)
    append(outbox, an_alert(severity=Severity.P3, stage=Stage.UPDATED), stage=Stage.UPDATED)

    known = outbox.known("abcdefghijkl")

    assert (known.stage, known.severity) == (Stage.ENDED, Severity.P1)


def test_withdrawn_rows_are_not_open_any_more(outbox, file):
    append(outbox, an_alert(alert_id="one"), CHAT, TERMINAL)

    assert outbox.deliveries.withdraw(CHAT, "suppressed", "alerts_off") == [("one", "raised", CHAT)]

    assert [row[2:] for row in states(file)] == [(CHAT, "suppressed", "alerts_off"), (TERMINAL, "queued", "")]


def test_settled_rows_are_pruned_and_open_ones_stay(outbox):
    append(outbox, an_alert(alert_id="old-done", detected_ms=T0), now_ms=T0)
    row = outbox.deliveries.waiting(TERMINAL)[0]
    outbox.deliveries.claim(row.id, 1)
    outbox.deliveries.delivered(row.id, 1, now_ms=T0)
    append(outbox, an_alert(alert_id="old-open", detected_ms=T0), now_ms=T0)
    append(outbox, an_alert(alert_id="new", detected_ms=T0 + 100), now_ms=T0 + 100)

    assert outbox.prune(T0 + 50) == 1

    assert [outbox.known(alert_id) is not None for alert_id in ("old-done", "old-open", "new")] == [False, True, True]


def test_chat_keeps_its_choice_when_it_dies_and_comes_back(outbox):
    outbox.chats.set_alerts(11, on=False, by=5, now_ms=T0)
    outbox.chats.set_dead(11, "blocked")
    assert outbox.chats.all()[11].dead_reason == "blocked"

    assert outbox.chats.revive(11)
    assert not outbox.chats.revive(11)

    chat = outbox.chats.all()[11]
    assert (chat.alerts_on, chat.changed_ms, chat.dead_reason) == (False, T0, "")


def test_counts_and_backlog(outbox):
    append(outbox, an_alert(alert_id="one"), CHAT)
    append(outbox, an_alert(alert_id="two"), CHAT, now_ms=T0 + 1_000)
    row = outbox.deliveries.waiting(CHAT)[0]
    outbox.deliveries.claim(row.id, 1)
    outbox.deliveries.delivered(row.id, 1, now_ms=T0 + 2_000)

    assert outbox.deliveries.counts(CHAT, since_ms=T0) == (1, 1)
    assert outbox.deliveries.counts(CHAT, since_ms=T0 + 3_000) == (0, 1)
    assert (outbox.deliveries.backlog(T0 + 4_000).waiting, outbox.deliveries.backlog(T0 + 4_000).oldest_s) == (1, 3.0)


def test_writer_gives_up_after_the_busy_limit_and_nothing_is_half_stored(outbox, file):
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    impatient = Outbox(file, busy_s=0.01)

    with pytest.raises(OutboxError, match="database is locked"):
        append(impatient)

    blocker.execute("ROLLBACK")
    blocker.close()
    append(impatient)
    assert len(states(file)) == 1
    impatient.close()


def test_record_of_an_unknown_shape_is_given_up_and_the_others_go_on(outbox, file):
    append(outbox, an_alert(alert_id="strange"))
    append(outbox, an_alert(alert_id="plain"))
    db = sqlite3.connect(file)
    with db:
        db.execute("""UPDATE alerts SET record = '{"alert_id": 1}' WHERE alert_id = 'strange'""")
    db.close()

    assert [row.alert.alert_id for row in outbox.deliveries.waiting(TERMINAL)] == ["plain"]
    assert states(file)[0][3:] == ("failed", "unreadable")
