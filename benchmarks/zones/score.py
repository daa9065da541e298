"""How predicted zones do in a simulated world, against zones of the same number, width, side and life at shuffled distances."""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, log

from benchmarks.zones import worlds
from intelligence.margin_tiers import MarginTiers
from intelligence.market import Liquidation, PositionSide
from intelligence.minute import MINUTE_MS, Minute
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ZoneRules
from intelligence.zones.zone import Zone
from simulator.book import Book

LAG_MIN = 5  # a zone counts as it stood so long before (detection.md 12.6)
CHECKED_MIN = (60, 240)  # horizons whose probabilities are compared with what came
LEAD_MS = (120_000, 300_000)
TOO_LATE = 0.7  # a zone that price is at already is not being approached
LATEST_LEAD_MS = 3_600_000

Span = tuple[PositionSide, float, float]


@dataclass(slots=True)
class Gone:
    """What price went through within some zones: USD liquidated there, and ln(price)."""

    usd: float = 0.0
    width: float = 0.0


@dataclass(slots=True)
class Score:
    """Sums over one world. `chances`: horizon, what was said, what reflection says, and whether it came. `warned`: whether
    price came in time, what was said, and by reflection how likely; `open_...`: hour by hour, what the simulator's open positions
    come to whose liquidation price lies there, and the width; `leads`: of large zones that were touched, ms since the warning.
    """

    ours: Gone = field(default_factory=Gone)
    null: Gone = field(default_factory=Gone)
    all: Gone = field(default_factory=Gone)
    chances: list[tuple[int, float, float, bool]] = field(default_factory=list)
    warned: list[tuple[bool, float, float]] = field(default_factory=list)
    open_ours: Gone = field(default_factory=Gone)
    open_null: Gone = field(default_factory=Gone)
    open_all: Gone = field(default_factory=Gone)
    leads: list[int | None] = field(default_factory=list)
    asset_days: float = 0.0


class _Asset:
    def __init__(self, name: str, tiers: dict[str, MarginTiers], rules: ZoneRules) -> None:
        self.model = ZoneModel(name, rules)
        self.model.set_tiers(tiers)
        self.tiers = tiers
        self.past: deque[tuple[list[Span], list[Span]]] = deque(maxlen=LAG_MIN + 1)
        self.null: dict[str, Span] = {}
        self.given: set[str] = set()  # zones that have had their null
        self.reached = (0.0, 0.0)
        self.price = 0.0
        self.expected: list[tuple[int, int, Zone, float, float]] = []
        self.warned: list[tuple[int, Zone]] = []
        self.large: dict[str, Zone] = {}


def score(chosen: worlds.World, *, hours: float, warm_up_h: float, rules: ZoneRules | None = None) -> Score:
    market = worlds.market_of(chosen)
    rules = rules or ZoneRules()
    assets = {name: _Asset(name, worlds.tiers(book), rules) for name, book in market.books.items()}
    draw, pool, found = random.Random(chosen.seed), dict[PositionSide, list[tuple[str, float]]](), Score()
    for index, minutes in enumerate(worlds.minutes(market, chosen, hours)):
        for name, minute in minutes.items():
            _take(assets[name], minute, draw, pool, found if index >= 60 * warm_up_h else None)
        if index >= 60 * warm_up_h and index % 60 == 0:
            for name, book in market.books.items():
                _look_at_truth(found, assets[name], book)
    found.asset_days = len(assets) * (hours - warm_up_h) / 24
    return found


def _take(
    one: _Asset,
    minute: Minute,
    draw: random.Random,
    pool: dict[PositionSide, list[tuple[str, float]]],
    found: Score | None,
) -> None:
    low, high = minute.mark_low or 0.0, minute.mark_high or 0.0
    if found is not None and len(one.past) > LAG_MIN:
        ours, null = one.past[0]
        _count(found.ours, ours, minute, one)
        _count(found.null, null, minute, one)
        _count(found.all, [(PositionSide.LONG, 1e-12, 1e12), (PositionSide.SHORT, 1e-12, 1e12)], minute, one)
    _judge(one, minute, low, high, found)
    warned = one.model.take(minute)
    one.price, one.reached = minute.reference_price or one.price, (low, high)
    one.warned += [(minute.to_ms, approach.zone) for approach in warned]
    for approach in warned:
        one.large[approach.zone.zone_id] = approach.zone
    view = one.model.view()
    assert view is not None
    if one.model.daily_sigma is None:
        return
    said = _note(one, view.zones, minute.to_ms, draw, pool)
    one.expected += said if found is not None else []
    one.past.append(([(zone.side, zone.low, zone.high) for zone in view.zones], list(one.null.values())))
    size = one.model.large_usd
    for zone in view.zones:
        soon = zone.within(5)
        is_near = soon is None or soon.probability >= TOO_LATE
        if zone.expected_usd >= size and minute.to_ms - zone.born_ms >= LAG_MIN * MINUTE_MS and not is_near:
            one.large[zone.zone_id] = zone


def _note(
    one: _Asset,
    zones: Iterable[Zone],
    at_ms: int,
    draw: random.Random,
    pool: dict[PositionSide, list[tuple[str, float]]],
) -> list[tuple[int, int, Zone, float, float]]:
    """Give each new zone its null, at the distance (in deviations) that some zone of another asset had when it was born;
    returns what is said of the new ones.
    """
    sigma, said = one.model.daily_sigma or 1.0, []
    now = {zone.zone_id for zone in zones}
    one.null = {zone_id: left for zone_id, span in one.null.items() if zone_id in now and (left := _left(span, one))}
    for zone in zones:
        sign = 1 if zone.side is PositionSide.LONG else -1
        away = sign * log(one.price / zone.near)
        if zone.zone_id in one.given or away <= 0:
            continue
        one.given.add(zone.zone_id)
        births = pool.setdefault(zone.side, [])
        others = [distance for name, distance in births if name != zone.asset] or [away / sigma]
        births.append((zone.asset, away / sigma))
        near = one.price * exp(-sign * draw.choice(others) * sigma)
        far = near * exp(-sign * log(zone.high / zone.low))
        one.null[zone.zone_id] = (zone.side, min(near, far), max(near, far))
        said += [
            (at_ms + horizon * MINUTE_MS, horizon, zone, chance.probability, chance.baseline)
            for horizon in CHECKED_MIN
            if (chance := zone.within(horizon)) is not None
        ]
    return said


def _look_at_truth(found: Score, one: _Asset, book: Book) -> None:
    """How much of what is open would be liquidated in the zones of now, of all within the reach of the farthest zone."""
    if not one.past:
        return
    ours, null = one.past[-1]
    far = max((abs(log(price / one.price)) for _, low, high in ours for price in (low, high)), default=0.0)
    low, high = one.price * exp(-far), one.price * exp(far)
    everything = [(PositionSide.LONG, low, one.price), (PositionSide.SHORT, one.price, high)]
    for gone, spans in ((found.open_ours, ours), (found.open_null, null), (found.open_all, everything)):
        for side, bottom, top in spans:
            gone.width += log(top / bottom)
            gone.usd += sum(
                position.quantity * one.price
                for position in book.positions
                if position.is_long is (side is PositionSide.LONG) and bottom <= position.trigger <= top
            )


def _left(span: Span, one: _Asset) -> Span | None:
    """What price has not gone through yet: ours are emptied by it, too."""
    side, bottom, top = span
    low, high = one.reached
    bottom, top = (bottom, min(top, low)) if side is PositionSide.LONG else (max(bottom, high), top)
    return (side, bottom, top) if bottom < top else None


def _judge(one: _Asset, minute: Minute, low: float, high: float, found: Score | None) -> None:
    open_: list[tuple[int, int, Zone, float, float]] = []
    for expected in one.expected:
        until_ms, horizon, zone, said, baseline = expected
        touched = zone.is_touched(low, high)
        if not touched and minute.to_ms < until_ms:
            open_.append(expected)
        elif found is not None:
            found.chances.append((horizon, said, baseline, touched))
    one.expected = open_
    if found is None:
        one.large.clear()
        return
    for zone_id, zone in list(one.large.items()):
        if zone.is_touched(low, high):
            leads = [minute.to_ms - at_ms for at_ms, told in one.warned if _overlap(told, zone)]
            within = [lead for lead in leads if lead <= LATEST_LEAD_MS]
            found.leads.append(min(within) if within else None)
            del one.large[zone_id]
    for prediction in one.model.judged:
        if prediction.warned:
            found.warned.append((prediction.touched_ms is not None, prediction.probability, prediction.baseline))


def _overlap(one: Zone, other: Zone) -> bool:
    return one.side is other.side and one.low <= other.high and other.low <= one.high


def _count(gone: Gone, spans: list[Span], minute: Minute, one: _Asset) -> None:
    low, high = minute.mark_low or 0.0, minute.mark_high or 0.0
    for side, bottom, top in spans:
        begin, end = (low, one.price) if side is PositionSide.LONG else (one.price, high)
        if begin and max(begin, bottom) < min(end, top):
            gone.width += log(min(end, top) / max(begin, bottom))
        gone.usd += sum(
            liquidation.notional_usd
            for liquidation in minute.liquidations
            if liquidation.position_side is side and bottom <= _trigger(liquidation, one.tiers) <= top
        )


def _trigger(one: Liquidation, tiers: dict[str, MarginTiers]) -> float:
    """The liquidation price, of the bankruptcy price."""
    rate = tiers[one.venue].tiers[0].maintenance_rate
    return one.price / (1 - rate) if one.position_side is PositionSide.LONG else one.price / (1 + rate)
