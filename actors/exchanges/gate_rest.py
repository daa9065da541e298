"""Gate USDT futures by REST: open interest, bars, turnover, totals and single liquidations, tiers.

The list of single liquidations carries the size of the user's position, so positive was a long (exchanges.md 1.1, 6.1).
"""

from functools import partial

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.gate_frames import Statistics, statistics
from actors.exchanges.queries import (
    MINUTE_MS,
    Instruments,
    Query,
    Reading,
    Turnover,
    is_over,
    list_in,
    read_rows,
    tiers_by_name,
    turnover,
    windows,
)
from actors.exchanges.units import UnitFigures
from actors.exchanges.wire import AnyEpoch, NonNegative, Positive, RowReader, Signed, milliseconds
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Coverage, Kline, Liquidation, OpenInterest, PositionSide, PriceKind

_FUTURES = "/api/v4/futures/usdt"
_DECIMAL_SIZES = (("X-Gate-Size-Decimal", "1"),)
_BARS = 2000
_POINTS = 100
_ORDERS = 1000
_HOUR_MS = 3_600_000
_FIVE_MINUTES_MS = 300_000
_MARKETS_A_PAGE = 100


class _Ticker(msgspec.Struct, gc=False):
    contract: str
    last: Positive
    total_size: NonNegative
    mark_price: NonNegative
    volume_24h_quote: NonNegative


class _Bar(msgspec.Struct, gc=False):
    opened: AnyEpoch = msgspec.field(name="t")
    open: Positive = msgspec.field(name="o")
    high: Positive = msgspec.field(name="h")
    low: Positive = msgspec.field(name="l")
    close: Positive = msgspec.field(name="c")
    contracts: NonNegative = msgspec.field(name="v")
    turnover: NonNegative | None = msgspec.field(name="sum", default=None)


class _Order(msgspec.Struct, gc=False):
    contract: str
    time: AnyEpoch
    size: Signed
    fill_price: Positive
    left: Signed = 0.0
    order_size: Signed | None = None


class _Limit(msgspec.Struct, gc=False):
    contract: str
    risk_limit: Positive
    maintenance_rate: NonNegative
    leverage_max: Positive
    deduction: NonNegative | None = None


_TICKERS = RowReader(_Ticker)
_BAR_ROWS = RowReader(_Bar)
_STATISTICS = RowReader(Statistics)
_ORDER_ROWS = RowReader(_Order)
_LIMITS = RowReader(_Limit)


class GateData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        return (Query(_call("tickers"), partial(_read_interests, instruments=instruments)),)

    def open_interest_history(
        self, instrument: Instrument, since_ms: int, until_ms: int
    ) -> tuple[Query[OpenInterest], ...]:
        """Up to 180 days back."""
        return tuple(
            Query(_statistics_call(instrument, start), partial(_read_points, instrument=instrument, until_ms=end))
            for start, end in windows(since_ms, until_ms, _POINTS, _FIVE_MINUTES_MS)
        )

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        """`from` and `to` name the first and the last bar, and forbid `limit`."""
        return tuple(
            Query(
                _call(
                    "candlesticks",
                    contract=instrument.instrument,
                    interval=interval,
                    **{"from": _seconds(start), "to": _seconds(end - 1)},
                ),
                partial(_read_bars, instrument=instrument, interval=interval),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        return (Query(_call("tickers"), partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        return (_limits(instruments, 0),)

    def liquidations(self, instruments: Instruments, since_ms: int, until_ms: int) -> tuple[Query[Liquidation], ...]:
        """One call for each hour, of all contracts."""
        return tuple(
            Query(
                _call("liq_orders", limit=str(_ORDERS), **{"from": _seconds(start), "to": _seconds(end)}),
                partial(_read_orders, instruments=instruments),
            )
            for start, end in windows(since_ms, until_ms, _HOUR_MS // MINUTE_MS)
        )

    def unit_figures(self, instruments: Instruments) -> tuple[Query[UnitFigures], ...]:
        """A call for each contract; its newest point tells contracts, price and dollars of one moment."""
        return tuple(
            Query(
                _call("contract_stats", contract=name, interval="5m", limit="1"),
                partial(_read_figures, instrument=one),
            )
            for name, one in instruments.items()
        )

    def totals(self, instrument: Instrument, since_ms: int) -> Query[Liquidation]:
        """What was liquidated in each 5 minutes, by side: the only totals any venue publishes."""
        return Query(_statistics_call(instrument, since_ms), partial(_read_totals, instrument=instrument))


def _call(what: str, **params: str) -> RestCall:
    return RestCall(path=f"{_FUTURES}/{what}", params=tuple(params.items()), headers=_DECIMAL_SIZES)


def _statistics_call(instrument: Instrument, since_ms: int) -> RestCall:
    params = {"from": _seconds(since_ms), "interval": "5m", "limit": str(_POINTS)}
    return _call("contract_stats", contract=instrument.instrument, **params)


def _seconds(time_ms: int) -> str:
    return str(time_ms // 1_000)


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    """Tickers carry no time: that of receipt stands for it."""

    def take(row: _Ticker) -> OpenInterest | None:
        if (one := instruments.get(row.contract)) is None:
            return None
        times = (received_ms, received_ms)
        return records.open_interest(one, times, size=row.total_size, price=row.mark_price, uncertain="sides")

    return read_rows(_TICKERS, body, take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    def take(row: _Ticker) -> Turnover | None:
        if (one := instruments.get(row.contract)) is None:
            return None
        return turnover(one, received_ms, usd_24h=row.volume_24h_quote, price=row.last)

    return read_rows(_TICKERS, body, take)


def _read_points(body: bytes, received_ms: int, *, instrument: Instrument, until_ms: int) -> Reading[OpenInterest]:
    def take(row: Statistics) -> OpenInterest | None:
        interest = statistics(row, instrument, received_ms)[0]
        return interest if isinstance(interest, OpenInterest) and interest.exchange_ms < until_ms else None

    return read_rows(_STATISTICS, body, take)


def _read_figures(body: bytes, received_ms: int, *, instrument: Instrument) -> Reading[UnitFigures]:  # noqa: ARG001
    def take(row: Statistics) -> UnitFigures:
        coins = row.open_interest * instrument.contract_size
        return UnitFigures(
            instrument=instrument.instrument, coins=coins, price=row.mark_price, usd=row.open_interest_usd
        )

    return read_rows(_STATISTICS, body, take)


def _read_totals(body: bytes, received_ms: int, *, instrument: Instrument) -> Reading[Liquidation]:
    problems: list[FrameError] = []
    found = [
        told
        for row in _STATISTICS.read(list_in(body), problems)
        for told in statistics(row, instrument, received_ms)
        if isinstance(told, Liquidation)
    ]
    return Reading(rows=tuple(found), problems=tuple(problems))


def _read_bars(body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval) -> Reading[Kline]:
    def take(bar: _Bar) -> Kline:
        open_ms = milliseconds("t", bar.opened)
        return records.kline(
            instrument,
            (open_ms, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.contracts,
            notional_usd=bar.turnover,
            closed=is_over(open_ms, received_ms, interval),
        )

    return read_rows(_BAR_ROWS, body, take)


def _read_orders(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Liquidation]:
    """Executed is `|order_size| - |left|`, or `|size|` in answers without `order_size`."""

    def take(row: _Order) -> Liquidation | None:
        executed = abs(row.size) if row.order_size is None else abs(row.order_size) - abs(row.left)
        if (one := instruments.get(row.contract)) is None or executed <= 0:
            return None
        return records.liquidation(
            one,
            (milliseconds("time", row.time), received_ms),
            PositionSide.LONG if row.size > 0 else PositionSide.SHORT,
            size=executed,
            price=row.fill_price,
            price_kind=PriceKind.FILL,
            coverage=Coverage.COMPLETE,
        )

    return read_rows(_ORDER_ROWS, body, take)


def _limits(instruments: Instruments, offset: int) -> Query[MarginTiers]:
    call = _call("risk_limit_tiers", limit=str(_MARKETS_A_PAGE), offset=str(offset))
    return Query(call, partial(_read_limits, instruments=instruments, offset=offset))


def _read_limits(
    body: bytes,
    received_ms: int,  # noqa: ARG001
    *,
    instruments: Instruments,
    offset: int,
) -> Reading[MarginTiers]:
    """A page holds so many markets, with all their tiers; one with fewer is the last."""
    problems: list[FrameError] = []
    rows = _LIMITS.read(list_in(body), problems)
    tiers = (
        (
            row.contract,
            MarginTier(
                cap=row.risk_limit,
                maintenance_rate=row.maintenance_rate,
                max_leverage=row.leverage_max,
                deduction_usd=row.deduction,
            ),
        )
        for row in rows
    )
    full = len({row.contract for row in rows}) == _MARKETS_A_PAGE
    return Reading(
        rows=tiers_by_name(tiers, instruments),
        problems=tuple(problems),
        following=_limits(instruments, offset + _MARKETS_A_PAGE) if full else None,
    )
