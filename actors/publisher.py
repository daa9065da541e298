"""Hands on what a socket brought: one letter an asset and read to the symbol streams, on the reader's thread."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from actors import paths
from actors.mailbox import Lane
from actors.messages import LiquidationsSeen, MarksSeen, VenuesAble
from intelligence.market import Decoded, Liquidation, MarkPrice

if TYPE_CHECKING:
    from actors.supervised import Supervised


class Publisher:
    """Speaks for its `owner`, a connection. The owner replaces `venues` and `repeats_until_s` as a whole; nothing else
    is shared between its thread and those of its readers.

    `repeats_until_s`: machine time until which events may have come before, over an earlier socket or a second one.
    """

    def __init__(self, owner: "Supervised", venue: str, assets: frozenset[str]) -> None:
        self._owner = owner
        self._clock = owner.system.clock
        self._venue = venue
        self._assets = assets
        self.venues = VenuesAble(able=(), configured=())
        self.repeats_until_s = math.inf

    def publish(self, records: list[Decoded]) -> int:
        """Send what one read brought; return how many liquidations it held. Raises Fenced when the owner is replaced."""
        liquidations, marks = split(records)
        if liquidations:
            self._send_liquidations(liquidations)
        for mark in marks.values():
            path = paths.symbol_path(mark.asset)
            # A mark alone starts no stream: an all-market feed names assets that nobody watches.
            if mark.asset in self._assets or self._owner.system.find(path) is not None:
                merge = ("mark", self._venue, mark.instrument)
                self._owner.send(path, MarksSeen(mark=mark), lane=Lane.DATA, merge=merge)
        return sum(map(len, liquidations.values()))

    def _send_liquidations(self, liquidations: Mapping[str, list[Liquidation]]) -> None:
        venues = self.venues
        able = venues.able if self._venue in venues.able else tuple(sorted({*venues.able, self._venue}))
        configured = venues.configured if self._venue in venues.configured else able
        repeats = self._clock.monotonic() < self.repeats_until_s
        for asset, events in liquidations.items():
            seen = LiquidationsSeen(
                asset=asset, events=tuple(events), able=able, configured=configured, after_reconnect=repeats
            )
            self._owner.send(paths.symbol_path(asset), seen, redeliver=True, retain=True)


def split(records: list[Decoded]) -> tuple[dict[str, list[Liquidation]], dict[str, MarkPrice]]:
    """The liquidations of each asset in wire order, and the newest mark price of each instrument."""
    liquidations: dict[str, list[Liquidation]] = {}
    marks: dict[str, MarkPrice] = {}
    for record in records:
        if isinstance(record, Liquidation):
            liquidations.setdefault(record.asset, []).append(record)
        elif isinstance(record, MarkPrice):
            marks[record.instrument] = record
    return liquidations, marks
