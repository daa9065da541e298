"""The last hours of an asset's closed minutes, and what some of them together say."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, log

from intelligence.market import PositionSide
from intelligence.minute import MINUTE_MS, Minute

KEPT_MINUTES = 240  # the longest window, detection.md 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Some minutes together. Sums in USD; `buy_usd`, `sell_usd` by the taker's side, `long_usd`, `short_usd` liquidated
    positions of that side as seen, a lower bound where a feed is capped.

    `move`: log return from the first price to the last; `span`: ln(highest / lowest); 0.0 without trades.
    """

    buy_usd: float
    sell_usd: float
    largest_usd: float
    long_usd: float
    short_usd: float
    move: float
    span: float

    @property
    def total_usd(self) -> float:
        return self.buy_usd + self.sell_usd

    @property
    def imbalance(self) -> float:
        """(buy - sell) / (buy + sell) of takers, from -1 to 1; 0.0 without trades."""
        total = self.total_usd
        return (self.buy_usd - self.sell_usd) / total if total else 0.0

    @property
    def largest_share(self) -> float:
        """Of the largest trade in the volume."""
        return self.largest_usd / self.total_usd if self.total_usd else 0.0


class MinuteSeries:
    """Minutes in the order of time; none that is whole is ever taken back or changed."""

    def __init__(self, kept: int = KEPT_MINUTES) -> None:
        self._minutes: deque[Minute] = deque(maxlen=kept)

    @property
    def latest(self) -> Minute | None:
        return self._minutes[-1] if self._minutes else None

    def add(self, minute: Minute) -> bool:
        """False for a minute that is not newer than the newest: told twice."""
        if self._minutes and minute.from_ms <= self._minutes[-1].from_ms:
            return False
        self._minutes.append(minute)
        return True

    def fill(self, borrowed: Iterable[Minute]) -> None:
        """Put minutes from another source where none is there before the newest, or none that was received whole."""
        latest = self.latest
        if latest is None:
            return
        whole = {minute.from_ms: minute for minute in borrowed if minute.from_ms < latest.from_ms}
        whole |= {minute.from_ms: minute for minute in self._minutes if minute.complete}
        whole[latest.from_ms] = latest
        self._minutes = deque((whole[at_ms] for at_ms in sorted(whole)), maxlen=self._minutes.maxlen)

    def all(self) -> tuple[Minute, ...]:
        return tuple(self._minutes)

    def newest(self, count: int) -> list[Minute]:
        """Those of the last `count` minutes up to the newest that are there and whole, oldest first."""
        found: list[Minute] = []
        for minute in reversed(self._minutes):
            if minute.from_ms <= self._minutes[-1].from_ms - count * MINUTE_MS:
                break
            if minute.complete:
                found.append(minute)
        found.reverse()
        return found

    def flow(self, count: int, *, present: float = 1.0) -> Flow | None:
        """The last `count` minutes together; None when less than that share of them is there and whole: what was not
        received is missing, not zero.
        """
        minutes = self.newest(count)
        return summed(minutes) if minutes and len(minutes) >= present * count else None


def summed(minutes: list[Minute]) -> Flow:
    """Minutes, oldest first, as one stretch."""
    opens = [minute.open for minute in minutes if minute.open is not None]
    closes = [minute.close for minute in minutes if minute.close is not None]
    highs = [minute.high for minute in minutes if minute.high is not None]
    lows = [minute.low for minute in minutes if minute.low is not None]
    liquidations = [one for minute in minutes for one in minute.liquidations]
    return Flow(
        buy_usd=fsum(minute.buy_usd for minute in minutes),
        sell_usd=fsum(minute.sell_usd for minute in minutes),
        largest_usd=max((minute.largest_usd for minute in minutes), default=0.0),
        long_usd=fsum(one.notional_usd for one in liquidations if one.position_side is PositionSide.LONG),
        short_usd=fsum(one.notional_usd for one in liquidations if one.position_side is PositionSide.SHORT),
        move=log(closes[-1] / opens[0]) if opens and closes else 0.0,
        span=log(max(highs) / min(lows)) if highs and lows else 0.0,
    )
