"""Rolling sums of one asset's liquidations by venue, side and how far each can be trusted, over a minute to a day."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from intelligence.detectors.duplicates import DuplicateRule, Duplicates
from intelligence.market import Coverage, Liquidation, PositionSide

SPANS_S = (60, 300, 900, 3_600, 14_400, 86_400)
FINE_S = 900  # up to here to the second, beyond to the minute
DAY_MINUTES = 1_440
MAX_AHEAD_MS = 60_000  # ours: as in detection, more than any clock that is only wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationSum:
    """One venue's liquidations of one side, USD. `uncertain` as in `Liquidation`."""

    venue: str
    position_side: PositionSide
    coverage: Coverage
    uncertain: str
    usd: float
    count: int
    largest_usd: float
    newest_ms: int

    @property
    def counts(self) -> bool:
        """Whether it adds to others: not when its reading is in doubt, nor a venue's own total of what stands beside it."""
        return not self.uncertain and self.coverage is not Coverage.AGGREGATE


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationSums:
    """The liquidations of the last `seconds`. Totals hold what `counts`; rows that do not stand apart."""

    seconds: int
    rows: tuple[LiquidationSum, ...]

    def usd(self, side: PositionSide) -> float:
        return math.fsum(row.usd for row in self.rows if row.counts and row.position_side is side)

    @property
    def lower_bound(self) -> bool:
        """Whether a venue in the totals tells only some of its liquidations."""
        return any(row.counts and row.coverage is Coverage.CAPPED for row in self.rows)


class _Key(NamedTuple):
    venue: str
    position_side: PositionSide
    coverage: Coverage
    uncertain: str


_Cell = tuple[float, int, float, int]  # USD, count, largest, ms of the newest
_NOTHING: _Cell = (0.0, 0, 0.0, 0)


class _Buckets:
    """Sums by unit of time over the newest `kept` units. What has happened is rare, so empty units take nothing."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._newest = 0
        self._cells: dict[int, dict[_Key, _Cell]] = {}

    def add(self, unit: int, key: _Key, usd: float, at_ms: int) -> None:
        self._newest = max(self._newest, unit)
        if unit <= self._newest - self._kept:
            return
        cells = self._cells.setdefault(unit, {})
        cells[key] = _joined(cells.get(key, _NOTHING), (usd, 1, usd, at_ms))
        if len(self._cells) > self._kept:
            oldest = self._newest - self._kept
            self._cells = {at: one for at, one in self._cells.items() if at > oldest}

    def total(self, first: int) -> dict[_Key, _Cell]:
        found: dict[_Key, _Cell] = {}
        for unit, cells in self._cells.items():
            if unit >= first:
                for key, cell in cells.items():
                    found[key] = _joined(found.get(key, _NOTHING), cell)
        return found


class RollingLiquidations:
    """A day of liquidations, by event time. Feed it what detection accepted, and apart what is in doubt."""

    def __init__(self) -> None:
        self._seconds, self._minutes = _Buckets(FINE_S), _Buckets(DAY_MINUTES)
        self._duplicates = Duplicates(DuplicateRule())

    def add(self, accepted: Iterable[Liquidation]) -> None:
        """Take liquidations that are usable, certain, and told once."""
        for event in accepted:
            self._put(event)

    def add_doubtful(self, events: Iterable[Liquidation], *, after_reconnect: bool) -> None:
        """Take those of `events` that detection leaves out because of how they are to be read; the others are ignored."""
        for event in events:
            doubtful = bool(event.uncertain) or event.coverage is Coverage.AGGREGATE
            usable = math.isfinite(event.notional_usd) and event.notional_usd > 0
            ahead = event.exchange_ms > event.received_ms + MAX_AHEAD_MS
            if not doubtful or not usable or ahead:
                continue
            if not self._duplicates.recognise(event, after_reconnect=after_reconnect):
                self._put(event)

    def sums(self, now_ms: int) -> tuple[LiquidationSums, ...]:
        """The sums over each of `SPANS_S` that ends at `now_ms`."""
        return tuple(LiquidationSums(seconds=span_s, rows=self._rows(span_s, now_ms)) for span_s in SPANS_S)

    def _put(self, event: Liquidation) -> None:
        key = _Key(event.venue, event.position_side, event.coverage, event.uncertain)
        at_ms, usd = event.exchange_ms, event.notional_usd
        self._seconds.add(at_ms // 1_000, key, usd, at_ms)
        self._minutes.add(at_ms // 60_000, key, usd, at_ms)

    def _rows(self, span_s: int, now_ms: int) -> tuple[LiquidationSum, ...]:
        if span_s <= FINE_S:
            found = self._seconds.total(now_ms // 1_000 - span_s + 1)
        else:
            found = self._minutes.total(now_ms // 60_000 - span_s // 60 + 1)
        return tuple(
            LiquidationSum(**key._asdict(), usd=usd, count=count, largest_usd=largest, newest_ms=newest_ms)
            for key, (usd, count, largest, newest_ms) in sorted(found.items())
        )


def _joined(one: _Cell, other: _Cell) -> _Cell:
    return one[0] + other[0], one[1] + other[1], max(one[2], other[2]), max(one[3], other[3])
