"""The seeded market behind all venues: prices, leveraged positions, and liquidations that arise from both.

Pure: no clock, no I/O. Time passes by `step`. The same seed and the same steps give the same market to the last bit.
Nothing schedules a liquidation: a position is taken over when the mark price reaches its liquidation price, and the
forced order pushes the price, which may reach the next one.
"""

import random
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.assets import ASSETS, Asset
from simulator.book import Book, OpenCoins, TrueLiquidation
from simulator.flow import TradeFlow
from simulator.frenzy import Frenzies
from simulator.listings import COIN_M_SHARE, DEFAULT_VENUES, VENUE_SHARE, listings_of
from simulator.news import NewsDesk
from simulator.openings import PositionDealer
from simulator.past import KEPT_OPEN_POINTS, OPEN_POINT_MS
from simulator.positions import LEVERAGE_WEIGHTS
from simulator.prices import Price, StepSize, Volatility

HEDGED_NOISE = 0.0002  # width of the change of hedged open interest in a second: about 0.2 % over ten minutes
MARKET_DAILY_VOLATILITY = 0.018
KEPT_LIQUIDATIONS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """What a run may change. Sizes are set so that ten minutes of the default market show a few cascades."""

    positions_per_asset: int = 420
    mean_holding_s: float = 2400.0
    depth_share: float = 0.085  # of a day's turnover: the forced notional for a move of 100 %; so 1 % is 0.085 % of it
    forced_orders_move_price: bool = True
    news: bool = True
    frenzies: bool = False
    leverage_weights: tuple[float, ...] = LEVERAGE_WEIGHTS


class Market:
    def __init__(
        self,
        *,
        seed: int,
        start_ms: int,
        assets: int | Sequence[Asset] = 50,
        venues: Sequence[str] = DEFAULT_VENUES,
        rules: MarketRules | None = None,
        trades_per_s: float = 100.0,
    ) -> None:
        """`assets`: those, or so many of the usual ones. `trades_per_s`: of market time, over all venues and assets; at 0 only
        forced orders trade.
        """
        self.rules = rules or MarketRules()
        self.seed = seed
        self.start_ms = self.now_ms = start_ms
        self.liquidations: deque[TrueLiquidation] = deque(maxlen=KEPT_LIQUIDATIONS)
        self.liquidation_count = 0
        self._random = random.Random(seed)
        self._common = Volatility(MARKET_DAILY_VOLATILITY)
        self._common_second = 0.0
        self._elapsed_s = 0.0
        self._next_second = 1.0
        self._steps: dict[float, StepSize] = {}
        listed = ASSETS[:assets] if isinstance(assets, int) else assets
        self.books = {asset.name: self._new_book(asset, venues) for asset in listed}
        self._books = [book for book in self.books.values() if book.open_coins]
        self._dealer = PositionDealer(self._random, self.rules.positions_per_asset, self.rules.leverage_weights)
        self.earlier: list[TrueLiquidation] = []  # before the start, for venues that show old ones
        for book in self._books:
            self.earlier += self._dealer.deal_history(book, start_ms)
        self._flow_rate = 2 * len(self._books) * self.rules.positions_per_asset / self.rules.mean_holding_s
        self._next_flow_s = self._random.expovariate(self._flow_rate)
        self._news = NewsDesk(self._random, self._books)
        self._frenzies = Frenzies(seed, self._books)
        self.first_open = {
            (name, venue): coins.one_side
            for name, book in self.books.items()
            for venue, coins in book.open_coins.items()
        }
        self._open_points: dict[int, array[float]] = {}  # at whole 5 minutes: coins and price of each contract in turn
        self._open_places = {key: 2 * place for place, key in enumerate(self.first_open)}
        self._next_open_point_ms = start_ms - start_ms % OPEN_POINT_MS + OPEN_POINT_MS
        self.flow = TradeFlow(self._books, seed=seed, start_ms=start_ms, trades_per_s=trades_per_s)

    def _new_book(self, asset: Asset, venues: Sequence[str]) -> Book:
        draw = self._random
        listings = listings_of(asset, venues)
        price = asset.price_usd * (1 + draw.uniform(-0.03, 0.03))
        depth_usd = asset.turnover_usd * self.rules.depth_share
        oi_coins = asset.turnover_usd * draw.uniform(0.25, 0.5) / price
        shares = {venue: VENUE_SHARE.get(venue, COIN_M_SHARE) for venue in listings}
        return Book(
            asset=asset,
            listings=listings,
            price=Price(price, asset.daily_volatility, asset.beta, depth_usd),
            basis={venue: draw.uniform(-0.0004, 0.0004) for venue in listings},
            funding_rate=draw.uniform(-0.00005, 0.0002),
            long_share=draw.uniform(0.38, 0.64),
            open_coins={venue: OpenCoins(hedged=oi_coins * share) for venue, share in shares.items()},
        )

    def step(self, dt_s: float) -> list[TrueLiquidation]:
        """Advance market time by `dt_s` seconds; returns what was liquidated meanwhile."""
        step = self._steps.get(dt_s) or self._steps.setdefault(dt_s, StepSize.of(dt_s))
        self._elapsed_s += dt_s
        self.now_ms = self.start_ms + round(self._elapsed_s * 1000)
        if self.rules.news:
            self._news.step(self._elapsed_s)
        gauss = self._random.gauss
        common = self._common.deviation * step.root * gauss(0.0, 1.0) + self._news.market_drift * dt_s
        self._common_second += common
        happened: list[TrueLiquidation] = []
        for book in self._books:
            price = book.price
            price.move(step, common, gauss(0.0, 1.0))
            mark = price.mark
            if (book.longs and -book.longs[0][0] >= mark) or (book.shorts and book.shorts[0][0] <= mark):
                happened += [
                    book.liquidate(position, self.now_ms, moves_price=self.rules.forced_orders_move_price)
                    for position in book.take_reached()
                ]
        self._trade_positions()
        if self._elapsed_s >= self._next_second:
            self._end_second()
        self.flow.step(step.root, self.now_ms, happened)
        if self.rules.frenzies:
            self._frenzies.step(self._elapsed_s, self.flow)
        if self.now_ms >= self._next_open_point_ms:
            self._keep_open_interest()
        self.liquidations += happened
        self.liquidation_count += len(happened)
        return happened

    def hear_news(self, asset: str, *, move: float, lasts_s: float) -> None:
        """News from outside: it brings that return to an asset from now on. Raises KeyError, ValueError."""
        if lasts_s <= 0 or move <= -1:
            raise ValueError(f"news: expected a return above -1 in more than 0 s, was {move:g} in {lasts_s:g} s")
        self._news.add(self.books[asset], self._elapsed_s, move=move, lasts_s=lasts_s)

    def _trade_positions(self) -> None:
        """Let traders open and close; a book with fewer positions than usual sees more openings than closings."""
        draw = self._random
        while self._next_flow_s <= self._elapsed_s:
            self._next_flow_s += draw.expovariate(self._flow_rate)
            book = self._books[int(draw.random() * len(self._books))]
            share = len(book.positions) / (2 * self.rules.positions_per_asset)
            if draw.random() < share:
                book.remove(book.positions[int(draw.random() * len(book.positions))])
            else:
                self._dealer.open(book, self.now_ms)

    def _end_second(self) -> None:
        self._next_second += 1.0
        self._common.observe(self._common_second)
        self._common_second = 0.0
        draw = self._random
        for book in self._books:
            book.price.end_second()
            for coins in book.open_coins.values():
                coins.hedged *= 1 + HEDGED_NOISE * (draw.random() - 0.5)

    def _keep_open_interest(self) -> None:
        if len(self._open_points) >= KEPT_OPEN_POINTS:
            self._open_points.pop(next(iter(self._open_points)))
        self._open_points[self._next_open_point_ms] = array(
            "d",
            (
                figure
                for book in self.books.values()
                for venue, coins in book.open_coins.items()
                for figure in (coins.one_side, book.venue_price(venue, book.price.mark))
            ),
        )
        self._next_open_point_ms += OPEN_POINT_MS

    def open_point(self, asset: str, venue: str, time_ms: int) -> tuple[float, float] | None:
        """Coins of one side and mark price at a whole five minutes of the run, as far back as they are kept."""
        figures = self._open_points.get(time_ms)
        if figures is None:
            return None
        place = self._open_places[asset, venue]
        return figures[place], figures[place + 1]
