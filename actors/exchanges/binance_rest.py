"""Binance USD-M by REST: open interest, its history, bars, turnover, margin tiers. Source: exchanges.md 2.2, 2.3, 2.7."""

from functools import partial

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
from intelligence.market import Kline, Liquidation, OpenInterest

_BARS = 499  # the most for a weight of 2; more rows cost more each
_BARS_AT_HALF = 100  # below that the weight is 1
_POINTS = 500
_FIVE_MINUTES_MS = 300_000
_ALL_TICKERS_WEIGHT = 40


class _Interest(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    open_interest: NonNegative
    time: EpochMs


class _Point(msgspec.Struct, gc=False, rename="camel"):
    """`timestamp` was text until 2026-07-14 and is the end of the period."""

    sum_open_interest: NonNegative
    sum_open_interest_value: NonNegative
    timestamp: EpochMs


class _Ticker(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    last_price: Positive
    quote_volume: NonNegative


class _Bar(msgspec.Struct, gc=False, array_like=True):
    open_ms: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    close_ms: EpochMs
    turnover: NonNegative
    trades: int
    taker_buy_volume: NonNegative


class _Bracket(msgspec.Struct, gc=False, rename="camel"):
    bracket_notional_cap: Positive
    bracket_maintenance_margin_rate: NonNegative
    cum_fast_maintenance_amount: NonNegative
    max_open_pos_leverage: Positive


class _Brackets(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    risk_brackets: list[_Bracket]


class _BracketsData(msgspec.Struct, gc=False):
    brackets: msgspec.Raw


class _BracketsReply(msgspec.Struct, gc=False):
    code: str
    data: _BracketsData


_INTEREST = msgspec.json.Decoder(_Interest, strict=False)
_POINT_ROWS = RowReader(_Point)
_TICKERS = RowReader(_Ticker)
_BAR_ROWS = RowReader(_Bar)
_BRACKETS_REPLY = msgspec.json.Decoder(_BracketsReply, strict=False)
_BRACKET_ROWS = RowReader(_Brackets)


class BinanceData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        """One call for each symbol: there is none for all of them, and no stream."""
        return tuple(
            Query(
                RestCall(path="/fapi/v1/openInterest", params=(("symbol", name),)),
                partial(_read_interest, instruments=instruments),
            )
            for name in instruments
        )

    def open_interest_history(
        self, instrument: Instrument, since_ms: int, until_ms: int
    ) -> tuple[Query[OpenInterest], ...]:
        """Of the last month; without weight, but 1000 calls in 5 minutes over all of /futures/data."""
        return tuple(
            Query(
                RestCall(
                    path="/futures/data/openInterestHist",
                    params=_span(instrument, start, end, _POINTS, period="5m"),
                    weight=0,
                ),
                partial(_read_points, instrument=instrument),
            )
            for start, end in windows(since_ms, until_ms, _POINTS, _FIVE_MINUTES_MS)
        )

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        return tuple(
            Query(
                _klines_call(instrument, start, end, interval),
                partial(_read_bars, instrument=instrument, interval=interval),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        call = RestCall(path="/fapi/v1/ticker/24hr", weight=_ALL_TICKERS_WEIGHT)
        return (Query(call, partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        """From an undocumented endpoint of the website: ask only where the operator has switched it on."""
        call = RestCall(
            path="/bapi/futures/v1/friendly/future/common/brackets", weight=0, base_url="https://www.binance.com"
        )
        return (Query(call, partial(_read_brackets, instruments=instruments)),)

    def liquidations(
        self,
        instruments: Instruments,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[Liquidation], ...]:
        return ()


def _klines_call(instrument: Instrument, start_ms: int, end_ms: int, interval: Interval) -> RestCall:
    """The weight counts by the limit, not by the rows of the answer."""
    bars = min(-(-(end_ms - start_ms) // INTERVAL_MS[interval]), _BARS)
    params = _span(instrument, start_ms, end_ms - 1, bars, interval=interval)
    return RestCall(path="/fapi/v1/klines", params=params, weight=1 if bars < _BARS_AT_HALF else 2)


def _span(instrument: Instrument, start_ms: int, end_ms: int, limit: int, **kind: str) -> tuple[tuple[str, str], ...]:
    return (
        ("symbol", instrument.instrument),
        *kind.items(),
        ("startTime", str(start_ms)),
        ("endTime", str(end_ms)),
        ("limit", str(limit)),
    )


def _read_interest(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    try:
        row = _INTEREST.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if (one := instruments.get(row.symbol)) is None:
        raise FrameError(f"symbol: expected one that was asked for, was {row.symbol!r:.80}")
    return Reading(rows=(records.open_interest(one, (row.time, received_ms), size=row.open_interest),))


def _read_points(body: bytes, received_ms: int, *, instrument: Instrument) -> Reading[OpenInterest]:
    def take(row: _Point) -> OpenInterest:
        times = (row.timestamp, received_ms)
        usd = row.sum_open_interest_value
        return records.open_interest(instrument, times, size=row.sum_open_interest, notional_usd=usd)

    return read_rows(_POINT_ROWS, body, take)


def _read_bars(body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval) -> Reading[Kline]:
    def take(bar: _Bar) -> Kline:
        return records.kline(
            instrument,
            (bar.open_ms, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            taker_buy_size=bar.taker_buy_volume,
            closed=is_over(bar.open_ms, received_ms, interval),
        )

    return read_rows(_BAR_ROWS, body, take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    def take(row: _Ticker) -> Turnover | None:
        if (one := instruments.get(row.symbol)) is None:
            return None
        return turnover(one, received_ms, usd_24h=row.quote_volume, price=row.last_price)

    return read_rows(_TICKERS, body, take)


def _read_brackets(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[MarginTiers]:  # noqa: ARG001
    try:
        reply = _BRACKETS_REPLY.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if reply.code != "000000":
        raise FrameError(f"brackets: expected code 000000, was {reply.code}")
    problems: list[FrameError] = []
    rows = (
        (
            one.symbol,
            MarginTier(
                cap=bracket.bracket_notional_cap,
                maintenance_rate=bracket.bracket_maintenance_margin_rate,
                max_leverage=bracket.max_open_pos_leverage,
                deduction_usd=bracket.cum_fast_maintenance_amount,
            ),
        )
        for one in _BRACKET_ROWS.read(reply.data.brackets, problems)
        for bracket in one.risk_brackets
    )
    return Reading(rows=tiers_by_name(rows, instruments), problems=tuple(problems))
