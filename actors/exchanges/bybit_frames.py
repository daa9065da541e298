"""What Bybit v5 linear sends and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 3.4): `S` of a liquidation is the side of the position, so Buy was a long; its
`p` is the bankruptcy price. `S` of a trade is the taker's side. Sizes are in the venue's base coin. `openInterest`
counts both sides of a contract, `singleOpenInterest` one. The liquidation feed is complete.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument
from actors.exchanges.wire import (
    UNDECODABLE,
    EpochMs,
    Findings,
    FundingRate,
    NonNegative,
    Positive,
    RowReader,
    epoch_or_none,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "bybit"

SIDES = "open_interest_sides"  # of the plain field, the conflict; its verdicts:
ONE, BOTH = "one", "both"

# The first part of a topic. `liquidation` sent one a second and was replaced by `allLiquidation` on 2025-02-20.
_RETIRED = frozenset(
    {"liquidation", "trade", "instrument_info", "klineV2", "candle", "orderBookL2_25", "orderBook_200"}
)
_NOT_USED = frozenset({"orderbook", "adlAlert", "insurance", "priceLimit", "rpiOrderbook", "liquidationWarning"})

_INTERVALS = {minutes: f"{minutes}m" for minutes in ("1", "3", "5", "15", "30")} | {
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "W": "1w",
    "M": "1M",
}


class _Envelope(msgspec.Struct, gc=False):
    """A push (`topic`), the answer to a request of ours (`op`), or a reply of the retired v2 REST (`ret_code`)."""

    topic: str = ""
    type: str = ""
    ts: int | None = None
    data: msgspec.Raw = msgspec.Raw()
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    ret_code: int | None = None


class _Liquidation(msgspec.Struct, gc=False):
    symbol: str = msgspec.field(name="s")
    position_side: Literal["Buy", "Sell"] = msgspec.field(name="S")
    size: Positive = msgspec.field(name="v")
    bankruptcy_price: Positive = msgspec.field(name="p")
    at_ms: EpochMs = msgspec.field(name="T")


class _Trade(msgspec.Struct, gc=False):
    symbol: str = msgspec.field(name="s")
    taker_side: Literal["Buy", "Sell"] = msgspec.field(name="S")
    size: Positive = msgspec.field(name="v")
    price: Positive = msgspec.field(name="p")
    at_ms: EpochMs = msgspec.field(name="T")
    trade_id: str = msgspec.field(name="i")
    is_block: bool = msgspec.field(name="BT", default=False)


class _Bar(msgspec.Struct, gc=False):
    start: EpochMs
    interval: str
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    turnover: NonNegative
    confirm: bool


class _Ticker(msgspec.Struct, gc=False, rename="camel"):
    """A snapshot has every field; in a delta a missing field is unchanged."""

    symbol: str
    mark_price: Positive | None = None
    index_price: NonNegative | None = None
    funding_rate: FundingRate | None = None
    next_funding_time: int | None = None
    open_interest: NonNegative | None = None
    open_interest_value: NonNegative | None = None
    single_open_interest: NonNegative | None = None
    single_open_interest_value: NonNegative | None = None

    def touches_mark(self) -> bool:
        fields = (self.mark_price, self.index_price, self.funding_rate, self.next_funding_time)
        return any(field is not None for field in fields)

    def touches_open_interest(self) -> bool:
        return self.open_interest is not None or self.single_open_interest is not None

    def take_over(self, delta: "_Ticker") -> None:
        for name in _TICKER_FIELDS:
            if (value := getattr(delta, name)) is not None:
                setattr(self, name, value)


_TICKER_FIELDS = _Ticker.__struct_fields__
_ENVELOPE = msgspec.json.Decoder(_Envelope, strict=False)
_TICKER = msgspec.json.Decoder(_Ticker, strict=False)
_LIQUIDATIONS = RowReader(_Liquidation)
_TRADES = RowReader(_Trade)
_BARS = RowReader(_Bar)


class BybitDecoder:
    """Without a list of instruments the asset is read out of the symbol, which Bybit's coin units allow.

    Tickers are merged here, so a decoder serves one connection: after a reconnect the first ticker is whole again.
    """

    def __init__(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED) -> None:
        self._sides = 1 if settled.get(SIDES) == ONE else 2
        self._listed = bool(instruments)
        self._known = dict(instruments)
        self._tickers: dict[str, _Ticker] = {}

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        if not envelope.topic:
            return (_answer(envelope, frame, received_ms),)
        found = Findings()
        try:
            self._read(envelope, received_ms, found)
        except FrameError as error:
            found.problems.append(error)
        return found.conclude(NAME, received_ms)

    def _read(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        kind, _, rest = envelope.topic.partition(".")
        symbol = rest.rpartition(".")[2]
        if kind in _RETIRED:
            found.set_aside("retired_protocol", symbol)
        elif kind in _NOT_USED:
            found.set_aside("not_used", symbol)
        elif kind not in ("allLiquidation", "publicTrade", "tickers", "kline"):
            found.problems.append(FrameError(f"topic: expected one of Bybit v5 linear, was {envelope.topic!r:.80}"))
        elif (instrument := self._instrument(symbol, found)) is None:
            return
        elif kind == "tickers":
            self._read_ticker(envelope, instrument, received_ms, found)
        elif kind == "kline":
            _read_bars(envelope.data, instrument, received_ms, found)
        elif kind == "publicTrade":
            self._read_trades(envelope.data, received_ms, found)
        else:
            self._read_liquidations(envelope.data, received_ms, found)

    def _read_liquidations(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _LIQUIDATIONS.read(raw, found.problems):
            if (instrument := self._instrument(row.symbol, found)) is not None:
                event = records.liquidation(
                    instrument,
                    (row.at_ms, received_ms),
                    PositionSide.LONG if row.position_side == "Buy" else PositionSide.SHORT,
                    size=row.size,
                    price=row.bankruptcy_price,
                    price_kind=PriceKind.BANKRUPTCY,
                    coverage=Coverage.COMPLETE,
                )
                found.events.append(event)

    def _read_trades(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _TRADES.read(raw, found.problems):
            if row.is_block:  # agreed off the book: no aggressor, no pressure on the price
                found.set_aside("block_trade", row.symbol)
            elif (instrument := self._instrument(row.symbol, found)) is not None:
                event = records.trade(
                    instrument,
                    (row.at_ms, received_ms),
                    TakerSide.BUY if row.taker_side == "Buy" else TakerSide.SELL,
                    size=row.size,
                    price=row.price,
                    trade_id=row.trade_id,
                )
                found.events.append(event)

    def _read_ticker(self, envelope: _Envelope, instrument: Instrument, received_ms: int, found: Findings) -> None:
        try:
            ticker = _TICKER.decode(envelope.data)
        except UNDECODABLE as error:
            raise problem_in(envelope.data, error) from error
        at_ms = epoch_or_none("ts", envelope.ts)
        if at_ms is None or ticker.symbol != instrument.instrument:
            raise FrameError(f"expected ts and the symbol of the topic, were {at_ms} and {ticker.symbol!r:.80}")
        epoch_or_none("nextFundingTime", ticker.next_funding_time)  # refuse it before it is merged
        whole = self._tickers.get(ticker.symbol)
        if whole is None or envelope.type == "snapshot":  # a delta that comes first tells at least what it carries
            whole = self._tickers[ticker.symbol] = ticker
        else:
            whole.take_over(ticker)
        times = (at_ms, received_ms)
        if ticker.touches_mark() and whole.mark_price is not None:
            found.events.append(_mark_price(whole, whole.mark_price, instrument, times))
        if ticker.touches_open_interest():
            found.events.append(_open_interest(whole, instrument, times, self._sides))
        if not found.events:
            found.set_aside("unchanged", instrument.instrument)

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


def _mark_price(whole: _Ticker, price: float, instrument: Instrument, times: tuple[int, int]) -> Decoded:
    return records.mark_price(
        instrument,
        times,
        price=price,
        index_price=whole.index_price,
        funding_rate=whole.funding_rate,
        next_funding_ms=epoch_or_none("nextFundingTime", whole.next_funding_time),
    )


def _open_interest(whole: _Ticker, instrument: Instrument, times: tuple[int, int], sides: int) -> Decoded:
    """One side of the contracts: the plain fields, of `sides`, count only where the `single` ones, of 2026-06-11, are absent."""
    if whole.single_open_interest is not None:
        size, notional_usd = whole.single_open_interest, whole.single_open_interest_value
    else:
        size = (whole.open_interest or 0.0) / sides
        notional_usd = None if whole.open_interest_value is None else whole.open_interest_value / sides
    return records.open_interest(instrument, times, size=size, notional_usd=notional_usd)


def _read_bars(raw: msgspec.Raw, instrument: Instrument, received_ms: int, found: Findings) -> None:
    for bar in _BARS.read(raw, found.problems):
        if (interval := _INTERVALS.get(bar.interval)) is None:
            found.problems.append(FrameError(f"interval: expected one of Bybit's, was {bar.interval!r:.80}"))
            continue
        event = records.kline(
            instrument,
            (bar.start, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            closed=bar.confirm,
        )
        found.events.append(event)


def _from_symbol(symbol: str) -> Instrument | None:
    """Read BTCUSDT and BTCPERP (quoted in USDC) as BTC; None for inverse (BTCUSD) and dated contracts."""
    base = symbol.removesuffix("USDT").removesuffix("PERP")
    if not base or base == symbol:
        return None
    asset, multiplier = unit_of(base)
    return Instrument(venue=NAME, instrument=symbol, asset=asset, multiplier=multiplier)


def _answer(envelope: _Envelope, frame: bytes | memoryview, received_ms: int) -> Control:
    if envelope.ret_code is not None:
        reason = "retired_protocol"
    elif envelope.op in ("ping", "pong") or envelope.ret_msg == "pong":
        reason = "pong"
    elif envelope.op in ("subscribe", "unsubscribe") and envelope.success is not None:
        reason = f"{envelope.op}d" if envelope.success else f"{envelope.op}_refused"
    else:
        raise problem_in(frame, ValueError("expected a topic, or an answer with op and success"))
    return Control(venue=NAME, reason=reason, received_ms=received_ms, detail=envelope.ret_msg)
