"""A symbol stream on a real worker: what reaches the dispatcher, and what a failure on the way changes (nothing)."""

import csv
import dataclasses
import threading

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from actors import paths
from actors.clock import ManualClock
from actors.mailbox import Lane, MailboxSpec
from actors.messages.features import ThresholdsSet
from actors.messages.market import (
    AskMarket,
    FeedsHealth,
    LiquidationsSeen,
    MarksSeen,
    OpenInterestSeen,
    RetireIfIdle,
    TradesSeen,
)
from actors.messages.pictures import TapeTold, TapeWanted
from actors.messages.supervision import ChildExited, ChildReady, Drill
from actors.supervised import Birth
from actors.symbol_stream import SymbolStream
from actors.worker import Worker
from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.asset import DetectionRules
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.journal import journal
from intelligence.market import Coverage, Liquidation, OpenInterest, PositionSide, PriceKind
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import StaticThresholds
from tests.doubles import capture_logs
from tests.intelligence.builders import T0, VENUES, a_burst, a_liquidation, a_mark
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

PATH = paths.symbol_path("SOL")


class Desk:
    """One stream on a worker, a recorder at the dispatcher's place, and time that follows the market."""

    def __init__(self, retain_max=20_000):
        self.stage = Theatre(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.told = self.stage.record(paths.DISPATCHER)
        self._followed = self.stage.record("/features/someone/sol")
        self.worker = Worker("symbols")
        self.worker.start()
        self.place = self.stage.system.place(PATH, MailboxSpec(retain_max=retain_max))
        self.begin()

    def begin(self):
        self.place.epoch += 1
        args = {"child_id": "sol", "rules": DetectionRules(), "followers": ("/features/someone",)}
        notify = self.stage._notices.put
        SymbolStream.start(Birth(self.stage.system, PATH, self.place.epoch, args, notify, self.worker))
        assert isinstance(notice := self.stage._next(PATH), ChildReady), notice

    def feed(self, records, *, crash_before=(), to_time=True):
        """Each record as its own letter, at the time it was received."""
        for number, record in enumerate(records):
            if number in crash_before:
                self.crash_at_once()
            if to_time:
                self.clock.advance(max(0.0, record.received_ms / 1000 - self.clock.market_s()))
            self.post(record)
        return self.settle()

    def crash_at_once(self):
        """Fail and come back while the market stands still; told apart from the failures before."""
        self.place.failed_recoveries = 0
        self.stage.tell(PATH, Drill(error="SystemExit"))
        while not isinstance(self.stage._next(PATH), ChildExited):
            pass
        self.begin()

    def post(self, record, *, after_reconnect=False):
        address = self.stage.system.address(PATH)
        if isinstance(record, Liquidation):
            seen = LiquidationsSeen(
                asset="SOL", events=(record,), able=VENUES, configured=VENUES, after_reconnect=after_reconnect
            )
            address.tell(seen, redeliver=True, retain=True)
        else:
            address.tell(MarksSeen(mark=record))

    def judge_by(self, single_usd):
        """Hand over thresholds that count for ever, as a calculator would."""
        given = StaticThresholds().of("SOL")
        single = Threshold(value=single_usd, source="tiered")
        cascade = Threshold(value=5 * single_usd, source="tiered")
        thresholds = dataclasses.replace(given, single=single, cascade=cascade, computed_ms=T0)
        self.stage.system.address(PATH).tell(ThresholdsSet(thresholds=thresholds), retain=True)
        self.settle()

    def settle(self):
        """Wait until the stream, and then the dispatcher, has handled everything, the letter in hand too."""
        wait_for(lambda: self.place.mailbox.idle, "an empty mailbox")
        turned = threading.Event()
        self.worker.run(turned.set)
        assert turned.wait(10)
        self.stage.ask(paths.DISPATCHER, "settle")
        return self

    def alerts(self, stage=None):
        self.settle()
        return [one.alert for one in self.told if one != "settle" and stage in {None, one.alert.stage}]

    def minutes(self):
        """The closed minutes that a follower was told so far."""
        self.stage.ask("/features/someone/sol", "settle")
        return [one.minute for one in self._followed if one != "settle"]

    def close(self):
        self.stage.close()
        assert self.worker.stop(5)


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.close()


def journal_of(records, crash_before=()):
    one = Desk()
    try:
        raised = one.feed(records, crash_before=crash_before).alerts(Stage.RAISED)
        return journal({alert.alert_id: alert for alert in reversed(raised)}.values())  # of one id the first, as stored
    finally:
        one.close()


def test_alerts_reach_the_dispatcher(desk):
    desk.feed([a_liquidation(usd=300_000.0)])

    (alert,) = desk.alerts()
    assert (alert.kind, alert.asset, alert.value) == (AlertKind.LIQUIDATION, "SOL", 300_000.0)
    assert "SOL" in alert.text


def test_an_incident_ends_by_market_time_when_nothing_more_comes(desk):
    desk.feed(a_burst(orders=8, usd=40_000.0))
    assert not desk.alerts(Stage.ENDED)

    for _ in range(80):
        desk.clock.advance(1)
        desk.settle()

    (cascade,) = [alert for alert in desk.alerts(Stage.RAISED) if alert.kind is AlertKind.CASCADE]
    assert [alert.alert_id for alert in desk.alerts(Stage.ENDED)] == [cascade.alert_id]


def test_an_incident_that_ends_while_nobody_is_there_is_ended_by_the_successor(desk):
    desk.feed(a_burst(orders=8, usd=40_000.0))

    desk.stage.tell(PATH, Drill())
    while not isinstance(desk.stage._next(PATH), ChildExited):
        pass
    desk.clock.advance(120)
    desk.begin()
    desk.clock.advance(1)

    (cascade,) = [alert for alert in desk.alerts(Stage.RAISED) if alert.kind is AlertKind.CASCADE]
    assert [alert.alert_id for alert in desk.alerts(Stage.ENDED)] == [cascade.alert_id]


def test_letters_that_waited_for_a_successor_still_belong_to_the_incident(desk):
    desk.feed(a_burst(orders=8, usd=40_000.0))
    desk.stage.tell(PATH, Drill())
    while not isinstance(desk.stage._next(PATH), ChildExited):
        pass

    for start_ms in range(50_000, 400_000, 50_000):
        desk.post(a_liquidation(start_ms, usd=60_000.0))
    desk.clock.advance(400)
    desk.begin()
    desk.settle()

    cascades = {alert.alert_id for alert in desk.alerts() if alert.kind is AlertKind.CASCADE}
    assert len(cascades) == 1
    assert not desk.alerts(Stage.ENDED)


def test_a_tick_that_waits_behind_letters_does_not_run_ahead_of_those_behind_it(desk):
    desk.feed(a_burst(orders=8, usd=40_000.0))
    held = threading.Event()
    desk.worker.run(held.wait)

    desk.clock.advance(1)
    desk.post(a_liquidation(50_000, usd=60_000.0))
    desk.clock.advance(200)
    desk.post(a_liquidation(100_000, usd=60_000.0))
    held.set()
    desk.settle()

    assert not desk.alerts(Stage.ENDED)


@pytest.mark.parametrize("crash_before", range(1, 12))
def test_a_cascade_is_told_the_same_wherever_the_stream_fails_on_the_way(crash_before):
    records = a_burst(orders=12, usd=40_000.0, every_ms=2_000)

    assert journal_of(records, {crash_before}) == journal_of(records) != b""


def test_a_stream_that_fails_early_in_its_life_still_raises_the_cascade_that_follows(desk):
    desk.feed([a_liquidation(usd=1_000.0)])
    desk.crash_at_once()

    desk.feed(a_burst(20_000, orders=8, usd=40_000.0))

    assert [alert.kind for alert in desk.alerts(Stage.RAISED)].count(AlertKind.CASCADE) == 1


def test_a_stream_that_fails_after_a_quiet_time_still_raises_the_cascade_that_follows(desk):
    desk.feed([a_liquidation(at_ms, usd=1_000.0) for at_ms in (0, 600_000, 1_200_000)])
    desk.crash_at_once()

    desk.feed(a_burst(1_220_000, orders=8, usd=40_000.0))

    assert [alert.kind for alert in desk.alerts(Stage.RAISED)].count(AlertKind.CASCADE) == 1


def test_prices_survive_a_failure(desk):
    marks = [a_mark(at_ms, 140.0 - at_ms / 1e5) for at_ms in range(0, 90_000, 1_000)]
    records = sorted([*marks, *a_burst(70_000, orders=8, usd=40_000.0)], key=lambda one: one.received_ms)
    calm = Desk()
    calm.feed(records)
    undisturbed = [alert for alert in calm.alerts(Stage.RAISED) if alert.kind is AlertKind.CASCADE]
    calm.close()

    desk.feed(records, crash_before={75})

    cascades = [alert for alert in desk.alerts(Stage.RAISED) if alert.kind is AlertKind.CASCADE]
    assert [alert.alert_id for alert in cascades] == [alert.alert_id for alert in undisturbed]
    assert cascades[0].price == pytest.approx(undisturbed[0].price, rel=1e-3)


def test_what_was_learned_of_the_price_survives_a_failure(desk):
    desk.feed([a_mark(minute * 60_000, 140.0 * (1 + 0.001 * (minute % 2))) for minute in range(40)])
    before = desk.stage.system.ledger[PATH].actor._detection.volatility_state
    assert before.returns > 30

    desk.crash_at_once()

    assert desk.stage.system.ledger[PATH].actor._detection.volatility_state == before


def test_what_is_retained_is_dropped_when_no_successor_needs_it(desk):
    for minute in range(30):
        desk.feed([a_mark(minute * 60_000 + 1), a_liquidation(minute * 60_000 + 2, usd=1_000.0)])

    kept = [one for one in desk.place.mailbox.retained if isinstance(one, LiquidationsSeen)]
    assert len(kept) <= 7
    assert len(desk.place.mailbox.retained) <= 30


def test_marks_are_retained_every_five_seconds_only(desk):
    desk.feed([a_mark(at_ms) for at_ms in range(0, 60_000, 200)])

    assert sum(isinstance(one, MarksSeen) for one in desk.place.mailbox.retained) == 12


def test_a_broken_time_far_ahead_does_not_keep_what_comes_after_it(desk):
    desk.feed([a_liquidation(0, exchange_ms=T0 + 10**10, received_ms=T0)])
    for minute in range(30):
        desk.feed([a_liquidation(minute * 60_000, usd=1_000.0)])

    assert len(desk.place.mailbox.retained) <= 8


def test_a_letter_in_hand_at_a_failure_is_handled_by_the_successor(desk, monkeypatch):
    real, failed = SymbolStream._observe, []

    def observe(self, seen):
        if not failed:
            failed.append(seen)
            raise RuntimeError("once")
        return real(self, seen)

    monkeypatch.setattr(SymbolStream, "_observe", observe)
    desk.post(a_liquidation(usd=300_000.0))
    while not isinstance(desk.stage._next(PATH), ChildExited):
        pass
    desk.begin()

    assert [alert.value for alert in desk.alerts()] == [300_000.0]


@hypothesis_settings(max_examples=40)
@given(st.data())
def test_synthetic_cascades_are_told_the_same_however_often_the_stream_fails(data):
    records = []
    for start_ms in data.draw(st.lists(st.integers(0, 1_200_000), min_size=1, max_size=3)):
        side = data.draw(st.sampled_from(PositionSide))
        usd = data.draw(st.sampled_from([8_000.0, 30_000.0, 90_000.0]))
        orders = data.draw(st.integers(3, 14))
        records += a_burst(start_ms, orders=orders, usd=usd, position_side=side, every_ms=1_700)
    records.sort(key=lambda one: one.exchange_ms)
    crashes = data.draw(st.sets(st.integers(1, len(records)), max_size=4))

    assert journal_of(records, crashes) == journal_of(records)


def recorded(folder):
    """The orders of a recorded day, all of them as if of one asset."""
    with (folder / "binance" / "force_orders" / "2025-12-27_28_all_symbols.csv").open(newline="") as lines:
        for row in csv.reader(lines):
            price, quantity, at_ms = float(row[5] if row[6] == "None" else row[6]), float(row[9]), int(row[10])
            yield a_liquidation(
                venue="binance",
                instrument=row[0],
                exchange_ms=at_ms,
                received_ms=at_ms + 500,
                position_side=PositionSide.LONG if row[1] == "SELL" else PositionSide.SHORT,
                quantity=quantity,
                price=price,
                price_kind=PriceKind.FILL,
                notional_usd=quantity * price,
                coverage=Coverage.CAPPED,
            )


@pytest.mark.parametrize("every", [17, 101])
def test_recorded_orders_are_told_the_same_with_failures_on_the_way(shared_data, every):
    records = sorted(recorded(shared_data), key=lambda one: one.received_ms)

    undisturbed = journal_of(records)

    assert undisturbed.count(b"\n") > 10
    assert journal_of(records, set(range(every, len(records), every))) == undisturbed


# -- the market beside detection --------------------------------------------------------------------------------------


def the_trades(times_ms, prices=None, coins=None, venue="okx"):
    prices = prices or [100.0] * len(times_ms)
    return TradesSeen(
        asset="SOL",
        venue=venue,
        received_ms=max(times_ms),
        times_ms=times_ms,
        prices=prices,
        coins=coins or [1.0] * len(times_ms),
    )


def tell(desk, *seen):
    for one in seen:
        desk.stage.system.address(PATH).tell(one, lane=Lane.DATA)
    return desk.settle()


def ask(desk):
    return desk.stage.ask(PATH, AskMarket(asset="SOL"))


def an_open_interest(coins, at_ms=T0, venue="okx"):
    return OpenInterestSeen(
        record=OpenInterest(
            venue=venue,
            instrument="SOL-P",
            asset="SOL",
            exchange_ms=at_ms,
            received_ms=at_ms,
            quantity=coins,
            notional_usd=None,
        )
    )


def test_the_view_holds_what_every_venue_brought(desk):
    tell(desk, the_trades([T0], [100.0], [2.0]), the_trades([T0 + 5], [101.0], [-1.0], "bybit"))
    tell(desk, an_open_interest(5.0, T0 + 9), an_open_interest(4.0, T0 + 1), an_open_interest(7.0, venue="bybit"))
    desk.feed([a_mark(price=100.5)], to_time=False)

    view = ask(desk)

    assert (view.asset, view.last_price, view.cvd_day_usd) == ("SOL", 101.0, 99.0)
    assert [(sums.seconds, sums.buy_usd, sums.sell_usd) for sums in view.volumes][-1] == (900, 200.0, 101.0)
    assert [one.quantity for one in view.open_interest] == [7.0, 5.0]
    assert [mark.price for mark in view.marks] == [100.5]
    assert view.profile is not None


def test_a_stream_that_has_seen_nothing_says_so(desk):
    view = ask(desk)

    assert (view.last_price, view.profile, view.trades_from_ms, view.marks, view.open_interest) == (
        None,
        None,
        None,
        (),
        (),
    )


def test_a_failure_on_trades_costs_their_window_and_nothing_else(desk):
    tell(
        desk,
        the_trades([T0], [100.0], [2.0]),
        the_trades([T0], [float("inf"), 1.0], [1.0]),
        the_trades([T0], [50.0], [1.0]),
    )
    desk.feed([a_liquidation(usd=300_000.0)])

    assert ask(desk).last_price == 50.0
    assert desk.stage.exits == []
    assert len(desk.alerts(Stage.RAISED)) == 1


@pytest.mark.parametrize("crash_before", [(), (7,)])
def test_alerts_are_the_same_with_trades_and_without(crash_before):
    records = a_burst(orders=15, usd=40_000.0)
    quiet = journal_of(records, crash_before)

    one = Desk()
    try:
        for number, record in enumerate(records):
            tell(one, *(the_trades([record.received_ms + more], [90.0 + more], [1e6]) for more in range(20)))
            tell(one, an_open_interest(1e6 * number))
            one.feed([record], crash_before=(0,) if number in crash_before else ())
        raised = one.alerts(Stage.RAISED)
        assert journal({alert.alert_id: alert for alert in reversed(raised)}.values()) == quiet != ""
        assert ask(one).last_price is not None
    finally:
        one.close()


def test_whoever_follows_is_told_each_minute_once(desk):
    begin_ms = T0 - T0 % 60_000
    tell(desk, the_trades([begin_ms + 1_000], [100.0], [2.0]))
    desk.feed([a_liquidation(at_ms=begin_ms + 2_000 - T0)], to_time=False)
    tell(desk, the_trades([begin_ms + 60_000], [101.0], [1.0]))
    assert desk.minutes() == []

    tell(desk, the_trades([begin_ms + 63_000], [102.0], [1.0]))
    (first,) = desk.minutes()
    assert (first.from_ms, first.close, first.buy_usd, len(first.liquidations)) == (begin_ms, 100.0, 200.0, 1)

    desk.clock.advance(200)
    desk.settle()
    starts_ms = [minute.from_ms for minute in desk.minutes()]
    assert starts_ms == list(range(begin_ms, starts_ms[-1] + 1, 60_000))
    assert len(starts_ms) >= 3, "minutes end without trades too"


# -- the end of a stream that nobody needs ------------------------------------------------------------------------------


def retire(desk, idle_s=600.0):
    """How the stream ended when it was asked to if idle, or None."""
    tell(desk, RetireIfIdle(idle_s=idle_s))
    desk.settle()
    return desk.place.vitals.phase


@pytest.mark.parametrize(("needed", "phase"), [(False, "ended"), (True, "running")])
def test_a_stream_ends_when_neither_a_liquidation_nor_a_question_came_for_so_long(desk, needed, phase):
    desk.feed([a_liquidation(usd=300.0)])
    desk.clock.advance(400)
    if needed:
        ask(desk)
    desk.feed([a_mark(400_000)], to_time=False)
    desk.clock.advance(201)

    assert retire(desk) == phase


def test_a_stream_stays_as_long_as_detection_looks_back_whatever_the_setting(desk):
    desk.feed([a_liquidation(usd=300.0)])
    desk.clock.advance(200)

    assert retire(desk, idle_s=1.0) == "running"


def test_a_stream_with_an_open_incident_stays(desk):
    desk.feed(a_burst(orders=8, usd=40_000.0))
    assert desk.stage.system.ledger[PATH].actor._detection.open_incidents
    desk.stage.system.ledger[PATH].actor.timer.cancel_all()  # so that no tick ends it
    desk.clock.advance(700)

    assert retire(desk) == "running"


def test_trades_that_are_left_out_are_told_at_the_1st_2nd_4th(desk):
    with capture_logs() as logs:
        stale = [the_trades([T0 - 60_000]) for _ in range(5)]
        tell(desk, the_trades([T0]), *stale)

    assert [(one["late"], one["broken"]) for one in logs if one["event"] == "trades_left_out"] == [
        (1, 0),
        (2, 0),
        (4, 0),
    ]
    assert desk.place.vitals.note == "4 trades too late, 0 of an impossible time"


# -- liquidations in the view -------------------------------------------------------------------------------------------


def test_the_view_holds_the_sums_of_liquidations_and_from_when_on(desk):
    desk.feed([a_liquidation(usd=300.0), a_liquidation(1_000, 200.0, uncertain="unit", venue="bitget")])
    desk.feed([a_liquidation(2_000, 50.0, position_side=PositionSide.SHORT)])

    view = ask(desk)

    day = view.liquidations[-1]
    assert (day.seconds, day.usd(PositionSide.LONG), day.usd(PositionSide.SHORT)) == (86_400, 300.0, 50.0)
    assert [(row.venue, row.uncertain) for row in day.rows if not row.counts] == [("bitget", "unit")]
    assert view.liquidations_from_ms == T0


def test_a_successor_sums_what_was_retained_and_says_from_when_on(desk):
    desk.feed([a_liquidation(usd=300.0), a_liquidation(1_000, 200.0)])
    desk.crash_at_once()

    view = ask(desk)

    assert view.liquidations[-1].usd(PositionSide.LONG) == 500.0
    assert view.liquidations_from_ms == T0


def test_a_mark_that_comes_in_behind_a_newer_one_changes_nothing(desk):
    desk.feed([a_mark(2_000, price=141.0), a_mark(1_000, price=139.0)], to_time=False)

    assert [mark.price for mark in ask(desk).marks] == [141.0]


def test_every_figure_carries_its_feeds_health_and_its_age(desk):
    desk.feed([a_mark(price=100.0)], to_time=False)
    tell(desk, an_open_interest(5.0, T0 - 200_000), an_open_interest(4.0, T0 - 1_000, venue="bybit"))
    venue = ask(desk).marks[0].venue
    stale = FeedHealth(Health.STALE, "no mark price since 03:05:02 UTC")
    healthy = FeedHealth(Health.HEALTHY)
    tell(
        desk,
        FeedsHealth(
            asset="SOL",
            feeds={(venue, FeedKind.MARK_PRICES): stale, ("okx", FeedKind.TRADES): healthy},
        ),
    )

    view = ask(desk)

    assert [one.health for one in view.mark_health] == [stale]
    assert [(one.health.state, one.age_ms) for one in view.open_interest_health] == [
        (Health.HEALTHY, view.at_ms - T0 + 1_000),
        (Health.STALE, view.at_ms - T0 + 200_000),
    ]
    assert view.trade_health == {"okx": healthy}


def test_a_figure_that_nobody_judges_does_not_pass_for_healthy(desk):
    desk.feed([a_mark(price=100.0)], to_time=False)

    assert [one.health.state for one in ask(desk).mark_health] == [Health.DEGRADED]


def test_thresholds_that_are_handed_over_count_for_the_next_liquidation(desk):
    desk.feed([a_liquidation(0, 30_000.0)])
    desk.judge_by(100_000.0)
    desk.feed([a_liquidation(2_000, 30_000.0), a_liquidation(4_000, 120_000.0)])

    told = [(alert.value, alert.threshold, alert.threshold_source) for alert in desk.alerts()]
    assert told == [(30_000.0, 25_000.0, "static"), (120_000.0, 100_000.0, "tiered")]


def test_a_successor_judges_as_the_lost_stream_did(desk):
    desk.judge_by(100_000.0)
    desk.feed([a_liquidation(1_000, 90_000.0), a_mark(600_000), a_liquidation(600_500, 90_000.0)])  # minutes later
    desk.crash_at_once()
    desk.feed([a_liquidation(601_000, 90_000.0), a_liquidation(602_000, 120_000.0)])

    assert [alert.value for alert in desk.alerts(Stage.RAISED) if alert.kind is AlertKind.LIQUIDATION] == [120_000.0]


def test_whoever_draws_is_told_the_tape_and_gets_it_as_an_answer(desk):
    told = desk.stage.record("/edge/pictures")

    tape = desk.stage.ask(PATH, TapeWanted(period_s=3_600, path="/edge/pictures", key="mine"))

    desk.stage.quiet("/edge/pictures")
    assert told == [TapeTold(tape=tape, key="mine")]
    assert tape.asset == "SOL"


def test_a_tape_that_cannot_be_put_together_costs_the_picture_alone(desk, monkeypatch):
    monkeypatch.setattr("actors.stream_market.AssetMarket.tape", lambda *_: 1 / 0)

    with capture_logs() as entries:
        assert desk.stage.ask(PATH, TapeWanted(period_s=3_600)) is None

    assert [entry["event"] for entry in entries] == ["tape_failed"]
    assert desk.stage.exits == []
