"""Frenzies: two minutes in which everybody wants one asset: it is traded far more than usual, its price runs, and most of the
trades open contracts that were not there before.

The first comes in the seventh or eighth minute to one of three liquid assets, so that a short run shows one; the others come
at random to any asset. Their random stream is their own: until the first one begins, a market has the same prices and
liquidations as without them.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.book import Book
from simulator.flow import TradeFlow

FIRST_S = (400.0, 430.0)  # market seconds after the start
FIRST_AMONG = ("SOL", "ADA", "DOT")
LATER_MEAN_S = 1800.0
LASTS_S = (90.0, 120.0)
MOVE_DAILY_VOLATILITIES = (0.7, 0.9)
CROWD = 20.0  # times the volume that the price's variance alone brings
OPENING = 0.7  # of what is traded: contracts that were not there before


@dataclass(frozen=True, slots=True)
class _Frenzy:
    book: Book
    end_s: float
    drift: float


class Frenzies:
    def __init__(self, seed: int, books: Sequence[Book]) -> None:
        self._random = random.Random(f"{seed}/frenzy")
        self._books = books
        self._first = [book for book in books if book.asset.name in FIRST_AMONG] or [*books]
        self._next_s = self._random.uniform(*FIRST_S) if books else math.inf
        self._now: _Frenzy | None = None

    def step(self, elapsed_s: float, flow: TradeFlow) -> None:
        """Advance to `elapsed_s`, after the trades of the step."""
        if self._now is None:
            if elapsed_s >= self._next_s:
                self._now = self._begin(elapsed_s)
            return
        book = self._now.book
        for contract in flow.contracts.values():
            if contract.book is book:
                traded = math.fsum(trade.coins for trade in contract.prints if not trade.is_forced)
                book.open_coins[contract.listing.venue].hedged += OPENING * traded
        if elapsed_s >= self._now.end_s:
            book.price.drift -= self._now.drift
            book.crowd = 1.0
            self._now = None
            self._next_s = elapsed_s + self._random.expovariate(1 / LATER_MEAN_S)

    def _begin(self, at_s: float) -> _Frenzy:
        draw = self._random
        book, self._first = draw.choice(self._first), [*self._books]
        lasts_s = draw.uniform(*LASTS_S)
        move = draw.choice((-1.0, 1.0)) * draw.uniform(*MOVE_DAILY_VOLATILITIES) * book.asset.daily_volatility
        book.price.drift += move / lasts_s
        book.crowd = CROWD
        return _Frenzy(book, at_s + lasts_s, move / lasts_s)
