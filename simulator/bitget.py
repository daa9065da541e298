"""Bitget USDT futures (UTA v3): the public WebSocket (exchanges.md 7.3).

Liquidations: of every pair and second only the largest long and the largest short.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import bitget_rest, bitget_rows
from simulator.book import TrueLiquidation
from simulator.candle_watch import CandleWatch
from simulator.cap import LargestPerWindow
from simulator.limits import SlidingLimit
from simulator.listings import BITGET, Listing
from simulator.sent import Batch
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Reply, Source, compact

PATH = "/v3/ws/public"
LIQUIDATION = "liquidation"
PRODUCT_LINE = "usdt-futures"
HISTORY_TRADES = 50  # in the snapshot after a subscription to trades
_NO_SUCH_CHANNEL, _BAD_REQUEST, _TOO_MANY = 30001, 30002, 30006


@dataclass(frozen=True, slots=True, kw_only=True)
class BitgetSettings:
    """Real seconds, except the periods in ms, which are market time. Sources: exchanges.md 1.3, 7.2, 7.3."""

    ping_within_s: float = 120.0
    messages_per_s: int = 10
    operations_per_hour: int = 240
    max_channels: int = 1000
    connects_per_5_min: int = 300
    cap_window_ms: int = 1000
    ticker_ms: int = 300
    candle_ms: int = 1000


class BitgetVenue:
    name = BITGET
    rest_method = "GET"
    most_connections: int | None = 100

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: BitgetSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        stretch = max(1.0, speed)
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or BitgetSettings()
        self._rest = bitget_rest.BitgetRest(source, instruments)
        self._symbols = frozenset(row["symbol"] for row in instruments)
        self._caps = {is_long: LargestPerWindow(self._settings.cap_window_ms) for is_long in (True, False)}
        self._tickers = Cadence(round(self._settings.ticker_ms * stretch))
        self._candle_period = Cadence(round(self._settings.candle_ms * stretch))
        self._candles = CandleWatch(source, BITGET)
        self._last: dict[str, float] = {}
        self._connects = SlidingLimit(self._settings.connects_per_5_min, 300)
        self._connection_count = 0

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        if call.path != PATH:
            return HttpReply(404, "Not Found", "text/plain")
        if not self._connects.allow(now_s):
            return bitget_rest.refusal(429)
        self._connection_count += 1
        return BitgetConnection(self, f"{self._connection_count:08x}", now_s, self._settings)

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rest.answer(call, now_s)

    def refusal(self, status: int) -> HttpReply:
        return bitget_rest.refusal(status)

    def topic(self, arg: Any) -> str | None:
        """The topic an argument names, None if there is none such."""
        if not isinstance(arg, dict) or arg.get("instType") != PRODUCT_LINE:
            return None
        kind, symbol = arg.get("topic"), arg.get("symbol")
        if kind == LIQUIDATION:
            return LIQUIDATION if symbol is None else None
        if symbol not in self._symbols:
            return None
        if kind == "kline":
            return f"kline:{symbol}" if arg.get("interval") == "1m" else None
        return f"{kind}:{symbol}" if kind in ("publicTrade", "ticker") else None

    def snapshot(self, topic: str) -> str | None:
        """What a new subscriber is sent first."""
        kind, _, symbol = topic.partition(":")
        quote = self._source.quote(BITGET, symbol)
        if quote is None:
            return None
        listing = quote.listing
        if kind == "publicTrade":
            latest = list(self._source.recent(BITGET, symbol))[: -HISTORY_TRADES - 1 : -1]
            return self._message(topic, "snapshot", [bitget_rows.trade_on_socket(listing, trade) for trade in latest])
        if kind == "ticker":
            row = bitget_rows.ticker_row(quote) | {"nextFundingTime": str(quote.next_funding_ms)}
            return self._message(topic, "snapshot", [row])
        candle = self._source.minutes(BITGET, symbol, self._source.now_ms)[-1]
        return self._message(topic, "snapshot", [bitget_rows.candle_on_socket(listing, candle)])

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        now_ms = self._source.now_ms
        for row in happened:
            if row.venue == BITGET:
                self._caps[row.is_long].add(row)
        passed = [row for cap in self._caps.values() for row in cap.due(now_ms)]
        if passed:
            self.shown.update(row.position_id for row in passed)
            rows = [bitget_rows.liquidation_row(self._listing(row.symbol), row, in_quote=True) for row in passed]
            yield Frame(LIQUIDATION, self._message(LIQUIDATION, "update", rows))
        for symbol, prints in self._source.prints(BITGET).items():
            topic = f"publicTrade:{symbol}"
            if wanted(topic):
                listing = self._listing(symbol)
                rows = [bitget_rows.trade_on_socket(listing, trade) for trade in prints]
                batch = Batch(symbol, prints[0].ident, len(prints))
                yield Frame(topic, self._message(topic, "update", rows), batch)
        if self._tickers.due(now_ms):
            yield from self._ticker_frames(wanted)
        if self._candle_period.due(now_ms):
            yield from self._candle_frames(wanted)

    def _listing(self, symbol: str) -> Listing:
        quote = self._source.quote(BITGET, symbol)
        assert quote is not None, f"{symbol} is not listed"
        return quote.listing

    def _ticker_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(BITGET):
            topic = f"ticker:{quote.listing.symbol}"
            if wanted(topic) and self._last.get(topic) != quote.last:
                self._last[topic] = quote.last
                row = bitget_rows.ticker_row(quote) | {"nextFundingTime": str(quote.next_funding_ms)}
                yield Frame(topic, self._message(topic, "update", [row]))

    def _candle_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(BITGET):
            topic = f"kline:{quote.listing.symbol}"
            if wanted(topic):
                for candle, _ in self._candles.changed(quote.listing.symbol):
                    row = bitget_rows.candle_on_socket(quote.listing, candle)
                    yield Frame(topic, self._message(topic, "update", [row]))

    def _message(self, topic: str, action: str, rows: Sequence[Any]) -> str:
        kind, _, symbol = topic.partition(":")
        arg = {"instType": PRODUCT_LINE, "topic": kind}
        if symbol:
            arg["symbol"] = symbol
        if kind == "kline":
            arg["interval"] = "1m"
        return compact({"action": action, "arg": arg, "data": rows, "ts": self._source.now_ms})


class BitgetConnection:
    def __init__(self, venue: BitgetVenue, connection_id: str, now_s: float, settings: BitgetSettings) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._id = connection_id
        self._settings = settings
        self._incoming = SlidingLimit(settings.messages_per_s, 1.0)
        self._operations = SlidingLimit(settings.operations_per_hour, 3600)
        self._pinged_s = now_s

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        if not self._incoming.allow(now_s):
            return [Close(1008, "Too many messages")]
        if text == "ping":
            self._pinged_s = now_s
            return ["pong"]
        try:
            request = json.loads(text)
        except ValueError:
            return [self._error(None, _BAD_REQUEST, "Illegal request")]
        args = request.get("args") if isinstance(request, dict) else None
        if not isinstance(args, list) or request.get("op") not in ("subscribe", "unsubscribe"):
            return [self._error(None, _BAD_REQUEST, "Illegal request")]
        if not self._operations.allow(now_s):
            return [self._error(None, _TOO_MANY, "Too many requests")]
        return [reply for arg in args for reply in self._answer(request["op"], arg)]

    def _answer(self, op: str, arg: Any) -> Iterable[Reply]:
        topic = self._venue.topic(arg)
        if topic is None:
            yield self._error(arg, _NO_SUCH_CHANNEL, f"Param error: {compact(arg)} doesn't exist")
            return
        if op == "subscribe" and len(self.topics | {topic}) > self._settings.max_channels:
            yield self._error(arg, _TOO_MANY, "Too many channels")
            return
        yield compact({"event": op, "arg": arg, "connId": self._id})
        if op == "unsubscribe":
            self.topics.discard(topic)
            return
        self.topics.add(topic)
        first = self._venue.snapshot(topic)
        if first is not None:
            yield first

    def _error(self, arg: Any, code: int, message: str) -> str:
        return compact({"event": "error", "arg": arg, "code": code, "msg": message})

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        """Protocol pings and pongs do not count as signs of life; only the text ping does."""
        return []

    def sent(self, now_s: float) -> None:
        """Nothing here depends on what was sent."""

    def tick(self, now_s: float) -> Iterable[Reply]:
        return [Close(1000, "no ping")] if now_s - self._pinged_s >= self._settings.ping_within_s else []

    def wrap(self, frame: Frame) -> str:
        return frame.payload
