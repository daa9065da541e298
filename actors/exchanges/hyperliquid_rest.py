"""Hyperliquid by REST: one call brings mark, open interest and turnover of all. Source: exchanges.md 5.1."""

from functools import partial
from math import inf

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
from actors.exchanges.wire import UNDECODABLE, EpochMs, NonNegative, Positive, RowReader, pieces_of, problem_in
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Kline, Liquidation, OpenInterest

_META_WEIGHT = 20
_BARS = 1200  # of the 5000 last ones; a weight of 20 and 1 for each 60 rows
_ROWS_A_WEIGHT = 60


class _Coin(msgspec.Struct, gc=False, rename="camel"):
    name: str
    max_leverage: Positive
    margin_table_id: int | None = None


class _TableTier(msgspec.Struct, gc=False, rename="camel"):
    lower_bound: NonNegative
    max_leverage: Positive


class _Table(msgspec.Struct, gc=False, rename="camel"):
    margin_tiers: list[_TableTier]


class _Meta(msgspec.Struct, gc=False, rename="camel"):
    universe: msgspec.Raw
    margin_tables: list[tuple[int, _Table]] = []


class _Context(msgspec.Struct, gc=False, rename="camel"):
    mark_px: Positive
    open_interest: NonNegative
    day_ntl_vlm: NonNegative


class _Bar(msgspec.Struct, gc=False):
    t: EpochMs
    o: Positive
    c: Positive
    h: Positive
    l: Positive  # noqa: E741  # the venue's name
    v: NonNegative


_META = msgspec.json.Decoder(_Meta, strict=False)
_BOTH = msgspec.json.Decoder(tuple[_Meta, msgspec.Raw], strict=False)
_COINS = RowReader(_Coin)
_CONTEXT = msgspec.json.Decoder(_Context, strict=False)
_BAR_ROWS = RowReader(_Bar)


class HyperliquidData:
    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        return (Query(_info("metaAndAssetCtxs"), partial(_read_interests, instruments=instruments)),)

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
                _candles(instrument, start, end, interval),
                partial(_read_bars, instrument=instrument, interval=interval, span=(start, end)),
            )
            for start, end in windows(since_ms, until_ms, _BARS, INTERVAL_MS[interval])
        )

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]:
        return (Query(_info("metaAndAssetCtxs"), partial(_read_turnover, instruments=instruments)),)

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]:
        return (Query(_info("meta"), partial(_read_tiers, instruments=instruments)),)

    def liquidations(
        self,
        instruments: Instruments,  # noqa: ARG002
        since_ms: int,  # noqa: ARG002
        until_ms: int,  # noqa: ARG002
    ) -> tuple[Query[Liquidation], ...]:
        return ()


def _info(kind: str) -> RestCall:
    body = msgspec.json.encode({"type": kind})
    return RestCall(path="/info", method="POST", body=body, weight=_META_WEIGHT)


def _candles(instrument: Instrument, start_ms: int, end_ms: int, interval: Interval) -> RestCall:
    span = {"startTime": start_ms, "endTime": end_ms - 1}
    request = {"coin": instrument.instrument, "interval": interval, **span}
    bars = (end_ms - start_ms) // INTERVAL_MS[interval]
    return RestCall(
        path="/info",
        method="POST",
        body=msgspec.json.encode({"type": "candleSnapshot", "req": request}),
        weight=_META_WEIGHT + -(-bars // _ROWS_A_WEIGHT),
    )


def _contexts(body: bytes, problems: list[FrameError]) -> list[tuple[str, _Context]]:
    """Pair the coins with their contexts, which stand in the same order; a context that cannot be read is told."""
    try:
        meta, contexts = _BOTH.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    coins, rows = pieces_of(meta.universe, problems), pieces_of(contexts, problems)
    if len(coins) != len(rows):
        raise FrameError(f"metaAndAssetCtxs: expected as many contexts as coins ({len(coins)}), were {len(rows)}")
    pairs = []
    for coin, row in zip(coins, rows, strict=True):
        try:
            pairs.append((msgspec.json.decode(coin, type=_Coin, strict=False).name, _CONTEXT.decode(row)))
        except UNDECODABLE as error:
            problems.append(problem_in(row, error))
    return pairs


def _read_interests(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[OpenInterest]:
    """Contexts carry no time: that of receipt stands for it."""
    problems: list[FrameError] = []
    times = (received_ms, received_ms)
    found = tuple(
        records.open_interest(one, times, size=row.open_interest, price=row.mark_px, uncertain="sides")
        for name, row in _contexts(body, problems)
        if (one := instruments.get(name)) is not None
    )
    return Reading(rows=found, problems=tuple(problems))


def _read_turnover(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[Turnover]:
    problems: list[FrameError] = []
    found = tuple(
        turnover(one, received_ms, usd_24h=row.day_ntl_vlm, price=row.mark_px)
        for name, row in _contexts(body, problems)
        if (one := instruments.get(name)) is not None
    )
    return Reading(rows=found, problems=tuple(problems))


def _read_bars(
    body: bytes, received_ms: int, *, instrument: Instrument, interval: Interval, span: tuple[int, int]
) -> Reading[Kline]:
    def take(bar: _Bar) -> Kline | None:
        if not span[0] <= bar.t < span[1]:
            return None
        return records.kline(
            instrument,
            (bar.t, received_ms),
            interval,
            ohlc=(bar.o, bar.h, bar.l, bar.c),
            size=bar.v,
            notional_usd=None,
            closed=is_over(bar.t, received_ms, interval),
        )

    return read_rows(_BAR_ROWS, body, take)


def _read_tiers(body: bytes, received_ms: int, *, instruments: Instruments) -> Reading[MarginTiers]:  # noqa: ARG001
    """Maintenance is half of the initial margin at the leverage allowed in each tier; sizes are US dollars."""
    try:
        meta = _META.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    tables = {number: table.margin_tiers for number, table in meta.margin_tables}
    problems: list[FrameError] = []
    rows: list[tuple[str, MarginTier]] = []
    for coin in _COINS.read(meta.universe, problems):
        tiers = tables.get(coin.margin_table_id) if coin.margin_table_id is not None else None
        tiers = tiers or [_TableTier(0.0, coin.max_leverage)]
        caps = [tier.lower_bound for tier in tiers[1:]] + [inf]
        rows += (
            (coin.name, MarginTier(cap=cap, maintenance_rate=0.5 / tier.max_leverage, max_leverage=tier.max_leverage))
            for tier, cap in zip(tiers, caps, strict=True)
        )
    return Reading(rows=tiers_by_name(rows, instruments), problems=tuple(problems))
