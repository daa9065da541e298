"""The open interest of one asset, watched by a real actor that is told minute after minute."""

from dataclasses import replace

import pytest

from actors import paths
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.alerts import AlertRaised, NearMissesSeen
from actors.messages.features import ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.open_interest_watch import OpenInterestWatch
from intelligence.alerts import Stage
from intelligence.detectors.open_interest import OpenInterestRule
from intelligence.history import History
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import T0, a_minute, an_open_interest
from tests.telegram_stand.stage import Stage as Theatre

PATH = f"{paths.EXPLOSIONS}/sol"
VENUES = ("binance", "bybit")


class Desk:
    def __init__(self):
        self.theatre = Theatre(ManualClock(market_ms=T0))
        self.told = self.theatre.record(paths.DISPATCHER)
        self.stream = self.theatre.record(paths.symbol_path("SOL"))
        self.theatre.system.place(PATH, MailboxSpec(retain_max=240))
        self.theatre.start(PATH, OpenInterestWatch, child_id="sol", rule=OpenInterestRule(), static=StaticThresholds())

    def minute(self, index, coins):
        figures = tuple(an_open_interest(index * 60_000, coins, venue=venue) for venue in VENUES)
        self.theatre.tell(PATH, MinuteClosed(minute=a_minute(index, open_interest=figures)))

    def alerts(self):
        self.theatre.quiet(PATH)
        self.theatre.ask(paths.DISPATCHER, "settle")
        return [one.alert for one in self.told if isinstance(one, AlertRaised)]


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.theatre.close()


def test_an_explosion_reaches_the_dispatcher(desk):
    for index in range(20):
        desk.minute(index, 1e6)
    desk.minute(20, 1.3e6)

    (alert,) = desk.alerts()
    assert (alert.asset, alert.stage, round(alert.value)) == ("SOL", Stage.RAISED, 30)


def test_a_successor_knows_the_open_incident_and_says_nothing_twice(desk):
    for index in range(20):
        desk.minute(index, 1e6)
    desk.minute(20, 1.3e6)
    (before,) = desk.alerts()

    desk.theatre.crash(PATH)
    desk.minute(21, 1.3e6)
    assert desk.alerts() == [before]

    desk.minute(22, 1.6e6)
    after = desk.alerts()[-1]
    assert (after.alert_id, after.stage) == (before.alert_id, Stage.UPDATED)


def test_the_past_lets_the_first_minutes_be_judged(desk):
    desk.minute(0, 1.3e6)
    past = tuple((T0 - back * 60_000, 1e6) for back in range(60, 0, -1))
    contracts = {(venue, "SOL-P"): past for venue in VENUES}
    desk.theatre.tell(PATH, HistoryTold(asset="SOL", history=History(reference=None, bars={}, open_interest=contracts)))
    desk.minute(1, 1.3e6)

    (alert,) = desk.alerts()
    assert dict(alert.context)["coins_before"] == 2e6
    assert any(isinstance(one, HistoryWanted) for one in desk.stream)


def dynamic(pct, valid_until_ms=None):
    given = StaticThresholds().of("SOL")
    change = Threshold(value=pct, source="tiered")
    return ThresholdsSet(thresholds=replace(given, oi_change_pct=change, valid_until_ms=valid_until_ms))


def hand_over(desk, thresholds):
    desk.theatre.system.address(PATH).tell(thresholds, retain=True)


def test_thresholds_that_are_handed_over_count_for_a_successor_too(desk):
    hand_over(desk, dynamic(10.0))
    desk.theatre.quiet(PATH)
    desk.theatre.crash(PATH)
    for index in range(20):
        desk.minute(index, 1e6)
    desk.minute(20, 1.12e6)

    (alert,) = desk.alerts()
    assert (alert.threshold, alert.threshold_source) == (10.0, "tiered")


def test_thresholds_that_nobody_renews_give_way_to_the_given_ones(desk):
    hand_over(desk, dynamic(10.0, valid_until_ms=T0 + 600_000))
    for index in range(20):
        desk.minute(index, 1e6)
    desk.minute(20, 1.12e6)

    assert desk.alerts() == []  # 20 % are given


def test_what_came_near_is_told_to_whoever_keeps_it(desk):
    kept = desk.theatre.record(paths.NEAR_MISSES)
    for index in range(20):
        desk.minute(index, 1e6)
    desk.minute(20, 1.1e6)

    assert desk.alerts() == []
    desk.theatre.ask(paths.NEAR_MISSES, "settle")
    (*_, last) = (one for one in kept if isinstance(one, NearMissesSeen))
    (near,) = last.found
    assert near.missing == ("5 min threshold 10 of 20",)
