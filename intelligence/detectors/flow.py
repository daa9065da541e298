"""The liquidations of one asset over all venues, on event time: what both liquidation detectors look at."""

from collections.abc import Mapping
from typing import NamedTuple

from intelligence.market import Coverage, Liquidation, PositionSide
from intelligence.windows import EventWindow, micro_usd

LATENESS_MS = 3_000  # detection.md 3.6: later than that is counted and not used
BURST_MS = 10_000  # detection.md 5.2, w
ENTRY_MS = 60_000  # detection.md 5.2, w
LONG_MS = 300_000  # detection.md 5.2, w
OTHER_SIDE: Mapping[PositionSide, PositionSide] = {
    PositionSide.LONG: PositionSide.SHORT,
    PositionSide.SHORT: PositionSide.LONG,
}


class Reporting(NamedTuple):
    """Which venues can report the asset now, and which are configured to."""

    able: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()


class LiquidationFlow:
    """Per side the orders of the last five minutes; per side and venue those of the last ten seconds."""

    def __init__(self, lateness_ms: int = LATENESS_MS) -> None:
        self._lateness_ms = lateness_ms
        self._orders = {side: EventWindow(LONG_MS + lateness_ms) for side in PositionSide}
        self._by_venue: dict[tuple[PositionSide, str], EventWindow] = {}
        self._coverage: dict[str, Coverage] = {}
        self.frontier_ms: int | None = None  # the newest event time seen
        self.late = 0

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        return self._coverage

    def add(self, liquidation: Liquidation) -> bool:
        """Insert at its event time; False, and counted, when it comes too late to be used."""
        at_ms = liquidation.exchange_ms
        if self.frontier_ms is None or at_ms > self.frontier_ms:
            self.frontier_ms = at_ms
        elif at_ms < self.frontier_ms - self._lateness_ms:
            self.late += 1
            return False
        side, venue, amount = liquidation.position_side, liquidation.venue, micro_usd(liquidation.notional_usd)
        self._coverage[venue] = liquidation.coverage
        self._orders[side].add(at_ms, amount, venue)
        self.of_venue(side, venue).add(at_ms, amount, venue)
        return True

    def of_side(self, side: PositionSide) -> EventWindow:
        return self._orders[side]

    def of_venue(self, side: PositionSide, venue: str) -> EventWindow:
        window = self._by_venue.get((side, venue))
        if window is None:
            window = self._by_venue[side, venue] = EventWindow(BURST_MS + self._lateness_ms)
        return window

    def share(self, side: PositionSide, at_ms: int) -> float:
        """What part of the last minute's liquidated value is of that side; 1.0 when there was none."""
        own = self._orders[side].total(at_ms, ENTRY_MS)
        both = own + self._orders[OTHER_SIDE[side]].total(at_ms, ENTRY_MS)
        return own / both if both else 1.0
