"""News: what starts a move. It pushes the fair price of one asset, or of all, over some seconds; the rest is reaction.

Two pieces come at times the seed chooses, so that a run of a few minutes is worth watching: a tremor in the second
minute and a shock in the third or fourth. All others arrive at random.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.book import Book

TREMOR_S = (35.0, 55.0)  # market seconds after the start
SHOCK_S = (130.0, 220.0)
TREMORS = 2
SHOCKS = 1
CROWDED_SAMPLE = 12  # assets of which the most crowded make the news
NEWSWORTHY_TURNOVER_USD = 150e6  # a day
TREMOR_DAILY_VOLATILITIES = (0.24, 0.34)  # size of the move in units of the asset's daily volatility
SHOCK_DAILY_VOLATILITIES = (0.5, 0.75)
LATER_MEAN_S = 240.0
LATER_DAILY_VOLATILITIES = (0.08, 0.4)
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
        tremor_s, shock_s = self._random.uniform(*TREMOR_S), self._random.uniform(*SHOCK_S)
        crowded = self._crowded_trades()
        news = [self._against(crowd, shock_s, SHOCK_DAILY_VOLATILITIES) for crowd in crowded[:SHOCKS]]
        news += [
            self._against(crowd, tremor_s, TREMOR_DAILY_VOLATILITIES) for crowd in crowded[SHOCKS : SHOCKS + TREMORS]
        ]
        return news

    def _crowded_trades(self) -> list[tuple[Book, bool]]:
        """Assets drawn at random with their weaker side (True: longs), those with most to be liquidated nearby first.

        Nearby means within a third of a day's volatility; liquidations are weighed against the depth of the book.
        """
        liquid = [book for book in self._books if book.asset.turnover_usd >= NEWSWORTHY_TURNOVER_USD] or [*self._books]
        drawn = self._random.sample(liquid, min(len(liquid), CROWDED_SAMPLE))
        weighed = []
        for book in drawn:
            reach = book.asset.daily_volatility / 3
            fuel = {is_long: book.liquidations_within(reach, is_long=is_long) for is_long in (True, False)}
            is_long = fuel[True] >= fuel[False]
            weighed.append((fuel[is_long] / book.asset.turnover_usd**0.5, book, is_long))
        weighed.sort(key=lambda crowd: -crowd[0])
        return [(book, is_long) for _, book, is_long in weighed]

    def _against(self, crowd: tuple[Book, bool], start_s: float, sizes: tuple[float, float]) -> Pending:
        """News that hurts the given side of an asset."""
        book, is_long = crowd
        move = (-1.0 if is_long else 1.0) * self._random.uniform(*sizes) * book.asset.daily_volatility
        return Pending(start_s + self._random.uniform(0, 15), self._random.uniform(*ABSORBED_IN_S), move, book)

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

    def add(self, book: Book, start_s: float, *, move: float, lasts_s: float) -> None:
        self._pending.append(Pending(start_s, lasts_s, move, book))

    def _later_news(self, elapsed_s: float) -> Pending:
        draw = self._random
        if draw.random() < MARKET_WIDE_SHARE:
            move = draw.choice((-1.0, 1.0)) * draw.uniform(*MARKET_WIDE_MOVE)
            return Pending(elapsed_s, draw.uniform(*ABSORBED_IN_S), move, None)
        crowd = draw.choice(self._books), draw.random() < 0.5
        return self._against(crowd, elapsed_s, LATER_DAILY_VOLATILITIES)

    def _add_drift(self, news: Pending, per_second: float) -> None:
        if news.book is None:
            self.market_drift += per_second
        else:
            news.book.price.drift += per_second
