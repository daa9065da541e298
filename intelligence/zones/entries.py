"""What a minute's open interest says was opened and closed, contract by contract, in coins."""

from collections import deque
from dataclasses import dataclass

from intelligence.market import OpenInterest
from intelligence.minute import MINUTE_MS

MAX_STEP = 3.0  # a larger step is a new contract size, not trading (detection.md 6)
MAX_GAP_MS = 30 * MINUTE_MS  # a figure after a longer gap begins anew: nobody knows at which price
UNKNOWN_SIDES_SHARE = 0.5  # of a venue that may count pairs twice: the lower bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Coins opened on one contract; `price` and `spread` (a fraction): mean and half range of the time it took."""

    venue: str
    coins: float
    price: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAndClosed:
    """`closed`, `open_coins`: over all contracts, one side of each."""

    entries: tuple[Entry, ...]
    closed: float
    open_coins: float


class Entries:
    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, float]] = {}
        self._prices: deque[tuple[int, float, float]] = deque(maxlen=MAX_GAP_MS // MINUTE_MS + 1)

    def take(self, at_ms: int, low: float, high: float, records: tuple[OpenInterest, ...]) -> OpenedAndClosed:
        """What is new at the end of a minute that ends at `at_ms` with prices from `low` to `high`."""
        self._prices.append((at_ms, low, high))
        entries: list[Entry] = []
        closed = open_coins = 0.0
        for record in records:
            if record.quantity <= 0:
                continue
            share = UNKNOWN_SIDES_SHARE if record.uncertain == "sides" else 1.0
            key = (record.venue, record.instrument)
            before_ms, before = self._known.get(key, (0, 0.0))
            open_coins += share * record.quantity
            if record.exchange_ms <= before_ms:
                continue
            self._known[key] = (record.exchange_ms, record.quantity)
            if record.exchange_ms - before_ms > MAX_GAP_MS or not 1 / MAX_STEP <= record.quantity / before <= MAX_STEP:
                continue
            change = share * (record.quantity - before)
            if change > 0:
                entries.append(self._entry(record.venue, change, before_ms))
            else:
                closed -= change
        return OpenedAndClosed(entries=tuple(entries), closed=closed, open_coins=open_coins)

    def _entry(self, venue: str, coins: float, since_ms: int) -> Entry:
        ranges = [(low, high) for at_ms, low, high in self._prices if at_ms > since_ms] or [self._prices[-1][1:]]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        price = sum(low + high for low, high in ranges) / (2 * len(ranges))
        return Entry(venue=venue, coins=coins, price=price, spread=(high - low) / (2 * price))
