"""One-minute candles of one contract, and longer ones made of them."""

import struct
from collections import deque
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, fields
from operator import attrgetter

from simulator.packed import Packed

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
KEPT_MINUTES = 1500
KEPT_HOURS = 31 * 24
INTERVAL_MS = {
    "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "2h": 7_200_000,
    "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000, "1d": 86_400_000,
}  # fmt: skip


@dataclass(slots=True)
class Candle:
    """Prices are USD per coin at the venue. `buy_coins` and `buy_usd`: of trades whose taker bought."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    coins: float = 0.0
    usd: float = 0.0
    trades: int = 0
    buy_coins: float = 0.0
    buy_usd: float = 0.0

    def extend(self, later: "Candle") -> None:
        """Take in one that follows."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.coins += later.coins
        self.usd += later.usd
        self.trades += later.trades
        self.buy_coins += later.buy_coins
        self.buy_usd += later.buy_usd


_LAYOUT = struct.Struct("=q6dq2d")
_fields_of = attrgetter(*(field.name for field in fields(Candle)))


class CandleBook:
    """The minutes of a run. A minute without trades is a flat candle without volume at the close before it.

    `hours` are those of the closed minutes; the first and the last one may lack some.
    """

    __slots__ = ("closed", "current", "hours", "trades")

    def __init__(self, start_ms: int, price: float) -> None:
        self.trades = 0
        self.closed = Packed(_LAYOUT, Candle, KEPT_MINUTES)
        self.hours: deque[Candle] = deque(maxlen=KEPT_HOURS)
        self.current = Candle(start_ms - start_ms % MINUTE_MS, price, price, price, price)

    def take(self, time_ms: int, price: float, coins: float, is_buy: bool) -> None:  # noqa: FBT001  called for every trade
        candle = self.current
        if time_ms >= candle.open_ms + MINUTE_MS:
            candle = self.roll(time_ms)
        usd = price * coins
        if not candle.trades:
            candle.open = candle.high = candle.low = price
        elif price > candle.high:
            candle.high = price
        elif price < candle.low:
            candle.low = price
        candle.close = price
        candle.coins += coins
        candle.usd += usd
        candle.trades += 1
        if is_buy:
            candle.buy_coins += coins
            candle.buy_usd += usd
        self.trades += 1

    def roll(self, now_ms: int) -> Candle:
        """Close the minutes that ended by `now_ms`; returns the open one."""
        while now_ms >= self.current.open_ms + MINUTE_MS:
            self.closed.append(*_fields_of(self.current))
            _extend_last(self.hours, self.current, HOUR_MS)
            close = self.current.close
            self.current = Candle(self.current.open_ms + MINUTE_MS, close, close, close, close)
        return self.current

    def since(self, from_ms: int, now_ms: int) -> list[Candle]:
        """The minutes from `from_ms` on, oldest first; the open one is always there."""
        found = [self.roll(now_ms)]
        for candle in reversed(self.closed):
            if candle.open_ms < from_ms:
                break
            found.append(candle)
        return found[::-1]


def merged(candles: Iterable[Candle], interval_ms: int) -> list[Candle]:
    """Longer candles of consecutive shorter ones, oldest first; the first one may lack its beginning."""
    longer: list[Candle] = []
    for candle in candles:
        _extend_last(longer, candle, interval_ms)
    return longer


def _extend_last(longer: MutableSequence[Candle], candle: Candle, interval_ms: int) -> None:
    open_ms = candle.open_ms - candle.open_ms % interval_ms
    if not longer or longer[-1].open_ms != open_ms:
        longer.append(Candle(open_ms, candle.open, candle.high, candle.low, candle.close))
    longer[-1].extend(candle)
