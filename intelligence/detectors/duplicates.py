"""The same liquidation, brought twice."""

from dataclasses import dataclass

from intelligence.market import Coverage, Liquidation, PositionSide

Key = tuple[str, str, int, PositionSide, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRule:
    """`memory_ms`: event time over which a copy is recognised (ours; detection.md 3.4 asks for 5 s after a reconnect)."""

    memory_ms: int = 10_000


class Duplicates:
    """Recognises copies by venue, instrument, event time, side, quantity and price.

    On a capped feed two rows alike are one order: it sends at most one per symbol and second. On a complete feed two
    fills may truly be alike, so a copy counts as one only right after a reconnect, when venues send again.
    """

    def __init__(self, rule: DuplicateRule) -> None:
        self._rule = rule
        self._seen: dict[Key, int] = {}
        self._frontier_ms = 0
        self.count = 0

    def recognise(self, liquidation: Liquidation, *, after_reconnect: bool) -> bool:
        """Whether this one came before; remembers it if not."""
        key = (
            liquidation.venue,
            liquidation.instrument,
            liquidation.exchange_ms,
            liquidation.position_side,
            liquidation.quantity,
            liquidation.price,
        )
        if key in self._seen and (after_reconnect or liquidation.coverage is not Coverage.COMPLETE):
            self.count += 1
            return True
        self._frontier_ms = max(self._frontier_ms, liquidation.exchange_ms)
        self._seen[key] = liquidation.exchange_ms
        self._forget()
        return False

    def _forget(self) -> None:
        oldest_ms = self._frontier_ms - self._rule.memory_ms
        while self._seen:
            key = next(iter(self._seen))
            if self._seen[key] >= oldest_ms:
                return
            del self._seen[key]
