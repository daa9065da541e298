"""Open interest by instrument over the last hours, in coins: what changed over a window with the same venues throughout."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from intelligence.market import OpenInterest

NEW_MS = 14 * 86_400_000  # detection.md 6: of a younger contract per cents say nothing
THINNED_MS = 15_000  # ours: a quarter of a poll; pushes come ten times a second


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueChange:
    """A venue's open interest at both ends of a window, in coins, over the instruments that were there at both.

    `sides_unknown`: the venue does not say whether it counts a pair once or twice, so its coins are added to nobody's.
    """

    venue: str
    before: float
    after: float
    at_ms: int
    sides_unknown: bool

    @property
    def change(self) -> float:
        """A fraction: 0.15 is 15 % more than before."""
        return self.after / self.before - 1


@dataclass(slots=True)
class _Points:
    times_ms: list[int] = field(default_factory=list)
    coins: list[float] = field(default_factory=list)
    steps_ms: list[int] = field(default_factory=list)  # of points that are no continuation of those before
    sides_unknown: bool = False
    listed_ms: int | None = None


class OpenInterestSeries:
    """Points of every instrument, each in the order of its venue's time. Forgets what is older than `kept_ms`. An instrument
    that is traded for less than `new_ms` is kept and counts in nothing.

    A point whose time did not move is stale and dropped. A step of more than `max_step` times, either way, is a new
    contract size or a settlement and no trading: that instrument begins anew.
    """

    def __init__(self, *, kept_ms: int, new_ms: int = NEW_MS, max_step: float = 3.0) -> None:
        self._kept_ms, self._new_ms = kept_ms, new_ms
        self._max_step = max_step
        self._points: dict[tuple[str, str], _Points] = {}
        self.stale = 0
        self.restarted = 0

    def add(self, record: OpenInterest) -> bool:
        """Take one figure; False when it says nothing new."""
        key = (record.venue, record.instrument)
        points = self._points.get(key)
        if points is None:
            points = self._points[key] = _Points()
        times, coins = points.times_ms, points.coins
        if not (isfinite(record.quantity) and record.quantity > 0) or (times and record.exchange_ms <= times[-1]):
            self.stale += 1
            return False
        points.sides_unknown, points.listed_ms = record.uncertain == "sides", record.listed_ms
        if times and record.exchange_ms // THINNED_MS == times[-1] // THINNED_MS:
            return False
        if coins and not 1 / self._max_step <= record.quantity / coins[-1] <= self._max_step:
            points.steps_ms.append(record.exchange_ms)
            self.restarted += 1
        times.append(record.exchange_ms)
        coins.append(record.quantity)
        self._forget(points)
        return True

    def begin_with(self, venue: str, instrument: str, past: Iterable[tuple[int, float]]) -> None:
        """Put what was before the first point of a contract that is known: (ms, coins), oldest first."""
        points = self._points.get((venue, instrument))
        if points is None or not points.times_ms:
            return
        first_ms, first = points.times_ms[0], points.coins[0]
        before = [(at_ms, coins) for at_ms, coins in past if first_ms - self._kept_ms < at_ms < first_ms and coins > 0]
        if before and 1 / self._max_step <= first / before[-1][1] <= self._max_step:
            points.times_ms[:0] = [at_ms for at_ms, _ in before]
            points.coins[:0] = [coins for _, coins in before]

    def new(self, at_ms: int) -> tuple[tuple[str, str], ...]:
        """The pairs of venue and instrument that are too new to count."""
        return tuple(sorted(key for key, points in self._points.items() if self._is_new(points, at_ms)))

    def _is_new(self, points: _Points, at_ms: int) -> bool:
        return points.listed_ms is not None and at_ms - points.listed_ms < self._new_ms

    def changes(self, at_ms: int, window_ms: int, *, fresh_ms: int) -> tuple[VenueChange, ...]:
        """By venue, what the window that ends with the newest point up to `at_ms` changed.

        An instrument counts when it has a point not older than `fresh_ms` at either end: who came or went is left out at
        both. Sorted by venue, so the order of arrival does not show.
        """
        by_venue: dict[str, VenueChange] = {}
        for key in sorted(self._points):
            ends = self._ends(self._points[key], at_ms, window_ms, fresh_ms)
            if ends is None or self._is_new(self._points[key], at_ms):
                continue
            before, after, after_ms = ends
            known = by_venue.get(key[0])
            by_venue[key[0]] = VenueChange(
                venue=key[0],
                before=before + (known.before if known else 0.0),
                after=after + (known.after if known else 0.0),
                at_ms=max(after_ms, known.at_ms if known else 0),
                sides_unknown=self._points[key].sides_unknown or (known is not None and known.sides_unknown),
            )
        return tuple(by_venue.values())

    @staticmethod
    def _ends(points: _Points, at_ms: int, window_ms: int, fresh_ms: int) -> tuple[float, float, int] | None:
        times = points.times_ms
        last = bisect_right(times, at_ms) - 1
        if last < 0 or times[last] < at_ms - fresh_ms:
            return None
        begin_ms = times[last] - window_ms
        first = bisect_right(times, begin_ms) - 1
        if first < 0 or times[first] < begin_ms - fresh_ms:
            return None
        if any(times[first] < step_ms <= times[last] for step_ms in points.steps_ms):
            return None
        return points.coins[first], points.coins[last], times[last]

    def _forget(self, points: _Points) -> None:
        times = points.times_ms
        horizon_ms = times[-1] - self._kept_ms
        if times[len(times) // 2] <= horizon_ms:  # worth it only when half is old: amortised O(1)
            old = bisect_right(times, horizon_ms)
            del times[:old], points.coins[:old]
            points.steps_ms = [step_ms for step_ms in points.steps_ms if step_ms > horizon_ms]
