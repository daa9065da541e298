"""Deribit by REST: open interest and turnover by currency, bars by contract. Source: exchanges.md 8."""

from collections.abc import Mapping
from functools import partial

import msgspec

from actors.exchanges import records
from actors.exchanges.deribit import API, currencies, result_of
from actors.exchanges.deribit_frames import SUMMARIES, Summary, summary_interest
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.queries import (
    Instruments,
    Query,
    Reading,
    Turnover,
    is_over,
    read_rows,
    turnover,
    windows,
)
from actors.exchanges.wire import UNDECODABLE, EpochMs, NonNegative, Positive, problem_in
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTiers
from intelligence.market import Kline, Liquidation, OpenInterest

_RESOLUTIONS: Mapping[Interval, str] = {"1m": "1", "1h": "60", "1d": "1D"}
_BARS = 4000  # the venue cuts at about 5000 without a word


class _Chart(msgspec.Struct, gc=False):
    """One list for each field; `no_data` comes with empty ones."""

    ticks: list[EpochMs]
    open: list[Positive]
    high: list[Positive]
    low: list[Positive]
    close: list[Positive]
    volume: list[NonNegative]
    cost: list[NonNegative]


_CHART = msgspec.json.Decoder(_Chart)


class DeribitData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        read = partial(_read_interests, instruments=instruments)
        return tuple(Query(call, read) for call in _summary_calls(instruments))

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
                RestCall(
                    path=f"{API}/get_tradingview_chart_data",
                    params=(
                        ("instrument_name", instrument.instrument),
                        ("start_timestamp", str(start)),
                        ("end_timestamp", str(end - 1)),
                        ("resolution", _RESOLUTIONS[interval]),
                    ),
                ),
                partial(_read_bars, instrument=instrument, interval=interval),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        read = partial(_read_turnover, instruments=instruments)
        return tuple(Query(call, read) for call in _summary_calls(instruments))

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:  # noqa: ARG002
        """None are published."""
        return ()

    def liquidations(
        self,
        instruments: Instruments,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[Liquidation], ...]:
        return ()


def _summary_calls(instruments: Instruments) -> list[RestCall]:
    return [
        RestCall(path=f"{API}/get_book_summary_by_currency", params=(("currency", currency), ("kind", "future")))
        for currency in currencies(instruments.values())
    ]


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    def take(row: Summary) -> OpenInterest | None:
        one = instruments.get(row.name)
        return None if one is None else summary_interest(row, one, received_ms)

    return read_rows(SUMMARIES, result_of(body), take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    def take(row: Summary) -> Turnover | None:
        if (one := instruments.get(row.name)) is None or row.volume_usd is None:
            return None
        price = row.last or row.mark_price
        if price is None or price <= 0:
            raise FrameError(f"{row.name}: expected a positive last or mark_price, was {price}")
        return turnover(one, received_ms, usd_24h=row.volume_usd, price=price)

    return read_rows(SUMMARIES, result_of(body), take)


def _read_bars(body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval) -> Reading[Kline]:
    raw = result_of(body)
    try:
        chart = _CHART.decode(raw)
    except UNDECODABLE as error:
        raise problem_in(raw, error) from error
    columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume, chart.cost)
    if len({len(column) for column in columns}) != 1:
        raise FrameError(f"chart: expected columns of one length, were {[len(column) for column in columns]}")
    bars = tuple(
        records.kline(
            instrument,
            (tick, received_ms),
            interval,
            ohlc=(opened, high, low, close),
            size=volume,
            notional_usd=cost,
            closed=is_over(tick, received_ms, interval),
        )
        for tick, opened, high, low, close, volume, cost in zip(*columns, strict=True)
    )
    return Reading(rows=bars)
