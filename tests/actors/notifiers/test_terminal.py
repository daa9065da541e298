import sqlite3

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.messages.alerts import DeliveriesQueued, DeliverNow
from actors.messages.outcomes import ScoresTold
from actors.notifiers.terminal import TerminalNotifier, block
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Planned
from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import scores
from tests.intelligence.builders import T0, an_alert
from tests.intelligence.outcomes.test_scores import NOW_MS, spread
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for


class Terminal:
    """A notifier with a terminal that can be made to stand still."""

    def __init__(self, theatre, database):
        self.theatre = theatre
        self.outbox = Outbox(database, 1)
        self.blocks = []
        self.room = True
        self.args = {"database": database, "busy_s": 1, "reread_s": 0.02, "console": True, "write": self.write}

    def write(self, text):
        if self.room:
            self.blocks.append(text)
        return self.room

    def open(self, **overrides):
        self.theatre.start(paths.TERMINAL, TerminalNotifier, **(self.args | overrides))
        return self

    def queue(self, *alerts):
        for alert in alerts:
            self.outbox.append(alert, [Planned(target=TERMINAL, stage=alert.stage)], self.theatre.clock.now_ms())
        return self

    def tell(self, message=None):
        self.theatre.tell(paths.TERMINAL, message or DeliveriesQueued())

    def done(self):
        wait_for(lambda: not self.outbox.deliveries.waiting(TERMINAL), "every row to be settled")


@pytest.fixture
def theatre():
    theatre = Theatre()
    yield theatre
    theatre.close()


@pytest.fixture
def terminal(theatre, tmp_path):
    terminal = Terminal(theatre, tmp_path / "foreshock.db")
    yield terminal
    terminal.outbox.close()


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda event: [entry for entry in entries if entry["event"] == event]


def test_each_alert_is_one_block_and_marked_delivered(terminal, logged):
    terminal.open(reread_s=60).queue(an_alert()).tell()
    terminal.done()

    (shown,) = terminal.blocks
    assert "ALERT P2 abcdefghijkl" in shown.splitlines()[0]
    assert "BTC long liquidated" in shown.splitlines()[1]
    line = wait_for(lambda: logged("alert_delivered"))[0]
    assert (line["alert_id"], line["target"]) == ("abcdefghijkl", TERMINAL)
    assert line["event_latency_ms"] - line["latency_ms"] == 300


def test_end_of_an_incident_stands_under_the_id_of_its_start(terminal):
    alert = an_alert(kind=AlertKind.CASCADE, started_ms=T0, latest_ms=T0)
    terminal.open().queue(alert, an_alert(kind=AlertKind.CASCADE, stage=Stage.ENDED)).tell()
    terminal.done()

    heads = [text.splitlines()[0].strip("- ") for text in terminal.blocks]
    assert heads == ["ALERT P2 abcdefghijkl", "ENDED P2 abcdefghijkl"]


def test_block_without_colours_is_plain_text():
    shown = block(an_alert(severity=Severity.P1), Stage.RAISED, "first\nsecond", colors=False)

    assert shown.isascii()
    assert "\x1b" not in shown
    assert shown.splitlines()[1:] == ["first", "   second"]


def test_block_with_colours_says_the_same():
    shown = block(an_alert(severity=Severity.P1), Stage.RAISED, "first [bold]x[/]\nsecond", colors=True)

    assert "\x1b[1;31m" in shown
    assert "first [bold]x[/]" in shown


def test_when_logs_are_json_nothing_is_written_and_the_row_is_delivered(terminal, capsys):
    terminal.open(console=False, write=None).queue(an_alert()).tell()
    terminal.done()

    assert terminal.blocks == []
    assert "BTC long liquidated" not in capsys.readouterr().out


def test_without_a_given_writer_blocks_go_to_stdout(terminal, capsys):
    terminal.open(write=None).queue(an_alert()).tell()
    terminal.done()

    assert "BTC long liquidated" in capsys.readouterr().out


def test_terminal_that_stands_still_is_tried_again(terminal):
    terminal.room = False
    terminal.open().queue(an_alert()).tell()
    wait_for(lambda: terminal.outbox.deliveries.waiting(TERMINAL)[0].attempts == 0)

    terminal.room = True
    terminal.done()

    assert len(terminal.blocks) == 1


def test_what_was_in_flight_at_a_crash_is_shown_once_more(terminal, logged):
    terminal.queue(an_alert())
    row = terminal.outbox.deliveries.waiting(TERMINAL)[0]
    terminal.outbox.deliveries.claim(row.id, epoch=1)

    terminal.open()
    terminal.done()

    assert len(terminal.blocks) == 1
    assert logged("alert_failed") == []


def test_crash_loses_nothing_and_repeats_nothing_that_was_marked(terminal):
    terminal.open()
    for number in range(3):
        terminal.queue(an_alert(alert_id=f"alert-{number}")).tell()
        terminal.theatre.crash(paths.TERMINAL)
    terminal.done()

    assert [text.splitlines()[0].split()[3] for text in terminal.blocks] == ["alert-0", "alert-1", "alert-2"]


def test_alert_from_memory_is_shown_at_once_and_not_again_when_it_is_stored(terminal):
    terminal.open(reread_s=60)
    terminal.tell(DeliverNow(alert=an_alert(), targets=(TERMINAL,)))
    wait_for(lambda: terminal.blocks)

    terminal.queue(an_alert()).tell()
    terminal.done()

    assert len(terminal.blocks) == 1


def test_backlog_comes_in_order(terminal):
    terminal.queue(*(an_alert(alert_id=f"alert-{number:03}") for number in range(120)))

    terminal.open()
    terminal.done()

    assert [text.splitlines()[0].split()[3] for text in terminal.blocks] == [f"alert-{n:03}" for n in range(120)]


def test_file_that_fails_later_is_opened_again(terminal, tmp_path):
    broken = tmp_path / "other.db"
    broken.write_bytes(b"no database at all, and long enough to be read as one" * 50)
    terminal.open(database=broken)
    terminal.tell(DeliverNow(alert=an_alert(), targets=(TERMINAL,)))
    wait_for(lambda: terminal.blocks)

    broken.unlink()
    sqlite3.connect(broken).close()
    outbox = wait_for(lambda: Outbox(broken, 1))
    outbox.append(an_alert(alert_id="later"), [Planned(target=TERMINAL, stage=Stage.RAISED)], 0)
    wait_for(lambda: not outbox.deliveries.waiting(TERMINAL))
    outbox.close()

    assert len(terminal.blocks) == 2


def test_how_such_alerts_have_done_is_in_the_footer(terminal):
    told = scores(spread(60, 24), NOW_MS, OutcomeRules())
    terminal.open().tell(ScoresTold(scores=told))
    terminal.queue(an_alert(kind=AlertKind.CASCADE, started_ms=T0, latest_ms=T0)).tell()
    terminal.done()

    assert "A2 of such alerts, 30 d: 71 % [61-80], base 20 %, n=84" in terminal.blocks[0]
