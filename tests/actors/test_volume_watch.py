"""The volume of one asset, watched by a real actor between recorders of its stream, the dispatcher and the near misses."""

from dataclasses import replace

import pytest

from actors import paths
from actors.checkpoints import Checkpoints
from actors.clock import ManualClock
from actors.mailbox import MailboxSpec
from actors.messages.alerts import AlertRaised, NearMissesSeen
from actors.messages.features import ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.volume_watch import VolumeWatch
from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.history import Bar, History
from intelligence.thresholds.records import Threshold
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import T0
from tests.intelligence.volume_minutes import WARM, burst, calm
from tests.telegram_stand.stage import Stage as Theatre

PATH = f"{paths.VOLUME}/sol"
MINUTE_MS = 60_000
FACTOR = 2.0  # all venues in the reference


class Desk:
    def __init__(self, data_dir=None, market_ms=T0):
        self.theatre = Theatre(ManualClock(market_ms=market_ms))
        self.told = self.theatre.record(paths.DISPATCHER)
        self.near = self.theatre.record(paths.NEAR_MISSES)
        self.stream = self.theatre.record(paths.symbol_path("SOL"))
        if data_dir is not None:
            self.theatre.system.place(paths.CHECKPOINTS, MailboxSpec(max_age_s=3600.0))
            store = {"file": data_dir / "state.db", "busy_s": 1.0, "trial_s": 60.0, "fresh": False}
            self.theatre.start(paths.CHECKPOINTS, Checkpoints, **store)
        self.has_store = data_dir is not None
        self.theatre.system.place(PATH, MailboxSpec(retain_max=240))
        self.theatre.start(PATH, VolumeWatch, child_id="sol", rule=VolumeRule(), venues=("binance", "bybit"))

    def feed(self, minutes):
        for minute in minutes:
            self.theatre.tell(PATH, MinuteClosed(minute=minute))
        return self.settle()

    def settle(self):
        """Until everything has been answered, what is asked of the store too."""
        self.theatre.quiet(PATH)
        if self.has_store:
            self.theatre.quiet(paths.CHECKPOINTS)
            self.theatre.quiet(PATH)
        return self

    def alerts(self):
        self.theatre.quiet(PATH)
        self.theatre.ask(paths.DISPATCHER, "settle")
        return [one.alert for one in self.told if isinstance(one, AlertRaised)]

    def near_misses(self):
        self.theatre.quiet(PATH)
        self.theatre.ask(paths.NEAR_MISSES, "settle")
        return [found for one in self.near if isinstance(one, NearMissesSeen) for found in one.found]

    def asked(self):
        self.theatre.ask(paths.symbol_path("SOL"), "settle")
        return sum(isinstance(one, HistoryWanted) for one in self.stream)


@pytest.fixture
def open_desk():
    desks = []

    def begin(*args, **values):
        desks.append(Desk(*args, **values))
        return desks[-1]

    yield begin
    for one in desks:
        one.theatre.close()


def ordinary(first, last):
    return [calm(index) for index in range(first, last)]


def a_burst(length=20, first=WARM):
    return [burst(first + step, step) for step in range(length)]


def the_past(last):
    """Bars of the reference for all ordinary minutes before number `last`, and hours before them."""
    bars = [
        Bar(one.from_ms, one.close, one.total_usd / FACTOR / one.close, one.total_usd / FACTOR, None)
        for one in ordinary(0, last)
    ]
    first_ms = T0 - T0 % 3_600_000
    hours = [Bar(first_ms - hour * 3_600_000, 100.0, 3e5, 3e7, None) for hour in range(300, 0, -1)]
    return History(
        reference=("binance", "SOLUSDT"), bars={"1m": tuple(bars), "1h": tuple(hours), "1d": ()}, open_interest={}
    )


def tell_the_past(desk, last):
    desk.theatre.tell(PATH, HistoryTold(asset="SOL", history=the_past(last)))


def test_a_burst_reaches_the_dispatcher(open_desk):
    (alert, *_) = open_desk().feed([*ordinary(0, WARM), *a_burst()]).alerts()

    assert (alert.kind, alert.asset, alert.stage) == (AlertKind.VOLUME_SPIKE, "SOL", Stage.RAISED)
    assert alert.venues_configured == ("binance", "bybit")


def test_the_first_day_is_no_desert_where_the_reference_has_a_past(open_desk):
    desk = open_desk().feed(ordinary(WARM - 10, WARM))
    tell_the_past(desk, WARM)

    assert desk.feed(a_burst()).alerts()[0].stage is Stage.RAISED


def test_bars_of_one_venue_are_raised_to_the_level_of_all(open_desk):
    desk = open_desk().feed(ordinary(WARM - 10, WARM))
    tell_the_past(desk, WARM)
    alert = desk.feed(a_burst()).alerts()[0]

    assert dict(alert.factors)["usual_15m_usd"] == pytest.approx(15e6, rel=0.01)


def test_without_minutes_known_both_ways_bars_are_not_used(open_desk):
    desk = open_desk().feed(ordinary(WARM - 10, WARM))
    tell_the_past(desk, WARM - 10)

    assert desk.feed(a_burst()).alerts() == []


def test_the_past_is_asked_for_until_it_is_whole(open_desk):
    desk = open_desk().feed(ordinary(WARM - 300, WARM - 290))
    before = desk.asked()
    tell_the_past(desk, WARM - 290)

    assert before == 3
    assert desk.feed(ordinary(WARM - 290, WARM - 200)).asked() == before


def test_another_process_knows_what_is_usual_at_once(open_desk, tmp_path):
    first = open_desk(tmp_path).feed(ordinary(0, WARM))
    for path in (PATH, paths.CHECKPOINTS):
        first.theatre.stop(path, drain=True)

    second = open_desk(tmp_path, market_ms=calm(WARM).to_ms)
    assert second.feed(a_burst()).alerts()[0].stage is Stage.RAISED


def test_another_process_fills_the_gap_with_bars_at_the_level_it_knows(open_desk, tmp_path):
    first = open_desk(tmp_path).feed(ordinary(WARM - 300, WARM - 250))
    tell_the_past(first, WARM - 250)
    first.feed(ordinary(WARM - 250, WARM - 120))
    for path in (PATH, paths.CHECKPOINTS):
        first.theatre.stop(path, drain=True)

    second = open_desk(tmp_path, market_ms=calm(WARM - 1).to_ms).feed(ordinary(WARM - 1, WARM))
    assert second.asked() == 1
    tell_the_past(second, WARM)
    assert second.feed(a_burst()).alerts()[0].stage is Stage.RAISED


def test_an_open_incident_keeps_its_id_in_another_process(open_desk, tmp_path):
    first = open_desk(tmp_path).feed([*ordinary(0, WARM), *a_burst(6)])
    before = first.alerts()[0]
    for path in (PATH, paths.CHECKPOINTS):
        first.theatre.stop(path, drain=True)

    second = open_desk(tmp_path, market_ms=calm(WARM + 10).to_ms).feed(ordinary(WARM + 6, WARM + 60))
    ended = second.alerts()[-1]
    assert (ended.alert_id, ended.stage) == (before.alert_id, Stage.ENDED)


def test_a_successor_knows_the_open_incident_and_says_nothing_twice(open_desk, tmp_path):
    desk = open_desk(tmp_path).feed([*ordinary(0, WARM), *a_burst(6)])
    before = desk.alerts()

    desk.theatre.crash(PATH)
    assert desk.feed([]).alerts() == before

    ended = desk.feed(ordinary(WARM + 6, WARM + 60)).alerts()[-1]
    assert (ended.alert_id, ended.stage) == (before[0].alert_id, Stage.ENDED)


def handed_over(usd, valid_until_ms=None):
    given = StaticThresholds().of("SOL")
    volume = Threshold(value=usd, source="tiered")
    return ThresholdsSet(thresholds=replace(given, volume_spike=volume, valid_until_ms=valid_until_ms))


def test_it_is_judged_by_the_threshold_that_was_handed_over(open_desk):
    desk = open_desk().feed(ordinary(0, WARM))
    desk.theatre.tell(PATH, handed_over(46e6))

    assert desk.feed(a_burst()).alerts()[0].threshold_source == "tiered"


def test_a_threshold_that_nobody_renews_gives_way_and_the_alert_says_so(open_desk):
    desk = open_desk().feed(ordinary(0, WARM))
    desk.theatre.tell(PATH, handed_over(46e6, valid_until_ms=T0 + WARM * MINUTE_MS))
    alert = desk.feed(a_burst()).alerts()[0]

    assert alert.threshold_source == "static"
    assert dict(alert.factors)["expired"] == "tiered"


def test_a_watch_that_warms_up_says_why_it_is_silent(open_desk):
    found = open_desk().feed(ordinary(0, 30)).near_misses()

    assert {one.kind for one in found} == {AlertKind.VOLUME_SPIKE}
    assert all(one.missing[0].startswith("warming") for one in found)


def test_volume_without_a_move_is_kept_as_a_near_miss(open_desk):
    flat = [calm(WARM + step, buy_usd=4e6, sell_usd=4e6) for step in range(6)]
    desk = open_desk().feed([*ordinary(0, WARM), *flat])

    assert desk.alerts() == []
    assert "times the usual" in desk.near_misses()[-1].missing[-1]


def test_it_ends_when_no_minute_comes_any_more(open_desk):
    desk = open_desk().feed(ordinary(0, 3))
    desk.theatre.clock.advance(901.0)

    assert desk.theatre.exit_of(PATH).kind == "finished"
