"""A predicted zone: a run of prices where more liquidations wait than almost anywhere else on its side (detection.md 10.3)."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from intelligence.alerts import stable_id
from intelligence.market import PositionSide
from intelligence.zones.grid import CELL, low_of
from intelligence.zones.rules import CutRule
from intelligence.zones.touch import Chance

BRIDGED = 1  # cells of a gap that does not part two runs (ours)
SAME_OVERLAP = 0.5  # of the narrower of two: then it is the same zone as before


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """`side`: whose positions. `low`, `high`: mark prices, USD a coin. Sizes in USD of liquidations as our feeds bring them,
    once price has gone through: `least_usd` to `most_usd` held eight of ten so far. `chances` of a touch, from the shortest
    horizon on, as of `at_ms`; none while volatility is not known. `reacts`: the chance that `least_usd` is liquidated if it
    is touched. Prices may be those of a level (the given model): then both are equal.
    """

    zone_id: str
    asset: str
    side: PositionSide
    low: float
    high: float
    expected_usd: float
    least_usd: float
    most_usd: float
    born_ms: int
    expires_ms: int
    at_ms: int
    chances: tuple[Chance, ...] = ()
    reacts: float = 0.5

    @property
    def near(self) -> float:
        """The edge that price reaches first."""
        return self.high if self.side is PositionSide.LONG else self.low

    def is_touched(self, low: float, high: float) -> bool:
        """By mark prices from `low` to `high`."""
        return low <= self.high if self.side is PositionSide.LONG else high >= self.low

    def is_passed(self, low: float, high: float) -> bool:
        """Price has been at or beyond the far edge."""
        return low <= self.low if self.side is PositionSide.LONG else high >= self.high

    def within(self, minutes: int) -> Chance | None:
        return next((chance for chance in self.chances if chance.minutes == minutes), None)


class Span(msgspec.Struct, frozen=True, gc=False):
    """Cells from `first` to before `after`, and what is expected in them, USD."""

    first: int
    after: int
    usd: float


def cut(usd: Sequence[float], first: int, rule: CutRule) -> tuple[Span, ...]:
    """The zones of one side, largest first. `usd`: what is expected in each cell from `first` on."""
    there = sorted(value for value in usd if value > 0)
    least, most = max(1, round(rule.least_width / CELL)), max(1, int(rule.most_width / CELL))
    if len(there) < 2 * least:
        return ()
    limit = there[min(len(there) - 1, int(rule.quantile * len(there)))]
    spans = (piece for run in _runs(usd, limit) for piece in _pieces(run, most))
    wide = (_widened(span, usd, least) for span in spans)
    found = [Span(begin + first, end + first, sum(usd[begin:end])) for begin, end in _apart(wide)]
    return tuple(sorted(found, key=lambda span: (-span.usd, span.first))[: rule.a_side])


def _runs(usd: Sequence[float], limit: float) -> Iterable[tuple[int, int]]:
    begin = end = -1
    for place, value in enumerate(usd):
        if value < limit or value <= 0:
            continue
        if begin >= 0 and place - end > BRIDGED:
            yield begin, end
            begin = place
        begin = place if begin < 0 else begin
        end = place + 1
    if begin >= 0:
        yield begin, end


def _pieces(run: tuple[int, int], most: int) -> Iterable[tuple[int, int]]:
    begin, end = run
    count = -(-(end - begin) // most)
    edges = [begin + (end - begin) * piece // count for piece in range(count + 1)]
    return pairwise(edges)


def _widened(span: tuple[int, int], usd: Sequence[float], least: int) -> tuple[int, int]:
    """At least so wide, by the denser neighbours."""
    begin, end = span
    while end - begin < min(least, len(usd)):
        before = usd[begin - 1] if begin > 0 else -1.0
        behind = usd[end] if end < len(usd) else -1.0
        begin, end = (begin - 1, end) if before > behind else (begin, end + 1)
    return begin, end


def _apart(spans: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Spans in order, without the cells that one before has."""
    taken = -1
    for begin, end in spans:
        if end > max(begin, taken):
            yield max(begin, taken), end
            taken = end


def zones_of(
    spans: Iterable[Span], known: Iterable[Zone], *, asset: str, side: PositionSide, at_ms: int, expires_ms: int
) -> tuple[Zone, ...]:
    """Spans as zones: one that overlaps a known zone of the side goes on under its id, and expires when that did."""
    left = [zone for zone in known if zone.side is side]
    found = []
    for span in spans:
        low, high = low_of(span.first), low_of(span.after)
        same = max(left, key=lambda zone: _overlap(zone, low, high), default=None)
        if same is not None and _overlap(same, low, high) < SAME_OVERLAP:
            same = None
        if same is not None:
            left.remove(same)
        found.append(
            Zone(
                zone_id=same.zone_id if same else stable_id("zone", asset, side, span.first, span.after, at_ms),
                asset=asset,
                side=side,
                low=low,
                high=high,
                expected_usd=span.usd,
                least_usd=0.0,
                most_usd=0.0,
                born_ms=same.born_ms if same else at_ms,
                expires_ms=same.expires_ms if same and same.expires_ms > at_ms else expires_ms,
                at_ms=at_ms,
            )
        )
    return tuple(found)


def _overlap(zone: Zone, low: float, high: float) -> float:
    """Of the narrower of both, which it covers."""
    common = min(zone.high, high) - max(zone.low, low)
    return max(0.0, common) / min(zone.high - zone.low, high - low)
