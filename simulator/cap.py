"""What a capped liquidation feed leaves of the truth."""

from simulator.book import TrueLiquidation


class LargestPerWindow:
    """At most the largest liquidation of each contract in each window of market time; windows tile the time line."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._largest: dict[tuple[int, str], TrueLiquidation] = {}

    def add(self, liquidation: TrueLiquidation) -> None:
        key = (liquidation.time_ms // self._window_ms, liquidation.symbol)
        held = self._largest.get(key)
        if held is None or liquidation.notional_usd > held.notional_usd:
            self._largest[key] = liquidation

    def due(self, now_ms: int) -> list[TrueLiquidation]:
        """What the windows that ended by `now_ms` let through, in order of event time."""
        window = now_ms // self._window_ms
        ended = [key for key in self._largest if key[0] < window]
        passed = [self._largest.pop(key) for key in ended]
        return sorted(passed, key=lambda row: (row.time_ms, row.position_id))
