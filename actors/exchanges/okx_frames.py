"""What OKX swaps send and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 4.4): sizes are contracts of `ctVal * ctMult` coins, so nothing can be said
without the list of instruments. `posSide` of a liquidation is the side of the position; where it is net, `side`, that
of the order, tells: sell closed a long. `bkPx` is the bankruptcy price. At most one order a contract and second has
been sent, hence coverage capped. `side` of a trade is the taker's.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument, UnknownInstrument
from actors.exchanges.wire import (
    UNDECODABLE,
    EpochMs,
    Findings,
    FundingRate,
    NonNegative,
    Positive,
    RowReader,
    problem_in,
)
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "okx"

CAP = "liquidation_cap"  # the conflict; its verdict:
LIFTED = "lifted"

LIQUIDATIONS = "liquidation-orders"
MARK_PRICE = "mark-price"

_OURS = ("-USDT-SWAP", "-USDC-SWAP")
_PLANNED_CLOSE = "64008"  # a notice, 60 s ahead
# The first message after a subscription may repeat old orders. Clocks differ and pushes are late by less than this.
_BEFORE_SUBSCRIBING_MS = 5_000

_NOT_USED = frozenset(
    [
        *("tickers", "price-limit", "instruments", "index-tickers", "estimated-price", "status", "adl-warning"),
        *("books", "books5", "bbo-tbt", "books-l2-tbt", "books50-l2-tbt", "opt-summary", "block-tickers"),
    ]
)
_SHORT_BARS = {"1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1H": "1h", "2H": "2h", "4H": "4h"}
# From 6H up bars begin at midnight of Hong Kong unless the name ends in `utc`.
_LONG_BARS = {"6H": "6h", "12H": "12h", "1D": "1d", "2D": "2d", "3D": "3d", "1W": "1w", "1M": "1M", "3M": "3M"}
_INTERVALS = {
    **_SHORT_BARS,
    **{f"{bar}utc": name for bar, name in _LONG_BARS.items()},
    **{bar: f"{name}+08" for bar, name in _LONG_BARS.items()},
}


class _Arg(msgspec.Struct, gc=False):
    channel: str = ""
    instrument: str = msgspec.field(name="instId", default="")
    instrument_type: str = msgspec.field(name="instType", default="")
    generated: bool = False  # put there by the archive of tardis.dev for what it polled


class _Envelope(msgspec.Struct, gc=False):
    """A push (`arg` and `data`), an event, a reply of REST (`code` and `data`), or a frame of the retired v3."""

    arg: _Arg | None = None
    data: msgspec.Raw = msgspec.Raw()
    event: str = ""
    code: str = ""
    msg: str = ""
    table: str = ""


class _Row(msgspec.Struct, gc=False):
    instrument: str = msgspec.field(name="instId")


class _Liquidated(_Row, gc=False):
    details: msgspec.Raw


class _Detail(msgspec.Struct, gc=False):
    side: Literal["buy", "sell"]
    size: Positive = msgspec.field(name="sz")
    bankruptcy_price: Positive = msgspec.field(name="bkPx")
    ts: EpochMs
    position: Literal["long", "short", "net", ""] = msgspec.field(name="posSide", default="")


class _Trade(_Row, gc=False):
    side: Literal["buy", "sell"]
    size: Positive = msgspec.field(name="sz")
    price: Positive = msgspec.field(name="px")
    trade_id: str = msgspec.field(name="tradeId")
    ts: EpochMs


class _Mark(_Row, gc=False):
    price: Positive = msgspec.field(name="markPx")
    ts: EpochMs


class _Funding(_Row, gc=False):
    """`rate` is the forecast that is paid at `paid_ms`; frames of 2021 told only the one after it."""

    paid_ms: EpochMs = msgspec.field(name="fundingTime")
    rate: FundingRate | None = msgspec.field(name="fundingRate", default=None)


class _OpenInterest(_Row, gc=False):
    contracts: NonNegative = msgspec.field(name="oi")
    ts: EpochMs
    usd: NonNegative | None = msgspec.field(name="oiUsd", default=None)


class _Bar(msgspec.Struct, gc=False, array_like=True):
    """Nine elements; rows of 2022 had seven and did not say whether a bar was closed, so theirs count as open."""

    ts: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    contracts: NonNegative
    coins: NonNegative
    turnover: NonNegative | None = None
    closed: bool = False


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_LIQUIDATED = RowReader(_Liquidated)
_DETAILS = RowReader(_Detail)
_TRADES = RowReader(_Trade)
_MARKS = RowReader(_Mark)
_FUNDINGS = RowReader(_Funding)
_OPEN_INTERESTS = RowReader(_OpenInterest)
_BARS = RowReader(_Bar)


class OkxDecoder:
    """Remembers when the liquidations were subscribed and the last funding rates: one decoder a connection."""

    def __init__(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED) -> None:
        self._coverage = Coverage.COMPLETE if settled.get(CAP) == LIFTED else Coverage.CAPPED
        self._instruments = dict(instruments)
        self._subscribed_ms: int | None = None
        self._fundings: dict[str, _Funding] = {}

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        if frame == b"pong":
            return (Control(venue=NAME, reason="pong", received_ms=received_ms),)
        try:
            envelope = _ENVELOPE.decode(frame)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        if envelope.event:
            return (self._take_event(envelope, received_ms),)
        found = Findings()
        if envelope.table:
            found.set_aside("retired_protocol", "")
        elif envelope.arg is not None:
            self._read(envelope.arg, envelope.data, received_ms, found)
        elif envelope.code == "0":
            self._read_open_interests(envelope.data, received_ms, found)
        else:
            found.problems.append(problem_in(frame, ValueError("expected arg and data, an event, or code 0 and data")))
        return found.conclude(NAME, received_ms)

    def _take_event(self, envelope: _Envelope, received_ms: int) -> Control:
        arg = envelope.arg or _Arg()
        detail = f"{envelope.code} {envelope.msg}".strip() or arg.channel
        match envelope.event:
            case "subscribe":
                reason = "subscribed"
                if arg.channel == LIQUIDATIONS:
                    self._subscribed_ms = received_ms
            case "unsubscribe":
                reason = "unsubscribed"
            case "error" | "channel-conn-count-error":
                reason = "subscribe_refused"
            case "notice":
                reason = "closing_soon" if envelope.code == _PLANNED_CLOSE else "notice"
            case "channel-conn-count":
                reason = "connection_count"
            case other:
                raise FrameError(f"event: expected one of OKX v5, was {other!r:.80}")
        return Control(
            venue=NAME, reason=reason, received_ms=received_ms, instrument=arg.instrument or None, detail=detail
        )

    def _read(self, arg: _Arg, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        if arg.generated:
            found.set_aside("not_from_venue", arg.instrument)
        elif arg.instrument_type not in ("", "SWAP", "ANY") or (arg.instrument and not self._is_ours(arg.instrument)):
            found.set_aside("other_market", arg.instrument)
        elif arg.channel in _NOT_USED:
            found.set_aside("not_used", arg.instrument)
        elif arg.channel.startswith("candle"):
            self._read_bars(arg, raw, received_ms, found)
        else:
            match arg.channel:
                case "liquidation-orders":
                    self._read_liquidations(raw, received_ms, found)
                case "trades" | "trades-all":
                    self._read_trades(raw, received_ms, found)
                case "mark-price":
                    self._read_marks(raw, received_ms, found)
                case "funding-rate":
                    self._read_fundings(raw, found)
                case "open-interest":
                    self._read_open_interests(raw, received_ms, found)
                case other:
                    found.problems.append(FrameError(f"channel: expected one of OKX v5, was {other!r:.80}"))

    def _read_liquidations(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _LIQUIDATED.read(raw, found.problems):
            if (instrument := self._instrument(row.instrument, found)) is not None:
                for detail in _DETAILS.read(row.details, found.problems):
                    self._take_liquidation(detail, instrument, received_ms, found)

    def _take_liquidation(self, detail: _Detail, instrument: Instrument, received_ms: int, found: Findings) -> None:
        if self._subscribed_ms is not None and detail.ts < self._subscribed_ms - _BEFORE_SUBSCRIBING_MS:
            found.set_aside("snapshot_dropped", instrument.instrument)
            return
        was_long = detail.position == "long" or (detail.position != "short" and detail.side == "sell")
        event = records.liquidation(
            instrument,
            (detail.ts, received_ms),
            PositionSide.LONG if was_long else PositionSide.SHORT,
            size=detail.size,
            price=detail.bankruptcy_price,
            price_kind=PriceKind.BANKRUPTCY,
            coverage=self._coverage,
        )
        found.events.append(event)

    def _read_trades(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _TRADES.read(raw, found.problems):
            if (instrument := self._instrument(row.instrument, found)) is not None:
                event = records.trade(
                    instrument,
                    (row.ts, received_ms),
                    TakerSide(row.side),
                    size=row.size,
                    price=row.price,
                    trade_id=row.trade_id,
                )
                found.events.append(event)

    def _read_marks(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _MARKS.read(raw, found.problems):
            if (instrument := self._instrument(row.instrument, found)) is not None:
                funding = self._fundings.get(row.instrument)
                event = records.mark_price(
                    instrument,
                    (row.ts, received_ms),
                    price=row.price,
                    funding_rate=funding.rate if funding else None,
                    next_funding_ms=funding.paid_ms if funding else None,
                )
                found.events.append(event)

    def _read_fundings(self, raw: msgspec.Raw, found: Findings) -> None:
        """Keep the rates for the mark prices that follow; a record of their own would lack a price."""
        for row in _FUNDINGS.read(raw, found.problems):
            if self._is_ours(row.instrument):
                self._fundings[row.instrument] = row
                found.set_aside("funding_kept", row.instrument)
            else:
                found.set_aside("other_market", row.instrument)

    def _read_open_interests(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        for row in _OPEN_INTERESTS.read(raw, found.problems):
            if (instrument := self._instrument(row.instrument, found)) is not None:
                times = (row.ts, received_ms)
                found.events.append(
                    records.open_interest(
                        instrument, times, size=row.contracts, notional_usd=row.usd, uncertain="sides"
                    )
                )

    def _read_bars(self, arg: _Arg, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        if (interval := _INTERVALS.get(arg.channel.removeprefix("candle"))) is None:
            raise FrameError(f"channel: expected a bar of OKX v5, was {arg.channel!r:.80}")
        if (instrument := self._instrument(arg.instrument, found)) is None:
            return
        for bar in _BARS.read(raw, found.problems):
            event = records.kline(
                instrument,
                (bar.ts, received_ms),
                interval,
                ohlc=(bar.open, bar.high, bar.low, bar.close),
                size=bar.contracts,
                notional_usd=bar.turnover,
                closed=bar.closed,
            )
            found.events.append(event)

    def _is_ours(self, name: str) -> bool:
        return name in self._instruments or name.endswith(_OURS)

    def _instrument(self, name: str, found: Findings) -> Instrument | None:
        """Look the contract up; None when it has been set aside or reported as unknown."""
        if (known := self._instruments.get(name)) is not None:
            return known
        if self._is_ours(name):
            problem = f"instId: the contract size of {name!r:.80} is unknown, because the list of instruments"
            absent = "does not hold it (too old?)" if self._instruments else "is missing"
            found.problems.append(UnknownInstrument(f"{problem} {absent}"))
        else:
            found.set_aside("other_market", name)
        return None
