"""What takers bought and sold over all venues, minute by minute for a day: what longer volumes, CVDs and profiles are made of."""

from typing import NamedTuple

import msgspec

from intelligence.minute import MINUTE_MS, Minute
from intelligence.slots import SlotRing, SlotRows

KEPT_MINUTES = 24 * 60  # ours: 47 KB an asset whose trades are read
ENOUGH_SHARE = 0.98  # ours: of the minutes of a span that must have been received whole


class FlowMinute(NamedTuple):
    """One that was received whole: USD by the taker's side, the last price in USD a coin."""

    from_ms: int
    buy_usd: float
    sell_usd: float
    close: float


class FlowSum(NamedTuple):
    """USD by the taker's side. `known` of the `wanted` minutes are in it; the others are missing, not zero."""

    buy_usd: float
    sell_usd: float
    known: int
    wanted: int

    @property
    def is_whole(self) -> bool:
        return self.known >= ENOUGH_SHARE * self.wanted


class DayFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Closed minutes as they lie in a stream's memory, and what came since the last of them, from `open_from_ms` on."""

    minutes: SlotRows | None = None
    open_from_ms: int = 0
    open_buy_usd: float = 0.0
    open_sell_usd: float = 0.0

    def rows(self, from_ms: int) -> list[FlowMinute]:
        """Oldest first, gaps left out."""
        if self.minutes is None:
            return []
        ring = _ring()
        ring.restore(self.minutes)
        return [FlowMinute(at_ms, *row) for at_ms, row in ring.rows(from_ms, self.open_from_ms)]

    def over(self, span_s: int, now_ms: int) -> FlowSum:
        """From the first whole minute within the last `span_s` seconds up to now."""
        from_ms = first_minute_ms(span_s, now_ms)
        rows = self.rows(from_ms)
        is_open = self.open_from_ms >= from_ms
        return FlowSum(
            buy_usd=sum(row.buy_usd for row in rows) + is_open * self.open_buy_usd,
            sell_usd=sum(row.sell_usd for row in rows) + is_open * self.open_sell_usd,
            known=len(rows) + is_open * -((self.open_from_ms - now_ms) // MINUTE_MS),
            wanted=span_s * 1_000 // MINUTE_MS,
        )


def first_minute_ms(span_s: int, now_ms: int) -> int:
    """The beginning of the first whole minute within the last `span_s` seconds."""
    return -((span_s * 1_000 - now_ms) // MINUTE_MS) * MINUTE_MS


class FlowMinutes:
    """The last day of closed minutes that were received whole. Takes no memory before there is one."""

    def __init__(self) -> None:
        self._ring: SlotRing | None = None

    def take(self, minute: Minute) -> None:
        if minute.complete:
            self._ring = self._ring or _ring()
            self._ring.put(minute.from_ms, (minute.buy_usd, minute.sell_usd, minute.close or 0.0))

    def kept(self) -> SlotRows | None:
        return None if self._ring is None else self._ring.kept()


def _ring() -> SlotRing:
    return SlotRing(MINUTE_MS, KEPT_MINUTES, columns=3)
