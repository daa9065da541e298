"""Bitget USDT futures by REST: open interest and turnover of all in one call. Source: exchanges.md 7.1.

The `amount` of a listed liquidation is read in base coins; `bitget_unit_verdict` compares it with the socket's.
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.queries import (
    Instruments,
    Query,
    Reading,
    Turnover,
    is_over,
    read_rows,
    tiers_by_name,
    turnover,
    windows,
)
from actors.exchanges.wire import UNDECODABLE, EpochMs, NonNegative, Positive, RowReader, problem_in
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Coverage, Kline, Liquidation, OpenInterest, PositionSide, PriceKind

_CATEGORY = ("category", "USDT-FUTURES")
_BARS = 1000
_BAR_NAMES: Mapping[Interval, str] = {"1m": "1m", "1h": "1H", "1d": "1D"}
_LIQUIDATIONS = 100


class _Reply(msgspec.Struct, gc=False):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Page(msgspec.Struct, gc=False):
    rows: msgspec.Raw = msgspec.field(name="list", default=msgspec.Raw(b"[]"))
    cursor: str | None = None


class _Ticker(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    last_price: Positive
    mark_price: NonNegative
    open_interest: NonNegative
    turnover_24h: NonNegative = msgspec.field(name="turnover24h")
    ts: EpochMs


class _Bar(msgspec.Struct, gc=False, array_like=True):
    ts: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    turnover: NonNegative


class _Tier(msgspec.Struct, gc=False, rename="camel"):
    max_tier_value: Positive
    mmr: NonNegative
    leverage: Positive


class _Liquidation(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    ts: EpochMs


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_PAGE = msgspec.json.Decoder(_Page)
_TICKERS = RowReader(_Ticker)
_BAR_ROWS = RowReader(_Bar)
_TIERS = RowReader(_Tier)
_LIQUIDATED = RowReader(_Liquidation)


class BitgetData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        return (Query(_call("tickers"), partial(_read_interests, instruments=instruments)),)

    def open_interest_history(
        self,
        instrument: Instrument,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[OpenInterest], ...]:
        """None: the venue keeps none, so what was polled has to be stored."""
        return ()

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        return tuple(
            Query(
                _call(
                    "candles",
                    symbol=instrument.instrument,
                    interval=_BAR_NAMES[interval],
                    type="market",
                    startTime=str(start),
                    endTime=str(end),
                    limit=str(_BARS),
                ),
                partial(_read_bars, instrument=instrument, interval=interval, span=(start, end)),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        return (Query(_call("tickers"), partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        return tuple(
            Query(_call("position-tier", symbol=name), partial(_read_tiers, instrument=one))
            for name, one in instruments.items()
        )

    def liquidations(self, instruments: Instruments, since_ms: int, until_ms: int) -> tuple[Query[Liquidation], ...]:
        """Of the last 3 days, newest first, 5 calls a second; pages follow until `since_ms`."""
        return (_page(instruments, (since_ms, until_ms), ""),)


def _call(what: str, **params: str) -> RestCall:
    return RestCall(path=f"/api/v3/market/{what}", params=(_CATEGORY, *params.items()))


def _data(body: bytes) -> msgspec.Raw:
    try:
        reply = _REPLY.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if reply.code != "00000":
        raise FrameError(f"expected code 00000, was {reply.code} {reply.msg}")
    return reply.data


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    def take(row: _Ticker) -> OpenInterest | None:
        if (one := instruments.get(row.symbol)) is None:
            return None
        times = (row.ts, received_ms)
        return records.open_interest(one, times, size=row.open_interest, price=row.mark_price, uncertain="sides")

    return read_rows(_TICKERS, _data(body), take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    def take(row: _Ticker) -> Turnover | None:
        if (one := instruments.get(row.symbol)) is None:
            return None
        return turnover(one, received_ms, usd_24h=row.turnover_24h, price=row.last_price)

    return read_rows(_TICKERS, _data(body), take)


def _read_bars(
    body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval, span: tuple[int, int]
) -> Reading[Kline]:
    """Whether the ends belong to the answer is not documented, so they are cut here."""

    def take(bar: _Bar) -> Kline | None:
        if not span[0] <= bar.ts < span[1]:
            return None
        return records.kline(
            instrument,
            (bar.ts, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            closed=is_over(bar.ts, received_ms, interval),
        )

    return read_rows(_BAR_ROWS, _data(body), take)


def _read_tiers(body: bytes, received_ms: int, *, instrument: Instrument) -> Reading[MarginTiers]:  # noqa: ARG001
    problems: list[FrameError] = []
    rows = (
        (
            instrument.instrument,
            MarginTier(cap=row.max_tier_value, maintenance_rate=row.mmr, max_leverage=row.leverage),
        )
        for row in _TIERS.read(_data(body), problems)
    )
    return Reading(rows=tiers_by_name(rows, {instrument.instrument: instrument}), problems=tuple(problems))


def _page(instruments: Instruments, span: tuple[int, int], cursor: str) -> Query[Liquidation]:
    params = {"limit": str(_LIQUIDATIONS)} | ({"cursor": cursor} if cursor else {})
    read = partial(_read_liquidations, instruments=instruments, span=span)
    return Query(_call("liquidations", **params), read)


def _read_liquidations(
    body: bytes, received_ms: int, *, instruments: Instruments, span: tuple[int, int]
) -> Reading[Liquidation]:
    try:
        page = _PAGE.decode(_data(body))
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    oldest_ms = span[1]

    def take(row: _Liquidation) -> Liquidation | None:
        nonlocal oldest_ms
        oldest_ms = min(oldest_ms, row.ts)
        if (one := instruments.get(row.symbol)) is None or not span[0] <= row.ts < span[1]:
            return None
        return records.liquidation(
            one,
            (row.ts, received_ms),
            PositionSide.LONG if row.side == "buy" else PositionSide.SHORT,
            size=row.amount,
            price=row.price,
            price_kind=PriceKind.BANKRUPTCY,
            coverage=Coverage.CAPPED,
            uncertain="unit",
        )

    reading = read_rows(_LIQUIDATED, page.rows, take)
    more = page.cursor and reading.rows and oldest_ms > span[0]
    following = _page(instruments, span, page.cursor or "") if more else None
    return Reading(rows=reading.rows, problems=reading.problems, following=following)
