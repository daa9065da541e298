"""What followed an alert, kept by a real actor that is told of minutes, alerts and deliveries."""

from contextlib import closing

import pytest

from actors import paths
from actors.clock import ManualClock
from actors.messages.chats import VotesState
from actors.messages.market import MinuteClosed
from actors.messages.outcomes import AlertDecided, AskScores, DeliveryMade, ScoresTold, SelectionSet
from actors.outbox import Outbox
from actors.outbox_rows import Planned
from actors.outcome_book import OutcomeBook
from actors.outcome_ledger import OutcomeLedger
from intelligence.alerts import AlertKind, Stage
from intelligence.outcomes.bars import HourBars
from intelligence.outcomes.rules import OutcomeRules
from tests.doubles import capture_logs
from tests.intelligence.builders import T0, a_minute, an_alert
from tests.intelligence.outcomes.test_scores import spread
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ID = "abcdefghijkl"


class Desk:
    def __init__(self, file):
        self.file = file
        self.theatre = Theatre(ManualClock(market_ms=T0))
        self.terminal = self.theatre.record(paths.TERMINAL)

    def open(self, *, fresh=False, outbox=None):
        args = {"file": self.file, "busy_s": 0.2, "rules": OutcomeRules(), "fresh": fresh, "outbox": outbox}
        self.theatre.start(paths.OUTCOMES, OutcomeLedger, **args)
        return self

    def tell(self, message):
        self.theatre.tell(paths.OUTCOMES, message)

    def decide(self, *, awaited=True, held=(), **alert):
        alert = an_alert(**({"asset": "SOL", "kind": AlertKind.CASCADE, "started_ms": T0} | alert))
        self.tell(AlertDecided(alert=alert, decided_ms=T0 + 1_000, awaited=awaited, held=held))

    def deliver(self, after_s=2.0, target="terminal"):
        self.tell(DeliveryMade(alert_id=ID, target=target, delivered_ms=T0 + int(after_s * 1000)))

    def minutes(self, count=75, *, jump=5, first=0):
        """Minutes after T0, flat but for one of 2 %."""
        for index in range(first, first + count):
            high = 102.0 if index == jump else 100.05
            self.tell(MinuteClosed(minute=a_minute(index, high=high)))
        self.settle()

    def pass_time(self, minutes=75):
        for _ in range(minutes):
            self.theatre.clock.advance(60.0)
            self.settle()

    def settle(self):
        """Wait until it has nothing to do; what it had just taken in hand is done when it answers."""
        self.theatre.quiet(paths.OUTCOMES)
        self.state()

    def outcomes(self, alert_id=ID):
        with closing(OutcomeBook(self.file, 1.0)) as book:
            return {one.minutes: one for one in book.outcomes(alert_id)}

    def heard(self, letters, kind):
        """Those of that kind that a recorder got; waits for the first."""
        wait_for(lambda: any(isinstance(one, kind) for one in list(letters)), f"a {kind.__name__}")
        return [one for one in list(letters) if isinstance(one, kind)]

    def state(self):
        return self.theatre.ask(paths.OUTCOMES, AskScores())


@pytest.fixture
def desk(tmp_path):
    one = Desk(tmp_path / "outcomes.db")
    yield one
    one.theatre.close()


def with_past(desk, days=60):
    """Prices of quiet weeks before T0."""
    flat, begun = HourBars(), HourBars()
    for minute in range(60):
        flat.put(minute, (100.05, 99.95, 100.0))
    for minute in range(T0 % HOUR_MS // 60_000):
        begun.put(minute, (100.05, 99.95, 100.0))
    with closing(OutcomeBook(desk.file, 1.0)) as book:
        first = (T0 - days * DAY_MS) // HOUR_MS
        hours = {("SOL", hour): flat for hour in range(first, T0 // HOUR_MS)}
        book.put_bars({**hours, ("SOL", T0 // HOUR_MS): begun})
    return desk


def with_outcomes(desk, hits, misses):
    """Cascades of the last days that were judged."""
    with closing(OutcomeBook(desk.file, 1.0)) as book:
        for one in spread(hits, misses, last=T0 // 60_000 - 120):
            book.put_told(one.told)
            book.put_outcome(one.outcome)
            book.end(one.told.alert_id)


def test_an_outcome_is_kept_at_1_5_15_and_60_minutes(desk):
    desk.open().decide()
    desk.deliver()
    desk.minutes()
    desk.pass_time()

    found = desk.outcomes()
    assert list(found) == [1, 5, 15, 60]
    assert [round(one.span, 4) for one in found.values()] == [0.001, 0.0203, 0.0203, 0.0203]
    assert {one.consequential for one in found.values()} == {None}  # no control times yet


def test_with_weeks_of_prices_it_is_judged_against_control_times(desk):
    with_past(desk).open().decide()
    desk.deliver()
    desk.minutes()
    desk.pass_time()

    outcome = desk.outcomes()[15]
    assert (outcome.consequential, outcome.strict, outcome.rank, outcome.controls) == (True, True, 1.0, 200)
    (family,) = desk.state().scores.families
    assert (family.kind, family.share.hits, family.share.of) == (AlertKind.CASCADE, 1, 1)


def test_it_is_measured_from_the_first_delivery(desk):
    with_past(desk).open().decide()
    desk.deliver(after_s=400.0, target="telegram:1")
    desk.deliver(after_s=500.0, target="telegram:2")
    desk.minutes()
    desk.pass_time()

    assert desk.outcomes()[15].consequential is False  # the jump was over before anybody heard of it


def test_what_nobody_received_has_no_outcome(desk):
    desk.open().decide()
    desk.minutes()
    desk.pass_time()

    assert desk.outcomes() == {}
    desk.theatre.clock.advance(6 * 3_600.0)
    desk.settle()
    assert desk.state().waiting == 0


def test_shadows_are_measured_from_the_decision(desk):
    with_past(desk).open().decide(awaited=False, held=("shadow",), shadow=True)
    desk.minutes()
    desk.pass_time()

    (family,) = desk.state().scores.families
    assert (family.shadow, family.share.hits) == (True, 1)


def test_minutes_that_never_came_give_an_outcome_without_a_range(desk):
    desk.open().decide()
    desk.deliver()
    desk.pass_time(90)

    assert {one.span for one in desk.outcomes().values()} == {None}


def test_a_restart_keeps_alerts_outcomes_and_prices(desk):
    with_past(desk).open().decide()
    desk.deliver()
    desk.minutes(10)
    desk.pass_time(10)
    assert list(desk.outcomes()) == [1, 5]

    desk.theatre.restart(paths.OUTCOMES)
    desk.minutes(65, first=10)
    desk.pass_time(65)

    assert list(desk.outcomes()) == [1, 5, 15, 60]
    assert desk.outcomes()[15].consequential is True
    desk.theatre.restart(paths.OUTCOMES)
    assert desk.state().scores.families[0].share.of == 1


def test_an_alert_that_is_told_again_is_not_judged_again(desk):
    with_past(desk).open().decide()
    desk.deliver()
    desk.minutes()
    desk.pass_time()
    desk.decide()
    desk.pass_time(5)

    assert desk.state().waiting == 0
    assert desk.state().scores.families[0].alerts == 1


def test_another_market_begins_without_what_was_there(desk):
    with_past(desk).open(fresh=True)

    assert desk.state().bars_from_ms is None


def test_notifiers_hear_of_scores(desk):
    with_past(desk).open().decide()
    desk.deliver()
    desk.minutes()
    desk.pass_time()

    told = desk.heard(desk.terminal, ScoresTold)
    assert told[-1].scores.families[0].share.of == 1


def test_a_file_that_cannot_be_written_costs_scores_and_nothing_else(tmp_path):
    (tmp_path / "folder").mkdir()
    desk = Desk(tmp_path / "folder")
    desk.open().decide()
    desk.deliver()
    desk.minutes(5)
    desk.pass_time(5)

    assert desk.state().waiting == 1
    assert desk.theatre.exits == []
    desk.theatre.close()


def test_when_the_file_serves_again_nothing_is_lost(desk):
    desk.file.mkdir()
    desk.open().decide()
    desk.deliver()
    desk.minutes()
    desk.file.rmdir()
    desk.pass_time()

    assert list(desk.outcomes()) == [1, 5, 15, 60]


def test_a_family_that_does_badly_for_a_week_goes_to_the_digest(desk):
    dispatcher = desk.theatre.record(paths.DISPATCHER)
    with_outcomes(desk, hits=10, misses=30)
    with closing(OutcomeBook(desk.file, 1.0)) as book:
        book.put_lows((AlertKind.CASCADE, T0 // DAY_MS - day, 0.5) for day in range(1, 7))
    desk.open()
    desk.pass_time(11)

    selections = [one.selection for one in desk.heard(dispatcher, SelectionSet)]
    assert [one.kind for one in selections[-1].demoted] == [AlertKind.CASCADE]
    assert selections[-1].outcomes == 40


def test_votes_count_and_outlive_a_restart(desk):
    with_outcomes(desk, hits=20, misses=4)
    desk.open()
    (first, second) = [one.told.alert_id for one in spread(20, 4, last=T0 // 60_000 - 120)][:2]
    desk.tell(VotesState(alert_id=first, useful=1, useless=0))
    desk.tell(VotesState(alert_id=first, useful=0, useless=1))
    desk.tell(VotesState(alert_id=second, useful=2, useless=1))
    desk.settle()
    before = desk.state().scores.families[0].usefulness
    desk.theatre.restart(paths.OUTCOMES)

    assert (before.share.hits, before.share.of) == (1, 2)
    assert desk.state().scores.families[0].usefulness == before


def test_monitors_read_hourly_how_families_do(desk):
    with_outcomes(desk, hits=30, misses=10)
    with capture_logs() as logs:
        desk.open()
        desk.pass_time(25)

    (line,) = [one for one in logs if one["event"] == "family_scored"]
    assert (line["kind"], line["a2"], line["n"], line["base"], line["strict"]) == ("cascade", 0.75, 40, 0.2, 0.4)
    assert 0.5 < line["low"] < 0.75 < line["high"]


def test_the_dispatcher_hears_which_alerts_to_push(desk):
    dispatcher = desk.theatre.record(paths.DISPATCHER)
    desk.open()
    desk.pass_time(11)

    selections = [one.selection for one in desk.heard(dispatcher, SelectionSet)]
    assert selections[-1].limit is None
    assert selections[-1].valid_until_ms > desk.theatre.clock.now_ms()


def test_what_was_told_while_it_was_away_is_measured_too(desk, tmp_path):
    with closing(Outbox(tmp_path / "foreshock.db", 1.0)) as outbox:
        alert = an_alert(asset="SOL", kind=AlertKind.CASCADE, started_ms=T0)
        outbox.append(alert, [Planned(target="telegram:1", stage=Stage.RAISED)], T0 + 500)
        (row,) = outbox.deliveries.waiting("telegram:1")
        outbox.deliveries.claim(row.id, 1)
        outbox.deliveries.delivered(row.id, 1, now_ms=T0 + 400_000)
    with_past(desk).open(outbox=tmp_path / "foreshock.db")
    desk.minutes()
    desk.pass_time()

    assert list(desk.outcomes()) == [1, 5, 15, 60]
    assert desk.outcomes()[15].consequential is False  # the jump was over when it arrived
