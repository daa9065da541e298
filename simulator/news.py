"""News: what starts a move. It pushes the fair price of one asset, or of all, over some seconds; the rest is reaction.

Two pieces come at times the seed chooses, so that a run of a few minutes is worth watching: a tremor in the second
minute and a shock in the third or fourth. All others arrive at random.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.book import Book

TREMOR_S = (50.0, 75.0)  # market seconds after the start
SHOCK_S = (130.0, 220.0)
TREMOR_ASSETS = 3
SHOCK_ASSETS = 2
TREMOR_DAILY_VOLATILITIES = (0.22, 0.34)  # size of the move in units of the asset's daily volatility
SHOCK_DAILY_VOLATILITIES = (0.5, 0.75)
LATER_MEAN_S = 150.0
LATER_DAILY_VOLATILITIES = (0.08, 0.5)
MARKET_WIDE_SHARE = 0.12
MARKET_WIDE_MOVE = (0.002, 0.007)
ABSORBED_IN_S = (18.0, 40.0)


@dataclass(slots=True)
class Pending:
    """A piece of news: `book` None means the whole market. `move` is the return it brings in all."""

    start_s: float
    lasts_s: float
    move: float
    book: Book | None


class NewsDesk:
    def __init__(self, draw: random.Random, books: Sequence[Book]) -> None:
        self.market_drift = 0.0  # return per second of the common factor
        self._random = draw
        self._books = books
        self._active: list[Pending] = []
        self._pending = self._opening_news() if books else []
        self._next_later_s = SHOCK_S[1] + draw.expovariate(1 / LATER_MEAN_S)

    def _opening_news(self) -> list[Pending]:
        draw = self._random
        chosen = draw.sample(list(self._books), min(len(self._books), TREMOR_ASSETS + SHOCK_ASSETS))
        tremor_s, shock_s = draw.uniform(*TREMOR_S), draw.uniform(*SHOCK_S)
        news = []
        for place, book in enumerate(chosen):
            in_tremor = place < TREMOR_ASSETS
            sizes = TREMOR_DAILY_VOLATILITIES if in_tremor else SHOCK_DAILY_VOLATILITIES
            start_s = (tremor_s if in_tremor else shock_s) + draw.uniform(0, 15)
            news.append(self._about(book, start_s, sizes))
        return news

    def _about(self, book: Book, start_s: float, sizes: tuple[float, float]) -> Pending:
        """News that hurts the more crowded side more often."""
        draw = self._random
        sign = -1.0 if draw.random() < book.long_share else 1.0
        move = sign * draw.uniform(*sizes) * book.asset.daily_volatility
        return Pending(start_s, draw.uniform(*ABSORBED_IN_S), move, book)

    def step(self, elapsed_s: float) -> None:
        if elapsed_s >= self._next_later_s:
            self._pending.append(self._later_news(elapsed_s))
            self._next_later_s = elapsed_s + self._random.expovariate(1 / LATER_MEAN_S)
        for news in [news for news in self._pending if news.start_s <= elapsed_s]:
            self._pending.remove(news)
            self._active.append(news)
            self._add_drift(news, news.move / news.lasts_s)
        for news in [news for news in self._active if news.start_s + news.lasts_s <= elapsed_s]:
            self._active.remove(news)
            self._add_drift(news, -news.move / news.lasts_s)

    def _later_news(self, elapsed_s: float) -> Pending:
        draw = self._random
        if draw.random() < MARKET_WIDE_SHARE:
            move = draw.choice((-1.0, 1.0)) * draw.uniform(*MARKET_WIDE_MOVE)
            return Pending(elapsed_s, draw.uniform(*ABSORBED_IN_S), move, None)
        return self._about(draw.choice(self._books), elapsed_s, LATER_DAILY_VOLATILITIES)

    def _add_drift(self, news: Pending, per_second: float) -> None:
        if news.book is None:
            self.market_drift += per_second
        else:
            news.book.price.drift += per_second
