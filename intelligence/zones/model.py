"""Our model of one asset's zones: fed a minute at a time, it knows nothing of the next (detection.md 10.3 and 10.4)."""

from collections.abc import Mapping
from math import log
from typing import Literal

import msgspec

from intelligence.history import History
from intelligence.margin_tiers import MarginTiers
from intelligence.market import Liquidation, PositionSide, PriceKind
from intelligence.minute import Minute
from intelligence.zones.approach import Approach, Told, Warnings, approached
from intelligence.zones.book import SIDES, KeptBook, PositionBook
from intelligence.zones.entries import Entries
from intelligence.zones.given import GivenZones
from intelligence.zones.grid import CELL, READABLE, cell_of, middle_of
from intelligence.zones.past import past_entries
from intelligence.zones.reaction import Reaction
from intelligence.zones.record import KeptRecord, Prediction, Record, Tally
from intelligence.zones.rules import ZoneRules
from intelligence.zones.touch import KeptTouches, Touches
from intelligence.zones.view import ZonesView
from intelligence.zones.zone import Span, Zone, cut, zones_of

HOUR_MS = 3_600_000
HORIZON_MIN = 1440  # of a prediction that is written down: detection.md 12.6 judges zones by first touch


class KeptZones(msgspec.Struct, frozen=True, kw_only=True):
    """What is learned by the minute; `KeptBook` is the larger rest."""

    zones: tuple[Zone, ...]
    record: KeptRecord
    touches: KeptTouches
    told: tuple[tuple[Told, ...], tuple[int, ...]]
    reaction: Reaction
    seen_minutes: int


class ZoneModel:
    """Memory is bounded by the grid and by what `Record` keeps open. Both models run; the one that is chosen warns, and the
    given one stands in while ours knows no volatility or no positions.
    """

    def __init__(self, asset: str, rules: ZoneRules) -> None:
        self._asset, self._rules = asset, rules
        self._book = PositionBook(rules.book)
        self._entries = Entries()
        self._touches = Touches()
        self._record = Record()
        self._warnings = Warnings(rules.approach.a_day)
        self._given = GivenZones(asset, rules.given)
        self._zones: tuple[Zone, ...] = ()
        self._reaction = Reaction()
        self._minutes = 0
        self._last: tuple[int, float, float] | None = None  # end of the minute, price, open coins
        self._extremes: tuple[float, float] | None = None  # since the first minute
        self._first_ms = 0
        self._has_past = False
        self.judged: tuple[Prediction, ...] = ()  # predictions that ended with the last minute

    # -- what comes before --------------------------------------------------------------------------------------------

    def set_tiers(self, tiers: Mapping[str, MarginTiers]) -> None:
        """What venues ask of positions in this asset, by venue."""
        self._book.set_tiers(tiers)

    @property
    def wants_past(self) -> bool:
        return not self._has_past and self._minutes > 0

    def begin_with(self, past: History) -> None:
        """Take in what was opened before the first minute, once; nothing while the past is not there yet."""
        if not self.wants_past or self._last is None or self._extremes is None:
            return
        minute_bars = past.bars.get("1m", ())
        self._touches.begin_with(tuple((bar.open_ms, bar.close) for bar in minute_bars))
        found = past_entries(past, before_ms=self._first_ms, open_coins=self._last[2], since=self._extremes)
        if not found:
            return
        self._has_past = True
        for one in found:
            age_h = (self._last[0] - one.at_ms) / HOUR_MS
            self._book.open(one.entry, self._touches.daily_sigma, age_h=age_h, between=one.between)

    # -- a minute -----------------------------------------------------------------------------------------------------

    def take(self, minute: Minute) -> tuple[Approach, ...]:
        """A closed minute; returns warnings. One that is not newer than the last, or without any price, is ignored."""
        price = minute.reference_price or minute.close
        if price is None or (self._last is not None and minute.to_ms <= self._last[0]):
            return ()
        low, high = self._range(minute, price)
        before = self._last[1] if self._last else price
        gap = (minute.to_ms - self._last[0]) / 60_000 if self._last else 1.0
        liquidated = tuple((one.position_side, self._trigger(one), one) for one in minute.liquidations)
        sized = tuple((side, at, one.notional_usd) for side, at, one in liquidated)
        self._book.begin(price)
        self._reaction = self._reaction.after(self._zones, low, high, before=before, liquidated=sized)
        self.judged = self._record.take(minute.to_ms, low, high, sized)
        for side, at, one in liquidated:
            self._book.liquidated(side, at, one.quantity)
        self._book.sweep(low, high)
        self._touches.take(minute.from_ms, low, high, price)
        self._move_positions(minute, low, high, gap)
        self._note(minute, low, high)
        self._cut(minute.to_ms, price)
        return self._warn(minute, price, low, high)

    @staticmethod
    def _range(minute: Minute, price: float) -> tuple[float, float]:
        """Of mark prices, which is what venues liquidate by; never of trades."""
        low, high = minute.mark_low or price, minute.mark_high or price
        return min(low, price), max(high, price)

    def _trigger(self, one: Liquidation) -> float:
        """The mark price that caused it (detection.md 3.3)."""
        if one.price_kind is not PriceKind.BANKRUPTCY:
            return one.price
        rate = self._book.maintenance_rate(one.venue)
        return one.price / (1 - rate) if one.position_side is PositionSide.LONG else one.price / (1 + rate)

    def _move_positions(self, minute: Minute, low: float, high: float, gap: float) -> None:
        traded = (minute.low or low, minute.high or high)
        moved = self._entries.take(minute.to_ms, *traded, minute.open_interest)
        self._book.rates.believe(moved.open_coins)
        self._book.rates.end_minute()
        self._book.age(gap)
        forced = sum(one.quantity for one in minute.liquidations)
        if moved.open_coins > 0:
            self._book.close(max(0.0, moved.closed - forced) / (moved.open_coins + moved.closed))
        for entry in moved.entries:
            self._book.open(entry, self._touches.daily_sigma)
        price = minute.reference_price or minute.close or low
        self._last = (minute.to_ms, price, moved.open_coins or (self._last[2] if self._last else 0.0))

    def _note(self, minute: Minute, low: float, high: float) -> None:
        self._minutes += 1
        self._first_ms = self._first_ms or minute.from_ms
        before = self._extremes or (low, high)
        self._extremes = (min(before[0], low), max(before[1], high))

    # -- zones --------------------------------------------------------------------------------------------------------

    def _cut(self, at_ms: int, price: float) -> None:
        expires_ms = at_ms + int(self._rules.cut.expires_h * HOUR_MS)
        found: list[Zone] = []
        for side in SIDES:
            zones = zones_of(
                self._spans(side, price),
                self._zones,
                asset=self._asset,
                side=side,
                at_ms=at_ms,
                expires_ms=expires_ms,
            )
            found += zones
        least, most = self._record.interval()
        reacts = self._record.reacts
        self._zones = tuple(
            msgspec.structs.replace(
                zone,
                least_usd=least * zone.expected_usd,
                most_usd=most * zone.expected_usd,
                chances=self._touches.chances(self._away(zone, price), is_above=zone.side is PositionSide.SHORT),
                reacts=reacts,
            )
            for zone in found
        )
        for zone in self._zones:
            if not self._record.stands(zone.zone_id) and self._away(zone, price) > 0:
                self._record.predict(zone, HORIZON_MIN, warned=False)

    def _spans(self, side: PositionSide, price: float) -> tuple[Span, ...]:
        rule, here = self._rules.cut, cell_of(price)
        far = rule.reach_sigmas * (self._touches.daily_sigma or rule.reach_most)
        reach = min(round(min(max(far, rule.reach_least), rule.reach_most) / CELL), READABLE)
        first, after = (here - reach, here) if side is PositionSide.LONG else (here + 1, here + 1 + reach)
        return cut(self.expected_usd(side, first, after), first, rule)

    def expected_usd(self, side: PositionSide, first: int, after: int) -> list[float]:
        """Of liquidations in each cell of the grid from `first` to before `after`, once price has passed it."""
        coins = self._book.expected_coins(side, first, after)
        return [one * middle_of(first + place) for place, one in enumerate(coins)]

    @staticmethod
    def _away(zone: Zone, price: float) -> float:
        """Ln distance to the near edge; 0 or less when price is in the zone."""
        sign = 1 if zone.side is PositionSide.LONG else -1
        return sign * log(price / zone.near)

    def _warn(self, minute: Minute, price: float, low: float, high: float) -> tuple[Approach, ...]:
        of_given = self._given.take(minute, price, low, high)
        self._warnings.pass_minute(minute.to_ms, low, high)
        if self.model == "given":
            return of_given
        rule = self._rules.approach
        large = self.large_usd
        warned = []
        for zone in approached(self._zones, rule, large=large):
            if self._warnings.allow(zone, minute.to_ms):
                self._record.predict(zone, rule.judged_min, warned=True)
                warned.append(Approach(model="ours", zone=zone, price=price, at_ms=minute.to_ms, large_usd=large))
        return tuple(warned)

    @property
    def model(self) -> Literal["ours", "given"]:
        """Who warns now."""
        ready = self._touches.daily_sigma is not None and bool(self._zones)
        return "ours" if self._rules.model == "ours" and ready else "given"

    @property
    def _open_usd(self) -> float:
        return self._last[1] * self._last[2] if self._last else 0.0

    # -- reading and keeping ------------------------------------------------------------------------------------------

    @property
    def daily_sigma(self) -> float | None:
        """Standard deviation of a day's return, a fraction; None while it is not known."""
        return self._touches.daily_sigma

    @property
    def large_usd(self) -> float:
        """What a zone must be expected to hold to count as a large one."""
        rule = self._rules.approach
        return max(rule.large_usd, self._record.size(rule.large_quantile))

    @property
    def warned(self) -> Tally:
        return self._record.warnings

    def view(self) -> ZonesView | None:
        """None before the first minute."""
        if self._last is None:
            return None
        return ZonesView(
            asset=self._asset,
            at_ms=self._last[0],
            price=self._last[1],
            open_usd=self._open_usd,
            model=self.model,
            zones=self._zones,
            given=self._given.zones,
            record=self._record.zones,
            warned=self._record.warnings,
            reaction=self._reaction.ratio,
            given_tally=self._given.tally,
            seen_minutes=self._minutes,
            unexplained=self._book.unexplained,
        )

    def kept(self) -> KeptZones:
        return KeptZones(
            zones=self._zones,
            record=self._record.kept(),
            touches=self._touches.kept(),
            told=self._warnings.kept(),
            reaction=self._reaction,
            seen_minutes=self._minutes,
        )

    def kept_book(self) -> KeptBook:
        return self._book.kept()

    def restore(self, kept: KeptZones | None, book: KeptBook | None) -> None:
        """Go on from what was kept, before the first minute. Raises ValueError when it is of another shape."""
        if kept is not None:
            self._touches.restore(kept.touches)
            self._record.restore(kept.record)
            self._warnings.restore(kept.told)
            self._zones, self._reaction, self._minutes = kept.zones, kept.reaction, kept.seen_minutes
        if book is not None:
            self._book.restore(book)
            self._has_past = True
