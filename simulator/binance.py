"""Binance USD-M futures: the routed WebSocket of 2026 and the public REST (exchanges.md section 2)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import binance_rest
from simulator.binance_feeds import BinanceFeeds
from simulator.book import TrueLiquidation
from simulator.cap import LargestPerWindow
from simulator.limits import SlidingLimit
from simulator.listings import BINANCE, COIN_M, COIN_M_CONTRACT_USD, Listing
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Ping, Quote, Reply, Source, compact

ALL_LIQUIDATIONS = "!forceOrder@arr"
ALL_MARKS = "!markPrice@arr"
ALL_MARKS_1S = "!markPrice@arr@1s"
POLICY_VIOLATION = 1008
_ROUTE = re.compile(r"(?:/(?P<route>market|public|private))?/(?P<mode>ws|stream)(?:/(?P<streams>.+))?")
_MARKET_CLASS = re.compile(
    r"aggTrade|markPrice|kline|iniTicker|ticker|forceOrder|compositeIndex|contractInfo|assetIndex|tradingSession"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceSettings:
    """Real seconds throughout, except the cap's window, which is market time. Sources: exchanges.md 2.6."""

    ping_every_s: float = 180.0
    pong_within_s: float = 600.0
    max_age_s: float = 86_400.0
    messages_per_s: int = 10
    max_streams: int = 1024
    cap_window_ms: int = 1000
    connects_per_5_min: int = 300


class BinanceVenue:
    name = BINANCE
    rest_method = "GET"
    most_connections: int | None = None

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: BinanceSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        """`speed` stretches the periods of candles and tickers."""
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or BinanceSettings()
        self._rest = binance_rest.BinanceRest(source, instruments)
        self._feeds = BinanceFeeds(source, speed)
        self._cap = LargestPerWindow(self._settings.cap_window_ms)
        self._each_second = Cadence(1000)
        self._each_3_seconds = Cadence(3000)
        self._connects = SlidingLimit(self._settings.connects_per_5_min, 300)

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        match = _ROUTE.fullmatch(call.path)
        if match is None:
            return HttpReply(404, "Not Found", "text/plain")
        if not self._connects.allow(now_s):
            return HttpReply(429, "Too Many Requests", "text/plain", {"Retry-After": "60"})
        combined = match["mode"] == "stream"
        listed = call.query.get("streams", "") if combined else match["streams"] or ""
        streams = [stream for stream in listed.split("/") if stream]
        return BinanceConnection(
            streams, combined=combined, is_market=match["route"] == "market", now_s=now_s, settings=self._settings
        )

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rest.answer(call.path, call.query, now_s)

    def refusal(self, status: int) -> HttpReply:
        return binance_rest.refusal(status)

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        now_ms = self._source.now_ms
        for liquidation in happened:
            if liquidation.venue in (BINANCE, COIN_M):
                self._cap.add(liquidation)
        for liquidation in self._cap.due(now_ms):
            self.shown.add(liquidation.position_id)
            yield from self._liquidation_frames(liquidation, now_ms, wanted)
        if self._each_second.due(now_ms):
            yield from self._mark_frames(now_ms, "@1s", wanted)
        if self._each_3_seconds.due(now_ms):
            yield from self._mark_frames(now_ms, "", wanted)
        yield from self._feeds.due(now_ms, wanted)

    def _liquidation_frames(
        self, liquidation: TrueLiquidation, now_ms: int, wanted: Callable[[str], bool]
    ) -> Iterable[Frame]:
        is_coin_m = liquidation.venue == COIN_M
        order = coin_m_order(liquidation) if is_coin_m else usd_m_order(liquidation, self._listing(liquidation))
        event = {"e": "forceOrder", "E": now_ms, "o": order}
        pair = liquidation.symbol.removesuffix("_PERP")
        yield Frame(ALL_LIQUIDATIONS, compact(event | {"ps": pair, "st": 2 if is_coin_m else 1}))
        own_stream = f"{liquidation.symbol.lower()}@forceOrder"
        if not is_coin_m and wanted(own_stream):
            yield Frame(own_stream, compact(event))

    def _listing(self, liquidation: TrueLiquidation) -> Listing:
        quote = self._source.quote(BINANCE, liquidation.symbol)
        assert quote is not None, f"{liquidation.symbol} is not listed"
        return quote.listing

    def _mark_frames(self, now_ms: int, pace: str, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        rows = [mark_row(quote, now_ms) for quote in self._source.quotes(BINANCE)]
        if rows and wanted(ALL_MARKS + pace):
            yield Frame(ALL_MARKS + pace, compact(rows))
        for row in rows:
            topic = f"{row['s'].lower()}@markPrice{pace}"
            if wanted(topic):
                yield Frame(topic, compact(row))


def usd_m_order(liquidation: TrueLiquidation, listing: Listing) -> dict[str, Any]:
    """The order's limit `p` is the bankruptcy price; `ap` is what it was filled at."""
    size = listing.size(liquidation.quantity)
    return _order(liquidation, size, listing.price(liquidation.bankruptcy_price), listing.price(liquidation.price))


def coin_m_order(liquidation: TrueLiquidation) -> dict[str, Any]:
    """Sizes count contracts of a fixed USD value."""
    contracts = max(1, round(liquidation.notional_usd / COIN_M_CONTRACT_USD[liquidation.asset]))
    return _order(liquidation, str(contracts), f"{liquidation.bankruptcy_price:.2f}", f"{liquidation.price:.2f}")


def _order(liquidation: TrueLiquidation, size: str, price: str, average: str) -> dict[str, Any]:
    return {
        "s": liquidation.symbol,
        "S": "SELL" if liquidation.is_long else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": size,
        "p": price,
        "ap": average,
        "X": "FILLED",
        "l": size,
        "z": size,
        "T": liquidation.time_ms,
    }


def mark_row(quote: Quote, now_ms: int) -> dict[str, Any]:
    listing = quote.listing
    mark = listing.price(quote.mark)
    return {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": listing.symbol,
        "p": mark,
        "i": listing.price(quote.index),
        "P": listing.price(quote.index),
        "ap": mark,
        "r": f"{quote.funding_rate:.8f}",
        "T": quote.next_funding_ms,
        "st": 1,
    }


class BinanceConnection:
    """Wraps by path, not by how a stream was subscribed; off the `/market` route, market streams stay silent."""

    def __init__(
        self, streams: Iterable[str], *, combined: bool, is_market: bool, now_s: float, settings: BinanceSettings
    ) -> None:
        self.topics: set[str] = set()
        self._listed: list[str] = []
        self._combined = combined
        self._is_market = is_market
        self._settings = settings
        self._incoming = SlidingLimit(settings.messages_per_s, 1.0)
        self._opened_s = self._ponged_s = self._pinged_s = now_s
        self._set_streams([*streams])

    def _set_streams(self, streams: list[str]) -> None:
        self._listed = list(dict.fromkeys(streams))
        self.topics = {stream for stream in self._listed if bool(_MARKET_CLASS.search(stream)) is self._is_market}

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        if not self._incoming.allow(now_s):
            return [Close(POLICY_VIOLATION, "Too many requests")]
        try:
            request = json.loads(text)
        except ValueError:
            return [compact({"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}})]
        return [self._answer(request)]

    def _answer(self, request: Any) -> Reply:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return compact({"error": {"code": 2, "msg": "Invalid request: missing field `method`"}})
        ident = request.get("id")
        params = request.get("params", [])
        method = request["method"]
        if method == "LIST_SUBSCRIPTIONS":
            return compact({"result": self._listed, "id": ident})
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return compact({"error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`"}, "id": ident})
        if not isinstance(params, list) or not all(isinstance(stream, str) for stream in params):
            return compact({"error": {"code": 2, "msg": "Invalid request: params must be strings"}, "id": ident})
        if method == "SUBSCRIBE":
            streams = [*self._listed, *params]
        else:
            streams = [stream for stream in self._listed if stream not in params]
        if len(set(streams)) > self._settings.max_streams:
            return Close(POLICY_VIOLATION, f"more than {self._settings.max_streams} streams")
        self._set_streams(streams)
        return compact({"result": None, "id": ident})

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:
        """Pings and pongs count as messages."""
        if pong is not None:
            self._ponged_s = now_s
        return [] if self._incoming.allow(now_s) else [Close(POLICY_VIOLATION, "Too many requests")]

    def sent(self, now_s: float) -> None:
        """Nothing here depends on what was sent."""

    def tick(self, now_s: float) -> Iterable[Reply]:
        if now_s - self._opened_s >= self._settings.max_age_s:
            return [Close(1001, "connection is 24 h old")]
        if now_s - self._ponged_s >= self._settings.pong_within_s:
            return [Close(POLICY_VIOLATION, "Pong timeout")]
        if now_s - self._pinged_s >= self._settings.ping_every_s:
            self._pinged_s = now_s
            return [Ping(str(round(now_s * 1000)).encode())]
        return []

    def wrap(self, frame: Frame) -> str:
        return f'{{"stream":"{frame.topic}","data":{frame.payload}}}' if self._combined else frame.payload
