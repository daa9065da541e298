"""Each asset's candles and open interest before the start, made up when first asked for.

The latest hours are minutes along the path the open positions were dealt on (openings.py). Before them hours are drawn,
and their minutes only when somebody asks: they fill their hour, so that an hour is the sum of its minutes either way.
Random streams are per asset and hour: asking in another order, or not at all, changes nothing.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from simulator.book import Book
from simulator.candles import HOUR_MS, MINUTE_MS, Candle
from simulator.openings import PAST_POINT_S, PAST_POINTS
from simulator.prices import SECONDS_PER_DAY

DAY_MINUTES = 1440
HOUR_MINUTES = 60
KEPT_HOURS = 31 * 24
FILLED_HOURS = 26  # of which the minutes are kept for the next question, per asset
SPIKE_CHANCE = 0.004  # minutes of several times the usual volume
OPEN_POINT_MS = 300_000
OPEN_POINT_DEVIATION = 0.0012  # of open interest from one point to the next
KEPT_OPEN_POINTS = 31 * 288
MOST_LEAN = 0.3  # by which a minute's share of buys differs from its hour's
_POINT_MINUTES = round(PAST_POINT_S / 60)


@dataclass(frozen=True, slots=True)
class PastBar:
    """Prices on the common scale, USD per coin. `usd` in units of the usual minute's turnover, `coins` = usd / price.

    `buys`: the share of both whose taker bought.
    """

    open: float
    high: float
    low: float
    close: float
    usd: float
    coins: float
    buys: float


@dataclass(slots=True)
class Past:
    """Minutes are counted back from the last whole one before the start, hours from the last one without dealt prices.

    Open-interest point 0 is the last one at or before the start.
    """

    book: Book
    seed: int
    start_ms: int
    start_price: float
    _dealt: list[PastBar] = field(default_factory=list)  # minutes, latest first
    _hours: list[PastBar] = field(default_factory=list)  # latest first
    _filled: dict[int, Sequence[PastBar]] = field(default_factory=dict)  # hour to its minutes, oldest first
    _open: list[float] = field(default_factory=list)

    @property
    def end_ms(self) -> int:
        """Where the run's own minutes begin."""
        return self.start_ms - self.start_ms % MINUTE_MS

    @property
    def _dealt_from_ms(self) -> int:
        first_ms = self.end_ms - PAST_POINTS * _POINT_MINUTES * MINUTE_MS
        return first_ms - first_ms % HOUR_MS

    def candles(self, venue: str, from_ms: int, until_ms: int, *, by_hour: bool) -> Iterable[Candle]:
        """The venue's candles that begin in a span, oldest first; nothing further back than is kept.

        `by_hour`: `from_ms` is a whole hour, and candles of an hour will do where there are such.
        """
        until_ms = min(until_ms, self.end_ms)
        at_ms = max(from_ms, self._dealt_from_ms - KEPT_HOURS * HOUR_MS)
        while at_ms < until_ms:
            whole = by_hour and at_ms + HOUR_MS <= self._dealt_from_ms
            yield self._candle(venue, at_ms, self._hour(self._hour_index(at_ms)) if whole else self._minute(at_ms))
            at_ms += HOUR_MS if whole else MINUTE_MS

    def price(self, time_ms: int) -> float | None:
        """On the common scale, at a whole minute at or before the start; None further back than is kept."""
        last_ms = time_ms - MINUTE_MS
        if not self._dealt_from_ms - KEPT_HOURS * HOUR_MS <= last_ms < self.end_ms:
            return None
        if time_ms % HOUR_MS == 0 and last_ms < self._dealt_from_ms:
            return self._hour(self._hour_index(last_ms)).close
        return self._minute(last_ms).close

    def open_interest(self, index: int) -> float | None:
        """As a share of what it was at the start, `index` points of five minutes before it."""
        if not 0 <= index < KEPT_OPEN_POINTS:
            return None
        if not self._open:
            draw, level = self._stream("oi"), 1.0
            for _ in range(KEPT_OPEN_POINTS):
                self._open.append(level)
                level *= 1 + draw.gauss(0, OPEN_POINT_DEVIATION)
        return self._open[index]

    def _candle(self, venue: str, open_ms: int, bar: PastBar) -> Candle:
        premium = 1 + self.book.basis[venue]
        minute_usd = self.book.asset.turnover_usd * self.book.share(venue) / DAY_MINUTES
        usd, coins = minute_usd * bar.usd, minute_usd * bar.coins / premium
        return Candle(
            open_ms,
            bar.open * premium,
            bar.high * premium,
            bar.low * premium,
            bar.close * premium,
            coins,
            usd,
            max(1, round(usd / 2500)),
            coins * bar.buys,
            usd * bar.buys,
        )

    def _hour_index(self, time_ms: int) -> int:
        return (self._dealt_from_ms - 1 - time_ms) // HOUR_MS

    def _hour(self, index: int) -> PastBar:
        if not self._hours:
            draw, close = self._stream("hours"), self._dealt_minutes()[-1].open
            for _ in range(KEPT_HOURS):
                bar = _bar_before(close, self._deviation(3600), draw)
                volume = HOUR_MINUTES * draw.lognormvariate(-0.08, 0.4)
                middle = (bar.open + bar.high + bar.low + bar.close) / 4
                self._hours.append(_with_volume(bar, volume, volume / middle, bar.buys))
                close = bar.open
        return self._hours[index]

    def _minute(self, open_ms: int) -> PastBar:
        if open_ms >= self._dealt_from_ms:
            return self._dealt_minutes()[(self.end_ms - open_ms) // MINUTE_MS - 1]
        index = self._hour_index(open_ms)
        minutes = self._filled.get(index)
        if minutes is None:
            if len(self._filled) >= FILLED_HOURS:
                self._filled.pop(next(iter(self._filled)))
            draw = self._stream(f"minutes/{index}")
            minutes = self._filled[index] = _minutes_of(self._hour(index), self._deviation(60), draw)
        return minutes[open_ms % HOUR_MS // MINUTE_MS]

    def _dealt_minutes(self) -> list[PastBar]:
        if not self._dealt:
            draw, deviation, close = self._stream("dealt"), self._deviation(60), self.start_price
            for minute in range((self.end_ms - self._dealt_from_ms) // MINUTE_MS):
                bar = _bar_before(close, deviation, draw, before=self._anchor(minute, close, deviation, draw))
                volume = _minute_volume(draw)
                self._dealt.append(_with_volume(bar, volume, volume / close, bar.buys))
                close = bar.open
        return self._dealt

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

    def _deviation(self, seconds: int) -> float:
        return self.book.asset.daily_volatility * math.sqrt(seconds / SECONDS_PER_DAY)

    def _stream(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}/past/{self.book.asset.name}/{what}")


def _bar_before(close: float, deviation: float, draw: random.Random, *, before: float | None = None) -> PastBar:
    """A bar without volume that ends at `close`; `before`: where it begins, drawn if not given."""
    if before is None:
        before = close * math.exp(deviation * draw.gauss(0, 1))
    stretch = deviation * close * abs(draw.gauss(0, 0.5))
    high, low = max(before, close) + stretch * draw.random(), min(before, close) - stretch * draw.random()
    lean = (close / before - 1) / deviation * 0.08
    return PastBar(before, high, low, close, 0.0, 0.0, max(0.05, min(0.95, 0.5 + lean)))


def _with_volume(bar: PastBar, usd: float, coins: float, buys: float) -> PastBar:
    return PastBar(bar.open, bar.high, bar.low, bar.close, usd, coins, buys)


def _minute_volume(draw: random.Random) -> float:
    return draw.lognormvariate(-0.18, 0.6) * (draw.uniform(3, 10) if draw.random() < SPIKE_CHANCE else 1)


def _minutes_of(hour: PastBar, deviation: float, draw: random.Random) -> list[PastBar]:
    """Minutes whose sum is the hour: its prices bound a random bridge, its volume is shared out."""
    path = _bridge(hour, deviation, draw)
    tops = [max(pair) for pair in pairwise(path)]
    bottoms = [min(pair) for pair in pairwise(path)]
    highs = [min(hour.high, top * (1 + deviation * abs(draw.gauss(0, 0.3)))) for top in tops]
    lows = [max(hour.low, bottom * (1 - deviation * abs(draw.gauss(0, 0.3)))) for bottom in bottoms]
    highs[tops.index(max(tops))] = hour.high
    lows[bottoms.index(min(bottoms))] = hour.low

    volumes = _scaled([_minute_volume(draw) for _ in tops], hour.usd)
    coins = _scaled([volume / close for volume, close in zip(volumes, path[1:], strict=True)], hour.coins)
    leans = [(end / begin - 1) / deviation * 0.08 for begin, end in pairwise(path)]
    middle = math.fsum(lean * amount for lean, amount in zip(leans, coins, strict=True)) / hour.coins
    room = min(MOST_LEAN, hour.buys, 1 - hour.buys)  # no minute is bought by less than nobody
    spread = min(1.0, room / max(abs(lean - middle) for lean in leans))
    buys = [hour.buys + (lean - middle) * spread for lean in leans]
    rows = zip(path, highs, lows, path[1:], volumes, coins, buys, strict=False)
    return [PastBar(*row) for row in rows]


def _bridge(hour: PastBar, deviation: float, draw: random.Random) -> list[float]:
    """The prices at both ends of each minute."""
    walk = [0.0]
    for _ in range(HOUR_MINUTES):
        walk.append(walk[-1] + hour.open * deviation * draw.gauss(0, 1))
    slope = (hour.close - hour.open - walk[-1]) / HOUR_MINUTES
    between = [hour.open + walk[minute] + slope * minute for minute in range(1, HOUR_MINUTES)]
    return [hour.open, *(min(hour.high, max(hour.low, price)) for price in between), hour.close]


def _scaled(weights: Sequence[float], total: float) -> list[float]:
    factor = total / math.fsum(weights)
    return [weight * factor for weight in weights]
