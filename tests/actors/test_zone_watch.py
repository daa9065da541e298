"""The zones of one asset, predicted by a real actor that is told minute after minute."""

import msgspec
import pytest

from actors import paths
from actors.clock import ManualClock
from actors.messages.alerts import AlertRaised
from actors.messages.checkpoints import CheckpointRestored, CheckpointTaken, CheckpointWanted
from actors.messages.features import MarginTiersTold, MarginTiersWanted, ZonesWanted
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.zone_watch import BOOK, LEARNED, SCHEMA, ZoneWatch
from intelligence.alerts import AlertKind, Severity
from intelligence.history import Bar, History
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.zones.rules import ApproachRule, CutRule, ZoneRules
from tests.intelligence.builders import T0
from tests.intelligence.zones.builders import a_falling_market, a_zone_minute
from tests.telegram_stand.stage import Stage as Theatre

PATH = f"{paths.ZONES}/sol"
READER = f"{paths.MARGIN_TIERS}/bybit"
RULES = ZoneRules(cut=CutRule(reach_least=0.25), approach=ApproachRule(large_usd=1.0, large_quantile=0.01))


class Desk:
    """The watch of SOL, and recorders around it. `kept`: somebody keeps checkpoints."""

    def __init__(self, *, kept=False):
        self.theatre = Theatre(ManualClock(market_ms=T0))
        self.told = self.theatre.record(paths.DISPATCHER)
        self.stream = self.theatre.record(paths.symbol_path("SOL"))
        self.reader = self.theatre.record(READER)
        self.checkpoints = self.theatre.record(paths.CHECKPOINTS) if kept else []

    def open(self):
        self.theatre.start(PATH, ZoneWatch, child_id="sol", rules=RULES, venues=("bybit", "okx"))
        return self

    def minutes(self, minutes):
        for minute in minutes:
            self.theatre.tell(PATH, MinuteClosed(minute=minute))
        self.theatre.quiet(PATH)
        return self

    def view(self):
        return self.theatre.ask(PATH, ZonesWanted(asset="SOL")).view

    def alerts(self):
        self.theatre.quiet(paths.DISPATCHER)
        return [one.alert for one in self.told if isinstance(one, AlertRaised)]

    def taken(self, part):
        self.theatre.quiet(paths.CHECKPOINTS)
        return [one for one in self.checkpoints if isinstance(one, CheckpointTaken) and one.part == part]

    def restore(self, *answers):
        for answer in answers:
            self.theatre.tell(PATH, answer)
        self.theatre.quiet(PATH)
        return self


@pytest.fixture
def desk():
    one = Desk()
    yield one.open()
    one.theatre.close()


@pytest.fixture
def kept():
    one = Desk(kept=True)
    yield one.open()
    one.theatre.close()


def rising(count=60):
    """A price that stands still while open interest rises."""
    return [a_zone_minute(index, 100.0, 1e6 * (1 + 0.01 * index)) for index in range(count)]


def nothing(part):
    return CheckpointRestored(part=part)


def as_kept(taken):
    """The answer that another process gets."""
    state = msgspec.msgpack.encode(taken.state)
    return CheckpointRestored(part=taken.part, schema=SCHEMA, at_ms=taken.at_ms, state=state)


def test_people_are_warned_before_price_gets_there(desk):
    desk.minutes(a_falling_market())

    first = desk.alerts()[0]
    assert (first.kind, first.asset, first.severity) == (AlertKind.ZONE_APPROACH, "SOL", Severity.P2)
    assert first.text.startswith("SOL zone: longs ")


def test_whoever_asks_is_told_the_zones(desk):
    assert desk.view() is None

    desk.minutes(rising())
    assert {zone.asset for zone in desk.view().zones} == {"SOL"}


def test_the_past_and_the_margins_are_asked_for_and_taken_in(desk):
    desk.minutes(rising(1))
    desk.theatre.quiet(READER)
    assert MarginTiersWanted(asset="SOL", path=PATH) in desk.reader
    assert HistoryWanted(path=PATH) in desk.stream

    bars = tuple(Bar(T0 - back * 60_000, 100.0, 1e3, 1e5, None) for back in range(300, 0, -1))
    points = tuple((T0 - back * 300_000, 1e6 * (2 - 0.01 * back)) for back in range(59, 0, -1))
    past = History(reference=None, bars={"1m": bars, "1h": ()}, open_interest={("bybit", "SOL-P"): points})
    strict = MarginTiers(
        venue="bybit", instrument="X", asset="SOL", unit="usd", tiers=(MarginTier(cap=1e9, maintenance_rate=0.05),)
    )
    desk.theatre.tell(PATH, MarginTiersTold(tiers=strict, at_ms=T0))
    desk.theatre.tell(PATH, HistoryTold(asset="SOL", history=past))
    desk.minutes([a_zone_minute(1, 100.0, 1e6)])

    assert any(zone.low <= 100 * 0.9 / 0.95 <= zone.high for zone in desk.view().zones)


def test_once_the_past_is_known_nobody_asks_for_it_again(desk):
    bars = tuple(Bar(T0 - back * 60_000, 100.0, 1e3, 1e5, None) for back in range(300, 0, -1))
    points = tuple((T0 - back * 300_000, 1e6 * (2 - 0.01 * back)) for back in range(59, 0, -1))
    past = History(reference=None, bars={"1m": bars}, open_interest={("bybit", "SOL-P"): points})
    desk.minutes(rising(1))
    desk.theatre.tell(PATH, HistoryTold(asset="SOL", history=past))
    desk.minutes(rising(20)[1:])

    desk.theatre.quiet(paths.symbol_path("SOL"))
    assert sum(isinstance(one, HistoryWanted) for one in desk.stream) == 1


def test_minutes_wait_for_what_is_kept(kept):
    kept.minutes(rising(3))
    assert kept.view() is None
    assert [one.part for one in kept.checkpoints if isinstance(one, CheckpointWanted)] == [LEARNED, BOOK]

    kept.restore(nothing(LEARNED), nothing(BOOK))
    assert kept.view().seen_minutes == 3


def test_without_an_answer_it_begins_all_the_same(kept):
    kept.minutes(rising(3))
    kept.theatre.clock.advance(11.0)
    kept.theatre.quiet(PATH)

    assert kept.view().seen_minutes == 3


def test_another_process_goes_on_with_what_was_kept(kept):
    kept.restore(nothing(LEARNED), nothing(BOOK)).minutes(rising(60))
    before = kept.view()
    kept.theatre.restart(PATH)
    kept.restore(as_kept(kept.taken(LEARNED)[-1]), as_kept(kept.taken(BOOK)[-1]))
    kept.minutes([a_zone_minute(60, 100.0, 1.6e6)])

    after = kept.view()
    assert after.seen_minutes == 61
    assert {zone.zone_id for zone in after.zones} == {zone.zone_id for zone in before.zones}


def test_what_was_kept_in_another_shape_is_begun_anew(kept):
    kept.restore(nothing(LEARNED), nothing(BOOK)).minutes(rising(60))
    kept.theatre.restart(PATH)
    broken = msgspec.structs.replace(kept.taken(BOOK)[-1].state, densities=((0, b""),))
    answer = CheckpointRestored(part=BOOK, schema=SCHEMA, at_ms=T0, state=msgspec.msgpack.encode(broken))
    kept.restore(as_kept(kept.taken(LEARNED)[-1]), answer).minutes(rising(2))

    assert kept.view().seen_minutes == 2


def test_a_successor_warns_of_no_zone_a_second_time(kept):
    fall = a_falling_market()
    kept.restore(nothing(LEARNED), nothing(BOOK)).minutes(fall)
    told = {alert.alert_id for alert in kept.alerts()}
    kept.theatre.crash(PATH)
    kept.restore(as_kept(kept.taken(LEARNED)[-1]), as_kept(kept.taken(BOOK)[-1])).minutes(fall[-3:])

    assert {alert.alert_id for alert in kept.alerts()} == told


def test_without_minutes_it_ends(desk):
    desk.theatre.clock.advance(901.0)

    assert desk.theatre.exit_of(PATH).kind == "finished"
