"""What a trade costs in the rolling window, ns, beside the plainest structure, a deque of trades: `python -m benchmarks.window`."""

import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence

from intelligence.trade_window import PROFILE_SHARE, WINDOW_S, TradeWindow, nice_width

TRADES, ROUNDS, A_SECOND = 100_000, 5, 50
T0_MS, PRICE = 1_763_836_800_000, 86_000.0

Batch = tuple[list[int], list[float], list[float]]


class DequeOfTrades:
    """Every trade kept, running sums, expiry trade by trade; the same rows as ours."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, float, int]] = deque()
        self._buy = self._sell = 0.0
        self._rows: dict[int, float] = {}
        self._per_row = 1 / nice_width(PRICE * PROFILE_SHARE)

    def add(self, times_ms: Sequence[int], prices: Sequence[float], coins: Sequence[float]) -> None:
        kept, rows = self._kept, self._rows
        for time_ms, price, size in zip(times_ms, prices, coins, strict=True):
            usd, row = price * size, int(price * self._per_row)
            kept.append((time_ms, usd, row))
            if usd > 0:
                self._buy += usd
            else:
                self._sell -= usd
            rows[row] = rows.get(row, 0.0) + abs(usd)
            while kept[0][0] <= time_ms - WINDOW_S * 1000:
                _, old, row = kept.popleft()
                if old > 0:
                    self._buy -= old
                else:
                    self._sell += old
                rows[row] -= abs(old)


def batches(first: int, count: int, size: int) -> list[Batch]:
    chance, price = random.Random(3), PRICE
    rows = []
    for number in range(first, first + count):
        price *= 1 + chance.gauss(0, 1e-5)
        coins = chance.lognormvariate(-3, 1) * chance.choice((1, -1))
        rows.append((T0_MS + number * 1000 // A_SECOND, round(price, 1), round(coins, 3)))
    parts = (rows[at : at + size] for at in range(0, count, size))
    return [([t for t, _, _ in part], [p for _, p, _ in part], [c for _, _, c in part]) for part in parts]


def cost_ns(make: Callable[[], TradeWindow | DequeOfTrades], size: int) -> float:
    """CPU time a trade in a window that is full."""
    window, full = make(), WINDOW_S * A_SECOND
    for batch in batches(0, full, 64):
        window.add(*batch)
    fed = batches(full, TRADES, size)
    began = time.process_time()
    for batch in fed:
        window.add(*batch)
    return (time.process_time() - began) / TRADES * 1e9


def main() -> None:
    print("| trades a batch | deque, ns | ours, ns | ours / deque |\n|---|---|---|---|")
    for size in (1, 3, 16, 64):
        pairs = [(cost_ns(DequeOfTrades, size), cost_ns(TradeWindow, size)) for _ in range(ROUNDS)]
        plain, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"| {size} | {plain:.0f} | {ours:.0f} | {ours / plain:.2f} |")


if __name__ == "__main__":
    main()
