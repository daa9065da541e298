"""The real store over a real file, and an owner that keeps and asks."""

import sqlite3
from contextlib import closing

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import checkpoints, paths
from actors.checkpoints import Checkpoints
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.checkpoints import CheckpointRestored
from actors.supervised import Supervised
from tests.telegram_stand.stage import Stage

T0 = 1_790_000_000_000
OWNER = "/core/owner"


class Chosen(msgspec.Struct, frozen=True):
    assets: tuple[str, ...]


class Owner(Supervised):
    """Keeps what it is told, asks when it is told to, and writes down what it got."""

    def init(self, *, answers, schema=1):
        self.answers, self.schema = answers, schema

    def handle(self, message):
        match message:
            case Chosen():
                checkpoints.keep(self, "chosen", message, schema=self.schema, horizon_s=3600.0)
            case "ask":
                assert checkpoints.ask_for(self, "chosen")
            case CheckpointRestored():
                self.answers.append(checkpoints.read(self, message, Chosen, schema=self.schema))


class Process:
    """One life of a process: a store and an owner. `market_ms`: when it begins."""

    def __init__(self, data_dir, *, market_ms=T0, schema=1, fresh=False):
        self.stage = Stage(ManualClock(market_ms=market_ms))
        self.clock = self.stage.clock
        self.answers = []
        self.stage.system.place(paths.CHECKPOINTS, MailboxSpec(max_age_s=3600.0))
        store = {"file": data_dir / "state.db", "busy_s": 1.0, "trial_s": 60.0, "fresh": fresh}
        self.stage.start(paths.CHECKPOINTS, Checkpoints, **store)
        self.stage.start(OWNER, Owner, answers=self.answers, schema=schema)

    def keep(self, *assets):
        self.stage.tell(OWNER, Chosen(assets))
        self.settle()
        return self

    def ask(self):
        """What the store answers to the owner."""
        self.stage.tell(OWNER, "ask")
        self.settle()
        return self.answers[-1]

    def settle(self):
        for path in (OWNER, paths.CHECKPOINTS, OWNER):
            self.stage.quiet(path)

    def end(self):
        self.stage.stop(paths.CHECKPOINTS, drain=True)
        self.stage.close()

    def die(self):
        """End as a process that failed: nobody says goodbye to the store."""
        self.stage.tell(paths.CHECKPOINTS, object())
        self.stage.exit_of(paths.CHECKPOINTS)
        self.stage.close()


@pytest.fixture
def start(tmp_path):
    begun = []

    def start(**values):
        begun.append(Process(tmp_path, **values))
        return begun[-1]

    with capture_logs() as logs:
        start.logs = logs
        yield start
    for process in begun:
        process.stage.close()


def refusals(start):
    return [one["reason"] for one in start.logs if one["event"] == "checkpoint_refused"]


def test_the_next_process_gets_what_was_kept_last(start):
    start().keep("BTC").keep("BTC", "ETH").end()

    assert start(market_ms=T0 + 60_000).ask() == Chosen(("BTC", "ETH"))


def test_who_never_kept_anything_is_answered_too(start):
    assert start().ask() is None
    assert refusals(start) == []


def test_a_checkpoint_past_its_horizon_is_worth_nothing(start):
    start().keep("BTC").end()

    assert start(market_ms=T0 + 3_601_000).ask() is None


def test_a_checkpoint_of_the_future_is_of_another_market(start):
    start().keep("BTC").end()

    assert start(market_ms=T0 - 3_600_000).ask() is None


def test_a_simulated_market_begins_anew(start):
    start(fresh=True).keep("BTC").end()

    assert start(fresh=True).ask() is None


def test_a_checkpoint_of_another_schema_is_refused(start):
    start(schema=2).keep("BTC").end()

    assert start(schema=1).ask() is None
    assert refusals(start) == ["schema 1 expected, was 2"]


def test_a_damaged_checkpoint_is_refused_once_and_set_aside(start, tmp_path):
    start().keep("BTC").end()
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as db:
        db.execute("UPDATE checkpoints SET state = x'00'")

    process = start()

    assert (process.ask(), process.ask()) == (None, None)
    assert refusals(start) == [f"{OWNER} chosen: the checksum is wrong"]


def test_who_fails_twice_soon_after_loading_starts_cold_the_third_time(start):
    start().keep("BTC").end()
    process = start()

    assert [process.ask() is not None for _ in range(3)] == [True, True, False]
    assert refusals(start) == ["loaded 2 times, and failed soon after"]


def test_who_lived_for_a_minute_may_load_again(start):
    start().keep("BTC").end()
    process = start()
    for _ in range(4):
        assert process.ask() is not None
        process.clock.advance(61.0)


def test_after_two_processes_that_failed_at_once_the_third_starts_cold(start):
    start().keep("BTC").end()
    for _ in range(2):
        process = start()
        assert process.ask() is not None
        process.die()

    assert start().ask() is None


def test_a_process_that_lived_for_a_minute_clears_the_suspicion(start):
    start().keep("BTC").end()
    for _ in range(3):
        process = start()
        assert process.ask() is not None
        process.clock.advance(61.0)
        process.settle()
        process.die()


def test_a_file_that_cannot_be_written_costs_the_checkpoint_and_nothing_else(start, tmp_path):
    process = start()
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as db:
        db.execute("DROP TABLE checkpoints")
    process.keep("BTC")

    assert process.ask() is None
    health, _ = process.stage.system.place(paths.CHECKPOINTS).vitals.own_verdict
    assert health == "degraded"


def test_a_store_that_is_restarted_goes_on_with_its_file(start):
    process = start().keep("BTC")

    process.stage.crash(paths.CHECKPOINTS)

    assert process.ask() == Chosen(("BTC",))
