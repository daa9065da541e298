"""From a venue's own size and price to records: the one place where contract sizes and multipliers are applied.

`size` is in the venue's unit (contracts or its base coin), prices are as the venue writes them. coins = size *
contract_size * multiplier, USD a coin = price / multiplier, notional = size * contract_size * price.
"""

from actors.exchanges.exchange import Instrument
from intelligence.market import (
    Coverage,
    Kline,
    Liquidation,
    MarkPrice,
    OpenInterest,
    PositionSide,
    PriceKind,
    TakerSide,
    Trade,
)


def coins(instrument: Instrument, size: float) -> float:
    return size * instrument.contract_size * instrument.multiplier


def liquidation(
    instrument: Instrument,
    times: tuple[int, int],
    side: PositionSide,
    *,
    size: float,
    price: float,
    price_kind: PriceKind,
    coverage: Coverage,
) -> Liquidation:
    """`times`: the venue's and ours, in ms; so in all functions here."""
    return Liquidation(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        position_side=side,
        quantity=coins(instrument, size),
        price=price / instrument.multiplier,
        price_kind=price_kind,
        notional_usd=size * instrument.contract_size * price,
        coverage=coverage,
    )


def trade(
    instrument: Instrument, times: tuple[int, int], side: TakerSide, *, size: float, price: float, trade_id: str
) -> Trade:
    return Trade(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        taker_side=side,
        quantity=coins(instrument, size),
        price=price / instrument.multiplier,
        notional_usd=size * instrument.contract_size * price,
        trade_id=trade_id,
    )


def open_interest(
    instrument: Instrument, times: tuple[int, int], *, size: float, notional_usd: float | None = None
) -> OpenInterest:
    return OpenInterest(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        quantity=coins(instrument, size),
        notional_usd=notional_usd,
    )


def mark_price(
    instrument: Instrument,
    times: tuple[int, int],
    *,
    price: float,
    index_price: float | None = None,
    funding_rate: float | None = None,
    next_funding_ms: int | None = None,
) -> MarkPrice:
    """An index price of 0 means that there is none."""
    return MarkPrice(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        price=price / instrument.multiplier,
        index_price=index_price / instrument.multiplier if index_price else None,
        funding_rate=funding_rate,
        next_funding_ms=next_funding_ms,
    )


def kline(
    instrument: Instrument,
    times: tuple[int, int],
    interval: str,
    *,
    ohlc: tuple[float, float, float, float],
    size: float,
    notional_usd: float | None,
    closed: bool,
    taker_buy_size: float | None = None,
) -> Kline:
    """`interval` in one spelling for all venues: 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M."""
    opened, high, low, close = (price / instrument.multiplier for price in ohlc)
    return Kline(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        interval=interval,
        open=opened,
        high=high,
        low=low,
        close=close,
        quantity=coins(instrument, size),
        notional_usd=notional_usd,
        taker_buy_quantity=None if taker_buy_size is None else coins(instrument, taker_buy_size),
        closed=closed,
    )
