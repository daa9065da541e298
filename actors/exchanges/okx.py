"""OKX swaps: one topic brings the liquidations of all of them, mark prices are subscribed contract by contract.

Source: exchanges.md 1.3, 1.4 and 4.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

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
from actors.exchanges.okx_frames import LIQUIDATIONS, MARK_PRICE, NAME, OkxDecoder
from actors.exchanges.okx_trades import OkxTrades
from actors.exchanges.wire import (
    UNDECODABLE,
    Positive,
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

_PATH = "/ws/v5/public"
_BUSINESS = "/ws/v5/business"  # candles are here only
_INSTRUMENTS = "/api/v5/public/instruments"

ARGS_BYTES = 64_000  # 64 KB of one connection, over all its subscribe frames
_ARGS_A_FRAME = 100  # 480 subscribe operations an hour and connection: four frames leave room to reconnect
_TRADE_S = 60.0
_QUIET_MARK_S = 15.0  # an unchanged mark price is repeated every 10 s

_QUOTES = ("USDT", "USDC")

# What is asked for contract by contract on the public sockets, beside the trades.
_CHANNELS = (
    (Feed.MARK_PRICES, MARK_PRICE),
    (Feed.FUNDING, "funding-rate"),
    (Feed.OPEN_INTEREST, "open-interest"),
)
_FEEDS = {channel: feed for feed, channel in _CHANNELS} | {
    LIQUIDATIONS: Feed.LIQUIDATIONS,
    "trades": Feed.TRADES,
    "candle1m": Feed.KLINES,
}

_TOO_MANY_REQUESTS = "50011"
_BUSY = ("50001", "50013", "50026")


class _Row(msgspec.Struct, gc=False, rename="camel"):
    """`inst_family`, `rule_type` and `inst_category` were added after 2022; `uly` is the older name of the first."""

    inst_id: str
    inst_type: str
    ct_type: str
    ct_val: str
    ct_mult: str
    settle_ccy: str
    state: str
    uly: str
    inst_family: str = ""
    rule_type: str = "normal"
    inst_category: str = "1"
    list_time: Any = None


class _Reply(msgspec.Struct, gc=False):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_ROWS = RowReader(_Row)


class Okx:
    name = NAME
    # The venue closes after 30 s without data; pongs come every 15 s. No age is documented: renewed once a week, and
    # a planned close is announced.
    keepalive = Keepalive(ping=b"ping", every_s=15.0, silent_s=30.0, max_age_s=7 * 86_400.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path=_INSTRUMENTS, params=(("instType", "SWAP"),))

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        try:
            reply = _REPLY.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        if reply.code != "0":
            raise FrameError(f"instruments: expected code 0, was {reply.code} {reply.msg}")
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(reply.data, problems):
            if reason := _why_not(row):
                left_out[reason] += 1
                continue
            try:
                usable.append(_instrument(row))
            except UNDECODABLE as error:
                problems.append(FrameError(f"{row.inst_id}: {error}"))
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        wanted = [one.instrument for one in instruments if one.asset in assets]
        args = [{"channel": LIQUIDATIONS, "instType": "SWAP"}] if Feed.LIQUIDATIONS in feeds else []
        for feed, channel in _CHANNELS:
            if feed in feeds:
                args += _args(channel, wanted)
        plans = [_plan(f"public-{n}", _PATH, share) for n, share in enumerate(_shares(args), start=1)]
        if Feed.TRADES in feeds:
            shares = _shares(_args("trades", wanted))
            plans += [_plan(f"trades-{n}", _PATH, share) for n, share in enumerate(shares, start=1)]
        if Feed.KLINES in feeds:
            shares = _shares(_args("candle1m", wanted))
            plans += [_plan(f"klines-{n}", _BUSINESS, share) for n, share in enumerate(shares, start=1)]
        return tuple(plans)

    def decoder(
        self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED
    ) -> OkxDecoder:
        return OkxDecoder(instruments, settled)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> OkxTrades:
        return OkxTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        """Judge by `code` too: OKX answers "too many requests" with HTTP 200 as well."""
        code = _code_of(body)
        if status == 451:
            return geo_blocked("OKX")
        if code in _BUSY:
            return wait("busy", retry_after_s(headers, 10.0), f"OKX is overloaded or under maintenance (code {code})")
        if status == 429 or code == _TOO_MANY_REQUESTS:
            return wait("rate_limited", retry_after_s(headers, 2.0), "too many calls from this address")
        if status == 403:
            return wait("forbidden", 300.0, "OKX refused us without saying why; see its answer in the log")
        return None


def _args(channel: str, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"channel": channel, "instId": name} for name in names]


def _plan(name: str, path: str, args: Sequence[dict[str, str]]) -> SocketPlan:
    frames = tuple(msgspec.json.encode({"op": "subscribe", "args": some}) for some in chunks(args, _ARGS_A_FRAME))
    feeds = frozenset(_FEEDS[arg["channel"]] for arg in args)
    patience_s = _QUIET_MARK_S if Feed.MARK_PRICES in feeds else _TRADE_S
    return SocketPlan(
        name=name,
        path=path,
        subscribe=frames,
        acks=len(args),  # every argument is answered by itself
        data_within_s=patience_s if feeds - {Feed.LIQUIDATIONS} else None,
        brings_liquidations=Feed.LIQUIDATIONS in feeds,
        feeds=feeds,
    )


def _shares(args: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Split the arguments so that each socket keeps to `ARGS_BYTES`, in order."""
    shares: list[list[dict[str, str]]] = []
    room = 0
    for arg in args:
        size = len(msgspec.json.encode(arg)) + len(",")
        if size > room:
            shares.append([])
            room = ARGS_BYTES
        shares[-1].append(arg)
        room -= size
    return shares


def _instrument(row: _Row) -> Instrument:
    asset, multiplier = unit_of(_base(row))
    value, factor = (msgspec.convert(text, Positive, strict=False) for text in (row.ct_val, row.ct_mult))
    return Instrument(
        venue=NAME,
        instrument=row.inst_id,
        asset=asset,
        contract_size=value * factor,
        multiplier=multiplier,
        listed_ms=listing_time(row.list_time),
    )


def _base(row: _Row) -> str:
    return (row.inst_family or row.uly).partition("-")[0]


def _code_of(body: bytes) -> str:
    try:
        return _REPLY.decode(body).code
    except UNDECODABLE:
        return ""


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: inverse, settled in a coin, not live, before its listing, or not a coin."""
    if row.inst_type != "SWAP" or row.ct_type != "linear":
        return f"contract_{row.ct_type or row.inst_type.lower()}"
    if row.settle_ccy not in _QUOTES:
        return f"settled_in_{row.settle_ccy.lower()}"
    if row.state != "live":
        return f"state_{row.state}"
    if row.rule_type != "normal":
        return f"rule_{row.rule_type}"
    return f"category_{row.inst_category}" if row.inst_category != "1" else None
