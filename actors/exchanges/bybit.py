"""Bybit v5 linear perpetuals: one liquidation topic for each symbol, dealt over as many sockets as their names need.

Source: exchanges.md 1.3, 1.4 and 3.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from actors.exchanges.bybit_frames import NAME, BybitDecoder
from actors.exchanges.bybit_trades import BybitTrades
from actors.exchanges.exchange import (
    CORE_FEEDS,
    NOTHING_SETTLED,
    Feed,
    FrameError,
    Instrument,
    InstrumentPage,
    Keepalive,
    Refusal,
    RestCall,
    SocketPlan,
)
from actors.exchanges.wire import (
    UNDECODABLE,
    RowReader,
    chunks,
    counted,
    geo_blocked,
    listing_time,
    problem_in,
    retry_after_s,
    wait,
)
from intelligence.assets import unit_of

_PATH = "/v5/public/linear"
_INSTRUMENTS = "/v5/market/instruments-info"
_PAGE = (("category", "linear"), ("limit", "1000"))

ARGS_CHARS = 21_000  # of one connection, over all its subscribe frames
_TOPICS_A_FRAME = 25  # one bad topic can fail its whole frame
_TRADE_S = 60.0
_FIRST_TICKER_S = 10.0  # a ticker is pushed whole right after its subscription

_QUOTES = ("USDT", "USDC")
_NOT_CRYPTO = ("stock", "commodity", "forex")

_TOO_FREQUENT_S = 600.0  # "stop all calls for 10 minutes or more"
_TOO_MANY_VISITS = 10006
_GEO_CODES = (10009, 10024)


class _Row(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_coin: str
    quote_coin: str
    is_pre_listing: bool = False
    symbol_type: str = ""
    launch_time: Any = None


class _Result(msgspec.Struct, gc=False):
    rows: msgspec.Raw = msgspec.field(name="list", default=msgspec.Raw())
    cursor: str = msgspec.field(name="nextPageCursor", default="")


class _Reply(msgspec.Struct, gc=False):
    code: int = msgspec.field(name="retCode")
    message: str = msgspec.field(name="retMsg", default="")
    result: msgspec.Raw = msgspec.Raw()


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_RESULT = msgspec.json.Decoder(_Result, strict=False)
_ROWS = RowReader(_Row)


class Bybit:
    name = NAME
    # Pongs come every 20 s, so 45 s of nothing are two that were missed. No age is documented: renewed once a week.
    keepalive = Keepalive(ping=b'{"op":"ping"}', every_s=20.0, silent_s=45.0, max_age_s=7 * 86_400.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path=_INSTRUMENTS, params=_PAGE)

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        try:
            reply = _REPLY.decode(body)
            if reply.code:
                raise FrameError(f"instruments-info: expected retCode 0, was {reply.code} {reply.message}")
            result = _RESULT.decode(reply.result)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(result.rows, problems):
            if reason := _why_not(row):
                left_out[reason] += 1
            else:
                asset, multiplier = unit_of(row.base_coin)
                usable.append(
                    Instrument(
                        venue=NAME,
                        instrument=row.symbol,
                        asset=asset,
                        multiplier=multiplier,
                        listed_ms=listing_time(row.launch_time),
                    )
                )
        following = RestCall(path=_INSTRUMENTS, params=(*_PAGE, ("cursor", result.cursor))) if result.cursor else None
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems), following=following)

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        listed = tuple(instruments)
        wanted = [one.instrument for one in listed if one.asset in assets]
        topics = [f"allLiquidation.{one.instrument}" for one in listed] if Feed.LIQUIDATIONS in feeds else []
        tickers = feeds & {Feed.MARK_PRICES, Feed.OPEN_INTEREST, Feed.FUNDING}
        if tickers:  # they carry all three
            topics += [f"tickers.{name}" for name in wanted]
        plans = [_plan(f"linear-{n}", dealt, tickers) for n, dealt in enumerate(_deal(topics), start=1)]
        for feed, topic in ((Feed.TRADES, "publicTrade"), (Feed.KLINES, "kline.1")):
            if feed in feeds:
                hands = _deal([f"{topic}.{name}" for name in wanted])
                plans += [_plan(f"{feed}-{n}", dealt, frozenset({feed})) for n, dealt in enumerate(hands, start=1)]
        return tuple(plans)

    def decoder(
        self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED
    ) -> BybitDecoder:
        return BybitDecoder(instruments, settled)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> BybitTrades:
        return BybitTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        code = _code_of(body)
        text = body[:4096].lower()
        if code in _GEO_CODES or status == 451 or (status == 403 and b"from your country" in text):
            return geo_blocked("Bybit")
        if status == 403 and b"access too frequent" in text:
            return wait("rate_limited", _TOO_FREQUENT_S, "too many calls; Bybit wants ten minutes without any")
        if status == 403:
            return wait("forbidden", _TOO_FREQUENT_S, "Bybit refused us without saying why; see its answer in the log")
        if status == 429 or code == _TOO_MANY_VISITS:
            return wait("rate_limited", retry_after_s(headers, 5.0), "too many calls from this address")
        return None


def _plan(name: str, topics: Sequence[str], feeds: frozenset[Feed]) -> SocketPlan:
    frames = tuple(msgspec.json.encode({"op": "subscribe", "args": some}) for some in chunks(topics, _TOPICS_A_FRAME))
    liquidations = any(topic.startswith("allLiquidation.") for topic in topics)
    has_ticker = any(topic.startswith("tickers.") for topic in topics)
    speaks = frozenset() if liquidations and not has_ticker else feeds
    patience_s = _FIRST_TICKER_S if has_ticker else _TRADE_S
    return SocketPlan(
        name=name,
        path=_PATH,
        subscribe=frames,
        acks=len(frames),
        data_within_s=patience_s if speaks else None,
        brings_liquidations=liquidations,
        feeds=speaks | ({Feed.LIQUIDATIONS} if liquidations else set()),
    )


def _deal(topics: Sequence[str]) -> list[list[str]]:
    """Deal the topics over the fewest sockets that keep to `ARGS_CHARS`.

    By checksum, so that a new listing changes one socket and not all behind it.
    """
    if not topics:
        return []
    for sockets in count(1 + sum(map(_chars, topics)) // ARGS_CHARS):
        hands: list[list[str]] = [[] for _ in range(sockets)]
        for topic in topics:
            hands[zlib.crc32(topic.encode()) % sockets].append(topic)
        if all(sum(map(_chars, hand)) <= ARGS_CHARS for hand in hands):
            return [hand for hand in hands if hand]
    raise AssertionError("count never ends")


def _chars(topic: str) -> int:
    return len(topic) + len('"",')


def _code_of(body: bytes) -> int:
    try:
        return _REPLY.decode(body).code
    except UNDECODABLE:
        return 0


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: dated, not trading, before its listing, quote, or a share in disguise."""
    if row.contract_type != "LinearPerpetual":
        return f"contract_{row.contract_type.lower()}"
    if row.status != "Trading":
        return f"status_{row.status.lower()}"
    if row.is_pre_listing:
        return "pre_listing"
    if row.quote_coin not in _QUOTES:
        return f"quote_{row.quote_coin.lower()}"
    return f"type_{row.symbol_type}" if row.symbol_type in _NOT_CRYPTO else None
