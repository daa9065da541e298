"""Asking the symbol streams from the bot's event loop: from their memory, within a bounded time, never on the loop itself."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from actors import paths
from actors.messages.history import AskHistory
from actors.messages.market import AskLiquidations, AskMarket
from actors.system import Address, System
from intelligence.asset_market import MarketView
from intelligence.history import History
from intelligence.liquidation_sums import LiquidationSums

ASK_S = 0.8  # supervision.md 12: the longest an edge may wait for an actor


class Silent(Exception):  # noqa: N818 - an answer, not an error
    """A stream is not there, or did not answer in time. `caused_by` is for the log."""

    def __init__(self, asset: str, caused_by: str) -> None:
        super().__init__(f"{asset}: {caused_by}")
        self.asset, self.caused_by = asset, caused_by


class Known(NamedTuple):
    """`history` is None when it did not come in time: the market is answered without."""

    view: MarketView
    history: History | None


class Market:
    """What is known of assets. `configured`: those that are watched by name, heard of or not."""

    def __init__(self, system: System, configured: Iterable[str]) -> None:
        self._system, self._configured = system, frozenset(configured)

    def assets(self) -> frozenset[str]:
        return self._configured | frozenset(self._streams())

    def now_ms(self) -> int:
        return self._system.clock.now_ms()

    async def of(self, asset: str, *, with_history: bool) -> Known:
        """Raises Silent."""
        return await asyncio.to_thread(self._of, asset, with_history)

    async def liquidations(self) -> dict[str, tuple[LiquidationSums, ...]]:
        """Of every asset whose stream answers in time; Raises Silent when there are streams and none does."""
        return await asyncio.to_thread(self._liquidations)

    def _of(self, asset: str, with_history: bool) -> Known:  # noqa: FBT001 - to_thread's
        path = paths.symbol_path(asset)
        if self._system.find(path) is None:  # a letter would start a stream
            raise Silent(asset, "nothing heard of it yet")
        until_s = time.monotonic() + ASK_S
        stream = self._system.address(path)
        view, history = (
            stream.begin(AskMarket(asset=asset)),
            stream.begin(AskHistory(asset=asset)) if with_history else None,
        )
        try:
            known = view.get(timeout=ASK_S)
        except Exception as error:  # down, late, or failed over this very letter
            raise Silent(asset, repr(error)) from error
        if known is None:  # it failed over the question, and its note says how
            raise Silent(asset, "its market could not be told")
        return Known(known, _or_none(history, until_s))

    def _liquidations(self) -> dict[str, tuple[LiquidationSums, ...]]:
        until_s = time.monotonic() + ASK_S
        asked = {asset: stream.begin(AskLiquidations()) for asset, stream in self._streams().items()}
        told = {asset: sums for asset, future in asked.items() if (sums := _or_none(future, until_s)) is not None}
        if asked and not told:
            raise Silent("the market", f"none of {len(asked)} streams answered")
        return told

    def _streams(self) -> dict[str, Address]:
        places = self._system.places_below(paths.SYMBOLS)
        return {
            paths.asset_of(place.path.rpartition("/")[2]): self._system.address(place.path)
            for place in places
            if place.path != paths.SYMBOLS
        }


def _or_none(future: Any, until_s: float) -> Any:
    if future is None:
        return None
    try:
        return future.get(timeout=max(0.0, until_s - time.monotonic()))
    except Exception:  # whatever kept it from answering
        return None
