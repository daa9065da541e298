"""One symbol stream over the lives of several processes: a real store, a real file, alerts to a recorder."""

import threading

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.checkpoints import Checkpoints
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.history import HistoryMissing, HistorySeen, HistoryTold, HistoryWanted, MissingHistoryWanted
from actors.messages.market import LiquidationsSeen, MarksSeen
from actors.messages.supervision import ChildExited, ChildReady, Drill
from actors.stream_memory import DETECTION, DETECTION_SCHEMA, Keeping, KeptDetection, KeptLetter
from actors.supervised import Birth
from actors.symbol_stream import SymbolStream
from actors.worker import Worker
from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.asset import DetectionRules
from intelligence.market import Liquidation
from tests.intelligence.builders import T0, VENUES, a_burst, a_liquidation, a_mark
from tests.intelligence.test_history import bars
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

PATH = paths.symbol_path("SOL")
READER = "/core/reader"
MINUTE = 60_000


class Process:
    """One life: the store, the stream of SOL on a worker, a recorder of its alerts, and one of what it tells of the past."""

    def __init__(self, data_dir, market_ms):
        self.stage = Theatre(ManualClock(market_ms=market_ms))
        self.clock = self.stage.clock
        self.told = self.stage.record(paths.DISPATCHER)
        self.history = self.stage.record(READER)
        self.stage.system.place(paths.CHECKPOINTS, MailboxSpec(max_age_s=3600.0))
        store = {"file": data_dir / "state.db", "busy_s": 1.0, "trial_s": 60.0, "fresh": False}
        self.stage.start(paths.CHECKPOINTS, Checkpoints, **store)
        self.worker = Worker("symbols")
        self.worker.start()
        self.place = self.stage.system.place(PATH, MailboxSpec(retain_max=1_000))
        self.begin()

    def begin(self):
        self.place.epoch += 1
        args = {"child_id": "sol", "rules": DetectionRules(), "keeping": Keeping()}
        SymbolStream.start(Birth(self.stage.system, PATH, self.place.epoch, args, self.stage._notices.put, self.worker))
        assert isinstance(notice := self.stage._next(PATH), ChildReady), notice
        self.settle()

    def crash(self):
        self.stage.tell(PATH, Drill())
        while not isinstance(self.stage._next(PATH), ChildExited):
            pass
        self.begin()

    def feed(self, *records):
        for record in records:
            self.clock.advance(max(0.0, record.received_ms / 1000 - self.clock.market_s()))
            if isinstance(record, Liquidation):
                seen = LiquidationsSeen(
                    asset="SOL", events=(record,), able=VENUES, configured=VENUES, after_reconnect=False
                )
                self.stage.system.address(PATH).tell(seen, redeliver=True, retain=True)
            else:
                self.stage.system.address(PATH).tell(MarksSeen(mark=record))
            self.settle()
        return self

    def tell(self, message):
        self.stage.tell(PATH, message)
        return self.settle()

    def settle(self):
        for _ in range(2):
            self.clock.advance(0.0)
            wait_for(lambda: self.place.mailbox.idle, "an empty mailbox")
            turned = threading.Event()
            self.worker.run(turned.set)
            assert turned.wait(10)
            self.stage.quiet(paths.CHECKPOINTS)
        return self

    def pass_s(self, seconds, step_s=5.0):
        for _ in range(int(seconds / step_s)):
            self.clock.advance(step_s)
            self.settle()
        return self

    def alerts(self, kind, stage):
        self.stage.quiet(paths.DISPATCHER)
        return [one.alert for one in self.told if one.alert.kind is kind and one.alert.stage is stage]

    def past(self):
        self.tell(HistoryWanted(path=READER))
        self.stage.quiet(READER)
        return [one for one in self.history if isinstance(one, HistoryTold)][-1].history

    def missing(self):
        self.tell(MissingHistoryWanted(path=READER))
        self.stage.quiet(READER)
        return [one for one in self.history if isinstance(one, HistoryMissing)][-1].missing

    def end(self):
        self.stage.close()
        assert self.worker.stop(5)


@pytest.fixture
def start(tmp_path):
    begun = []

    def start(market_ms=T0):
        begun.append(Process(tmp_path, market_ms))
        return begun[-1]

    with capture_logs():
        yield start
    for process in begun:
        process.end()


def test_a_cascade_that_was_open_at_a_kill_is_ended_by_the_next_process(start):
    first = start().feed(*a_burst(orders=8, usd=40_000.0))
    (opened,) = first.alerts(AlertKind.CASCADE, Stage.RAISED)

    second = start(first.clock.now_ms() + 30_000).pass_s(90)

    (ended,) = second.alerts(AlertKind.CASCADE, Stage.ENDED)
    assert ended.alert_id == opened.alert_id
    assert not second.alerts(AlertKind.CASCADE, Stage.RAISED)


def test_a_cascade_that_goes_on_after_a_restart_is_the_same_one(start):
    burst = a_burst(orders=16, usd=40_000.0)
    first = start().feed(*burst[:10])
    (opened,) = first.alerts(AlertKind.CASCADE, Stage.RAISED)

    second = start(burst[10].received_ms - 1).feed(*burst[10:])

    told = {alert.alert_id for alert in second.alerts(AlertKind.CASCADE, Stage.RAISED)}
    assert told <= {opened.alert_id}
    second.pass_s(90)
    assert [one.alert_id for one in second.alerts(AlertKind.CASCADE, Stage.ENDED)] == [opened.alert_id]


def test_a_checkpoint_that_kills_two_incarnations_is_not_used_by_the_third(start):
    process = start()
    seen = LiquidationsSeen(
        asset="SOL", events=(a_liquidation(usd=300_000.0),), able=VENUES, configured=VENUES, after_reconnect=False
    )
    kept = KeptDetection(complete_from_ms=0, volatility=None, letters=(KeptLetter(liquidations=seen),))
    state = msgspec.msgpack.encode(kept)
    process.tell(CheckpointRestored(part=DETECTION, schema=DETECTION_SCHEMA, at_ms=T0, state=state))
    assert any(isinstance(one, LiquidationsSeen) for one in process.place.mailbox.retained)

    process.crash()
    process.crash()

    assert not any(isinstance(one, LiquidationsSeen) for one in process.place.mailbox.retained)


def test_the_past_is_there_in_the_next_process_and_only_what_is_new_is_missing(start):
    first = start(T0)
    opens = [T0 // MINUTE * MINUTE - back * MINUTE for back in range(1440, 0, -1)]
    span = bars(*opens, received_ms=T0)
    first.tell(HistorySeen(asset="SOL", span=span))
    first.pass_s(600, step_s=30.0)

    second = start(T0 + 15 * MINUTE)

    assert [bar.open_ms for bar in second.past().bars["1m"]] == opens
    assert second.missing().bars["1m"] == opens[-1] + MINUTE


def test_a_successor_in_the_same_process_gets_the_past_again(start):
    process = start(T0)
    opens = [T0 // MINUTE * MINUTE - back * MINUTE for back in range(10, 0, -1)]
    process.tell(HistorySeen(asset="SOL", span=bars(*opens, received_ms=T0)))
    process.pass_s(630, step_s=30.0)

    process.crash()

    assert [bar.open_ms for bar in process.past().bars["1m"]] == opens


@pytest.mark.parametrize(("told", "raised"), [(False, 0), (True, 1)], ids=["unknown", "calm"])
def test_bars_say_how_unusual_a_move_is_before_the_first_half_hour_is_over(start, told, raised):
    process = start(T0)
    if told:
        opens = [T0 // MINUTE * MINUTE - back * MINUTE for back in range(120, 0, -1)]
        process.tell(HistorySeen(asset="SOL", span=bars(*opens, received_ms=T0)))

    marks = [a_mark(0, 140.0), a_mark(30_000, 140.0), a_mark(61_000, 139.93)]  # 0.05 % down
    process.feed(*marks, *a_burst(61_500, orders=8, usd=40_000.0))

    assert len(process.alerts(AlertKind.CASCADE, Stage.RAISED)) == raised


def test_an_answer_that_makes_no_sense_costs_the_past_and_nothing_else(start):
    process = start(T0)
    process.tell(HistorySeen(asset="SOL", span=None))

    process.feed(a_liquidation(usd=300_000.0))

    assert len(process.alerts(AlertKind.LIQUIDATION, Stage.RAISED)) == 1
    assert process.place.epoch == 1
    assert "history failed" in process.place.vitals.note
