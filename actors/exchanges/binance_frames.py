"""What Binance USD-M sends and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 2.6): `S` of a forced order is the side of the order, so SELL closed a long;
sizes are in the venue's base coin; `m` of a trade says that the buyer was the maker, so the taker sold. The liquidation
feed brings one order a symbol and second, the largest, hence coverage capped.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.wire import (
    UNDECODABLE,
    EpochMs,
    Findings,
    FundingRate,
    NonNegative,
    Positive,
    epoch_or_none,
    pieces_of,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "binance"
QUOTES = ("USDT", "USDC")

_DOLLAR_MARGINED = 1  # `st` of the merged all-market streams; 2 is COIN-M, in contracts
_BY_A_TAKER = "MARKET"  # `X` of a raw trade; the others are insurance fund, ADL and settlement

# Understood, and of no use to us; the same names serve COIN-M.
_NOT_USED = frozenset(
    [
        *("24hrTicker", "24hrMiniTicker", "bookTicker", "depthUpdate", "rpiDepthUpdate"),
        *("compositeIndex", "contractInfo", "assetIndexUpdate", "tradingSession"),
        *("continuous_kline", "indexPriceUpdate", "indexPrice_kline", "markPrice_kline"),
    ]
)


class _Order(msgspec.Struct, gc=False, kw_only=True):
    symbol: str = msgspec.field(name="s")
    side: Literal["BUY", "SELL"] = msgspec.field(name="S")
    status: str = msgspec.field(name="X")
    filled: NonNegative = msgspec.field(name="z")
    average_price: NonNegative = msgspec.field(name="ap", default=0.0)
    order_price: NonNegative = msgspec.field(name="p", default=0.0)
    traded_ms: EpochMs = msgspec.field(name="T")


class _ForceOrder(msgspec.Struct, gc=False, tag_field="e", tag="forceOrder"):
    order: _Order = msgspec.field(name="o")
    market: int = msgspec.field(name="st", default=_DOLLAR_MARGINED)  # the one-symbol stream has no `st`


class _AggTrade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="aggTrade"):
    symbol: str = msgspec.field(name="s")
    price: Positive = msgspec.field(name="p")
    quantity: Positive = msgspec.field(name="q")
    traded_ms: EpochMs = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")
    first_id: int = msgspec.field(name="f")
    aggregate_id: int | None = msgspec.field(name="a", default=None)


class _Trade(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="trade"):
    symbol: str = msgspec.field(name="s")
    price: Positive = msgspec.field(name="p")
    quantity: Positive = msgspec.field(name="q")
    traded_ms: EpochMs = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")
    trade_id: int = msgspec.field(name="t")
    kind: str = msgspec.field(name="X", default=_BY_A_TAKER)


class _MarkPrice(msgspec.Struct, gc=False, kw_only=True, tag_field="e", tag="markPriceUpdate"):
    symbol: str = msgspec.field(name="s")
    event_ms: EpochMs = msgspec.field(name="E")
    price: Positive = msgspec.field(name="p")
    index_price: NonNegative | None = msgspec.field(name="i", default=None)
    funding_rate: FundingRate | None = msgspec.field(name="r", default=None)
    next_funding_ms: int | None = msgspec.field(name="T", default=None)


class _Bar(msgspec.Struct, gc=False, kw_only=True):
    symbol: str = msgspec.field(name="s")
    open_ms: EpochMs = msgspec.field(name="t")
    interval: str = msgspec.field(name="i")
    open: Positive = msgspec.field(name="o")
    high: Positive = msgspec.field(name="h")
    low: Positive = msgspec.field(name="l")
    close: Positive = msgspec.field(name="c")
    volume: NonNegative = msgspec.field(name="v")
    turnover: NonNegative = msgspec.field(name="q")
    taker_buy_volume: NonNegative = msgspec.field(name="V")
    closed: bool = msgspec.field(name="x")


class _Kline(msgspec.Struct, gc=False, tag_field="e", tag="kline"):
    bar: _Bar = msgspec.field(name="k")


_Event = _ForceOrder | _AggTrade | _Trade | _MarkPrice | _Kline


class _OpenInterest(msgspec.Struct, gc=False):
    """The reply of GET /fapi/v1/openInterest; there is no such stream."""

    symbol: str
    quantity: NonNegative = msgspec.field(name="openInterest")
    time: EpochMs | None = None


class _Head(msgspec.Struct, gc=False):
    """Just enough of an event that could not be read to tell whether it was ours to read."""

    event: str = msgspec.field(name="e")
    symbol: str = msgspec.field(name="s", default="")
    pair: str = msgspec.field(name="ps", default="")
    market: int = msgspec.field(name="st", default=_DOLLAR_MARGINED)
    kind: str = msgspec.field(name="X", default=_BY_A_TAKER)


class _Refused(msgspec.Struct, gc=False):
    code: int = 0
    msg: str = ""


class _Envelope(msgspec.Struct, gc=False):
    """A combined-stream wrapper, a bare event, an open-interest reply, or the answer to a request of ours."""

    data: msgspec.Raw = msgspec.Raw()
    event: str = msgspec.field(name="e", default="")
    open_interest: msgspec.Raw = msgspec.field(name="openInterest", default=msgspec.Raw())
    result: msgspec.Raw = msgspec.Raw()
    error: _Refused | None = None
    code: int = 0
    msg: str = ""
    generated: bool = False  # put there by the archive of tardis.dev for what it polled


_ENVELOPE = msgspec.json.Decoder(_Envelope, strict=False)
_EVENT: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event, strict=False)
_EVENTS: msgspec.json.Decoder[list[_Event]] = msgspec.json.Decoder(list[_Event], strict=False)
_HEAD = msgspec.json.Decoder(_Head, strict=False)
_OPEN_INTEREST = msgspec.json.Decoder(_OpenInterest, strict=False)


class BinanceDecoder:
    """Without a list of instruments the asset is read out of the symbol, which Binance's coin units allow."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._listed = bool(instruments)
        self._known = dict(instruments)

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        found = Findings()
        if bytes(frame[:1]) == b"[":  # an all-market stream on the path /market/ws
            self._read_list(frame, received_ms, found)
            return found.conclude(NAME, received_ms)
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        payload = bytes(envelope.data)
        if envelope.generated:
            found.set_aside("not_from_venue", "")
        elif payload[:1] == b"[":
            self._read_list(payload, received_ms, found)
        elif payload or envelope.event:
            self._read_one(payload or frame, received_ms, found)
        elif bytes(envelope.open_interest):
            self._read_open_interest(frame, received_ms, found)
        else:
            return (_answer(envelope, frame, received_ms),)
        return found.conclude(NAME, received_ms)

    def _read_list(self, raw: bytes | memoryview, received_ms: int, found: Findings) -> None:
        try:
            events = _EVENTS.decode(raw)
        except UNDECODABLE:
            for piece in pieces_of(raw, found.problems):
                self._read_one(bytes(piece), received_ms, found)
            return
        for event in events:
            self._take(event, received_ms, found)

    def _read_one(self, raw: bytes | memoryview, received_ms: int, found: Findings) -> None:
        try:
            event = _EVENT.decode(raw)
        except UNDECODABLE as error:
            if not self._set_aside(raw, found):
                found.problems.append(problem_in(raw, error))
            return
        self._take(event, received_ms, found)

    def _read_open_interest(self, raw: bytes | memoryview, received_ms: int, found: Findings) -> None:
        try:
            reply = _OPEN_INTEREST.decode(raw)
        except UNDECODABLE as error:
            found.problems.append(problem_in(raw, error))
            return
        instrument = self._instrument(reply.symbol, found)
        if instrument is not None and reply.time is None:
            found.set_aside("no_event_time", reply.symbol)  # replies of 2020 carried none
        elif instrument is not None and reply.time is not None:
            found.events.append(records.open_interest(instrument, (reply.time, received_ms), size=reply.quantity))

    def _take(self, event: _Event, received_ms: int, found: Findings) -> None:
        try:
            match event:
                case _AggTrade() | _Trade():
                    self._take_trade(event, received_ms, found)
                case _MarkPrice():
                    self._take_mark_price(event, received_ms, found)
                case _ForceOrder(order, market):
                    self._take_order(order, market, received_ms, found)
                case _Kline(bar):
                    self._take_bar(bar, received_ms, found)
        except FrameError as error:
            found.problems.append(error)

    def _take_order(self, order: _Order, market: int, received_ms: int, found: Findings) -> None:
        if market != _DOLLAR_MARGINED:
            found.set_aside("other_market", order.symbol)
            return
        if (instrument := self._instrument(order.symbol, found)) is None:
            return
        if order.status != "FILLED":  # the order is told again when it is filled
            found.set_aside("not_filled", order.symbol)
            return
        price = order.average_price or order.order_price
        if not (order.filled and price):
            raise FrameError(f"expected z and one of ap, p above 0, were {order.filled}, {price} for {order.symbol}")
        event = records.liquidation(
            instrument,
            (order.traded_ms, received_ms),
            PositionSide.LONG if order.side == "SELL" else PositionSide.SHORT,
            size=order.filled,
            price=price,
            price_kind=PriceKind.FILL if order.average_price else PriceKind.ORDER,
            coverage=Coverage.CAPPED,
        )
        found.events.append(event)

    def _take_trade(self, trade: _AggTrade | _Trade, received_ms: int, found: Findings) -> None:
        if isinstance(trade, _Trade):
            if trade.kind != _BY_A_TAKER:
                found.set_aside("not_a_market_trade", trade.symbol)
                return
            trade_id = trade.trade_id
        else:
            trade_id = trade.first_id if trade.aggregate_id is None else trade.aggregate_id
        if (instrument := self._instrument(trade.symbol, found)) is None:
            return
        event = records.trade(
            instrument,
            (trade.traded_ms, received_ms),
            TakerSide.SELL if trade.buyer_is_maker else TakerSide.BUY,
            size=trade.quantity,
            price=trade.price,
            trade_id=str(trade_id),
        )
        found.events.append(event)

    def _take_mark_price(self, mark: _MarkPrice, received_ms: int, found: Findings) -> None:
        if (instrument := self._instrument(mark.symbol, found)) is None:
            return
        event = records.mark_price(
            instrument,
            (mark.event_ms, received_ms),
            price=mark.price,
            index_price=mark.index_price,
            funding_rate=mark.funding_rate,
            next_funding_ms=epoch_or_none("T", mark.next_funding_ms),
        )
        found.events.append(event)

    def _take_bar(self, bar: _Bar, received_ms: int, found: Findings) -> None:
        if (instrument := self._instrument(bar.symbol, found)) is None:
            return
        event = records.kline(
            instrument,
            (bar.open_ms, received_ms),
            bar.interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            taker_buy_size=bar.taker_buy_volume,
            closed=bar.closed,
        )
        found.events.append(event)

    def _set_aside(self, raw: bytes | memoryview, found: Findings) -> bool:
        """Set an event aside that was not ours to read; False when it was, and so is a problem.

        A symbol that is no longer listed may come with a mark price of 0 every second.
        """
        try:
            head = _HEAD.decode(raw)
        except UNDECODABLE:
            return False
        if head.market != _DOLLAR_MARGINED:
            found.set_aside("other_market", head.symbol or head.pair)
        elif head.symbol and self._instrument(head.symbol, found) is None:
            return True
        elif head.event in _NOT_USED:
            found.set_aside("not_used", head.symbol)
        elif head.event == "trade" and head.kind != _BY_A_TAKER:
            found.set_aside("not_a_market_trade", head.symbol)
        else:
            return False
        return True

    def _instrument(self, symbol: str, found: Findings) -> Instrument | None:
        """Look the symbol up; None when it has been set aside."""
        if (known := self._known.get(symbol)) is not None:
            return known
        if (derived := _from_symbol(symbol)) is None:
            found.set_aside("other_market", symbol)
            return None
        if self._listed:
            found.set_aside("not_listed", symbol)
            return None
        self._known[symbol] = derived
        return derived


def _from_symbol(symbol: str) -> Instrument | None:
    """Read BTCUSDT as BTC; None for COIN-M (BTCUSD_PERP), dated contracts (BTCUSDT_261225) and other quotes."""
    base, quote = symbol[:-4], symbol[-4:]
    if not base or quote not in QUOTES:
        return None
    asset, multiplier = unit_of(base)
    return Instrument(venue=NAME, instrument=symbol, asset=asset, multiplier=multiplier)


def _answer(envelope: _Envelope, frame: bytes | memoryview, received_ms: int) -> Control:
    refused = envelope.error or (_Refused(envelope.code, envelope.msg) if envelope.code else None)
    if refused is not None:
        detail = f"{refused.code} {refused.msg}"
        return Control(venue=NAME, reason="subscribe_refused", received_ms=received_ms, detail=detail)
    match bytes(envelope.result):
        case b"null":
            return Control(venue=NAME, reason="subscribed", received_ms=received_ms)
        case b"":
            raise problem_in(frame, ValueError("expected an event or an answer with result or error"))
        case listed:
            detail = listed.decode(errors="replace")
            return Control(venue=NAME, reason="subscriptions", received_ms=received_ms, detail=detail)
