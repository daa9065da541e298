"""Each asset's minutes and open interest before the start, made up when first asked for.

The path of prices is the one the open positions were dealt along (openings.py), and goes on at random before it. It has a
random stream of its own per asset and day, so asking in another order, or not at all, changes nothing.
"""

import math
import random
from dataclasses import dataclass, field

from simulator.book import Book
from simulator.candles import MINUTE_MS, Candle
from simulator.openings import PAST_POINT_S
from simulator.prices import SECONDS_PER_DAY

DAY_MINUTES = 1440
LONGEST_DAYS = 31
SPIKE_CHANCE = 0.004  # minutes of several times the usual volume
OPEN_POINT_MS = 300_000
OPEN_POINT_DEVIATION = 0.0012  # of open interest from one point to the next
DAY_OPEN_POINTS = 288
_POINT_MINUTES = round(PAST_POINT_S / 60)


@dataclass(frozen=True, slots=True)
class PastMinute:
    """Prices on the common scale, USD per coin; `volume` in units of the usual minute's."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    buys: float


@dataclass(slots=True)
class Past:
    """Minute 0 is the last whole one before the start; open-interest point 0 the last one at or before it."""

    book: Book
    seed: int
    start_ms: int
    start_price: float
    _minutes: list[PastMinute] = field(default_factory=list)
    _open: list[float] = field(default_factory=list)

    def candle(self, venue: str, open_ms: int) -> Candle | None:
        """The venue's candle of a minute before the start; None further back than is kept."""
        first_ms = self.start_ms - self.start_ms % MINUTE_MS
        index = (first_ms - open_ms) // MINUTE_MS - 1
        if not 0 <= index < LONGEST_DAYS * DAY_MINUTES:
            return None
        while index >= len(self._minutes):
            self._add_day()
        minute = self._minutes[index]
        premium = 1 + self.book.basis[venue]
        usd = self.book.asset.turnover_usd * self.book.share(venue) / DAY_MINUTES * minute.volume
        coins = usd / (minute.close * premium)
        return Candle(
            open_ms,
            minute.open * premium,
            minute.high * premium,
            minute.low * premium,
            minute.close * premium,
            coins,
            usd,
            max(1, round(usd / 2500)),
            coins * minute.buys,
            usd * minute.buys,
        )

    def open_interest(self, index: int) -> float | None:
        """As a share of what it was at the start, `index` points of five minutes before it."""
        if not 0 <= index < LONGEST_DAYS * DAY_OPEN_POINTS:
            return None
        while index >= len(self._open):
            self._add_open_day()
        return self._open[index]

    def _add_day(self) -> None:
        day = len(self._minutes) // DAY_MINUTES
        draw = random.Random(f"{self.seed}/past/{self.book.asset.name}/{day}")
        deviation = self.book.asset.daily_volatility * math.sqrt(60 / SECONDS_PER_DAY)
        close = self._minutes[-1].open if self._minutes else self.start_price
        for minute in range(day * DAY_MINUTES, (day + 1) * DAY_MINUTES):
            before = self._anchor(minute, close, deviation, draw)
            stretch = deviation * close * abs(draw.gauss(0, 0.5))
            high, low = max(before, close) + stretch * draw.random(), min(before, close) - stretch * draw.random()
            volume = draw.lognormvariate(-0.18, 0.6) * (draw.uniform(3, 10) if draw.random() < SPIKE_CHANCE else 1)
            lean = (close / before - 1) / deviation * 0.08
            self._minutes.append(PastMinute(before, high, low, close, volume, max(0.05, min(0.95, 0.5 + lean))))
            close = before

    def _anchor(self, minute: int, close: float, deviation: float, draw: random.Random) -> float:
        """The price at the beginning of a minute: pulled to the dealt path's next point while there is one."""
        shock = deviation * draw.gauss(0, 1)
        point, step = divmod(minute + 1, _POINT_MINUTES)
        left = _POINT_MINUTES - step if step else 0
        target_index = point + (1 if step else 0)
        if target_index >= len(self.book.past_prices):
            return close * (1 + shock)
        target = self.book.past_prices[target_index]
        return target if not left else close + (target - close) / (left + 1) + close * shock * 0.7

    def _add_open_day(self) -> None:
        day = len(self._open) // DAY_OPEN_POINTS
        draw = random.Random(f"{self.seed}/past-oi/{self.book.asset.name}/{day}")
        level = self._open[-1] if self._open else 1.0
        for _ in range(DAY_OPEN_POINTS):
            self._open.append(level)
            level *= 1 + draw.gauss(0, OPEN_POINT_DEVIATION)
