"""Where positions come from: traders of log-normal size and typical leverage, before the start and during the run."""

import math
import random

from simulator.book import Book, TrueLiquidation
from simulator.listings import MIN_ORDER_USD
from simulator.positions import (
    LARGE_MAX_LEVERAGE,
    LARGE_NOTIONAL_USD,
    LEVERAGES,
    MAINTENANCE_RATE,
    Position,
    bankruptcy_price,
    liquidation_price,
)
from simulator.prices import SECONDS_PER_DAY

MEDIAN_USD_AT_1BN = 1500.0  # of a position in an asset with 1 bn USD turnover a day
MEDIAN_EXPONENT = 0.35  # larger markets, larger positions
SIZE_SIGMA = 1.55  # of the log-normal sizes; recorded Binance orders of 2025-12 show about 1.6
MAX_TURNOVER_SHARE = 0.0015  # no position larger than this share of a day's turnover
PAST_POINTS = 96
PAST_POINT_S = 240.0
MEAN_AGE_S = 5400.0


class PositionDealer:
    def __init__(self, draw: random.Random, per_asset: int, leverage_weights: tuple[float, ...]) -> None:
        """`leverage_weights`: one for each of `LEVERAGES`."""
        self._random = draw
        self._per_asset = per_asset
        self._leverage_weights = leverage_weights
        self._next_id = 1

    def open(self, book: Book, now_ms: int) -> None:
        """Open one position at the last price."""
        book.add(self._draw_position(book, book.price.last, now_ms))

    def deal_history(self, book: Book, start_ms: int) -> list[TrueLiquidation]:
        """Fill a book with what is left of positions opened along a past of random prices.

        A position the past has already reached is not there any more: it is returned as an old liquidation. So the
        nearest triggers lie beyond the recent extremes, as in a real market.
        """
        deviation = book.asset.daily_volatility * math.sqrt(PAST_POINT_S / SECONDS_PER_DAY)
        path = book.past_prices = self._past_prices(book, deviation)
        gone: list[TrueLiquidation] = []
        while len(book.positions) < self._per_asset:
            ago = min(PAST_POINTS - 1, int(self._random.expovariate(PAST_POINT_S / MEAN_AGE_S)))
            at_ms = start_ms - round((ago + self._random.random()) * PAST_POINT_S * 1000)
            position = self._draw_position(book, path[ago] * (1 + self._random.gauss(0, 0.001)), at_ms)
            reached_ago = _first_reached(path[: ago + 1], position, 0.6 * deviation)
            if reached_ago is None:
                book.add(position)
            elif reached_ago > 0:
                time_ms = start_ms - round(reached_ago * PAST_POINT_S * 1000)
                gone.append(
                    book.record(position, time_ms, fill=position.liquidation_price, mark=position.liquidation_price)
                )
        return gone

    def _past_prices(self, book: Book, deviation: float) -> list[float]:
        """Common prices at the start and each PAST_POINT_S before, latest first."""
        path = [book.price.last]
        for _ in range(PAST_POINTS - 1):
            path.append(path[-1] * math.exp(self._random.gauss(0, deviation)))
        return path

    def _draw_position(self, book: Book, common_price: float, opened_ms: int) -> Position:
        draw = self._random
        venues = list(book.listings)
        venue = draw.choices(venues, [book.share(name) for name in venues])[0]
        entry = book.venue_price(venue, common_price)
        usd = self._draw_notional(book)
        leverage = min(draw.choices(LEVERAGES, self._leverage_weights)[0], book.asset.max_leverage)
        if usd > LARGE_NOTIONAL_USD:
            leverage = min(leverage, LARGE_MAX_LEVERAGE)
        is_long = draw.random() < book.long_share
        rate = MAINTENANCE_RATE[book.asset.max_leverage]
        trigger_price = liquidation_price(entry, leverage, rate, is_long=is_long)
        self._next_id += 1
        return Position(
            position_id=self._next_id - 1,
            venue=venue,
            is_long=is_long,
            entry=entry,
            quantity=book.listings[venue].quantised(usd / entry),
            leverage=leverage,
            maintenance_rate=rate,
            liquidation_price=trigger_price,
            bankruptcy_price=bankruptcy_price(entry, leverage, is_long=is_long),
            trigger=trigger_price / (1 + book.basis[venue]),
            opened_ms=opened_ms,
        )

    def _draw_notional(self, book: Book) -> float:
        median: float = MEDIAN_USD_AT_1BN * (book.asset.turnover_usd / 1e9) ** MEDIAN_EXPONENT
        usd = median * math.exp(self._random.gauss(0, SIZE_SIGMA))
        return max(MIN_ORDER_USD, min(usd, book.asset.turnover_usd * MAX_TURNOVER_SHARE))


def _first_reached(path: list[float], position: Position, excursion: float) -> int | None:
    """How many points ago the price first reached a position opened at the oldest point of `path`, None if never.

    `excursion`: how far, as a fraction, prices usually went beyond the points between them.
    """
    if position.is_long:
        trigger = position.trigger / (1 - excursion)
        return next((ago for ago in range(len(path) - 1, -1, -1) if path[ago] <= trigger), None)
    trigger = position.trigger / (1 + excursion)
    return next((ago for ago in range(len(path) - 1, -1, -1) if path[ago] >= trigger), None)
