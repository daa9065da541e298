"""What venues tell us, in one vocabulary.

Units everywhere: quantities in coins of `asset`, prices in USD per coin of `asset`, notional in USD, times in
milliseconds UTC. `exchange_ms` is the venue's event time, `received_ms` is ours. 1000PEPE and kPEPE are PEPE: the
decoder has already applied the multiplier to quantity and price (the notional needs none).
"""

from enum import StrEnum

import msgspec


class PositionSide(StrEnum):
    """The side of the position that was closed: a closed long is a forced sell."""

    LONG = "long"
    SHORT = "short"


class TakerSide(StrEnum):
    BUY = "buy"
    SELL = "sell"


class PriceKind(StrEnum):
    """What the price of a liquidation is: the average fill, the bankruptcy price, or the price of the order."""

    FILL = "fill"
    BANKRUPTCY = "bankruptcy"
    ORDER = "order"


class Coverage(StrEnum):
    """Whether a feed brings every liquidation, a sample (its sums are lower bounds), or only totals."""

    COMPLETE = "complete"
    CAPPED = "capped"
    AGGREGATE = "aggregate"


class _Record(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    venue: str
    instrument: str
    asset: str
    exchange_ms: int
    received_ms: int


class Liquidation(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="liquidation"):
    """One forced order, or one fill of it where the venue reports fills; with coverage aggregate the sum of many.

    `uncertain` names what rests on an unsettled reading of the venue's documents: `position_side` (Gate), `unit` (Bitget),
    `feed` (a marker nobody has confirmed). Such a record never counts alone. In JSON it is left out where nothing is in doubt.
    """

    position_side: PositionSide
    quantity: float
    price: float
    price_kind: PriceKind
    notional_usd: float
    coverage: Coverage
    uncertain: str = ""


class Trade(_Record, frozen=True, kw_only=True, tag="trade"):
    taker_side: TakerSide
    quantity: float
    price: float
    notional_usd: float
    trade_id: str


class OpenInterest(_Record, frozen=True, kw_only=True, omit_defaults=True, tag="open_interest"):
    """Open contracts in coins, each matched pair counted once.

    `uncertain` is `sides` where the venue does not say whether it counts a pair once or twice: the figure is as the venue
    gives it, good for changes in per cent, never to be added to that of another venue. `listed_ms`: since when the
    contract is traded, None where the venue does not say.
    """

    quantity: float
    notional_usd: float | None
    uncertain: str = ""
    listed_ms: int | None = None


class MarkPrice(_Record, frozen=True, kw_only=True, tag="mark_price"):
    """`funding_rate` is a fraction per funding interval; positive means longs pay."""

    price: float
    index_price: float | None = None
    funding_rate: float | None = None
    next_funding_ms: int | None = None


class Kline(_Record, frozen=True, kw_only=True, tag="kline"):
    """`exchange_ms` is the opening time of the bar.

    `interval` in one spelling: 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M, with +08 where days are those of Hong Kong.
    """

    interval: str
    open: float
    high: float
    low: float
    close: float
    quantity: float
    notional_usd: float | None = None
    taker_buy_quantity: float | None = None
    closed: bool


class Control(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="control"):
    """A frame that was understood and is deliberately not an event; `reason` says why in snake case."""

    venue: str
    reason: str
    received_ms: int
    instrument: str | None = None
    asset: str | None = None
    exchange_ms: int | None = None
    detail: str = ""


MarketEvent = Liquidation | Trade | OpenInterest | MarkPrice | Kline
Decoded = MarketEvent | Control
