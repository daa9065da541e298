"""What Gate USDT futures send and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 6): sizes are contracts of `quanto_multiplier` coins, so nothing can be said
without the list of instruments. The sign of a trade's size is the taker's: positive bought. The size of a public
liquidation is taken for that of the order, so negative closed a long; no live frame has confirmed it, and until the
self-test `gate_sign_verdict` has spoken the side is marked uncertain. Since 2026-08-20 the feed brings every one, hence
coverage complete. Times are seconds or milliseconds, told apart by their magnitude.
"""

from collections.abc import Callable, Mapping

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.wire import (
    UNDECODABLE,
    AnyEpoch,
    Findings,
    FundingRate,
    Listed,
    NonNegative,
    Positive,
    RowReader,
    Signed,
    milliseconds,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "gate"
IN_MILLIONS = frozenset({"MBABYDOGE"})  # names whose leading M is a million (exchanges.md 9)

SIGN = "liquidation_sign"  # the conflict; its verdicts:
OF_ORDER, OF_POSITION = "order", "position"

LIQUIDATIONS = "futures.public_liquidates"
TRADES = "futures.trades"
TICKERS = "futures.tickers"
KLINES = "futures.candlesticks"
STATISTICS = "futures.contract_stats"

_QUOTE = "_USDT"
# Public channels of no use to us, and those of one account.
_NOT_USED = frozenset(
    f"futures.{name}"
    for name in (
        *("book_ticker", "order_book", "order_book_update", "obu", "contract_info"),
        *("orders", "usertrades", "liquidates", "auto_deleverages", "position_closes", "balances"),
        *("reduce_risk_limits", "positions", "autoorders"),
    )
)
_INTERVALS = {bar: bar for bar in ("10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d", "1w", "30d")} | {"7d": "1w"}


class _Refused(msgspec.Struct, gc=False):
    code: int = 0
    message: str = ""


class _Status(msgspec.Struct, gc=False):
    status: str = ""


class _Envelope(msgspec.Struct, gc=False):
    channel: str
    event: str = ""
    time: AnyEpoch = 0.0
    time_ms: AnyEpoch = 0.0
    error: _Refused | None = None
    result: msgspec.Raw = msgspec.Raw()

    def told_ms(self) -> int:
        return milliseconds("time", self.time_ms or self.time)


class _Liquidation(msgspec.Struct, gc=False):
    contract: str
    size: Signed
    price: Positive
    time: AnyEpoch = 0.0
    time_ms: AnyEpoch = 0.0


class _Trade(msgspec.Struct, gc=False):
    contract: str
    size: Signed
    price: Positive
    id: int
    create_time: AnyEpoch = 0.0
    create_time_ms: AnyEpoch = 0.0
    is_internal: bool = False


class _Ticker(msgspec.Struct, gc=False):
    contract: str
    mark_price: NonNegative
    total_size: NonNegative
    index_price: NonNegative | None = None
    funding_rate: FundingRate | None = None


class _Bar(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="n")
    opened: AnyEpoch = msgspec.field(name="t")
    open: Positive = msgspec.field(name="o")
    high: Positive = msgspec.field(name="h")
    low: Positive = msgspec.field(name="l")
    close: Positive = msgspec.field(name="c")
    contracts: NonNegative = msgspec.field(name="v")
    turnover: NonNegative | None = msgspec.field(name="sum", default=None)
    closed: bool = msgspec.field(name="w", default=False)


class Statistics(msgspec.Struct, gc=False):
    """Totals of an interval that ends or begins at `time`; sizes are contracts, amounts coins, `usd` US dollars."""

    time: AnyEpoch
    open_interest: NonNegative
    open_interest_usd: NonNegative
    mark_price: NonNegative = 0.0
    contract: str = ""
    long_liq_amount: NonNegative = 0.0
    long_liq_usd: NonNegative = 0.0
    short_liq_amount: NonNegative = 0.0
    short_liq_usd: NonNegative = 0.0


_ENVELOPE = msgspec.json.Decoder(_Envelope, strict=False)
_STATUS = msgspec.json.Decoder(_Status, strict=False)
_LIQUIDATIONS = RowReader(_Liquidation)
_TRADES = RowReader(_Trade)
_TICKERS = RowReader(_Ticker)
_BARS = RowReader(_Bar)
_STATISTICS = RowReader(Statistics)


class GateDecoder:
    def __init__(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str]) -> None:
        self._listed = Listed(instruments, from_contract, needs_list=True)
        self._sign = settled.get(SIGN, "")
        self._readers: Mapping[str, Callable[[_Envelope, int, Findings], None]] = {
            LIQUIDATIONS: self._read_liquidations,
            TRADES: self._read_trades,
            TICKERS: self._read_tickers,
            KLINES: self._read_bars,
            STATISTICS: self._read_statistics,
        }

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        found = Findings()
        if bytes(frame[:1]) == b"[":  # a reply of contract_stats, whose rows do not say of which contract
            for _ in _STATISTICS.read(bytes(frame), found.problems):
                found.set_aside("no_instrument", "")
            return found.conclude(NAME, received_ms)
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        if envelope.event not in ("update", "all"):
            return (_answer(envelope, frame, received_ms),)
        if (read := self._readers.get(envelope.channel)) is not None:
            try:
                read(envelope, received_ms, found)
            except FrameError as error:
                found.problems.append(error)
        elif envelope.channel in _NOT_USED:
            found.set_aside("not_used", "")
        else:
            found.problems.append(FrameError(f"channel: expected one of Gate futures, was {envelope.channel!r:.80}"))
        return found.conclude(NAME, received_ms)

    def _read_liquidations(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        for row in _LIQUIDATIONS.read(envelope.result, found.problems):
            if (instrument := self._listed.find(row.contract, found)) is None:
                continue
            try:
                times = (milliseconds("time", row.time_ms or row.time), received_ms)
                size = _not_zero(row.size)
            except FrameError as error:
                found.problems.append(error)
                continue
            was_long = (size > 0) == (self._sign == OF_POSITION)
            event = records.liquidation(
                instrument,
                times,
                PositionSide.LONG if was_long else PositionSide.SHORT,
                size=abs(size),
                price=row.price,
                price_kind=PriceKind.ORDER,
                coverage=Coverage.COMPLETE,
                uncertain="" if self._sign else "position_side",
            )
            found.events.append(event)

    def _read_trades(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        for row in _TRADES.read(envelope.result, found.problems):
            if row.is_internal:  # taken over by the insurance fund or deleveraged: not on the book
                found.set_aside("not_a_market_trade", row.contract)
                continue
            if (instrument := self._listed.find(row.contract, found)) is None:
                continue
            try:
                times = (milliseconds("create_time", row.create_time_ms or row.create_time), received_ms)
                size = _not_zero(row.size)
            except FrameError as error:
                found.problems.append(error)
                continue
            side = TakerSide.BUY if size > 0 else TakerSide.SELL
            event = records.trade(instrument, times, side, size=abs(size), price=row.price, trade_id=str(row.id))
            found.events.append(event)

    def _read_tickers(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        raw = bytes(envelope.result)
        if raw[:1] == b"{":  # in 2022 a single ticker came without its list
            raw = b"[" + raw + b"]"
        for row in _TICKERS.read(raw, found.problems):
            if (instrument := self._listed.find(row.contract, found)) is None:
                continue
            if not row.mark_price:
                found.problems.append(FrameError(f"mark_price: expected a price, was 0 for {row.contract}"))
                continue
            times = (envelope.told_ms(), received_ms)
            mark = records.mark_price(
                instrument,
                times,
                price=row.mark_price,
                index_price=row.index_price,
                funding_rate=row.funding_rate,
            )
            interest = records.open_interest(
                instrument, times, size=row.total_size, price=row.mark_price, uncertain="sides"
            )
            found.events += (mark, interest)

    def _read_bars(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        for bar in _BARS.read(envelope.result, found.problems):
            interval, _, name = bar.name.partition("_")
            if name.startswith(("mark_", "index_")):
                found.set_aside("not_used", name)
                continue
            if (instrument := self._listed.find(name, found)) is None:
                continue
            if (spelling := _INTERVALS.get(interval)) is None:
                found.problems.append(FrameError(f"n: expected a bar of Gate, was {bar.name!r:.80}"))
                continue
            event = records.kline(
                instrument,
                (milliseconds("t", bar.opened), received_ms),
                spelling,
                ohlc=(bar.open, bar.high, bar.low, bar.close),
                size=bar.contracts,
                notional_usd=bar.turnover,
                closed=bar.closed,
            )
            found.events.append(event)

    def _read_statistics(self, envelope: _Envelope, received_ms: int, found: Findings) -> None:
        for row in _STATISTICS.read(envelope.result, found.problems):
            if (instrument := self._listed.find(row.contract, found)) is not None:
                found.events += statistics(row, instrument, received_ms)


def statistics(row: Statistics, instrument: Instrument, received_ms: int) -> list[Decoded]:
    """Tell the open interest and, where there were any, what was liquidated in the interval, each side as one sum."""
    times = (milliseconds("time", row.time), received_ms)
    told: list[Decoded] = [
        records.open_interest(
            instrument,
            times,
            size=row.open_interest,
            notional_usd=row.open_interest_usd,
            uncertain="sides",
        )
    ]
    sums = (
        (PositionSide.LONG, row.long_liq_amount, row.long_liq_usd),
        (PositionSide.SHORT, row.short_liq_amount, row.short_liq_usd),
    )
    told += (
        records.liquidation(
            instrument,
            times,
            side,
            size=amount / instrument.contract_size,
            price=usd / amount,
            price_kind=PriceKind.FILL,
            coverage=Coverage.AGGREGATE,
        )
        for side, amount, usd in sums
        if amount and usd
    )
    return told


def from_contract(name: str) -> Instrument | None:
    """Read BTC_USDT as BTC; None for coin-margined (BTC_USD) and dated contracts (BTC_USDT_20261225).

    The contract size is not in the name, so this is good for telling our market from others only.
    """
    base = name.removesuffix(_QUOTE)
    if not base or base == name:
        return None
    asset, multiplier = unit_of(base, in_millions=IN_MILLIONS)
    return Instrument(venue=NAME, instrument=name, asset=asset, multiplier=multiplier)


def _not_zero(size: float) -> float:
    if not size:
        raise FrameError("size: expected contracts, was 0")
    return size


def _answer(envelope: _Envelope, frame: bytes | memoryview, received_ms: int) -> Control:
    detail = envelope.channel
    if envelope.channel == "futures.pong":
        reason = "pong"
    elif envelope.event not in ("subscribe", "unsubscribe"):
        raise problem_in(frame, ValueError("expected an event update, all, subscribe or unsubscribe, or a pong"))
    elif envelope.error is not None:
        reason, detail = f"{envelope.event}_refused", f"{envelope.error.code} {envelope.error.message}"
    elif _succeeded(envelope.result):
        reason = f"{envelope.event}d"
    else:
        reason, detail = f"{envelope.event}_refused", bytes(envelope.result).decode(errors="replace")[:120]
    return Control(venue=NAME, reason=reason, received_ms=received_ms, detail=detail)


def _succeeded(result: msgspec.Raw) -> bool:
    try:
        return _STATUS.decode(result).status == "success"
    except UNDECODABLE:
        return False
