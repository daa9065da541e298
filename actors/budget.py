"""What our REST calls may cost a venue in a minute of the machine, in the venue's own unit, and the pace that keeps to it.

Actors share nothing, so each use has a fixed share. Binance allows 2400 weights a minute and 1000 calls without weight in
5 minutes (history of open interest), Hyperliquid 1200 weights (exchanges.md 2.4, 5.1): 40 % and 50 % are used here. Elsewhere
requests count: Bybit allows 7200, Gate and Bitget 1200, OKX 1200 bars and 300 histories of open interest.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum


class Use(StrEnum):
    POLLING = "polling"
    BACKFILL = "backfill"
    TIERS = "tiers"


_CALLS_A_MINUTE: Mapping[Use, int] = {Use.POLLING: 60, Use.BACKFILL: 120, Use.TIERS: 20}
_WEIGHTS_A_MINUTE: Mapping[str, Mapping[Use, int]] = {
    "binance": {Use.POLLING: 600, Use.BACKFILL: 180, Use.TIERS: 20},
    "hyperliquid": {Use.POLLING: 300, Use.BACKFILL: 260, Use.TIERS: 40},
    "bybit": {Use.POLLING: 60, Use.BACKFILL: 480, Use.TIERS: 20},
    "okx": {Use.POLLING: 60, Use.BACKFILL: 150, Use.TIERS: 20},
    "gate": {Use.POLLING: 60, Use.BACKFILL: 300, Use.TIERS: 20},
    "bitget": {Use.POLLING: 60, Use.BACKFILL: 300, Use.TIERS: 20},
}


def a_minute(venue: str, use: Use) -> int:
    return _WEIGHTS_A_MINUTE.get(venue, _CALLS_A_MINUTE)[use]


class Pace:
    """Spreads the calls of one use at one venue: from each to the next, as long as its weight takes of the minute."""

    def __init__(self, venue: str, use: Use, monotonic: Callable[[], float]) -> None:
        self._a_weight_s = 60.0 / a_minute(venue, use)
        self._monotonic = monotonic
        self._not_before_s = 0.0

    def wait_s(self) -> float:
        """How long the next call must wait, in seconds of the machine; 0 or less when it may go."""
        return self._not_before_s - self._monotonic()

    def spend(self, weight: int) -> None:
        """Note a call that is made now, so that waiting for its answer is part of the pace. One without weight still counts as one request."""
        self._not_before_s = self._monotonic() + max(1, weight) * self._a_weight_s
