"""Greetings and digests, under a clock that is moved by hand."""

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.clock import ManualClock
from actors.herald import LOOK_S, Herald
from actors.mailbox import MailboxSpec
from actors.outbox import Outbox
from actors.outbox_rows import Planned, telegram_target
from intelligence.alerts import Stage
from intelligence.gates import Preferences
from tests.intelligence.builders import an_alert
from tests.telegram_stand.stage import Stage as Theatre

ME, GROUP = 11, -22
HOUR_MS = 3_600_000


class Town:
    """A herald, the file it writes to, and a process that may be started anew."""

    def __init__(self, folder):
        self.database = folder / "foreshock.db"
        self.clock = ManualClock(market_ms=1_700_000_000_000 - 1_700_000_000_000 % 86_400_000)  # 00:00 UTC
        self.outbox = Outbox(self.database, 1)
        self.theatre = None

    def start(self, *, auto_start=True, database=None, **overrides):
        """A new process: its herald is the first of its path."""
        self.end()
        self.theatre = Theatre(self.clock)
        self.theatre.record(paths.TELEGRAM)
        self.theatre.system.place(paths.HERALD, MailboxSpec(retain_max=1))
        args = {
            "database": database or self.database,
            "busy_s": 0.1,
            "chats": (ME, GROUP),
            "auto_start": auto_start,
            "active": ("5 assets on 2 venues",),
            "back_online_gap_s": 600,
            "digest_at": None,
        }
        self.theatre.start(paths.HERALD, Herald, **(args | overrides))
        self.pass_s(0)
        return self

    def end(self, *, killed=False):
        """Let the process end."""
        if self.theatre is not None:
            if not killed:
                self.theatre.stop(paths.HERALD)
            self.theatre.close()
        self.theatre = None

    def pass_s(self, seconds):
        self.clock.advance(seconds)
        self.theatre.quiet(paths.HERALD)
        self.theatre.quiet(paths.TELEGRAM)

    def texts(self, chat_id=ME):
        return [row.alert.text for row in self.outbox.deliveries.waiting(telegram_target(chat_id))]

    def store(self, alert, held=""):
        planned = Planned(target=telegram_target(ME), stage=Stage.RAISED, suppressed=held)
        self.outbox.append(alert, [planned], self.clock.now_ms())

    def close(self):
        self.end()
        self.outbox.close()


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    yield town
    town.close()


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


def test_every_chat_is_told_once_what_is_active_and_how_to_stop_it(town):
    town.start().start()

    for chat_id in (ME, GROUP):
        (text,) = town.texts(chat_id)
        assert "5 assets on 2 venues" in text
        assert "/alerts stop" in text


def test_after_a_restart_a_chat_hears_once_that_the_daemon_is_back(town):
    town.start().pass_s(3_600)
    town.start()

    assert [text.partition("\n")[0] for text in town.texts()] == [
        "Foreshock watches, and alerts are on",
        "Back online, away for about 0 s",
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_it_says_for_how_long_and_since_when_it_was_away(town, killed):
    town.outbox.chats.set_preferences(ME, Preferences(zone="Europe/Berlin"))
    town.start()
    for _ in range(25):
        town.pass_s(LOOK_S)
    town.pass_s(20)
    town.end(killed=killed)
    town.clock.advance(720)
    town.start()

    back = town.texts()[-1].splitlines()
    assert back[0].startswith("Back online, away for about 12 min")
    assert back[1].startswith("Since 2023-11-14 01:1")


def test_a_topic_hears_it_where_the_group_has_no_alerts_itself(town):
    town.outbox.chats.set_alerts(GROUP, on=False, by=ME, now_ms=1)
    town.outbox.chats.set_alerts(GROUP, topic=7, on=True, by=ME, now_ms=1)
    town.start()

    assert town.texts(GROUP) == []
    assert [row.alert.text.partition("\n")[0] for row in town.outbox.deliveries.waiting(telegram_target(GROUP, 7))] == [
        "Foreshock watches, and alerts are on"
    ]


def test_a_process_that_keeps_failing_does_not_fill_a_chat(town):
    for _ in range(5):
        town.start().pass_s(30)

    assert len(town.texts()) == 1


def test_a_herald_that_crashes_greets_nobody_again(town):
    town.start().pass_s(3_600)
    town.theatre.crash(paths.HERALD)
    town.pass_s(1)

    assert len(town.texts()) == 1


def test_whoever_stopped_the_alerts_is_left_alone(town):
    town.outbox.chats.set_alerts(ME, on=False, by=ME, now_ms=1)

    town.start()

    assert town.texts() == []
    assert len(town.texts(GROUP)) == 1


def test_without_auto_start_only_those_who_started_alerts_hear_that_it_is_back(town):
    town.start().pass_s(3_600)
    town.outbox.chats.set_alerts(ME, on=True, by=ME, now_ms=1)
    town.start(auto_start=False)

    assert len(town.texts()) == 2
    assert len(town.texts(GROUP)) == 1


def test_a_chat_that_refuses_us_is_logged_and_skipped(town, logged):
    town.outbox.chats.set_dead(ME, "blocked")

    town.start()

    assert [(line["chat_id"], line["reason"]) for line in logged("chat_not_told")] == [(ME, "blocked")]
    assert len(town.texts(GROUP)) == 1


def test_a_file_that_cannot_be_written_is_said_and_tried_again(town, tmp_path, logged):
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(b"no database at all, and long enough to be looked at" * 50)
    town.start(database=wrong)
    assert len(logged("auto_start_failed")) == 1

    wrong.unlink()
    town.pass_s(5)

    assert logged("auto_started")[0]["greeted"] == 2


def test_a_digest_comes_once_a_day_at_its_hour_in_the_zone_of_the_chat(town):
    town.start()
    town.outbox.chats.set_preferences(ME, Preferences(digest_minute=8 * 60, zone="Europe/Berlin"))
    town.store(an_alert(exchange_ms=town.clock.now_ms()), held="quiet_hours")

    for _ in range(25):
        for _ in range(int(3_600 / LOOK_S)):
            town.clock.advance(LOOK_S)
        town.pass_s(0)

    digests = [
        row for row in town.outbox.deliveries.waiting(telegram_target(ME)) if row.alert.text.startswith("Digest")
    ]
    assert [row.created_ms % (24 * HOUR_MS) // HOUR_MS for row in digests] == [7]
    assert digests[0].silent
    assert "1 alert, 1 held back\nHeld back: 1 quiet hours" in digests[0].alert.text


def test_a_digest_that_was_missed_while_nothing_ran_is_sent_late_and_not_twice(town):
    town.outbox.chats.set_preferences(ME, Preferences(digest_minute=60))
    town.start().end()
    town.clock.advance(2 * 3_600)
    town.start().pass_s(LOOK_S)
    town.start().pass_s(LOOK_S)

    assert sum(text.startswith("Digest") for text in town.texts()) == 1


def test_an_hour_that_is_chosen_when_it_has_just_passed_begins_tomorrow(town):
    town.clock.advance(2 * 3_600)
    town.start().pass_s(LOOK_S)
    town.outbox.chats.set_preferences(ME, Preferences(digest_minute=60))
    town.pass_s(LOOK_S)

    assert not any(text.startswith("Digest") for text in town.texts())


def test_who_has_not_chosen_gets_the_digest_at_the_usual_hour_unless_it_is_off(town):
    town.outbox.chats.set_preferences(GROUP, Preferences(digest_off=True))
    town.outbox.chats.set_alerts(ME, topic=7, on=True, by=ME, now_ms=1)
    town.start(digest_at=60).pass_s(3_600)

    assert [text.partition(":")[0] for text in town.texts()][1:] == ["Digest of 24 h"]
    assert not any(text.startswith("Digest") for text in town.texts(GROUP))
    assert len(town.outbox.deliveries.waiting(telegram_target(ME, 7))) == 1


def test_the_first_start_of_all_brings_no_digest_of_a_day_before_it(town):
    town.clock.advance(2 * 3_600)
    town.start(digest_at=60).pass_s(LOOK_S)

    assert not any(text.startswith("Digest") for text in town.texts())
