"""Highs, lows and closes of an asset's minutes, packed by the hour: sixty days of one asset are 1 MB."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import inf, log

from intelligence.minute import MINUTE_MS, Minute
from intelligence.outcomes.volatility import HOUR, PRESENT, trailing

Prices = tuple[float, float, float]  # high, low, close


class HourBars:
    """One hour of an asset, single precision: 1e-7 of the price."""

    __slots__ = ("closes", "highs", "lows")

    def __init__(self, packed: bytes = b"") -> None:
        """`packed` is what `pack` gave. Raises ValueError where it is not."""
        columns = array("f", packed) if packed else array("f", [0.0] * HOUR + [inf] * HOUR + [0.0] * HOUR)
        if len(columns) != 3 * HOUR:
            raise ValueError(f"an hour of bars: expected {3 * HOUR} figures, was {len(columns)}")
        self.highs, self.lows, self.closes = columns[:HOUR], columns[HOUR : 2 * HOUR], columns[2 * HOUR :]

    def put(self, minute: int, prices: Prices) -> None:
        """`minute`: its number since 1970, of this hour."""
        self.highs[minute % HOUR], self.lows[minute % HOUR], self.closes[minute % HOUR] = prices

    def pack(self) -> bytes:
        return (self.highs + self.lows + self.closes).tobytes()


class Bars:
    """An asset's hours, by their number since 1970. Minutes are numbers since 1970 too."""

    def __init__(self, hours: Mapping[int, HourBars]) -> None:
        self._hours = hours

    def span(self, from_minute: int, count: int) -> float | None:
        """ln(highest / lowest) of so many minutes; None when more than a tenth of them is missing."""
        high, low, there = 0.0, inf, 0
        for hour, first, behind in _parts(from_minute, count):
            bars = self._hours.get(hour)
            if bars is not None:
                high = max(high, *bars.highs[first:behind])
                low = min(low, *bars.lows[first:behind])
                there += behind - first - bars.closes[first:behind].count(0.0)
        return log(high / low) if there and there >= PRESENT * count else None

    def move(self, from_minute: int, count: int) -> float | None:
        """Ln of the last close over the close before the first of so many minutes, negative when the price fell."""
        before, last = self._close(from_minute - 1), self._close(from_minute + count - 1)
        return log(last / before) if before and last else None

    def volatilities(self, minutes: Sequence[int]) -> list[float | None]:
        """Of the hour before each of them, which come in order; None when more than a tenth of it is missing."""
        found: list[float | None] = []
        for first, behind in _runs(minutes):
            found += trailing([self._close(minute) for minute in range(first - HOUR - 1, behind - 1)])
        return found

    def _close(self, minute: int) -> float:
        bars = self._hours.get(minute // HOUR)
        return bars.closes[minute % HOUR] if bars is not None else 0.0


def prices_of(minute: Minute) -> Prices | None:
    """Of all trades, or the reference price where none was received; None for a minute that was received in part."""
    if minute.high is not None and minute.low is not None and minute.close is not None:
        return (minute.high, minute.low, minute.close) if minute.complete else None
    reference = minute.reference_price
    return (reference, reference, reference) if reference is not None else None


def number_of(at_ms: int) -> int:
    return at_ms // MINUTE_MS


def hours_of(from_minute: int, count: int) -> range:
    """The hours in which so many minutes lie."""
    return range(from_minute // HOUR, (from_minute + count - 1) // HOUR + 1)


def _parts(from_minute: int, count: int) -> list[tuple[int, int, int]]:
    """Hour, first minute in it and the one behind the last."""
    end = from_minute + count
    return [
        (hour, max(from_minute - hour * HOUR, 0), min(end - hour * HOUR, HOUR)) for hour in hours_of(from_minute, count)
    ]


def _runs(minutes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Minutes in order as stretches without a gap: the first and the one behind the last."""
    first = place = 0
    while place < len(minutes):
        place += 1
        if place == len(minutes) or minutes[place] != minutes[place - 1] + 1:
            yield minutes[first], minutes[place - 1] + 1
            first = place
