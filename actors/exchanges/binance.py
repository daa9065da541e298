"""Binance USD-M futures: one socket brings every liquidation and every mark price.

Source: exchanges.md 1.3, 1.4 and 2.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from actors.exchanges.binance_frames import NAME, QUOTES, BinanceDecoder
from actors.exchanges.binance_trades import BinanceTrades
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

_LIQUIDATIONS = "!forceOrder@arr"
_MARK_PRICES = "!markPrice@arr@1s"
_PATH = "/market/stream"
_STREAMS_A_SOCKET = 200  # the venue allows 1024 and allowed 200 until 2025-07
_STREAMS_A_FRAME = 50  # 10 messages a second are allowed
_MARK_S = 5.0
_TRADE_S = 60.0
_BAN_S = 120.0  # the shortest ban; a 418 without Retry-After
_MINUTE_S = 60.0  # windows of the weight limit end with the minute
_FIREWALL_S = 300.0


class _Row(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    underlying_type: str = "COIN"
    onboard_date: Any = None


class _Listing(msgspec.Struct, gc=False):
    symbols: msgspec.Raw = msgspec.Raw()
    msg: str = "a reply without symbols"


_LISTING = msgspec.json.Decoder(_Listing, strict=False)
_ROWS = RowReader(_Row)


class Binance:
    name = NAME
    # The server pings every 3 minutes, but mark prices come every second: half a minute of nothing is a dead socket.
    # A connection lives 24 hours; the official connector renews at 23.
    keepalive = Keepalive(ping=None, every_s=180.0, silent_s=30.0, max_age_s=23 * 3600.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path="/fapi/v1/exchangeInfo")

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        try:
            listing = _LISTING.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        if not bytes(listing.symbols):
            raise FrameError(f"exchangeInfo: expected a list of symbols, was {listing.msg}")
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(listing.symbols, problems):
            if reason := _why_not(row):
                left_out[reason] += 1
            else:
                asset, multiplier = unit_of(row.base_asset)
                usable.append(
                    Instrument(
                        venue=NAME,
                        instrument=row.symbol,
                        asset=asset,
                        multiplier=multiplier,
                        listed_ms=listing_time(row.onboard_date),
                    )
                )
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        """Plan sockets on `/market`: the unrouted path accepts the same subscription and sends nothing.

        SUBSCRIBE rather than stream names in the URL: the answer tells a refusal from silence, and streams can be
        added later on the same socket. It proves no data, so a mark price must follow within 5 s (exchanges.md 11.3).
        Open interest is not pushed.
        """
        plans = []
        streams = [_LIQUIDATIONS] if Feed.LIQUIDATIONS in feeds else []
        if marks := feeds & {Feed.MARK_PRICES, Feed.FUNDING}:
            streams.append(_MARK_PRICES)
        if streams:
            carried = marks | (feeds & {Feed.LIQUIDATIONS})
            plans.append(_plan("market", streams, carried, _MARK_S if marks else None))
        wanted = [one.instrument.lower() for one in instruments if one.asset in assets]
        for feed, suffix in ((Feed.TRADES, "aggTrade"), (Feed.KLINES, "kline_1m")):
            if feed in feeds:
                for number, names in enumerate(chunks(wanted, _STREAMS_A_SOCKET), start=1):
                    streams = [f"{name}@{suffix}" for name in names]
                    plans.append(_plan(f"{feed}-{number}", streams, frozenset({feed}), _TRADE_S))
        return tuple(plans)

    def decoder(
        self,
        instruments: Mapping[str, Instrument],
        settled: Mapping[str, str] = NOTHING_SETTLED,  # noqa: ARG002
    ) -> BinanceDecoder:
        return BinanceDecoder(instruments)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> BinanceTrades:
        return BinanceTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:  # noqa: ARG002
        match status:
            case 451:
                return geo_blocked("Binance")
            case 418:
                return wait("banned", retry_after_s(headers, _BAN_S), "too many calls; this address is banned for now")
            case 429:
                return wait("rate_limited", retry_after_s(headers, _MINUTE_S), "too many calls from this address")
            case 403:
                return wait("firewall", retry_after_s(headers, _FIREWALL_S), "the web firewall of Binance refused us")
        return None


def _plan(name: str, streams: Sequence[str], feeds: frozenset[Feed], data_within_s: float | None) -> SocketPlan:
    frames = tuple(
        msgspec.json.encode({"method": "SUBSCRIBE", "params": some, "id": number})
        for number, some in enumerate(chunks(streams, _STREAMS_A_FRAME), start=1)
    )
    return SocketPlan(
        name=name,
        path=_PATH,
        subscribe=frames,
        acks=len(frames),
        data_within_s=data_within_s,
        brings_liquidations=Feed.LIQUIDATIONS in feeds,
        feeds=feeds,
    )


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: not perpetual (stocks are TRADIFI_PERPETUAL), not trading, quote, not a coin."""
    if row.contract_type != "PERPETUAL":
        return f"contract_{row.contract_type.lower() or 'unnamed'}"
    if row.status != "TRADING":
        return f"status_{row.status.lower()}"
    if row.quote_asset not in QUOTES:
        return f"quote_{row.quote_asset.lower()}"
    if row.underlying_type != "COIN":
        return f"underlying_{row.underlying_type.lower()}"
    return None
