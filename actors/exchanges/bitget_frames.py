"""What Bitget USDT futures (unified account, v3) send and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 7): sizes are base coins, except the `amount` of a liquidation, which the socket
gives in the quote coin and REST in the base coin as far as is known; until the self-test `bitget_unit_verdict` has
spoken the figure is marked uncertain. `side` of a liquidation is that of the position, so buy was a long; its price is
near the bankruptcy price. Only the largest long and the largest short of a pair and second are told: coverage capped.
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
    Listed,
    NonNegative,
    Positive,
    RowReader,
    epoch_or_none,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "bitget"
PRODUCT = "usdt-futures"

UNIT = "liquidation_unit"  # the conflict; its verdicts:
QUOTE, BASE = "quote", "base"

_QUOTE_COIN = "USDT"
_NOT_USED = frozenset({"books", "books1", "books5", "books15", "books50", "rpi-books"})
_INTERVALS = {f"{n}m": f"{n}m" for n in (1, 3, 5, 15, 30)} | {f"{n}H": f"{n}h" for n in (1, 4, 6, 12)} | {"1D": "1d"}


class _Arg(msgspec.Struct, gc=False, rename="camel"):
    """v3 names a `topic`; v1 and v2 had `channel` and `instId`."""

    inst_type: str = ""
    topic: str = ""
    symbol: str = ""
    interval: str = ""
    channel: str = ""
    inst_id: str = ""


class _Envelope(msgspec.Struct, gc=False):
    """A push (`arg`, `data`), an event, a reply of REST (`code`, `data`), or a frame of the first protocol (`table`)."""

    arg: _Arg | None = None
    action: str = ""
    data: msgspec.Raw = msgspec.Raw()
    ts: int | None = None
    event: str = ""
    code: str | int = ""
    msg: str = ""
    table: str = ""


class _Liquidation(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    ts: EpochMs


class _Trade(msgspec.Struct, gc=False):
    trade_id: str = msgspec.field(name="i")
    price: Positive = msgspec.field(name="p")
    size: Positive = msgspec.field(name="v")
    side: Literal["buy", "sell"] = msgspec.field(name="S")
    at_ms: EpochMs = msgspec.field(name="T")


class _Ticker(msgspec.Struct, gc=False, rename="camel"):
    """Whole in a snapshot; what an update leaves out counts as unchanged."""

    mark_price: Positive | None = None
    index_price: NonNegative | None = None
    funding_rate: FundingRate | None = None
    next_funding_time: int | None = None
    open_interest: NonNegative | None = None


class _Bar(msgspec.Struct, gc=False):
    """No bar says that it is closed; a later one does."""

    start: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    turnover: NonNegative | None = None


class _Interest(msgspec.Struct, gc=False):
    symbol: str
    open_interest: NonNegative = msgspec.field(name="openInterest")


class _Interests(msgspec.Struct, gc=False):
    rows: msgspec.Raw = msgspec.field(name="list")
    ts: EpochMs


_TICKER_FIELDS = _Ticker.__struct_fields__
_ENVELOPE = msgspec.json.Decoder(_Envelope, strict=False)
_LIQUIDATIONS = RowReader(_Liquidation)
_TRADES = RowReader(_Trade)
_TICKERS = RowReader(_Ticker)
_BARS = RowReader(_Bar)
_INTERESTS = msgspec.json.Decoder(_Interests, strict=False)
_INTEREST_ROWS = RowReader(_Interest)


class BitgetDecoder:
    """Merges tickers, so it serves one connection. Without a list the asset is read out of the symbol."""

    def __init__(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str]) -> None:
        self._listed = Listed(instruments, from_symbol)
        self._unit = settled.get(UNIT, "")
        self._tickers: dict[str, _Ticker] = {}

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        if frame == b"pong":
            return (Control(venue=NAME, reason="pong", received_ms=received_ms),)
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        found = Findings()
        if envelope.table or (envelope.arg is not None and envelope.arg.channel):
            found.set_aside("retired_protocol", envelope.arg.inst_id if envelope.arg else "")
        elif envelope.event:
            return (_answer(envelope, received_ms),)
        elif envelope.arg is not None:
            try:
                self._read(envelope, envelope.arg, received_ms, found)
            except FrameError as error:
                found.problems.append(error)
        elif envelope.code == "00000":
            self._read_reply(envelope.data, received_ms, found)
        else:
            found.problems.append(
                problem_in(frame, ValueError("expected arg and data, an event, or a reply with data"))
            )
        return found.conclude(NAME, received_ms)

    def _read(self, envelope: _Envelope, arg: _Arg, received_ms: int, found: Findings) -> None:
        if arg.inst_type.lower() != PRODUCT:
            found.set_aside("other_market", arg.symbol)
        elif arg.topic in _NOT_USED:
            found.set_aside("not_used", arg.symbol)
        elif arg.topic not in ("liquidation", "publicTrade", "ticker", "kline"):
            found.problems.append(FrameError(f"topic: expected one of Bitget v3, was {arg.topic!r:.80}"))
        elif envelope.action == "snapshot" and arg.topic != "ticker":  # what was before we came
            found.set_aside("snapshot_dropped", arg.symbol)
        elif arg.topic == "liquidation":
            self._read_liquidations(envelope.data, received_ms, found)
        elif (instrument := self._listed.find(arg.symbol, found)) is None:
            return
        elif arg.topic == "publicTrade":
            _read_trades(envelope.data, instrument, received_ms, found)
        elif arg.topic == "kline":
            _read_bars(envelope.data, arg.interval, instrument, received_ms, found)
        else:
            self._read_ticker(envelope, instrument, received_ms, found)

    def _read_liquidations(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _LIQUIDATIONS.read(raw, found.problems):
            if (instrument := self._listed.find(row.symbol, found)) is not None:
                event = records.liquidation(
                    instrument,
                    (row.ts, received_ms),
                    PositionSide.LONG if row.side == "buy" else PositionSide.SHORT,
                    size=row.amount if self._unit == BASE else row.amount / row.price,
                    price=row.price,
                    price_kind=PriceKind.BANKRUPTCY,
                    coverage=Coverage.CAPPED,
                    uncertain="" if self._unit else "unit",
                )
                found.events.append(event)

    def _read_ticker(self, envelope: _Envelope, instrument: Instrument, received_ms: int, found: Findings) -> None:
        name = instrument.instrument
        for row in _TICKERS.read(envelope.data, found.problems):
            next_funding_ms = epoch_or_none("nextFundingTime", row.next_funding_time)
            whole = self._tickers.get(name)
            if whole is None or envelope.action == "snapshot":
                whole = self._tickers[name] = row
            else:
                for field in _TICKER_FIELDS:
                    if (value := getattr(row, field)) is not None:
                        setattr(whole, field, value)
                next_funding_ms = epoch_or_none("nextFundingTime", whole.next_funding_time)
            times = (_told_ms(envelope), received_ms)
            if whole.mark_price is None:
                found.set_aside("unchanged", name)
                continue
            mark = records.mark_price(
                instrument,
                times,
                price=whole.mark_price,
                index_price=whole.index_price,
                funding_rate=whole.funding_rate,
                next_funding_ms=next_funding_ms,
            )
            found.events.append(mark)
            if row.open_interest is not None:
                interest = records.open_interest(
                    instrument, times, size=row.open_interest, price=whole.mark_price, uncertain="sides"
                )
                found.events.append(interest)

    def _read_reply(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        """Read the reply of /api/v3/market/open-interest; that of v1 named one contract such as BTCUSDT_UMCBL."""
        try:
            reply = _INTERESTS.decode(raw)
        except UNDECODABLE as error:
            if b"CBL" in bytes(raw):
                found.set_aside("retired_protocol", "")
            else:
                found.problems.append(problem_in(raw, error))
            return
        for row in _INTEREST_ROWS.read(reply.rows, found.problems):
            if (instrument := self._listed.find(row.symbol, found)) is not None:
                times = (reply.ts, received_ms)
                event = records.open_interest(instrument, times, size=row.open_interest, uncertain="sides")
                found.events.append(event)


def _read_trades(raw: msgspec.Raw, instrument: Instrument, received_ms: int, found: Findings) -> None:
    for row in _TRADES.read(raw, found.problems):
        times = (row.at_ms, received_ms)
        side = TakerSide(row.side)
        event = records.trade(instrument, times, side, size=row.size, price=row.price, trade_id=row.trade_id)
        found.events.append(event)


def _read_bars(raw: msgspec.Raw, name: str, instrument: Instrument, received_ms: int, found: Findings) -> None:
    if (interval := _INTERVALS.get(name)) is None:
        raise FrameError(f"interval: expected one of Bitget's, was {name!r:.80}")
    for bar in _BARS.read(raw, found.problems):
        event = records.kline(
            instrument,
            (bar.start, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            closed=False,
        )
        found.events.append(event)


def _told_ms(envelope: _Envelope) -> int:
    if (told_ms := epoch_or_none("ts", envelope.ts)) is None:
        raise FrameError("ts: expected a time in ms, was none")
    return told_ms


def from_symbol(symbol: str) -> Instrument | None:
    """Read BTCUSDT as BTC; None for dated contracts and other quotes."""
    base = symbol.removesuffix(_QUOTE_COIN)
    if not base or base == symbol:
        return None
    asset, multiplier = unit_of(base)
    return Instrument(venue=NAME, instrument=symbol, asset=asset, multiplier=multiplier)


def _answer(envelope: _Envelope, received_ms: int) -> Control:
    arg = envelope.arg or _Arg()
    match envelope.event:
        case "subscribe" | "unsubscribe":
            reason, detail = f"{envelope.event}d", arg.topic
        case "error":
            reason, detail = "subscribe_refused", f"{envelope.code} {envelope.msg}"
        case other:
            raise FrameError(f"event: expected one of Bitget v3, was {other!r:.80}")
    return Control(venue=NAME, reason=reason, received_ms=received_ms, instrument=arg.symbol or None, detail=detail)
