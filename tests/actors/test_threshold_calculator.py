"""One asset's calculator between a recorder of its stream and a real store of checkpoints."""

import dataclasses
from types import MappingProxyType

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.checkpoints import Checkpoints
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import MarketCapKnown, MarketCapWanted, ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.threshold_calculator import PastDays, ThresholdCalculator, Today
from intelligence.history import Bar, History
from intelligence.market_cap import CoinCap
from intelligence.thresholds.history import Day, Progress
from intelligence.thresholds.rules import LearnedRule, ThresholdRules
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.thresholds.builders import DAY_MS, MINUTE_MS, MONDAY, a_minute, minutes
from tests.telegram_stand.stage import Stage

STREAM = paths.symbol_path("SOL")
PATH = f"{paths.THRESHOLDS}/sol"
HOUR = 60
RULES = ThresholdRules()


class Desk:
    """`letters`: what the stream of SOL is told, `asked`: what the reader of market caps is."""

    def __init__(self, data_dir=None, rules=RULES, market_ms=MONDAY):
        self.stage = Stage(ManualClock(market_ms=market_ms))
        self.letters = self.stage.record(STREAM)
        self.asked = self.stage.record(paths.MARKET_CAPS)
        self._logs = capture_logs()
        self.logs = self._logs.__enter__()
        if data_dir is not None:
            self.stage.system.place(paths.CHECKPOINTS, MailboxSpec(max_age_s=3600.0))
            store = {"file": data_dir / "state.db", "busy_s": 1.0, "trial_s": 60.0, "fresh": False}
            self.stage.start(paths.CHECKPOINTS, Checkpoints, **store)
        args = {
            "child_id": "sol",
            "rules": rules,
            "static": StaticThresholds(),
            "consumers": (paths.SYMBOLS, paths.EXPLOSIONS),
        }
        self.stage.start(PATH, ThresholdCalculator, **args)

    def feed(self, records):
        for minute in records:
            self.stage.tell(PATH, MinuteClosed(minute=minute))
        return self.settle()

    def settle(self):
        for path in (PATH, STREAM, paths.MARKET_CAPS):
            self.stage.quiet(path)
        return self

    @property
    def sets(self):
        return [letter.thresholds for letter in self.letters if isinstance(letter, ThresholdsSet)]

    def close(self):
        self._logs.__exit__(None, None, None)
        self.stage.close()


@pytest.fixture
def open_desk():
    desks = []

    def begin(*args, **values):
        desks.append(Desk(*args, **values))
        return desks[-1]

    yield begin
    for one in desks:
        one.close()


def the_past(days=31, usd=1e9):
    """Daily and hourly bars of the reference up to MONDAY."""
    return History(
        reference=("binance", "SOLUSDT"),
        bars=MappingProxyType(
            {
                "1d": tuple(Bar(MONDAY - day * DAY_MS, 100.0, 1.0, usd, None) for day in range(days, 0, -1)),
                "1h": tuple(
                    Bar(MONDAY - hour * HOUR * MINUTE_MS, 100.0, 1.0, usd / 24, None) for hour in range(336, 0, -1)
                ),
                "1m": (),
            }
        ),
        open_interest=MappingProxyType({}),
    )


def coins(*caps, price=100.0):
    return tuple(CoinCap(symbol="SOL", source="test", price_usd=price, cap_usd=cap, at_ms=MONDAY) for cap in caps)


def test_the_first_minute_gives_the_given_numbers_and_asks_for_the_past(open_desk):
    desk = open_desk().feed([a_minute()])

    (given,) = desk.sets
    assert (given.single.value, given.single.source) == (25_000.0, "static")
    assert HistoryWanted(path=PATH) in desk.letters
    assert desk.asked == [MarketCapWanted(asset="SOL", path=PATH)]


def test_the_past_gives_the_given_formula_with_the_next_minute(open_desk):
    desk = open_desk().feed([a_minute()])
    desk.stage.tell(PATH, HistoryTold(asset="SOL", history=the_past()))
    desk.feed([a_minute(1)])

    single = desk.sets[-1].single
    assert single.source == "tiered"
    # 1 bn a day is "mid" by turnover, 0.2 %; asian 0.7; no volatility 0.9; 10 static thresholds are less
    factors = dict(single.factors)
    assert factors["tiered_usd"] == pytest.approx(1e9 * 0.002 * 0.7 * 0.9)
    assert single.value == 250_000.0


def test_a_market_cap_decides_the_tier_if_its_price_is_ours(open_desk):
    desk = open_desk().feed([a_minute()])
    desk.stage.tell(PATH, HistoryTold(asset="SOL", history=the_past()))
    desk.stage.tell(PATH, MarketCapKnown(asset="SOL", coins=(*coins(5e12, price=7.0), *coins(50e9))))
    desk.feed([a_minute(1)])

    factors = dict(desk.sets[-1].single.factors)
    assert (factors["tier"], factors["market_cap_usd"]) == ("large", 50e9)


def test_everybody_who_judges_by_thresholds_gets_them_if_he_is_there(open_desk):
    desk = open_desk()
    told = desk.stage.record(f"{paths.EXPLOSIONS}/sol")
    desk.feed([a_minute()])
    desk.stage.quiet(f"{paths.EXPLOSIONS}/sol")

    assert [letter.thresholds for letter in told] == desk.sets


def test_thresholds_are_computed_hourly(open_desk):
    desk = open_desk().feed(a_minute(number) for number in range(2 * HOUR + 1))

    assert [(one.computed_ms - MONDAY) // MINUTE_MS for one in desk.sets] == [1, HOUR + 1, 2 * HOUR + 1]


def test_a_new_session_does_not_wait_for_the_hour(open_desk):
    desk = open_desk().feed(a_minute(number) for number in range(6 * HOUR + 30, 7 * HOUR + 1))

    assert [(one.computed_ms - MONDAY) // MINUTE_MS for one in desk.sets] == [6 * HOUR + 31, 7 * HOUR]


def test_history_counts_after_enough_days_and_survives_the_process(open_desk, tmp_path):
    rules = dataclasses.replace(RULES, learned=LearnedRule(enough_days=1.0))
    first = open_desk(tmp_path, rules)
    first.stage.tell(PATH, HistoryTold(asset="SOL", history=the_past()))
    first.feed(minutes(1.5))
    assert first.sets[-1].single.source == "learned"
    first.stage.stop(PATH)
    first.stage.quiet(paths.CHECKPOINTS)
    first.stage.stop(paths.CHECKPOINTS)

    second = open_desk(tmp_path, rules, market_ms=MONDAY + int(1.6 * DAY_MS))
    second.feed([a_minute(int(1.6 * 1440))])
    assert second.sets[-1].single.source == "learned"


def test_minutes_wait_for_the_answer_about_checkpoints(open_desk):
    desk = open_desk()
    desk.stage.stop(PATH)
    silent = desk.stage.record(paths.CHECKPOINTS)
    desk.stage.begin(PATH)
    desk.feed([a_minute()])
    desk.stage.quiet(paths.CHECKPOINTS)
    assert [letter.part for letter in silent] == ["past", "today"]
    assert desk.sets == []

    for part in ("past", "today"):
        desk.stage.tell(PATH, CheckpointRestored(part=part))
    desk.settle()
    assert len(desk.sets) == 1


def test_a_store_that_never_answers_is_not_waited_for(open_desk):
    desk = open_desk()
    desk.stage.stop(PATH)
    desk.stage.record(paths.CHECKPOINTS)
    desk.stage.begin(PATH)
    desk.feed([a_minute()])
    desk.stage.clock.advance(10.0)
    desk.settle()

    assert len(desk.sets) == 1


def test_an_answer_that_comes_late_is_not_lost(open_desk):
    desk = open_desk()
    desk.stage.stop(PATH)
    desk.stage.record(paths.CHECKPOINTS)
    desk.stage.begin(PATH)
    desk.feed([a_minute()])
    desk.stage.clock.advance(10.0)
    desk.settle()
    days = tuple(Day(MONDAY // DAY_MS - back, minutes=1440) for back in range(1, 16))
    kept = {"past": PastDays(days), "today": Today(None, Progress())}
    desk.stage.tell(PATH, HistoryTold(asset="SOL", history=the_past()))
    for part, state in kept.items():
        answer = CheckpointRestored(part=part, schema=1, at_ms=MONDAY, state=msgspec.msgpack.encode(state))
        desk.stage.tell(PATH, answer)
    desk.feed([a_minute(1)])

    assert desk.sets[-1].single.source == "learned"


def test_a_calculator_that_hears_nothing_ends(open_desk):
    desk = open_desk().feed([a_minute()])
    desk.stage.clock.advance(2 * RULES.valid_s + 1)

    assert desk.stage.exit_of(PATH).kind == "finished"


def test_a_change_of_policy_is_logged(open_desk):
    desk = open_desk().feed([a_minute()])

    (line,) = [line for line in desk.logs if line["event"] == "threshold_policy_changed"]
    assert (line["asset"], line["policy"]) == ("SOL", "static")
