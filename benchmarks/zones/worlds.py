"""Simulated markets as the minutes that a zone model gets: every position is known to the simulator, none to the model."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Coverage, Liquidation, OpenInterest, PositionSide, PriceKind
from intelligence.minute import MINUTE_MS, Minute
from simulator.book import Book, TrueLiquidation
from simulator.market import Market, MarketRules
from simulator.tiers import tiers_of

START_MS = 1_780_000_020_000  # the start of a minute
VENUES = ("binance", "bybit", "okx", "gate", "bitget")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is drawn for one world. `told`: whether open interest shows what positions do; else it is that of another
    asset, so that zones hold no information and a score must say so.
    """

    seed: int
    assets: int
    positions_per_asset: int
    mean_holding_s: float
    depth_share: float
    told: bool


def world(seed: int, assets: int = 6) -> World:
    """Ranges frozen before anything was tuned on them. Every fifth world holds no information."""
    draw = random.Random(f"zones {seed}")
    return World(
        seed=seed,
        assets=assets,
        positions_per_asset=draw.randint(200, 900),
        mean_holding_s=draw.choice((2_400.0, 7_200.0, 21_600.0)),
        depth_share=draw.uniform(0.08, 0.4),
        told=seed % 5 != 0,
    )


def market_of(chosen: World) -> Market:
    rules = MarketRules(
        positions_per_asset=chosen.positions_per_asset,
        mean_holding_s=chosen.mean_holding_s,
        depth_share=chosen.depth_share,
    )
    return Market(
        seed=chosen.seed, start_ms=START_MS, assets=chosen.assets, venues=VENUES, rules=rules, trades_per_s=0.0
    )


def tiers(book: Book) -> dict[str, MarginTiers]:
    steps = tuple(
        MarginTier(
            cap=tier.cap_usd,
            maintenance_rate=tier.rate,
            max_leverage=float(tier.max_leverage),
            deduction_usd=tier.deduction_usd,
        )
        for tier in tiers_of(book.asset)
    )
    return {
        venue: MarginTiers(venue=venue, instrument=listing.symbol, asset=book.asset.name, unit="usd", tiers=steps)
        for venue, listing in book.listings.items()
    }


def minutes(market: Market, chosen: World, hours: float) -> Iterator[dict[str, Minute]]:
    """Minute after minute, one of each asset. Marks once a second, open interest at the end of each minute."""
    names = list(market.books)
    partner = {name: names[(place + 1) % len(names)] for place, name in enumerate(names)}
    for _ in range(int(60 * hours)):
        from_ms = market.now_ms
        ranges = {name: [book.price.mark] * 2 for name, book in market.books.items()}
        seen: dict[str, list[Liquidation]] = {name: [] for name in names}
        for _ in range(60):
            for one in market.step(1.0):
                seen[one.asset].append(_liquidation(one))
            for name, book in market.books.items():
                low_high, mark = ranges[name], book.price.mark
                low_high[0], low_high[1] = min(low_high[0], mark), max(low_high[1], mark)
        yield {
            name: _minute(
                book, from_ms, ranges[name], tuple(seen[name]), _interest(market, book, partner[name], chosen)
            )
            for name, book in market.books.items()
        }


def _interest(market: Market, book: Book, partner: str, chosen: World) -> tuple[OpenInterest, ...]:
    """Where nothing is told the changes are those of another asset, in shares of what is open."""
    shown = []
    for venue, coins in book.open_coins.items():
        quantity = coins.one_side
        if not chosen.told and venue in market.books[partner].open_coins:
            other = market.books[partner].open_coins[venue].one_side / market.first_open[partner, venue]
            quantity = market.first_open[book.asset.name, venue] * other
        shown.append(
            OpenInterest(
                venue=venue,
                instrument=book.listings[venue].symbol,
                asset=book.asset.name,
                exchange_ms=market.now_ms,
                received_ms=market.now_ms,
                quantity=quantity,
                notional_usd=None,
            )
        )
    return tuple(shown)


def _liquidation(one: TrueLiquidation) -> Liquidation:
    return Liquidation(
        venue=one.venue,
        instrument=one.symbol,
        asset=one.asset,
        exchange_ms=one.time_ms,
        received_ms=one.time_ms,
        position_side=PositionSide.LONG if one.is_long else PositionSide.SHORT,
        quantity=one.quantity,
        price=one.bankruptcy_price,
        price_kind=PriceKind.BANKRUPTCY,
        notional_usd=one.notional_usd,
        coverage=Coverage.COMPLETE,
    )


def _minute(
    book: Book,
    from_ms: int,
    low_high: list[float],
    liquidations: tuple[Liquidation, ...],
    open_interest: tuple[OpenInterest, ...],
) -> Minute:
    mark = book.price.mark
    return Minute(
        asset=book.asset.name,
        from_ms=from_ms // MINUTE_MS * MINUTE_MS,
        open=mark,
        high=low_high[1],
        low=low_high[0],
        close=mark,
        reference_price=mark,
        buy_usd=0.0,
        sell_usd=0.0,
        trades=0,
        largest_usd=0.0,
        complete=True,
        liquidations=liquidations,
        open_interest=open_interest,
        mark_low=low_high[0],
        mark_high=low_high[1],
        funding_8h=book.funding_rate,
    )
