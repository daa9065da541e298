"""Hyperliquid perpetuals: the WebSocket (exchanges.md 5.2). It shows no liquidations."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import hyperliquid_info as info
from simulator.book import TrueLiquidation
from simulator.candle_watch import CandleWatch
from simulator.limits import SlidingLimit
from simulator.listings import HYPERLIQUID
from simulator.sent import Batch
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Reply, Source, compact

PATH = "/ws"
ALL_CONTEXTS = "allDexsAssetCtxs"
ALL_MIDS = "allMids"


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperliquidSettings:
    """Real seconds, except the periods in ms, which are market time. Sources: exchanges.md 5.2; periods not documented."""

    silent_s: float = 60.0
    connects_per_min: int = 30
    messages_per_min: int = 2000
    max_subscriptions: int = 1000
    context_ms: int = 1000
    candle_ms: int = 1000


class HyperliquidVenue:
    name = HYPERLIQUID
    rest_method = "POST"
    most_connections: int | None = 10

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: HyperliquidSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        stretch = max(1.0, speed)
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or HyperliquidSettings()
        self._info = info.HyperliquidInfo(source, instruments)
        self._coins = frozenset(row["name"] for row in instruments)
        self._contexts = Cadence(round(self._settings.context_ms * stretch))
        self._candle_period = Cadence(round(self._settings.candle_ms * stretch))
        self._candles = CandleWatch(source, HYPERLIQUID)
        self._connects = SlidingLimit(self._settings.connects_per_min, 60)

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        if call.path != PATH:
            return HttpReply(404, "Not Found", "text/plain")
        if not self._connects.allow(now_s):
            return info.refusal(429)
        return HyperliquidConnection(self, now_s, self._settings)

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._info.answer(call, now_s)

    def refusal(self, status: int) -> HttpReply:
        return info.refusal(status)

    def topic(self, wish: Any) -> str | None:
        """The topic of a subscription, None if there is none such."""
        if not isinstance(wish, dict):
            return None
        kind, coin = wish.get("type"), wish.get("coin")
        if kind in (ALL_CONTEXTS, ALL_MIDS):
            return str(kind)
        if coin not in self._coins:
            return None
        if kind == "candle":
            return f"candle:{coin}" if wish.get("interval") == "1m" else None
        return f"{kind}:{coin}" if kind in ("trades", "activeAssetCtx") else None

    def snapshot(self, topic: str) -> str | None:
        """What a new subscriber is sent first; of trades it is their recent history."""
        kind, _, coin = topic.partition(":")
        if topic == ALL_CONTEXTS:
            return self._all_contexts()
        quote = self._source.quote(HYPERLIQUID, coin)
        if quote is None or kind == "candle":
            return None
        if kind == "activeAssetCtx":
            return _message(kind, {"coin": coin, "ctx": info.context(quote)})
        latest = list(self._source.recent(HYPERLIQUID, coin))[: -info.MOST_TRADES - 1 : -1]
        return _message(kind, [info.trade_row(quote.listing, trade) for trade in latest])

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:  # noqa: ARG002
        now_ms = self._source.now_ms
        for coin, prints in self._source.prints(HYPERLIQUID).items():
            topic = f"trades:{coin}"
            if wanted(topic):
                quote = self._source.quote(HYPERLIQUID, coin)
                assert quote is not None, f"{coin} is not listed"
                rows = [info.trade_row(quote.listing, trade) for trade in prints]
                yield Frame(topic, _message("trades", rows), Batch(coin, prints[0].ident, len(prints)))
        if self._contexts.due(now_ms):
            yield from self._context_frames(wanted)
        if self._candle_period.due(now_ms):
            yield from self._candle_frames(wanted)

    def _context_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        if wanted(ALL_CONTEXTS):
            yield Frame(ALL_CONTEXTS, self._all_contexts())
        if wanted(ALL_MIDS):
            yield Frame(ALL_MIDS, _message(ALL_MIDS, {"mids": self._info.mids()}))
        for quote in self._source.quotes(HYPERLIQUID):
            coin = quote.listing.symbol
            topic = f"activeAssetCtx:{coin}"
            if wanted(topic):
                yield Frame(topic, _message("activeAssetCtx", {"coin": coin, "ctx": info.context(quote)}))

    def _candle_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(HYPERLIQUID):
            topic = f"candle:{quote.listing.symbol}"
            if wanted(topic):
                for candle, _ in self._candles.changed(quote.listing.symbol):
                    yield Frame(topic, _message("candle", info.candle_row(quote.listing, candle, "1m")))

    def _all_contexts(self) -> str:
        return _message(ALL_CONTEXTS, {"ctxs": [["", self._info.contexts()]]})


def _message(channel: str, data: Any) -> str:
    return compact({"channel": channel, "data": data})


class HyperliquidConnection:
    def __init__(self, venue: HyperliquidVenue, now_s: float, settings: HyperliquidSettings) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._settings = settings
        self._incoming = SlidingLimit(settings.messages_per_min, 60)
        self._sent_s = now_s

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        if not self._incoming.allow(now_s):
            return [_message("error", "Too many messages")]
        try:
            request = json.loads(text)
        except ValueError:
            return [_message("error", f"Error parsing JSON into valid websocket request: {text}")]
        method = request.get("method") if isinstance(request, dict) else None
        if method == "ping":
            return ['{"channel":"pong"}']
        if method not in ("subscribe", "unsubscribe"):
            return [_message("error", f"Error parsing JSON into valid websocket request: {text}")]
        return self._subscribe(method, request.get("subscription"))

    def _subscribe(self, method: str, wish: Any) -> list[Reply]:
        topic = self._venue.topic(wish)
        if topic is None:
            return [_message("error", f"Invalid subscription {compact(wish)}")]
        acknowledged = _message("subscriptionResponse", {"method": method, "subscription": wish})
        if method == "unsubscribe":
            self.topics.discard(topic)
            return [acknowledged]
        if topic in self.topics:
            return [_message("error", f"Already subscribed: {compact(wish)}")]
        if len(self.topics) >= self._settings.max_subscriptions:
            return [_message("error", "Too many subscriptions")]
        self.topics.add(topic)
        first = self._venue.snapshot(topic)
        return [acknowledged] if first is None else [acknowledged, first]

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        return []

    def sent(self, now_s: float) -> None:
        self._sent_s = now_s

    def tick(self, now_s: float) -> Iterable[Reply]:
        """It closes what it has sent nothing to for a minute."""
        return [Close(1000, "Inactive")] if now_s - self._sent_s >= self._settings.silent_s else []

    def wrap(self, frame: Frame) -> str:
        return frame.payload
