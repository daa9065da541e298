"""Bybit linear by REST: one call brings open interest and turnover of all. Source: exchanges.md 3.2."""

from collections.abc import Mapping
from functools import partial

import msgspec

from actors.exchanges import records
from actors.exchanges.bybit_frames import ONE, SIDES
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument, RestCall
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

_LINEAR = ("category", "linear")
_BARS = 1000
_BAR_NAMES: Mapping[Interval, str] = {"1m": "1", "1h": "60", "1d": "D"}
_POINTS = 200
_FIVE_MINUTES_MS = 300_000
_RATIOS = 20  # symbols; open interest of the smallest is too coarse to tell a half from a whole


class _Result(msgspec.Struct, gc=False):
    rows: msgspec.Raw = msgspec.field(name="list", default=msgspec.Raw(b"[]"))
    cursor: str = msgspec.field(name="nextPageCursor", default="")


class _Reply(msgspec.Struct, gc=False):
    code: int = msgspec.field(name="retCode")
    message: str = msgspec.field(name="retMsg", default="")
    result: _Result | None = None
    time: int = 0


class _Ticker(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    last_price: Positive
    turnover_24h: NonNegative = msgspec.field(name="turnover24h")
    open_interest: NonNegative
    open_interest_value: NonNegative | None = None
    single_open_interest: NonNegative | None = None
    single_open_interest_value: NonNegative | None = None


class _Point(msgspec.Struct, gc=False, rename="camel"):
    open_interest: NonNegative
    timestamp: EpochMs
    single_open_interest: NonNegative | None = None


class _Bar(msgspec.Struct, gc=False, array_like=True):
    open_ms: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative
    turnover: NonNegative


class _Limit(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    risk_limit_value: Positive
    maintenance_margin: NonNegative
    initial_margin: Positive
    max_leverage: Positive
    mm_deduction: str = ""


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_TICKERS = RowReader(_Ticker)
_POINT_ROWS = RowReader(_Point)
_BAR_ROWS = RowReader(_Bar)
_LIMITS = RowReader(_Limit)


class BybitData:
    def __init__(self, settled: Mapping[str, str] = NOTHING_SETTLED) -> None:
        self._sides = 1 if settled.get(SIDES) == ONE else 2

    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        read = partial(_read_interests, instruments=instruments, sides=self._sides)
        return (Query(_call("tickers"), read),)

    def open_interest_history(
        self, instrument: Instrument, since_ms: int, until_ms: int
    ) -> tuple[Query[OpenInterest], ...]:
        return tuple(
            Query(
                _call(
                    "open-interest",
                    symbol=instrument.instrument,
                    intervalTime="5min",
                    startTime=str(start),
                    endTime=str(end),
                    limit=str(_POINTS),
                ),
                partial(_read_points, instrument=instrument, sides=self._sides),
            )
            for start, end in windows(since_ms, until_ms, _POINTS, _FIVE_MINUTES_MS)
        )

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        return tuple(
            Query(
                _call(
                    "kline",
                    symbol=instrument.instrument,
                    interval=_BAR_NAMES[interval],
                    start=str(start),
                    end=str(end - 1),
                    limit=str(_BARS),
                ),
                partial(_read_bars, instrument=instrument, interval=interval),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        return (Query(_call("tickers"), partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        """15 symbols a page; the pages follow one another."""
        return (Query(_call("risk-limit"), partial(_read_limits, instruments=instruments)),)

    def single_ratios(self) -> Query[float]:
        """Ask for the plain open interest over the single one, of the symbols most traded (`bybit_sides_votes`)."""
        return Query(_call("tickers"), _read_ratios)

    def liquidations(
        self,
        instruments: Instruments,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[Liquidation], ...]:
        return ()


def _call(what: str, **params: str) -> RestCall:
    return RestCall(path=f"/v5/market/{what}", params=(_LINEAR, *params.items()))


def _reply(body: bytes) -> tuple[_Result, int]:
    try:
        reply = _REPLY.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if reply.code or reply.result is None:
        raise FrameError(f"expected retCode 0 and a result, was {reply.code} {reply.message}")
    return reply.result, reply.time


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments, sides: int) -> Reading[OpenInterest]:
    """Take the `single` fields, of one side; the plain ones, of `sides`, only where those are absent."""
    result, told_ms = _reply(body)

    def take(row: _Ticker) -> OpenInterest | None:
        if (one := instruments.get(row.symbol)) is None:
            return None
        if row.single_open_interest is not None:
            size, usd = row.single_open_interest, row.single_open_interest_value
        else:
            usd = None if row.open_interest_value is None else row.open_interest_value / sides
            size = row.open_interest / sides
        return records.open_interest(one, (told_ms or received_ms, received_ms), size=size, notional_usd=usd)

    return read_rows(_TICKERS, result.rows, take)


def _read_ratios(body: bytes, received_ms: int) -> Reading[float]:  # noqa: ARG001
    result, _ = _reply(body)
    problems: list[FrameError] = []
    rows = [row for row in _TICKERS.read(result.rows, problems) if row.single_open_interest]
    largest = sorted(rows, key=lambda row: row.turnover_24h, reverse=True)[:_RATIOS]
    ratios = (row.open_interest / row.single_open_interest for row in largest if row.single_open_interest)
    return Reading(rows=tuple(ratios), problems=tuple(problems))


def _read_points(body: bytes, received_ms: int, *, instrument: Instrument, sides: int) -> Reading[OpenInterest]:
    result, _ = _reply(body)

    def take(row: _Point) -> OpenInterest:
        size = row.open_interest / sides if row.single_open_interest is None else row.single_open_interest
        return records.open_interest(instrument, (row.timestamp, received_ms), size=size)

    return read_rows(_POINT_ROWS, result.rows, take)


def _read_bars(body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval) -> Reading[Kline]:
    result, _ = _reply(body)

    def take(bar: _Bar) -> Kline:
        return records.kline(
            instrument,
            (bar.open_ms, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.volume,
            notional_usd=bar.turnover,
            closed=is_over(bar.open_ms, received_ms, interval),
        )

    return read_rows(_BAR_ROWS, result.rows, take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    result, _ = _reply(body)

    def take(row: _Ticker) -> Turnover | None:
        if (one := instruments.get(row.symbol)) is None:
            return None
        return turnover(one, received_ms, usd_24h=row.turnover_24h, price=row.last_price)

    return read_rows(_TICKERS, result.rows, take)


def _read_limits(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[MarginTiers]:  # noqa: ARG001
    result, _ = _reply(body)
    reading = read_rows(_LIMITS, result.rows, _tier)
    read = partial(_read_limits, instruments=instruments)
    following = Query(_call("risk-limit", cursor=result.cursor), read) if result.cursor else None
    return Reading(rows=tiers_by_name(reading.rows, instruments), problems=reading.problems, following=following)


def _tier(row: _Limit) -> tuple[str, MarginTier]:
    """Margins are in per cent in the venue's documents and fractions elsewhere: `initialMargin * maxLeverage` decides.

    It is about 1 for fractions, about 100 for per cent. Raises FrameError where it is neither.
    """
    product = row.initial_margin * row.max_leverage
    scale = 1.0 if 0.5 <= product <= 2 else 0.01 if 50 <= product <= 200 else 0.0
    if not scale:
        raise FrameError(f"{row.symbol}: initialMargin * maxLeverage: expected about 1 or 100, was {product:g}")
    try:
        deduction = float(row.mm_deduction or 0)
    except ValueError:
        raise FrameError(f"{row.symbol}: mmDeduction: expected US dollars, was {row.mm_deduction!r:.40}") from None
    tier = MarginTier(
        cap=row.risk_limit_value,
        maintenance_rate=row.maintenance_margin * scale,
        max_leverage=row.max_leverage,
        deduction_usd=deduction,
    )
    return row.symbol, tier
