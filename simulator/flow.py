"""Trades: a background flow spread over all contracts, and the market orders of liquidations.

The flow has a random stream of its own, so a market with it has the same prices and liquidations as one without. How many
trades there are is given; how large they are follows from the assets' turnover, so fewer trades are larger ones and the
volume of a day stays what it is. Volume grows with the price's variance, and takers lean the way the price moves.
"""

import math
import random
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from simulator.book import Book, TrueLiquidation
from simulator.candles import CandleBook
from simulator.listings import COIN_M, Listing
from simulator.packed import Packed
from simulator.prices import SECONDS_PER_DAY

ZIPF_EXPONENT = 0.9  # of the number of trades over the assets in order of turnover
SIZE_SIGMA = 1.3  # of the log-normal trade sizes
SIZES = 4096  # drawn once, then used again and again
LEAN = 0.12  # added to the share of buys per standard deviation of the step's return
KEPT_TRADES = 1000  # per contract, as venues' REST shows them
_PRINT = struct.Struct("=qdd?q?")


class Print(NamedTuple):
    """One trade. `price`: USD per coin at the venue; `is_buy`: the taker bought; `ident` counts up in its contract."""

    time_ms: int
    price: float
    coins: float
    is_buy: bool
    ident: int
    is_forced: bool = False


class Contract:
    """One contract's tape: the trades of the current step, the latest ones, and its candles.

    A last trade of before the start, number 0, is among the latest: venues always have one to show.
    """

    __slots__ = ("book", "book_index", "candles", "listing", "mean_usd", "premium", "prints", "recent", "tick")

    def __init__(self, book: Book, book_index: int, listing: Listing, mean_usd: float, start_ms: int) -> None:
        self.book = book
        self.book_index = book_index
        self.listing = listing
        self.premium = 1 + book.basis[listing.venue]
        self.tick = 10.0**-listing.price_decimals / listing.multiplier
        self.mean_usd = mean_usd
        self.prints: list[Print] = []
        price = book.price.last * self.premium
        self.recent = Packed(_PRINT, Print, KEPT_TRADES)
        self.recent.append(start_ms - 1, price, listing.quantised(mean_usd / price), True, 0, False)
        self.candles = CandleBook(start_ms, price)

    def add(self, time_ms: int, price: float, coins: float, is_buy: bool, is_forced: bool = False) -> None:  # noqa: FBT001, FBT002  called for every trade
        ident = self.candles.trades + 1
        trade = Print(time_ms, price, coins, is_buy, ident, is_forced)
        self.prints.append(trade)
        self.recent.append(*trade)
        self.candles.take(time_ms, price, coins, is_buy)


class TradeFlow:
    def __init__(self, books: Sequence[Book], *, seed: int, start_ms: int, trades_per_s: float) -> None:
        """`trades_per_s`: of market time, over all contracts."""
        self._random = random.Random(f"{seed}/trades")
        self._books = books
        self._rate = trades_per_s
        self._owed = 0.0
        self._end_ms = start_ms
        self._before = [book.price.last for book in books]
        self._sizes = _unit_sizes(self._random)
        weights = _weights(books)
        self.contracts = {
            (listing.venue, listing.symbol): Contract(
                book, index, listing, _mean_usd(book, listing, weights[index], trades_per_s), start_ms
            )
            for index, book in enumerate(books)
            for listing in book.listings.values()
            if listing.venue != COIN_M
        }
        self._all = list(self.contracts.values())
        self._weights = list(
            accumulate(weights[contract.book_index] * _share(contract.book, contract.listing) for contract in self._all)
        )
        self._traded: list[Contract] = []

    def prints(self, venue: str) -> Mapping[str, Sequence[Print]]:
        """The trades of the latest step by symbol."""
        return {
            contract.listing.symbol: contract.prints for contract in self._traded if contract.listing.venue == venue
        }

    def step(self, step_root: float, now_ms: int, forced: Iterable[TrueLiquidation]) -> None:
        """Trade up to `now_ms`; `step_root` is the square root of the step in seconds."""
        for contract in self._traded:
            contract.prints = []
        count = self._count(now_ms)
        picked = self._random.choices(self._all, cum_weights=self._weights, k=count) if count else ()
        if picked:
            self._trade(picked, now_ms, step_root)
        for liquidation in forced:
            forced_at = self.contracts.get((liquidation.venue, liquidation.symbol))
            if forced_at is not None:
                forced_at.add(
                    liquidation.time_ms, liquidation.price, liquidation.quantity, not liquidation.is_long, True
                )
                picked = [*picked, forced_at]
        self._traded = list(dict.fromkeys(picked))
        self._end_ms = now_ms
        self._before = [book.price.last for book in self._books]

    def _count(self, now_ms: int) -> int:
        self._owed += self._rate * (now_ms - self._end_ms) / 1000
        count = int(self._owed)
        self._owed -= count
        return count

    def _trade(self, picked: Sequence[Contract], now_ms: int, step_root: float) -> None:
        draw, sizes, before = self._random.random, self._sizes, self._before
        moods = [
            _mood(book.price.last / old - 1, book, step_root) for book, old in zip(self._books, before, strict=True)
        ]
        span_ms = now_ms - self._end_ms
        for number, contract in enumerate(picked):
            passed = (number + 0.5) / len(picked)
            index = contract.book_index
            buys, activity = moods[index]
            is_buy = draw() < buys
            old = before[index]
            common = old + (contract.book.price.last - old) * passed
            price = common * contract.premium + (contract.tick if is_buy else -contract.tick) / 2
            coins = contract.listing.quantised(contract.mean_usd * activity * sizes[int(draw() * SIZES)] / price)
            contract.add(self._end_ms + int(span_ms * passed), price, coins, is_buy)


def _mood(change: float, book: Book, step_root: float) -> tuple[float, float]:
    """The share of buys among takers, and the volume in units of the usual."""
    deviations = change / (book.price.deviation * step_root)
    return 0.5 + max(-0.4, min(0.4, LEAN * deviations)), book.price.activity * book.crowd


def _unit_sizes(draw: random.Random) -> list[float]:
    """Log-normal sizes with mean 1."""
    raw = [draw.lognormvariate(0.0, SIZE_SIGMA) for _ in range(SIZES)]
    mean = math.fsum(raw) / SIZES
    return [size / mean for size in raw]


def _share(book: Book, listing: Listing) -> float:
    """Of the asset's trades that this contract has."""
    venues = [venue for venue in book.listings if venue != COIN_M]
    return book.share(listing.venue) / sum(book.share(venue) for venue in venues)


def _weights(books: Sequence[Book]) -> list[float]:
    """Each asset's share of all trades; books come in order of turnover."""
    raw = [(rank + 1) ** -ZIPF_EXPONENT for rank in range(len(books))]
    return [weight / sum(raw) for weight in raw]


def _mean_usd(book: Book, listing: Listing, weight: float, trades_per_s: float) -> float:
    """What a trade is worth, so that the contract's turnover of a day comes about."""
    volume_per_s = book.asset.turnover_usd * book.share(listing.venue) / SECONDS_PER_DAY
    trades = trades_per_s * weight * _share(book, listing)
    return volume_per_s / trades if trades else 0.0
