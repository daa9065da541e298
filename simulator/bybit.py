"""Bybit v5 linear: the public WebSocket (exchanges.md section 3.4). Every liquidation is shown, in batches of 500 ms."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import bybit_rest
from simulator.book import TrueLiquidation
from simulator.bybit_feeds import TRADES, BybitFeeds
from simulator.limits import SlidingLimit
from simulator.listings import BYBIT
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Quote, Reply, Source, compact

PATH = "/v5/public/linear"
LIQUIDATIONS = "allLiquidation."
TICKERS = "tickers."
_SILENT_TOPICS = ("kline.", "orderbook.")  # exist at the venue; of the candles only those of a minute are modelled


@dataclass(frozen=True, slots=True, kw_only=True)
class BybitSettings:
    """Real seconds, except the two periods, which are market time. Sources: exchanges.md 1.3, 3.3, 3.4."""

    idle_s: float = 600.0
    max_args_chars: int = 21_000
    connects_per_5_min: int = 500
    batch_ms: int = 500
    tickers_ms: int = 100


class BybitVenue:
    name = BYBIT
    rest_method = "GET"
    most_connections: int | None = 1000

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: BybitSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        """`speed` stretches the ticker period, so that a faster market does not mean more frames a real second."""
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or BybitSettings()
        self._rest = bybit_rest.BybitRest(source, instruments)
        self._symbols = frozenset(row["symbol"] for row in instruments)
        self._batch = Cadence(self._settings.batch_ms)
        self._tickers = Cadence(round(self._settings.tickers_ms * max(1.0, speed)))
        self._feeds = BybitFeeds(source, speed)
        self._waiting: dict[str, list[TrueLiquidation]] = {}
        self._ticker_rows: dict[str, dict[str, str]] = {}
        self._sequence = 0
        self._connects = SlidingLimit(self._settings.connects_per_5_min, 300)
        self._connection_count = 0

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        if call.path != PATH:
            return HttpReply(404, "404 page not found", "text/plain")
        if not self._connects.allow(now_s):
            return bybit_rest.refusal(403)
        self._connection_count += 1
        return BybitConnection(self, f"sim-{self._connection_count:08x}", now_s, self._settings)

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rest.answer(call.path, call.query, now_s)

    def refusal(self, status: int) -> HttpReply:
        return bybit_rest.refusal(status)

    def knows(self, topic: str) -> bool:
        is_kind = topic.startswith((LIQUIDATIONS, TICKERS, TRADES, *_SILENT_TOPICS))
        return is_kind and topic.rpartition(".")[2] in self._symbols

    def snapshot(self, topic: str) -> str | None:
        """What a new subscriber is sent first, for the topics that begin with a snapshot."""
        if not topic.startswith(TICKERS):
            return None
        symbol = topic.removeprefix(TICKERS)
        quote = self._source.quote(BYBIT, symbol)
        if quote is None:
            return None
        row = self._ticker_rows.setdefault(symbol, bybit_rest.ticker_row(quote))
        return self._ticker_message(symbol, "snapshot", row)

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        now_ms = self._source.now_ms
        if self._batch.due(now_ms):
            yield from self._liquidation_frames(now_ms)
        for liquidation in happened:
            if liquidation.venue == BYBIT:
                self._waiting.setdefault(liquidation.symbol, []).append(liquidation)
        if self._tickers.due(now_ms):
            for quote in self._source.quotes(BYBIT):
                if wanted(TICKERS + quote.listing.symbol):
                    yield from self._ticker_frames(quote)
        yield from self._feeds.due(now_ms, wanted)

    def _liquidation_frames(self, now_ms: int) -> Iterable[Frame]:
        for symbol, rows in self._waiting.items():
            self.shown.update(row.position_id for row in rows)
            data = [self._liquidation_row(row) for row in rows]
            topic = LIQUIDATIONS + symbol
            yield Frame(topic, compact({"topic": topic, "type": "snapshot", "ts": now_ms, "data": data}))
        self._waiting.clear()

    def _liquidation_row(self, liquidation: TrueLiquidation) -> dict[str, Any]:
        """`S` is the side of the position; `p` the bankruptcy price."""
        quote = self._source.quote(BYBIT, liquidation.symbol)
        assert quote is not None, f"{liquidation.symbol} is not listed"
        return {
            "T": liquidation.time_ms,
            "s": liquidation.symbol,
            "S": "Buy" if liquidation.is_long else "Sell",
            "v": quote.listing.size(liquidation.quantity),
            "p": quote.listing.price(liquidation.bankruptcy_price),
        }

    def _ticker_frames(self, quote: Quote) -> Iterable[Frame]:
        symbol = quote.listing.symbol
        row = bybit_rest.ticker_row(quote)
        before = self._ticker_rows.get(symbol, {})
        changed = {name: text for name, text in row.items() if before.get(name) != text}
        self._ticker_rows[symbol] = row
        if changed:
            payload = self._ticker_message(symbol, "delta", {"symbol": symbol} | changed)
            yield Frame(TICKERS + symbol, payload)

    def _ticker_message(self, symbol: str, kind: str, row: Mapping[str, str]) -> str:
        self._sequence += 1
        topic = TICKERS + symbol
        return compact({"topic": topic, "type": kind, "data": row, "cs": self._sequence, "ts": self._source.now_ms})


class BybitConnection:
    def __init__(self, venue: BybitVenue, connection_id: str, now_s: float, settings: BybitSettings) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._id = connection_id
        self._settings = settings
        self._heard_s = now_s

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        self._heard_s = now_s
        try:
            request = json.loads(text)
        except ValueError:
            return [self._reply("", "", error="Invalid JSON")]
        if not isinstance(request, dict):
            return [self._reply("", "", error="Params Error")]
        op, ident = request.get("op"), str(request.get("req_id", ""))
        if op == "ping":
            return [compact({"success": True, "ret_msg": "pong", "conn_id": self._id, "req_id": ident, "op": "ping"})]
        args = request.get("args")
        if op not in ("subscribe", "unsubscribe") or not isinstance(args, list):
            return [self._reply(ident, str(op), error="Params Error")]
        return self._subscribe(args, ident) if op == "subscribe" else self._unsubscribe(args, ident)

    def _subscribe(self, args: list[Any], ident: str) -> list[Reply]:
        """One bad topic fails the whole request."""
        for topic in args:
            if not isinstance(topic, str) or not self._venue.knows(topic):
                return [self._reply(ident, "subscribe", error=f"error:handler not found,topic:{topic}")]
        topics = self.topics | set(args)
        if len(compact(sorted(topics))) > self._settings.max_args_chars:
            return [self._reply(ident, "subscribe", error=f"args size >{self._settings.max_args_chars}")]
        self.topics = topics
        snapshots = [self._venue.snapshot(topic) for topic in args]
        return [self._reply(ident, "subscribe"), *(text for text in snapshots if text is not None)]

    def _unsubscribe(self, args: list[Any], ident: str) -> list[Reply]:
        self.topics -= set(args)
        return [self._reply(ident, "unsubscribe")]

    def _reply(self, ident: str, op: str, *, error: str = "") -> str:
        return compact({"success": not error, "ret_msg": error, "conn_id": self._id, "req_id": ident, "op": op})

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        """Protocol pings and pongs do not count as signs of life; only the JSON ping does."""
        return []

    def sent(self, now_s: float) -> None:
        """Nothing here depends on what was sent."""

    def tick(self, now_s: float) -> Iterable[Reply]:
        return [Close(1000, "idle")] if now_s - self._heard_s >= self._settings.idle_s else []

    def wrap(self, frame: Frame) -> str:
        return frame.payload
