"""One price per asset: the median over venues of the last mark price (detection.md 1)."""

from bisect import bisect_right
from dataclasses import dataclass
from math import log
from statistics import median

from intelligence.market import MarkPrice

SECOND_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePriceRule:
    """`stale_ms`: a mark older than that no longer counts (ours: ten times the slowest push, 3 s on Binance).
    `history_ms`: the longest window of detection.md 5.2.
    """

    stale_ms: int = 30_000
    history_ms: int = 300_000


class ReferencePrice:
    """The reference price now and, second by second, in the last minutes of event time.

    A venue with several instruments of the asset counts once, with their median. The price of a second is the last
    reference in it; a second without marks has the price before it until that is stale.
    """

    def __init__(self, rule: ReferencePriceRule) -> None:
        self._rule = rule
        self._marks: dict[str, dict[str, tuple[int, float]]] = {}
        self._seconds: list[int] = []
        self._prices: list[float] = []

    @property
    def latest_ms(self) -> int | None:
        """The start of the newest second with a price."""
        return self._seconds[-1] * SECOND_MS if self._seconds else None

    def observe(self, mark: MarkPrice) -> float:
        """Take a mark and return the new reference price. A mark that a newer one overtook changes nothing."""
        instruments = self._marks.setdefault(mark.venue, {})
        before = instruments.get(mark.instrument)
        if before is None or mark.exchange_ms >= before[0]:
            instruments[mark.instrument] = (mark.exchange_ms, mark.price)
        second = mark.exchange_ms // SECOND_MS
        if self._seconds:
            second = max(second, self._seconds[-1])
        price = self._median(second * SECOND_MS)
        self._remember(second, price)
        return price

    def price_at(self, at_ms: int) -> float | None:
        """The price that was known at that second, None when it was stale or none was known."""
        second = at_ms // SECOND_MS
        index = bisect_right(self._seconds, second) - 1
        if index < 0 or (second - self._seconds[index]) * SECOND_MS > self._rule.stale_ms:
            return None
        return self._prices[index]

    def move(self, at_ms: int, over_ms: int) -> float | None:
        """Log return over the time up to `at_ms`, negative when the price fell; None without a price at either end."""
        now, before = self.price_at(at_ms), self.price_at(at_ms - over_ms)
        return None if now is None or before is None else log(now / before)

    def _median(self, at_ms: int) -> float:
        oldest_ms = at_ms - self._rule.stale_ms
        by_venue = []
        for instruments in self._marks.values():
            fresh = [price for marked_ms, price in instruments.values() if marked_ms >= oldest_ms]
            if fresh:
                by_venue.append(fresh[0] if len(fresh) == 1 else median(fresh))
        if not by_venue:  # only a mark far behind the newest second came: the price before it stands
            return self._prices[-1]
        return by_venue[0] if len(by_venue) == 1 else median(by_venue)

    def _remember(self, second: int, price: float) -> None:
        if self._seconds and self._seconds[-1] == second:
            self._prices[-1] = price
            return
        self._seconds.append(second)
        self._prices.append(price)
        kept = (self._rule.history_ms + self._rule.stale_ms) // SECOND_MS
        if len(self._seconds) > 2 * kept:
            del self._seconds[:-kept], self._prices[:-kept]
