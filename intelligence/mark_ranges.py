"""How far the mark prices of an asset went within each minute, over its contracts."""

from statistics import median

from intelligence.market import MarkPrice
from intelligence.minute import MINUTE_MS

Contract = tuple[str, str]


class MarkRanges:
    """Holds the minutes that are open; one that was closed, or is two behind the newest, takes nothing more."""

    def __init__(self) -> None:
        self._open: dict[int, dict[Contract, tuple[float, float]]] = {}
        self._closed_ms = 0

    def take(self, mark: MarkPrice) -> None:
        from_ms = mark.exchange_ms - mark.exchange_ms % MINUTE_MS
        contracts = self._open.get(from_ms)
        if contracts is None:
            if from_ms < self._closed_ms:
                return
            contracts = self._open[from_ms] = {}
        key, price = (mark.venue, mark.instrument), mark.price
        low, high = contracts.get(key, (price, price))
        if price < low or price > high or key not in contracts:
            contracts[key] = (min(low, price), max(high, price))

    def close(self, from_ms: int) -> tuple[float, float] | None:
        """The medians of the contracts' lowest and highest prices in that minute; forgets it and those before."""
        contracts = self._open.get(from_ms)
        self._closed_ms = from_ms + MINUTE_MS
        self._open = {at_ms: one for at_ms, one in self._open.items() if at_ms >= self._closed_ms}
        if not contracts:
            return None
        return median(low for low, _ in contracts.values()), median(high for _, high in contracts.values())
