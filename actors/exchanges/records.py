"""From a venue's own size and price to records: the one place where contract sizes and multipliers are applied.

`size` is in the venue's unit (contracts, its base coin, or US dollars of an inverse contract), prices are as the venue
writes them. coins = size * contract_size * multiplier, USD a coin = price / multiplier, notional = size * contract_size *
price; of an inverse contract coins = size / price and notional = size.
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


def coins(instrument: Instrument, size: float, price: float) -> float:
    units = size * instrument.contract_size
    return (units / price if instrument.inverse else units) * instrument.multiplier


def usd(instrument: Instrument, size: float, price: float) -> float:
    units = size * instrument.contract_size
    return units if instrument.inverse else units * price


def liquidation(
    instrument: Instrument,
    times: tuple[int, int],
    side: PositionSide,
    *,
    size: float,
    price: float,
    price_kind: PriceKind,
    coverage: Coverage,
    uncertain: str = "",
) -> Liquidation:
    """`times`: the venue's and ours, in ms; so in all functions here."""
    return Liquidation(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        position_side=side,
        quantity=coins(instrument, size, price),
        price=price / instrument.multiplier,
        price_kind=price_kind,
        notional_usd=usd(instrument, size, price),
        coverage=coverage,
        uncertain=uncertain,
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
        quantity=coins(instrument, size, price),
        price=price / instrument.multiplier,
        notional_usd=usd(instrument, size, price),
        trade_id=trade_id,
    )


def open_interest(
    instrument: Instrument,
    times: tuple[int, int],
    *,
    size: float,
    price: float = 0.0,
    notional_usd: float | None = None,
    uncertain: str = "",
) -> OpenInterest:
    """`price`, as the venue writes it, values the coins; only an inverse contract cannot be counted without."""
    if notional_usd is None and price:
        notional_usd = usd(instrument, size, price)
    return OpenInterest(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        exchange_ms=times[0],
        received_ms=times[1],
        quantity=coins(instrument, size, price),
        notional_usd=notional_usd,
        uncertain=uncertain,
        listed_ms=instrument.listed_ms,
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
    """`interval` in one spelling for all venues: 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M.

    Volumes are in the venue's unit of size; those of an inverse contract are to be given in coins, as Deribit does.
    """
    units = instrument.contract_size * instrument.multiplier
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
        quantity=size * units,
        notional_usd=notional_usd,
        taker_buy_quantity=None if taker_buy_size is None else taker_buy_size * units,
        closed=closed,
    )
