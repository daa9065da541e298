"""An asset's last weeks, as far as venues keep them: closed bars of one reference contract, and open interest in coins.

Rows come by REST, live figures of open interest besides; both may come twice and in any order. Nothing is here that was
not over when it was received, and bars of two contracts are never mixed: another one replaces the first as a whole.
"""

from collections.abc import Mapping
from math import isfinite, isnan, nan
from typing import Literal, NamedTuple

import msgspec

from intelligence.market import Kline, OpenInterest
from intelligence.minute import MINUTE_MS
from intelligence.slots import SlotRing, SlotRows

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
FIVE_MINUTES_MS = 300_000

Interval = Literal["1m", "1h", "1d"]
INTERVAL_MS: Mapping[Interval, int] = {"1m": MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS}
WANTED_BARS: Mapping[Interval, int] = {"1m": 24 * 60, "1h": 14 * 24, "1d": 30}
OPEN_INTEREST_POINTS = 24 * 12 + 1  # both ends of a day
RECENT_POINTS = 60  # one a minute of the last hour; before that one in five minutes
SETTLED_STEPS = 2  # ours: a venue may be late by a step, so that what is missing so near to now may still come

Contract = tuple[str, str]  # venue and instrument


class Bar(NamedTuple):
    """A closed bar of the reference contract: USD per coin, coins, USD; None where the venue does not tell."""

    open_ms: int
    close: float
    coins: float
    usd: float | None
    taker_buy_coins: float | None


class BarSpan(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answered for the bars of one contract that open from `from_ms` on and before `until_ms`."""

    venue: str
    instrument: str
    interval: Interval
    from_ms: int
    until_ms: int
    received_ms: int
    rows: tuple[Kline, ...]


class OpenInterestSpan(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answered for the open interest of one contract from `from_ms` on and before `until_ms`."""

    venue: str
    instrument: str
    from_ms: int
    until_ms: int
    received_ms: int
    rows: tuple[OpenInterest, ...]


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """From when on something of the spans that are wanted is not known; an interval or contract without gap is left out.

    `bars` are those of `reference`; of any other contract, and of one that `known` does not name, everything is missing.
    """

    reference: Contract | None
    bars: Mapping[Interval, int]
    known: frozenset[Contract]
    open_interest: Mapping[Contract, int]

    def bars_from(self, contract: Contract, interval: Interval, now_ms: int) -> int | None:
        if contract != self.reference:
            return wanted_from(interval, now_ms)
        return self.bars.get(interval)

    def open_interest_from(self, contract: Contract, now_ms: int) -> int | None:
        if contract not in self.known:
            return now_ms - DAY_MS
        return self.open_interest.get(contract)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known, for those who compute with it. `open_interest`: (ms, coins) of each contract, oldest first."""

    reference: Contract | None
    bars: Mapping[Interval, tuple[Bar, ...]]
    open_interest: Mapping[Contract, tuple[tuple[int, float], ...]]


class KeptHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A history as an immutable value that can be written down."""

    reference: Contract | None
    bars: Mapping[Interval, SlotRows]
    open_interest: tuple[tuple[str, str, SlotRows, SlotRows], ...]


class AssetHistory:
    """Bounded by its spans; contracts are few. `refused` counts rows without a usable price or quantity."""

    def __init__(self) -> None:
        self._bars = _Bars(None)
        self._coming = _Bars(None)  # of a contract that may become the reference
        self._open_interest: dict[Contract, _Points] = {}
        self.refused = 0

    @property
    def reference(self) -> Contract | None:
        """The contract whose bars these are."""
        return self._bars.contract

    # -- taking -------------------------------------------------------------------------------------------------------

    def take_bars(self, span: BarSpan) -> None:
        """Take an answer. Another contract than the reference replaces it once it is known as far, and as fully."""
        contract = (span.venue, span.instrument)
        if self._bars.contract is None:
            self._bars = _Bars(contract)
        if contract == self._bars.contract:
            self.refused += self._bars.take(span)
            return
        if contract != self._coming.contract:
            self._coming = _Bars(contract)
        self.refused += self._coming.take(span)
        if self._coming.covers(self._bars):
            self._bars, self._coming = self._coming, _Bars(None)

    def take_open_interest_span(self, span: OpenInterestSpan) -> None:
        points = self._points_of((span.venue, span.instrument))
        for record in span.rows:
            if record.exchange_ms <= span.received_ms:
                self._take_point(points, record)
        points.spaced.know_empty(
            span.from_ms, min(span.until_ms, span.received_ms - SETTLED_STEPS * points.spaced.step_ms)
        )

    def take_open_interest(self, record: OpenInterest) -> None:
        """Take a live figure; of several in a minute the first stays."""
        self._take_point(self._points_of((record.venue, record.instrument)), record)

    def _points_of(self, contract: Contract) -> "_Points":
        return self._open_interest.setdefault(contract, _Points())

    def _take_point(self, points: "_Points", record: OpenInterest) -> None:
        if isfinite(record.quantity) and record.quantity >= 0:
            points.take(record.exchange_ms, record.quantity)
        else:
            self.refused += 1

    # -- reading ------------------------------------------------------------------------------------------------------

    def bars(self, interval: Interval, from_ms: int, until_ms: int) -> list[Bar]:
        """Bars of the reference that open from `from_ms` on and before `until_ms`, oldest first; gaps are left out."""
        return [_bar(open_ms, row) for open_ms, row in self._bars.rings[interval].rows(from_ms, until_ms)]

    def open_interest_contracts(self) -> tuple[Contract, ...]:
        return tuple(sorted(self._open_interest))

    def open_interest(self, venue: str, instrument: str) -> list[tuple[int, float]]:
        """Time (ms) and coins of one contract over 24 hours, oldest first: each minute of the last hour, before that each
        five minutes. Times are the venue's; where it has nothing, nothing is made up.
        """
        points = self._open_interest.get((venue, instrument))
        return points.all() if points is not None else []

    def missing(self, now_ms: int) -> Missing:
        """What would have to be asked for, as far as it was over `SETTLED_STEPS` ago."""
        gaps = {
            interval: ring.missing_from(wanted_from(interval, now_ms), now_ms)
            for interval, ring in self._bars.rings.items()
        }
        points = {
            contract: one.spaced.missing_from(now_ms - DAY_MS, now_ms - SETTLED_STEPS * FIVE_MINUTES_MS)
            for contract, one in self._open_interest.items()
        }
        return Missing(
            reference=self.reference,
            bars={interval: gap for interval, gap in gaps.items() if gap is not None},
            known=frozenset(points),
            open_interest={contract: gap for contract, gap in points.items() if gap is not None},
        )

    def all(self) -> History:
        return History(
            reference=self.reference,
            bars={
                interval: tuple(_bar(open_ms, row) for open_ms, row in ring.rows(0, _until(ring)))
                for interval, ring in self._bars.rings.items()
            },
            open_interest={contract: tuple(points.all()) for contract, points in self._open_interest.items()},
        )

    # -- keeping ------------------------------------------------------------------------------------------------------

    def kept(self) -> KeptHistory:
        return KeptHistory(
            reference=self.reference,
            bars={interval: ring.kept() for interval, ring in self._bars.rings.items()},
            open_interest=tuple(
                (venue, instrument, points.spaced.kept(), points.recent.kept())
                for (venue, instrument), points in sorted(self._open_interest.items())
            ),
        )

    def restore(self, kept: KeptHistory) -> None:
        """Join what was kept to what is here; newer rows stay. Raises ValueError when the value makes no sense."""
        if self._bars.contract in (None, kept.reference):
            self._bars.contract = kept.reference
            for interval, rows in kept.bars.items():
                self._bars.rings[interval].restore(rows)
        for venue, instrument, spaced, recent in kept.open_interest:
            points = self._points_of((venue, instrument))
            points.spaced.restore(spaced)
            points.recent.restore(recent)


def wanted_from(interval: Interval, now_ms: int) -> int:
    """The opening of the oldest bar that is wanted."""
    step_ms = INTERVAL_MS[interval]
    return (now_ms // step_ms - WANTED_BARS[interval]) * step_ms


class _Bars:
    """Bars of one contract by length."""

    def __init__(self, contract: Contract | None) -> None:
        self.contract = contract
        self.rings: dict[Interval, SlotRing] = {
            interval: SlotRing(INTERVAL_MS[interval], count, columns=4) for interval, count in WANTED_BARS.items()
        }

    def take(self, span: BarSpan) -> int:
        """Returns how many rows were refused."""
        ring, refused = self.rings[span.interval], 0
        for row in span.rows:
            if not row.closed or row.exchange_ms + ring.step_ms > span.received_ms:
                continue
            if not (isfinite(row.close) and row.close > 0 and isfinite(row.quantity)):
                refused += 1
                continue
            ring.put(
                row.exchange_ms, (row.close, row.quantity, _or_nan(row.notional_usd), _or_nan(row.taker_buy_quantity))
            )
        ring.know_empty(span.from_ms, min(span.until_ms, span.received_ms - SETTLED_STEPS * ring.step_ms))
        return refused

    def covers(self, other: "_Bars") -> bool:
        mine, theirs = self.rings["1m"], other.rings["1m"]
        return (mine.newest_ms or 0) >= (theirs.newest_ms or 0) and len(mine) >= len(theirs)


class _Points:
    """Open interest of one contract. Columns: time (ms) and coins."""

    def __init__(self) -> None:
        self.spaced = SlotRing(FIVE_MINUTES_MS, OPEN_INTEREST_POINTS, columns=2)
        self.recent = SlotRing(MINUTE_MS, RECENT_POINTS, columns=2)

    def take(self, at_ms: int, coins: float) -> None:
        self.spaced.put(at_ms, (at_ms, coins), replace=False)
        self.recent.put(at_ms, (at_ms, coins), replace=False)

    def all(self) -> list[tuple[int, float]]:
        found = {
            int(at_ms): coins for ring in (self.spaced, self.recent) for _, (at_ms, coins) in ring.rows(0, _until(ring))
        }
        return sorted(found.items())


def _until(ring: SlotRing) -> int:
    return (ring.newest_ms or 0) + ring.step_ms


def _bar(open_ms: int, row: tuple[float, ...]) -> Bar:
    close, coins, usd, taker_buy_coins = row
    return Bar(open_ms, close, coins, _or_none(usd), _or_none(taker_buy_coins))


def _or_nan(value: float | None) -> float:
    return nan if value is None else value


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value
