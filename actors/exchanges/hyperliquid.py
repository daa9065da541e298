"""Hyperliquid: one endpoint that is asked by POST, and one subscription for each coin and kind of data.

Source: exchanges.md 1.3, 1.4 and 5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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
from actors.exchanges.hyperliquid_frames import NAME, HyperliquidDecoder, from_coin
from actors.exchanges.hyperliquid_trades import HyperliquidTrades
from actors.exchanges.wire import UNDECODABLE, chunks, counted, geo_blocked, pieces_of, problem_in, retry_after_s, wait

_PATH = "/ws"
_SUBSCRIPTIONS_A_SOCKET = 300  # 1000 over all sockets, and 10 sockets
_CONTEXT_S = 15.0
_TRADE_S = 60.0
_MINUTE_S = 60.0  # weights are counted by the minute


class _Row(msgspec.Struct, gc=False, rename="camel"):
    name: str
    is_delisted: bool = False


class _Meta(msgspec.Struct, gc=False):
    universe: msgspec.Raw


_META = msgspec.json.Decoder(_Meta)
_ROW = msgspec.json.Decoder(_Row)


class Hyperliquid:
    name = NAME
    # The server closes what it has sent nothing to for a minute; two pings of 30 s. No age is documented: a week.
    keepalive = Keepalive(ping=b'{"method":"ping"}', every_s=30.0, silent_s=65.0, max_age_s=7 * 86_400.0)

    def instruments_call(self) -> RestCall:
        return info({"type": "meta"}, weight=20)

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        """Read `meta`. A row keeps its place whether it is usable or not, because pushes name contracts by place."""
        try:
            meta = _META.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for place, raw in enumerate(pieces_of(meta.universe, problems)):
            try:
                row = _ROW.decode(raw)
            except UNDECODABLE as error:
                problems.append(problem_in(raw, error))
                continue
            if row.is_delisted:
                left_out["delisted"] += 1
            elif (one := from_coin(row.name)) is None:
                left_out["other_market"] += 1
            else:
                usable.append(msgspec.structs.replace(one, place=place))
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        """Plan contexts by coin rather than all at once, because the latter names coins by their place only."""
        coins = [one.instrument for one in instruments if one.asset in assets]
        plans = []
        if contexts := feeds & {Feed.MARK_PRICES, Feed.OPEN_INTEREST, Feed.FUNDING}:
            plans += _plans("contexts", {"type": "activeAssetCtx"}, coins, contexts, _CONTEXT_S)
        if Feed.TRADES in feeds:
            plans += _plans("trades", {"type": "trades"}, coins, frozenset({Feed.TRADES}), _TRADE_S)
        if Feed.KLINES in feeds:
            bars = {"type": "candle", "interval": "1m"}
            plans += _plans("klines", bars, coins, frozenset({Feed.KLINES}), _TRADE_S)
        return tuple(plans)

    def decoder(
        self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED
    ) -> HyperliquidDecoder:
        return HyperliquidDecoder(instruments, settled)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> HyperliquidTrades:
        return HyperliquidTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:  # noqa: ARG002
        match status:
            case 451:
                return geo_blocked("Hyperliquid")
            case 429:
                return wait("rate_limited", retry_after_s(headers, _MINUTE_S), "too many calls from this address")
            case 403:
                return wait("forbidden", 300.0, "Hyperliquid refused us without saying why; see its answer in the log")
        return None


def info(question: Mapping[str, object], *, weight: int) -> RestCall:
    body = msgspec.json.encode(question)
    return RestCall(path="/info", method="POST", body=body, weight=weight)


def _plans(
    name: str, what: Mapping[str, str], coins: Sequence[str], feeds: frozenset[Feed], data_within_s: float
) -> list[SocketPlan]:
    return [
        SocketPlan(
            name=f"{name}-{number}",
            path=_PATH,
            subscribe=tuple(
                msgspec.json.encode({"method": "subscribe", "subscription": {**what, "coin": coin}}) for coin in share
            ),
            acks=len(share),
            data_within_s=data_within_s,
            brings_liquidations=False,
            feeds=feeds,
        )
        for number, share in enumerate(chunks(coins, _SUBSCRIPTIONS_A_SOCKET), start=1)
    ]
