"""A real self-test over real HTTP, before a venue that does what the test says."""

import json

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.checkpoints import Checkpoints
from actors.clock import ManualClock
from actors.exchanges.exchange import Instrument
from actors.exchanges.gate_frames import SIGN
from actors.exchanges.trial import TrialTimes
from actors.mailbox import MailboxSpec
from actors.messages.feeds import ConflictsSettled, InstrumentsListed, LiquidationsTold, WatchConflicts
from actors.rest import RestLimits
from actors.self_test import SelfTestRules, VenueSelfTest
from tests.actors.exchanges.test_trial import DAY_MS, T0, rows
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage, wait_for

PATH = f"{paths.SELF_TESTS}/gate"
WATCHER = f"{paths.FEEDS}/gate-public"
ORDERS = "/api/v4/futures/usdt/liq_orders"
STATISTICS = "/api/v4/futures/usdt/contract_stats"
RULES = SelfTestRules(
    look_s=60.0,
    units_s=3600.0,
    times=TrialTimes(evidence_ms=3_600_000, verify_ms=DAY_MS, lapse_ms=7 * DAY_MS),
)


def listed(side, count=5, at_ms=T0):
    """The same liquidations as `rows`, as REST tells them: the sign is the position's."""
    sign = 1 if side == "long" else -1
    orders = [
        {"time": at_ms // 1_000 + n, "contract": "X", "size": sign * (1.5 + n), "order_price": "1", "fill_price": "2"}
        for n in range(count)
    ]
    return Reply(json.dumps(orders).encode())


def statistics(usd):
    """Of one contract with 20,000 coins at 60,000."""
    row = {"time": T0 // 1_000, "open_interest": "20000", "open_interest_usd": usd, "mark_price": "60000"}
    return Reply(json.dumps([row]).encode())


class Desk:
    """The self-test of Gate, a watcher, a recording venue monitor, and a clock that the test moves."""

    def __init__(self, tmp_path, market_ms=T0):
        self.stand = FeedStand()
        self.stand.pages = {STATISTICS: [statistics(1.2e9)], ORDERS: [Reply(b"[]")]}
        self.stage = Stage(ManualClock(market_ms=market_ms))
        self.clock = self.stage.clock
        self.venues = self.stage.record(paths.VENUES)
        self.seen = self.stage.record(WATCHER)
        self.file = tmp_path / "state.db"
        self.stage.start(paths.CHECKPOINTS, Checkpoints, file=self.file, busy_s=1.0, trial_s=60.0, fresh=False)
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()
        self.stage.system.place(PATH, MailboxSpec(max_age_s=1e9))

    def open(self):
        self.stage.start(
            PATH,
            VenueSelfTest,
            venue="gate",
            rest_url=self.stand.rest_url,
            limits=RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000),
            backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0),
            assets=frozenset({"X"}),
            rules=RULES,
        )
        return self.introduce()

    def introduce(self):
        one = Instrument(venue="gate", instrument="X", asset="X")
        self.stage.tell(PATH, InstrumentsListed(venue="gate", instruments=(one,)))
        self.stage.tell(PATH, WatchConflicts(path=WATCHER))
        return self.settle()

    def settle(self):
        for path in (PATH, paths.CHECKPOINTS, PATH, paths.VENUES, WATCHER):
            self.stage.quiet(path)
        return self

    def tell(self, told, read_by=()):
        self.stage.tell(PATH, LiquidationsTold(rows=tuple(told), read_by=tuple(dict(read_by).items())))
        return self.settle()

    def look(self, listed_now=None, seconds=61):
        """Let the next round of questions come and be judged."""
        if listed_now is not None:
            self.stand.pages[ORDERS] = [listed_now]
        self.clock.advance(seconds)
        self.settle()
        for _ in range(4):  # questions are half a second apart
            self.clock.advance(0.5)
            self.settle()
        return self

    def said(self):
        """What the watcher was told, repetitions left out."""
        told = [dict(one.settled) for one in self.seen if isinstance(one, ConflictsSettled)]
        return [one for before, one in zip([None, *told], told, strict=False) if one != before]

    def monitor_knows(self):
        return [dict(one.settled) for one in self.venues if isinstance(one, ConflictsSettled)][-1]

    def events(self, *names):
        return [one for one in tuple(self.logs) if one["event"] in names]

    def asked(self, path):
        return sum(one.startswith(path) for one in self.stand.requests)

    def close(self):
        self.stage.close()
        self._capture.__exit__(None, None, None)
        self.stand.stop()


@pytest.fixture
def desk(tmp_path):
    one = Desk(tmp_path)
    yield one
    one.close()


@pytest.mark.parametrize(("position", "verdict"), [("long", "order"), ("short", "position")])
def test_either_sign_is_settled_by_what_rest_lists_and_everybody_is_told(desk, position, verdict):
    desk.open().tell(rows("long")).look(listed(position))

    assert desk.said() == [{}, {SIGN: verdict}]
    assert desk.monitor_knows() == {SIGN: verdict}
    (entry,) = desk.events("conflict_settled")
    assert (entry["venue"], entry["conflict"], entry["verdict"], entry["evidence"]) == ("gate", SIGN, verdict, 5)


def test_too_little_or_mixed_evidence_settles_nothing(desk):
    desk.open().tell(rows("long", 4)).look(listed("long"))
    assert desk.asked(ORDERS) == 0

    desk.tell(rows("short", 6)[4:]).look(listed("long", 6))

    assert desk.asked(ORDERS) == 1
    assert desk.said() == [{}]


def test_a_contradiction_withdraws_the_verdict_and_says_so(desk):
    desk.open().tell(rows("long")).look(listed("long"))
    desk.look(seconds=DAY_MS // 1_000)
    now_ms = desk.clock.now_ms()

    desk.tell(rows("long", 1, now_ms) + rows("long", 5, now_ms + 10_000), {SIGN: "order"})
    desk.look(listed("short", 1, now_ms))

    assert desk.said() == [{}, {SIGN: "order"}, {}]
    assert desk.monitor_knows() == {}
    (entry,) = desk.events("conflict_withdrawn")
    assert (entry["conflict"], entry["verdict"]) == (SIGN, "order")


def test_a_verdict_outlives_the_actor_and_nobody_is_told_that_all_is_open(desk):
    desk.open().tell(rows("long")).look(listed("long"))

    desk.stage.crash(PATH)
    desk.introduce()

    assert desk.said() == [{}, {SIGN: "order"}]


def test_a_verdict_outlives_the_process(desk, tmp_path):
    desk.open().tell(rows("long")).look(listed("short"))
    desk.stage.stop(PATH)
    desk.stage.stop(paths.CHECKPOINTS, drain=True)

    again = Desk(tmp_path, T0 + 3_600_000)
    try:
        again.open()
        assert again.said() == [{SIGN: "position"}]
        assert again.monitor_knows() == {SIGN: "position"}
        assert [one["verdict"] for one in again.events("conflict_remembered")] == ["position"]
    finally:
        again.close()


def test_a_settled_conflict_is_not_asked_about_for_a_day(desk):
    desk.open().tell(rows("long")).look(listed("long"))
    asked = desk.asked(ORDERS)

    desk.tell(rows("long", at_ms=desk.clock.now_ms())).look(seconds=3_600)
    assert desk.asked(ORDERS) == asked
    desk.look(seconds=DAY_MS // 1_000 - 3_700)
    later_ms = desk.clock.now_ms()
    desk.tell(rows("long", at_ms=later_ms)).look(listed("long", at_ms=later_ms)).look()

    assert desk.asked(ORDERS) > asked
    assert desk.said() == [{}, {SIGN: "order"}]


def test_a_failing_venue_is_waited_for_and_settles_later(desk):
    desk.open().tell(rows("long"))
    desk.look(Reply(b"", 503))
    assert desk.said() == [{}]

    desk.look(listed("long"), seconds=120)

    assert desk.said() == [{}, {SIGN: "order"}]
    assert desk.events("self_test_failed")[0]["attempt"] == 1


def test_a_contract_whose_dollars_disagree_is_named_once_and_excluded(desk):
    desk.stand.pages[STATISTICS] = [statistics(1.2e10)]
    desk.open().look().look().look(seconds=4_000)

    assert [one.excluded for one in desk.seen if isinstance(one, ConflictsSettled)][-1] == {"X"}
    (entry,) = desk.events("contract_excluded")
    assert entry["instrument"] == "X"
    assert "the venue says 1.2e+10" in entry["reason"]
    assert desk.stage.system.place(PATH).vitals.note.endswith("1 contracts excluded")

    desk.stand.pages[STATISTICS] = [statistics(1.2e9)]
    desk.look(seconds=4_000)

    assert [one["instrument"] for one in desk.events("contract_included")] == ["X"]


def test_rows_of_contracts_that_count_by_the_thousand_are_not_compared(desk):
    desk.open()
    thousand = Instrument(venue="gate", instrument="X", asset="X", multiplier=1000)
    desk.stage.tell(PATH, InstrumentsListed(venue="gate", instruments=(thousand,)))

    desk.tell(rows("long")).look(listed("long"))

    assert desk.said() == [{}]


def test_who_asks_late_is_told_what_holds(desk):
    desk.open().tell(rows("long")).look(listed("long"))
    late = desk.stage.record(f"{paths.FEEDS}/gate-late")

    desk.stage.tell(PATH, WatchConflicts(path=f"{paths.FEEDS}/gate-late"))

    wait_for(lambda: late, "the answer")
    assert late[0].settled == ((SIGN, "order"),)
