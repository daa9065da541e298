"""OKX swaps by REST: one call each brings open interest and turnover of all. Source: exchanges.md 4.2."""

from collections.abc import Mapping
from functools import partial

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.queries import (
    Instruments,
    Query,
    Reading,
    Turnover,
    read_rows,
    tiers_by_name,
    turnover,
    windows,
)
from actors.exchanges.units import UnitFigures
from actors.exchanges.wire import UNDECODABLE, EpochMs, NonNegative, Positive, RowReader, chunks, problem_in
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Kline, Liquidation, OpenInterest

_SWAPS = ("instType", "SWAP")
_BARS = 300
_BAR_NAMES: Mapping[Interval, str] = {"1m": "1m", "1h": "1H", "1d": "1Dutc"}
_POINTS = 100
_FIVE_MINUTES_MS = 300_000
_FAMILIES_A_CALL = 5


class _Reply(msgspec.Struct, gc=False):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Interest(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instId")
    contracts: NonNegative = msgspec.field(name="oi")
    ts: EpochMs
    usd: NonNegative | None = msgspec.field(name="oiUsd", default=None)


class _Mark(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instId")
    price: Positive = msgspec.field(name="markPx")


class _Point(msgspec.Struct, gc=False, array_like=True):
    ts: EpochMs
    contracts: NonNegative
    coins: NonNegative
    usd: NonNegative


class _Ticker(msgspec.Struct, gc=False):
    """`volCcy24h` counts base coins for swaps."""

    name: str = msgspec.field(name="instId")
    last: Positive
    coins: NonNegative = msgspec.field(name="volCcy24h")


class _Bar(msgspec.Struct, gc=False, array_like=True):
    ts: EpochMs
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    contracts: NonNegative
    coins: NonNegative
    turnover: NonNegative
    closed: bool


class _Tier(msgspec.Struct, gc=False, rename="camel"):
    max_sz: Positive
    mmr: NonNegative
    max_lever: Positive
    inst_family: str = ""
    inst_id: str = ""


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_INTERESTS = RowReader(_Interest)
_MARKS = RowReader(_Mark)
_POINT_ROWS = RowReader(_Point)
_TICKERS = RowReader(_Ticker)
_BAR_ROWS = RowReader(_Bar)
_TIERS = RowReader(_Tier)


class OkxData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        call = RestCall(path="/api/v5/public/open-interest", params=(_SWAPS,))
        return (Query(call, partial(_read_interests, instruments=instruments)),)

    def open_interest_history(
        self, instrument: Instrument, since_ms: int, until_ms: int
    ) -> tuple[Query[OpenInterest], ...]:
        """At most 1440 points back; `begin` and `end` themselves are not part of the answer."""
        path = "/api/v5/rubik/stat/contracts/open-interest-history"
        return tuple(
            Query(
                RestCall(
                    path=path,
                    params=(
                        ("instId", instrument.instrument),
                        ("period", "5m"),
                        ("begin", str(start - 1)),
                        ("end", str(end)),
                        ("limit", str(_POINTS)),
                    ),
                ),
                partial(_read_points, instrument=instrument),
            )
            for start, end in windows(since_ms, until_ms, _POINTS, _FIVE_MINUTES_MS)
        )

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        """The newest 1440 bars of each length; `before` asks for later and `after` for earlier ones, themselves left out."""
        return tuple(
            Query(
                RestCall(
                    path="/api/v5/market/candles",
                    params=(
                        ("instId", instrument.instrument),
                        ("bar", _BAR_NAMES[interval]),
                        ("before", str(start - 1)),
                        ("after", str(end)),
                        ("limit", str(_BARS)),
                    ),
                ),
                partial(_read_bars, instrument=instrument, interval=interval),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        call = RestCall(path="/api/v5/market/tickers", params=(_SWAPS,))
        return (Query(call, partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        families = {name.removesuffix("-SWAP"): one for name, one in instruments.items()}
        return tuple(
            Query(
                RestCall(
                    path="/api/v5/public/position-tiers",
                    params=(_SWAPS, ("tdMode", "cross"), ("instFamily", ",".join(share))),
                ),
                partial(_read_tiers, instruments=instruments),
            )
            for share in chunks(list(families), _FAMILIES_A_CALL)
        )

    def liquidations(
        self,
        instruments: Instruments,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[Liquidation], ...]:
        """None: the old endpoint is gone from the documents."""
        return ()

    def unit_figures(self, instruments: Instruments) -> tuple[Query[UnitFigures], ...]:
        """Open interest and mark prices of all, right after one another."""
        interest = RestCall(path="/api/v5/public/open-interest", params=(_SWAPS,))
        marks = RestCall(path="/api/v5/public/mark-price", params=(_SWAPS,))
        return (
            Query(interest, partial(_read_sizes, instruments=instruments)),
            Query(marks, partial(_read_prices, instruments=instruments)),
        )


def _data(body: bytes) -> msgspec.Raw:
    try:
        reply = _REPLY.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if reply.code != "0":
        raise FrameError(f"expected code 0, was {reply.code} {reply.msg}")
    return reply.data


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    def take(row: _Interest) -> OpenInterest | None:
        if (one := instruments.get(row.name)) is None:
            return None
        times = (row.ts, received_ms)
        return records.open_interest(one, times, size=row.contracts, notional_usd=row.usd, uncertain="sides")

    return read_rows(_INTERESTS, _data(body), take)


def _read_sizes(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[UnitFigures]:  # noqa: ARG001
    def take(row: _Interest) -> UnitFigures | None:
        if (one := instruments.get(row.name)) is None:
            return None
        return UnitFigures(instrument=row.name, coins=row.contracts * one.contract_size, usd=row.usd)

    return read_rows(_INTERESTS, _data(body), take)


def _read_prices(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[UnitFigures]:  # noqa: ARG001
    def take(row: _Mark) -> UnitFigures | None:
        return UnitFigures(instrument=row.name, price=row.price) if row.name in instruments else None

    return read_rows(_MARKS, _data(body), take)


def _read_points(body: bytes, received_ms: int, *, instrument: Instrument) -> Reading[OpenInterest]:
    def take(row: _Point) -> OpenInterest:
        times = (row.ts, received_ms)
        return records.open_interest(instrument, times, size=row.contracts, notional_usd=row.usd, uncertain="sides")

    return read_rows(_POINT_ROWS, _data(body), take)


def _read_bars(body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval) -> Reading[Kline]:
    def take(bar: _Bar) -> Kline:
        return records.kline(
            instrument,
            (bar.ts, received_ms),
            interval,
            ohlc=(bar.open, bar.high, bar.low, bar.close),
            size=bar.contracts,
            notional_usd=bar.turnover,
            closed=bar.closed,
        )

    return read_rows(_BAR_ROWS, _data(body), take)


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    def take(row: _Ticker) -> Turnover | None:
        if (one := instruments.get(row.name)) is None:
            return None
        return turnover(one, received_ms, usd_24h=row.coins * row.last, price=row.last)

    return read_rows(_TICKERS, _data(body), take)


def _read_tiers(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[MarginTiers]:  # noqa: ARG001
    def take(row: _Tier) -> tuple[str, MarginTier] | None:
        name = f"{row.inst_family or row.inst_id}-SWAP"
        if (one := instruments.get(name)) is None:
            return None
        coins = row.max_sz * one.contract_size * one.multiplier
        return name, MarginTier(cap=coins, maintenance_rate=row.mmr, max_leverage=row.max_lever)

    reading = read_rows(_TIERS, _data(body), take)
    return Reading(rows=tiers_by_name(reading.rows, instruments, "coins"), problems=reading.problems)
