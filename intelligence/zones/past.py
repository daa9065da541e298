"""What was opened before the first minute, as far as bars and open interest of the past tell."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from intelligence.history import FIVE_MINUTES_MS, History
from intelligence.zones.entries import MAX_STEP, Entry

HOUR_MS = 3_600_000
USUAL_BAR_SPREAD = 0.001  # of five minutes, where bars tell closes only (ours)
LEAST_BARS = 30


@dataclass(frozen=True, slots=True)
class PastEntry:
    """`between`: the lowest and highest price since then."""

    at_ms: int
    entry: Entry
    between: tuple[float, float]


class _Prices:
    """Closes in the order of time, and how far price went after each."""

    def __init__(self, closes: list[tuple[int, float]], since: tuple[float, float]) -> None:
        self.times = [at_ms for at_ms, _ in closes]
        self.closes = [close for _, close in closes]
        self._lows, self._highs = [since[0]], [since[1]]
        for close in reversed(self.closes):
            self._lows.append(min(self._lows[-1], close))
            self._highs.append(max(self._highs[-1], close))
        self._lows.reverse()
        self._highs.reverse()

    def after(self, at_ms: int) -> tuple[float, float]:
        place = bisect_right(self.times, at_ms)
        return self._lows[place], self._highs[place]

    def mean(self, from_ms: int, to_ms: int) -> float | None:
        found = self.closes[bisect_left(self.times, from_ms) : bisect_left(self.times, to_ms)]
        return sum(found) / len(found) if found else None


def past_entries(past: History, *, before_ms: int, open_coins: float, since: tuple[float, float]) -> list[PastEntry]:
    """Increases of open interest over the last day at the prices of their five minutes; and, for what was open before, the
    volume of the hours before that. `since`: lowest and highest price from `before_ms` on. Empty while bars are missing.
    """
    minutes = [(bar.open_ms, bar.close) for bar in past.bars.get("1m", ()) if bar.open_ms < before_ms]
    if len(minutes) < LEAST_BARS:
        return []
    hours = [bar for bar in past.bars.get("1h", ()) if bar.open_ms + HOUR_MS <= minutes[0][0]]
    prices = _Prices([*((bar.open_ms, bar.close) for bar in hours), *minutes], since)
    found: list[PastEntry] = []
    earliest_coins = 0.0
    for (venue, _), points in past.open_interest.items():
        earlier = [point for point in points if minutes[0][0] <= point[0] < before_ms]
        if earlier:
            earliest_coins += earlier[0][1]
        for (from_ms, before), (to_ms, after) in pairwise(earlier):
            price = prices.mean(from_ms, to_ms) if to_ms - from_ms <= 6 * FIVE_MINUTES_MS else None
            if price is not None and 1 < after / max(before, 1e-12) <= MAX_STEP:
                entry = Entry(venue=venue, coins=after - before, price=price, spread=USUAL_BAR_SPREAD)
                found.append(PastEntry(to_ms, entry, prices.after(to_ms)))
    volume = sum(bar.coins for bar in hours)
    coins = earliest_coins or open_coins
    for bar in hours if volume > 0 else ():
        entry = Entry(venue="", coins=coins * bar.coins / volume, price=bar.close, spread=USUAL_BAR_SPREAD)
        found.append(PastEntry(bar.open_ms, entry, prices.after(bar.open_ms + HOUR_MS)))
    return found
