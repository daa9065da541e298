"""Sums and counts over event time.

Amounts are kept in whole micro-dollars. Integer sums do not depend on the order of arrival, so an instance that was
rebuilt from retained events decides exactly like the one that was lost.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

MICRO = 1_000_000  # micro-dollars in a dollar


def micro_usd(usd: float) -> int:
    return round(usd * MICRO)


class EventWindow:
    """One series of amounts, in event order whatever the order of arrival.

    A window of width w that ends at t holds the events in (t - w, t]. Events older than `span_ms` before the newest may
    be forgotten. Adding is O(1) in order and O(k) for an event that k newer ones overtook; asking is O(log n).
    """

    __slots__ = ("_labels", "_span_ms", "_sums", "_times")

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._times: list[int] = []
        self._labels: list[str] = []
        self._sums = [0]  # _sums[i]: everything before event i; only differences mean something

    def __len__(self) -> int:
        return len(self._times)

    def add(self, at_ms: int, amount: int, label: str) -> None:
        """Insert `amount` micro-dollars (not negative) at its event time."""
        times, sums = self._times, self._sums
        if not times or at_ms >= times[-1]:
            times.append(at_ms)
            self._labels.append(label)
            sums.append(sums[-1] + amount)
            self._forget()
            return
        index = bisect_right(times, at_ms)
        times.insert(index, at_ms)
        self._labels.insert(index, label)
        sums[index + 1 :] = [total + amount for total in sums[index:]]

    def total(self, at_ms: int, width_ms: int) -> int:
        """Micro-dollars in the window of that width that ends at `at_ms`."""
        times, sums = self._times, self._sums
        return sums[bisect_right(times, at_ms)] - sums[bisect_right(times, at_ms - width_ms)]

    def count(self, at_ms: int, width_ms: int) -> int:
        return bisect_right(self._times, at_ms) - bisect_right(self._times, at_ms - width_ms)

    def events(self, after_ms: int) -> Iterator[tuple[int, int, str]]:
        """Time, amount and label of the events later than `after_ms`, oldest first."""
        for index in range(bisect_right(self._times, after_ms), len(self._times)):
            yield self._times[index], self._sums[index + 1] - self._sums[index], self._labels[index]

    def times_from(self, from_ms: int) -> Sequence[int]:
        """The event times from `from_ms` on: what a late event at that time makes worth judging again."""
        return self._times[bisect_left(self._times, from_ms) :]

    def falls_below(self, at_ms: int, width_ms: int, level: int) -> int | None:
        """When the sum of that width, at `at_ms` not below `level`, falls below it if nothing more is added.

        None when it is below `level` already.
        """
        end = bisect_right(self._times, at_ms)
        index = bisect_right(self._sums, self._sums[end] - level, 0, end + 1) - 1
        if index < 0 or index == end:
            return None
        falls_ms = self._times[index] + width_ms
        return falls_ms if falls_ms > at_ms else None

    def _forget(self) -> None:
        times = self._times
        horizon_ms = times[-1] - self._span_ms
        if times[len(times) // 2] > horizon_ms:  # worth it only when half is old: amortised O(1)
            return
        old = bisect_right(times, horizon_ms)
        del times[:old], self._labels[:old], self._sums[:old]
