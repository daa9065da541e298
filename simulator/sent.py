"""What each connection was sent of the trades, so that a client can be held to it.

A contract's trades are numbered from 1 without a gap, so a count equals `last - first + 1` unless frames were lost on our
side (a fault, or a client that was cut off).
"""

from typing import Any, NamedTuple


class Batch(NamedTuple):
    """The trades of one frame, of one contract: `size` of them from `first` on, counted up."""

    symbol: str
    first: int
    size: int


class SentTrades:
    """Of one connection, by topic and contract."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], list[int]] = {}  # to first, last, count

    def add(self, topic: str, batch: Batch) -> None:
        span = self._spans.get((topic, batch.symbol))
        last = batch.first + batch.size - 1
        if span is None:
            self._spans[topic, batch.symbol] = [batch.first, last, batch.size]
        else:
            span[1] = last
            span[2] += batch.size

    @property
    def count(self) -> int:
        return sum(span[2] for span in self._spans.values())

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"topic": topic, "symbol": symbol, "first": first, "last": last, "count": count}
            for (topic, symbol), (first, last, count) in self._spans.items()
        ]
