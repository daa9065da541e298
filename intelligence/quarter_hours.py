"""What is usual for an asset, by quarters of an hour: bounded memory for weeks, in rings of plain floats.

Four weeks of one figure are 2688 numbers, 21 kB. A quarter that was not seen whole is missing, not zero.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import median

import msgspec

QUARTER_MS = 900_000
DAY = 96  # quarters
RECENT_DAYS = 7
KEPT_DAYS = 28  # detection.md 4.2
AROUND = 2  # quarters before and after the same time of day


class QuarterHoursState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """For a checkpoint. `next_quarter`: the number of the quarter since 1970 that is written next; columns oldest first,
    packed as doubles of this machine.
    """

    next_quarter: int
    columns: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Middle:
    """A median and the number of quarters behind it."""

    value: float
    samples: int


class QuarterHours:
    """Some figures at the end of every quarter of an hour. `days`: how long each is kept, 7 or 28.

    Every question names the time before which the quarters must have ended, so that no event is its own yardstick.
    """

    def __init__(self, days: Sequence[int], state: QuarterHoursState | None = None) -> None:
        self._columns = [array("d", [nan]) * (kept * DAY) for kept in days]
        self._next = 0
        if state is not None and [len(packed) for packed in state.columns] == [8 * kept * DAY for kept in days]:
            self._next = state.next_quarter
            for column, packed in zip(self._columns, state.columns, strict=True):
                self._unpack(column, packed)

    @property
    def state(self) -> QuarterHoursState:
        packed = []
        for column in self._columns:
            oldest = self._next % len(column)
            packed.append((column[oldest:] + column[:oldest]).tobytes())
        return QuarterHoursState(next_quarter=self._next, columns=tuple(packed))

    def add(self, end_ms: int, figures: Sequence[float]) -> None:
        """Take the figures of the quarter that ends at `end_ms`, NaN for what is missing. One told again is ignored."""
        quarter = end_ms // QUARTER_MS - 1
        if quarter < self._next:
            return
        for column, figure in zip(self._columns, figures, strict=True):
            size = len(column)
            for passed in range(max(self._next, quarter - size + 1), quarter):
                column[passed % size] = nan
            column[quarter % size] = figure
        self._next = quarter + 1

    def fill(self, end_ms: int, figures: Sequence[float]) -> None:
        """Take figures from another source for the quarter that ends at `end_ms`, where nothing is known of it."""
        quarter = end_ms // QUARTER_MS - 1
        if quarter >= self._next:
            self.add(end_ms, figures)
            return
        for column, figure in zip(self._columns, figures, strict=True):
            size = len(column)
            if quarter >= self._next - size and isnan(column[quarter % size]):
                column[quarter % size] = figure

    def recent(self, column: int, before_ms: int) -> Middle | None:
        """Of the seven days of quarters that had ended by `before_ms`."""
        after = before_ms // QUARTER_MS
        return self._usual(column, range(after - RECENT_DAYS * DAY, after))

    def at_time_of_day(self, column: int, at_ms: int, before_ms: int) -> Middle | None:
        """Of all days, of the quarters that ended within half an hour of that time of day."""
        now = at_ms // QUARTER_MS - 1
        after = before_ms // QUARTER_MS
        near = (now - day * DAY + shift for day in range(KEPT_DAYS + 1) for shift in range(-AROUND, AROUND + 1))
        return self._usual(column, (quarter for quarter in near if quarter < after))

    def _usual(self, column: int, quarters: Iterable[int]) -> Middle | None:
        figures = self._columns[column]
        size = len(figures)
        known = [
            figure
            for quarter in quarters
            if self._next - size <= quarter < self._next and not isnan(figure := figures[quarter % size])
        ]
        return Middle(median(known), len(known)) if known else None

    def _unpack(self, column: "array[float]", packed: bytes) -> None:
        oldest_first = array("d")
        oldest_first.frombytes(packed)
        for age, figure in enumerate(oldest_first):
            column[(self._next + age) % len(column)] = figure
