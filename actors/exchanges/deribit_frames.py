"""What Deribit sends and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 8): amounts of the coin-margined perpetuals (BTC-PERPETUAL) are US dollars, those
of the linear ones (SOL_USDC-PERPETUAL) base coins; volumes of bars are base coins for both. `direction` of a trade is
the taker's. Liquidations are a mark on trades: T says that the taker was liquidated, M the maker, MT both; so T with
sell and M with buy closed a long. Every trade carries it, hence coverage complete. Funding is that of 8 hours.
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
    Signed,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, OpenInterest, PositionSide, PriceKind, TakerSide

NAME = "deribit"

_PERPETUAL = "-PERPETUAL"
_QUOTES = ("USDC", "USDT")
_NOT_USED = frozenset(
    ["quote", "book", "perpetual", "deribit_price_index", "deribit_volatility_index", "instrument", "platform_state"]
)
_INTERVALS = {
    **{minutes: f"{minutes}m" for minutes in ("1", "3", "5", "10", "15", "30")},
    "60": "1h",
    "120": "2h",
    "180": "3h",
    "360": "6h",
    "720": "12h",
    "1D": "1d",
}


class _Params(msgspec.Struct, gc=False):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()
    type: str = ""


class _Refused(msgspec.Struct, gc=False):
    code: int
    message: str = ""


class _Envelope(msgspec.Struct, gc=False):
    method: str = ""
    params: _Params | None = None
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Refused | None = None


class Trade(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instrument_name")
    price: Positive
    amount: Positive
    direction: Literal["buy", "sell"]
    timestamp: EpochMs
    trade_id: str
    liquidation: Literal["", "none", "M", "T", "MT"] = ""
    block_trade_id: str = ""


class _Ticker(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instrument_name")
    timestamp: EpochMs
    mark_price: Positive
    open_interest: NonNegative
    index_price: NonNegative | None = None
    funding_8h: FundingRate | None = None


class Summary(msgspec.Struct, gc=False):
    """A row of get_book_summary_by_currency; of combos and spreads the prices can be negative."""

    name: str = msgspec.field(name="instrument_name")
    told_ms: EpochMs = msgspec.field(name="creation_timestamp")
    mark_price: Signed | None = None
    open_interest: NonNegative | None = None
    volume_usd: NonNegative | None = None
    last: Signed | None = None


class _Bar(msgspec.Struct, gc=False):
    tick: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    cost: NonNegative


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_TRADES = RowReader(Trade)
_TICKER = msgspec.json.Decoder(_Ticker)
_BAR = msgspec.json.Decoder(_Bar)
_CHANNELS = msgspec.json.Decoder(list[str])
SUMMARIES = RowReader(Summary)


class DeribitDecoder:
    """Without a list the asset and the unit are read out of the name."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._listed = Listed(instruments, from_name)

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        found = Findings()
        if envelope.method == "subscription" and envelope.params is not None:
            try:
                self._read(envelope.params, received_ms, found)
            except UNDECODABLE as error:
                found.problems.append(problem_in(envelope.params.data, error))
        elif envelope.method == "heartbeat":
            return (Control(venue=NAME, reason="heartbeat", received_ms=received_ms),)
        elif bytes(envelope.result)[:2] == b"[{":
            self._read_summaries(envelope.result, received_ms, found)
        else:
            return (_answer(envelope, frame, received_ms),)
        return found.conclude(NAME, received_ms)

    def _read(self, params: _Params, received_ms: int, found: Findings) -> None:
        kind, _, rest = params.channel.partition(".")
        if kind == "trades":
            self._read_trades(params.data, received_ms, found)
        elif kind in _NOT_USED:
            found.set_aside("not_used", rest.partition(".")[0])
        elif kind == "ticker":
            if (instrument := self._listed.find(rest.partition(".")[0], found)) is not None:
                _read_ticker(params.data, instrument, received_ms, found)
        elif kind == "chart":
            name, _, interval = rest.removeprefix("trades.").rpartition(".")
            if (instrument := self._listed.find(name, found)) is not None:
                _read_bar(params.data, interval, instrument, received_ms, found)
        else:
            found.problems.append(FrameError(f"channel: expected one of Deribit, was {params.channel!r:.80}"))

    def _read_trades(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _TRADES.read(raw, found.problems):
            if (instrument := self._listed.find(row.name, found)) is None:
                continue
            if row.block_trade_id:  # agreed off the book: no aggressor, no pressure on the price
                found.set_aside("block_trade", row.name)
                continue
            times = (row.timestamp, received_ms)
            side = TakerSide(row.direction)
            trade = records.trade(instrument, times, side, size=row.amount, price=row.price, trade_id=row.trade_id)
            found.events.append(trade)
            for position in liquidated(row):
                event = records.liquidation(
                    instrument,
                    times,
                    position,
                    size=row.amount,
                    price=row.price,
                    price_kind=PriceKind.FILL,
                    coverage=Coverage.COMPLETE,
                )
                found.events.append(event)

    def _read_summaries(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in SUMMARIES.read(raw, found.problems):
            if (instrument := self._listed.find(row.name, found)) is not None:
                found.events.append(summary_interest(row, instrument, received_ms))


def liquidated(row: Trade) -> list[PositionSide]:
    """Name the sides that this trade closed by force: none, one, or with MT one of each."""
    taker = PositionSide.LONG if row.direction == "sell" else PositionSide.SHORT
    maker = PositionSide.SHORT if row.direction == "sell" else PositionSide.LONG
    return [side for mark, side in (("T", taker), ("M", maker)) if mark in row.liquidation]


def summary_interest(row: Summary, instrument: Instrument, received_ms: int) -> OpenInterest:
    """Raises FrameError where a perpetual has no price or no open interest."""
    if row.open_interest is None or row.mark_price is None or row.mark_price <= 0:
        raise FrameError(f"{row.name}: expected open_interest and a positive mark_price, were none")
    return records.open_interest(instrument, (row.told_ms, received_ms), size=row.open_interest, price=row.mark_price)


def _read_ticker(raw: msgspec.Raw, instrument: Instrument, received_ms: int, found: Findings) -> None:
    row = _TICKER.decode(raw)
    times = (row.timestamp, received_ms)
    mark = records.mark_price(
        instrument, times, price=row.mark_price, index_price=row.index_price, funding_rate=row.funding_8h
    )
    interest = records.open_interest(instrument, times, size=row.open_interest, price=row.mark_price)
    found.events += (mark, interest)


def _read_bar(raw: msgspec.Raw, name: str, instrument: Instrument, received_ms: int, found: Findings) -> None:
    """No bar says that it is closed; the next one does."""
    bar = _BAR.decode(raw)
    if (interval := _INTERVALS.get(name)) is None:
        found.problems.append(FrameError(f"channel: expected a bar of Deribit, was {name!r:.40}"))
        return
    event = records.kline(
        instrument,
        (bar.tick, received_ms),
        interval,
        ohlc=(bar.open, bar.high, bar.low, bar.close),
        size=bar.volume,
        notional_usd=bar.cost,
        closed=False,
    )
    found.events.append(event)


def from_name(name: str) -> Instrument | None:
    """Read BTC-PERPETUAL as BTC counted in US dollars, SOL_USDC-PERPETUAL as SOL; None for dates, options and combos."""
    pair = name.removesuffix(_PERPETUAL)
    if not pair or pair == name or "-" in pair:
        return None
    base, underscore, quote = pair.partition("_")
    if underscore and quote not in _QUOTES:
        return None
    asset, multiplier = unit_of(base)
    return Instrument(venue=NAME, instrument=name, asset=asset, multiplier=multiplier, inverse=not underscore)


def _answer(envelope: _Envelope, frame: bytes | memoryview, received_ms: int) -> Control:
    """Read the answer to a request of ours. The id of a subscription is the number of channels it asks for.

    The venue leaves out of its answer, without a word, the channels that it does not know.
    """
    detail = ""
    if envelope.error is not None:
        reason, detail = "subscribe_refused", f"{envelope.error.code} {envelope.error.message}"
    elif bytes(envelope.result)[:1] == b"[":
        try:
            channels = _CHANNELS.decode(envelope.result)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        asked = envelope.id or 0
        reason = "subscribe_refused" if len(channels) < asked else "subscribed"
        detail = f"{len(channels)} of {asked} channels" if len(channels) < asked else f"{len(channels)} channels"
    elif envelope.id is not None and bytes(envelope.result):
        reason = "pong"  # `public/test` answers with the version of the venue's programs
    else:
        raise problem_in(frame, ValueError("expected a subscription, a heartbeat, or an answer with result or error"))
    return Control(venue=NAME, reason=reason, received_ms=received_ms, detail=detail)
