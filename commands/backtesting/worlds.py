"""Simulated worlds, in this process and as fast as they go: prices, open interest, what feeds show, and what really happened."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from commands.backtesting.world_ranges import DAYS, WARM_UP_DAYS, World
from intelligence.evaluation.bars import DAY_MIN, Bars
from intelligence.evaluation.zone_forecasts import EPOCH_MIN, Liquidated, world_of
from intelligence.evaluation.zone_forecasts import World as JudgedWorld
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Coverage, Liquidation, OpenInterest, PositionSide, PriceKind
from intelligence.minute import MINUTE_MS, Minute
from simulator.assets import ASSETS
from simulator.book import Book, TrueLiquidation
from simulator.listings import COIN_M
from simulator.market import Market, MarketRules
from simulator.positions import LEVERAGE_WEIGHTS, MAINTENANCE_RATE
from simulator.tiers import tiers_of

START_MS = 1_780_272_000_000
STEP_S = 1.0
BLOCKS_A_DAY = 4


@dataclass(frozen=True, slots=True)
class Held:
    """A position: the common mark price that liquidates it, and its USD."""

    is_long: bool
    trigger: float
    usd: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """`minutes`: as the daemon would close them. `judged`: the truth. `positions`: all that were open, by the bar at whose end."""

    minutes: list[Minute]
    tiers: dict[str, MarginTiers]
    judged: JudgedWorld
    positions: dict[int, tuple[Held, ...]]


@dataclass(frozen=True, slots=True)
class _Path:
    """Of each minute: first, lowest, highest and last common mark price, open interest by venue, liquidations."""

    prices: list[tuple[float, float, float, float]]
    open_coins: list[dict[str, float]]
    liquidated: list[list[TrueLiquidation]]
    positions: dict[int, tuple[Held, ...]]
    book: Book


def simulate(world: World, days: float = DAYS, warm_up_days: float = WARM_UP_DAYS) -> Simulated:
    path = _path(world, round(days * DAY_MIN))
    draw = random.Random(f"{world.seed}/shown")
    truth = path.liquidated if world.informative else _anywhere(path, draw)
    minutes = list(_minutes(world, path, truth, draw))
    bars = _bars(path)
    judged = world_of(bars, _liquidated(truth), round(warm_up_days * DAY_MIN), BLOCKS_A_DAY)
    return Simulated(minutes, _tiers(path.book), judged, path.positions)


def _path(world: World, minutes: int) -> _Path:
    asset = replace(
        ASSETS[0],
        turnover_usd=world.turnover_usd,
        daily_volatility=world.daily_volatility,
        max_leverage=world.max_leverage,
    )
    weights = tuple(usual * tilt for usual, tilt in zip(LEVERAGE_WEIGHTS, world.leverage_tilts, strict=True))
    rules = MarketRules(
        positions_per_asset=world.positions,
        mean_holding_s=world.mean_holding_s,
        depth_share=world.depth_share,
        forced_orders_move_price=world.feedback and world.informative,
        news=world.news,
        leverage_weights=weights,
    )
    market = Market(seed=world.seed, start_ms=START_MS, assets=(asset,), rules=rules, trades_per_s=0.0)
    book = market.books[asset.name]
    path = _Path([], [], [], {}, book)
    for place in range(minutes):
        first = low = high = book.price.mark
        happened: list[TrueLiquidation] = []
        for _ in range(round(60 / STEP_S)):
            happened += market.step(STEP_S)
            mark = book.price.mark
            low, high = min(low, mark), max(high, mark)
        path.prices.append((first, low, high, book.price.mark))
        path.open_coins.append({venue: coins.one_side for venue, coins in book.open_coins.items() if venue != COIN_M})
        path.liquidated.append(happened)
        if place % EPOCH_MIN == 0:
            path.positions[place] = tuple(
                Held(one.is_long, one.trigger, one.quantity * book.price.mark) for one in book.positions
            )
    return path


def _anywhere(path: _Path, draw: random.Random) -> list[list[TrueLiquidation]]:
    """As many liquidations of the same sizes, each somewhere along the way that price went: they know of no position."""
    weights = [high / low - 1 + 1e-9 for _, low, high, _ in path.prices]
    found: list[list[TrueLiquidation]] = [[] for _ in path.prices]
    for one in [one for minute in path.liquidated for one in minute]:
        place = draw.choices(range(len(weights)), weights)[0]
        first, low, high, last = path.prices[place]
        price = draw.uniform(low, high)
        quantity = one.notional_usd / price
        found[place].append(
            replace(
                one,
                time_ms=START_MS + place * MINUTE_MS + draw.randrange(MINUTE_MS),
                is_long=last < first,
                quantity=quantity,
                price=price,
                bankruptcy_price=price * (0.996 if last < first else 1.004),
                liquidation_price=price,
                mark_price=price,
            )
        )
    return [sorted(minute, key=lambda one: one.time_ms) for minute in found]


def _minutes(
    world: World, path: _Path, truth: Iterable[list[TrueLiquidation]], draw: random.Random
) -> Iterable[Minute]:
    for place, (prices, coins, happened) in enumerate(zip(path.prices, path.open_coins, truth, strict=True)):
        from_ms = START_MS + place * MINUTE_MS
        shown = [one for one in happened if one.venue != COIN_M and draw.random() < world.shown_share]
        yield Minute(
            asset="BTC",
            from_ms=from_ms,
            open=prices[0],
            high=prices[2],
            low=prices[1],
            close=prices[3],
            reference_price=prices[3],
            mark_low=prices[1],
            mark_high=prices[2],
            funding_8h=path.book.funding_rate,
            buy_usd=0.0,
            sell_usd=0.0,
            trades=0,
            largest_usd=0.0,
            complete=True,
            liquidations=tuple(map(_shown, shown)),
            open_interest=tuple(
                OpenInterest(
                    venue=venue,
                    instrument="BTCUSDT",
                    asset="BTC",
                    exchange_ms=from_ms + MINUTE_MS,
                    received_ms=from_ms + MINUTE_MS,
                    quantity=one_side,
                    notional_usd=None,
                )
                for venue, one_side in sorted(coins.items())
            ),
        )


def _shown(one: TrueLiquidation) -> Liquidation:
    """As its venue's feed tells it: Binance the fill, others the bankruptcy price."""
    fill = one.venue == "binance"
    return Liquidation(
        venue=one.venue,
        instrument=one.symbol,
        asset=one.asset,
        exchange_ms=one.time_ms,
        received_ms=one.time_ms,
        position_side=PositionSide.LONG if one.is_long else PositionSide.SHORT,
        quantity=one.quantity,
        price=one.price if fill else one.bankruptcy_price,
        price_kind=PriceKind.FILL if fill else PriceKind.BANKRUPTCY,
        notional_usd=one.notional_usd,
        coverage=Coverage.CAPPED,
    )


def _liquidated(truth: Iterable[list[TrueLiquidation]]) -> Liquidated:
    rows = sorted((one for minute in truth for one in minute), key=lambda one: one.time_ms)
    return Liquidated(
        at_ms=np.array([one.time_ms for one in rows], dtype=np.int64),
        is_long=np.array([one.is_long for one in rows], dtype=bool),
        price=np.array([one.mark_price for one in rows], dtype=np.float64),
        usd=np.array([one.notional_usd for one in rows], dtype=np.float64),
    )


def _bars(path: _Path) -> Bars:
    columns = np.array(path.prices)
    return Bars(
        asset="BTC",
        step_min=1,
        from_ms=START_MS + np.arange(len(columns), dtype=np.int64) * MINUTE_MS,
        high=columns[:, 2],
        low=columns[:, 1],
        close=columns[:, 3],
        usd=np.zeros(len(columns)),
    )


def _tiers(book: Book) -> dict[str, MarginTiers]:
    assert book.asset.max_leverage in MAINTENANCE_RATE
    rows = tuple(
        MarginTier(
            cap=tier.cap_usd,
            maintenance_rate=tier.rate,
            max_leverage=tier.max_leverage,
            deduction_usd=tier.deduction_usd,
        )
        for tier in tiers_of(book.asset)
    )
    return {
        venue: MarginTiers(venue=venue, instrument=listing.symbol, asset=book.asset.name, unit="usd", tiers=rows)
        for venue, listing in book.listings.items()
    }
