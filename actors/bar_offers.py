"""Which venue brings the bars of which assets, decided by each venue alone and by all in the same way. No I/O, no clock."""

import hashlib
import math
from collections.abc import Container

from actors.backfill_jobs import FIRST

REFERENCES = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")  # ours: by turnover
# Of the other assets each brings about so many parts, by what the budget leaves beside open interest (actors/budget.py): a
# day of minutes costs 6 of 180 at Binance, 2 of 480 at Bybit. The others stand in where none of these lists an asset.
BARS_SHARES = {"binance": 1, "bybit": 3, "gate": 1, "bitget": 1}


class Offers:
    """Which venue brings the bars of which assets, as far as one of them has heard what the others offer.

    All come to the same answer from the same offers, and an asset keeps its venue while that offers it: bars of two
    contracts do not mix.
    """

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self.others = tuple(other for other in REFERENCES if other != venue)
        self._told: dict[str, frozenset[str]] = {}

    def change(self, venue: str, assets: frozenset[str]) -> bool:
        """False when that was known."""
        known, self._told[venue] = self._told.get(venue), assets
        return known != assets

    def is_taken(self, asset: str) -> bool:
        """Whether another venue brings them."""
        return self._bringer(asset, frozenset()) not in (None, self._venue)

    def may_be_taken(self, asset: str, silent: Container[str]) -> bool:
        """Whether one of those that have told nothing yet would bring them if it offers them."""
        return self._bringer(asset, silent) in silent

    @property
    def silent(self) -> frozenset[str]:
        """Other venues that have told nothing yet."""
        return frozenset(self.others) - self._told.keys()

    def _bringer(self, asset: str, hoped: Container[str]) -> str | None:
        offering = [venue for venue in REFERENCES if venue in hoped or asset in self._told.get(venue, ())]
        sharing = [] if asset in FIRST else [venue for venue in offering if venue in BARS_SHARES]
        if sharing:
            return min(sharing, key=lambda venue: -math.log(_draw(asset, venue)) / BARS_SHARES[venue])
        return offering[0] if offering else None


def _draw(asset: str, venue: str) -> float:
    """The same number above 0 and up to 1 for the same two, as if drawn."""
    digest = hashlib.blake2b(f"{asset} {venue}".encode(), digest_size=6).digest()
    return (int.from_bytes(digest) + 1) / 2**48
