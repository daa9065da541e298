"""Bitget USDT futures (v3): one topic brings the liquidations of all of them, the rest is subscribed symbol by symbol.

Source: exchanges.md 1.3, 1.4 and 7.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from actors.exchanges.bitget_frames import NAME, PRODUCT, BitgetDecoder
from actors.exchanges.bitget_trades import BitgetTrades
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

CATEGORY = ("category", "USDT-FUTURES")

_PATH = "/v3/ws/public"
_CHANNELS_A_SOCKET = 50  # the venue allows 1000 and advises fewer than 50 or so
_ARGS_A_FRAME = 25  # about 2 KB; 10 messages a second and 240 requests an hour are allowed
_TICKER_S = 15.0
_TRADE_S = 60.0


class _Row(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    status: str
    type: str = "perpetual"
    symbol_type: str = "crypto"
    is_rwa: str = "NO"
    launch_time: Any = None


class _Reply(msgspec.Struct, gc=False):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_ROWS = RowReader(_Row)


class Bitget:
    name = NAME
    # Pinged every 30 s, the venue closes after 2 minutes without; older pages give a connection 24 hours.
    keepalive = Keepalive(ping=b"ping", every_s=30.0, silent_s=65.0, max_age_s=23 * 3600.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path="/api/v3/market/instruments", params=(CATEGORY,))

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        try:
            reply = _REPLY.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        if reply.code != "00000":
            raise FrameError(f"instruments: expected code 00000, was {reply.code} {reply.msg}")
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(reply.data, problems):
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
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        wanted = [one.instrument for one in instruments if one.asset in assets]
        tickers = feeds & {Feed.MARK_PRICES, Feed.OPEN_INTEREST, Feed.FUNDING}
        args = [{"instType": PRODUCT, "topic": "liquidation"}] if Feed.LIQUIDATIONS in feeds else []
        if tickers:
            args += (_arg("ticker", name) for name in wanted)
        plans = _plans("public", args, tickers, _TICKER_S)
        if Feed.TRADES in feeds:
            trades = [_arg("publicTrade", name) for name in wanted]
            plans += _plans("trades", trades, frozenset({Feed.TRADES}), _TRADE_S)
        if Feed.KLINES in feeds:
            bars = [_arg("kline", name) | {"interval": "1m"} for name in wanted]
            plans += _plans("klines", bars, frozenset({Feed.KLINES}), _TRADE_S)
        return tuple(plans)

    def decoder(
        self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED
    ) -> BitgetDecoder:
        return BitgetDecoder(instruments, settled)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> BitgetTrades:
        return BitgetTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        if status == 451:
            return geo_blocked("Bitget")
        if status == 429 or _code_of(body) == "429":
            return wait("rate_limited", retry_after_s(headers, 5.0), "too many calls from this address")
        if status == 403:
            return wait("forbidden", 300.0, "Bitget refused us without saying why; see its answer in the log")
        return None


def _arg(topic: str, symbol: str) -> dict[str, str]:
    return {"instType": PRODUCT, "topic": topic, "symbol": symbol}


def _plans(name: str, args: Sequence[dict[str, str]], feeds: frozenset[Feed], data_within_s: float) -> list[SocketPlan]:
    """Share the arguments out; the liquidations of the whole product line stand first, so on the first socket."""
    plans = []
    for number, share in enumerate(chunks(args, _CHANNELS_A_SOCKET), start=1):
        topics = {arg["topic"] for arg in share}
        liquidations = frozenset({Feed.LIQUIDATIONS}) if "liquidation" in topics else frozenset()
        frames = (msgspec.json.encode({"op": "subscribe", "args": some}) for some in chunks(share, _ARGS_A_FRAME))
        plan = SocketPlan(
            name=f"{name}-{number}",
            path=_PATH,
            subscribe=tuple(frames),
            acks=len(share),  # every argument is answered by itself
            data_within_s=data_within_s if topics - {"liquidation"} else None,
            brings_liquidations=bool(liquidations),
            feeds=liquidations | (feeds if topics - {"liquidation"} else frozenset()),
        )
        plans.append(plan)
    return plans


def _code_of(body: bytes) -> str:
    try:
        return _REPLY.decode(body).code
    except UNDECODABLE:
        return ""


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: dated, quote, not online, or not a coin, which `isRwa` tells best."""
    if row.type != "perpetual":
        return f"contract_{row.type}"
    if row.quote_coin != "USDT":
        return f"quote_{row.quote_coin.lower()}"
    if row.status != "online":
        return f"status_{row.status}"
    if row.symbol_type != "crypto":
        return f"type_{row.symbol_type}"
    return "rwa" if row.is_rwa != "NO" else None
