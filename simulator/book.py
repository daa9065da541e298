"""One asset as the market knows it: its price, its open positions in order of their triggers, its open interest."""

import heapq
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.assets import Asset
from simulator.listings import COIN_M, COIN_M_SHARE, VENUE_SHARE, Listing
from simulator.positions import Position
from simulator.prices import Price

LEAST_TRIGGERS = 100  # of a book's positions, closed ones included, before it is worth while to drop those


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueLiquidation:
    """A liquidation as it happened, whether or not a feed shows it. Prices are USD per coin, `quantity` coins.

    `price` is the average fill. `mark_price` is the venue's mark that reached `liquidation_price`.
    """

    time_ms: int
    venue: str
    asset: str
    symbol: str
    is_long: bool
    quantity: float
    price: float
    notional_usd: float
    bankruptcy_price: float
    liquidation_price: float
    mark_price: float
    position_id: int

    def as_json(self) -> dict[str, Any]:
        row = asdict(self)
        row["position_side"] = "long" if row.pop("is_long") else "short"
        return row


@dataclass(slots=True)
class OpenCoins:
    """One venue's open contracts of one asset in coins.

    Traders' longs and shorts rarely match; market makers hold the difference, and `hedged` stands for their matched
    books. So one-side open interest is `hedged + max(longs, shorts)`.
    """

    hedged: float
    longs: float = 0.0
    shorts: float = 0.0

    @property
    def one_side(self) -> float:
        return self.hedged + max(self.longs, self.shorts)


@dataclass(slots=True)
class Book:
    """Everything the market knows about one asset.

    `basis` is each venue's price over the common one, minus 1. `long_share`: how much of the trading interest is long.
    """

    asset: Asset
    listings: dict[str, Listing]
    price: Price
    basis: dict[str, float]
    funding_rate: float
    long_share: float
    open_coins: dict[str, OpenCoins]
    positions: list[Position] = field(default_factory=list)
    longs: list[tuple[float, int, Position]] = field(default_factory=list)  # heap, highest trigger first
    shorts: list[tuple[float, int, Position]] = field(default_factory=list)  # heap, lowest trigger first
    crowd: float = 1.0  # times the volume that the price's variance alone brings
    past_prices: list[float] = field(default_factory=list)  # common prices before the start, latest first (openings.py)

    def share(self, venue: str) -> float:
        return COIN_M_SHARE if venue == COIN_M else VENUE_SHARE[venue]

    def venue_price(self, venue: str, common: float) -> float:
        return common * (1 + self.basis[venue])

    def add(self, position: Position) -> None:
        position.slot = len(self.positions)
        self.positions.append(position)
        coins = self.open_coins[position.venue]
        if position.is_long:
            heapq.heappush(self.longs, (-position.trigger, position.position_id, position))
            coins.longs += position.quantity
        else:
            heapq.heappush(self.shorts, (position.trigger, position.position_id, position))
            coins.shorts += position.quantity

    def remove(self, position: Position) -> None:
        """Close a position; its heap entry stays until it surfaces or the closed ones are in the majority."""
        last = self.positions.pop()
        if last is not position:
            self.positions[position.slot] = last
            last.slot = position.slot
        position.slot = -1
        if len(self.longs) + len(self.shorts) > 2 * len(self.positions) + LEAST_TRIGGERS:
            self._drop_closed()
        coins = self.open_coins[position.venue]
        if position.is_long:
            coins.longs -= position.quantity
        else:
            coins.shorts -= position.quantity

    def _drop_closed(self) -> None:
        for triggers in (self.longs, self.shorts):
            triggers[:] = [entry for entry in triggers if entry[2].is_open]
            heapq.heapify(triggers)

    def liquidations_within(self, reach: float, *, is_long: bool) -> float:
        """USD of one side that a move of `reach` (a fraction) against it would liquidate."""
        mark = self.price.mark
        near = mark * (1 - reach) if is_long else mark * (1 + reach)
        return sum(
            position.quantity * mark
            for position in self.positions
            if position.is_long is is_long and (position.trigger >= near if is_long else position.trigger <= near)
        )

    def take_reached(self) -> list[Position]:
        """Positions whose liquidation price the mark has reached."""
        mark = self.price.mark
        reached = []
        while self.longs and -self.longs[0][0] >= mark:
            position = heapq.heappop(self.longs)[2]
            if position.is_open:
                reached.append(position)
        while self.shorts and self.shorts[0][0] <= mark:
            position = heapq.heappop(self.shorts)[2]
            if position.is_open:
                reached.append(position)
        return reached

    def liquidate(self, position: Position, time_ms: int, *, moves_price: bool) -> TrueLiquidation:
        """Close a position by a forced market order at its venue."""
        mark = self.venue_price(position.venue, self.price.mark)
        fill = self.price.last
        if moves_price:
            sign = -1.0 if position.is_long else 1.0
            fill = self.price.take_forced_order(sign * position.quantity * fill)
        self.remove(position)
        return self.record(position, time_ms, fill=self.venue_price(position.venue, fill), mark=mark)

    def record(self, position: Position, time_ms: int, *, fill: float, mark: float) -> TrueLiquidation:
        return TrueLiquidation(
            time_ms=time_ms,
            venue=position.venue,
            asset=self.asset.name,
            symbol=self.listings[position.venue].symbol,
            is_long=position.is_long,
            quantity=position.quantity,
            price=fill,
            notional_usd=position.quantity * fill,
            bankruptcy_price=position.bankruptcy_price,
            liquidation_price=position.liquidation_price,
            mark_price=mark,
            position_id=position.position_id,
        )
