"""OKX v5 swaps: the public WebSocket (exchanges.md section 4.4). Liquidations: one per contract and second."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import okx_rest
from simulator.book import TrueLiquidation
from simulator.cap import LargestPerWindow
from simulator.limits import SlidingLimit
from simulator.listings import OKX
from simulator.okx_feeds import OkxFeeds
from simulator.okx_history import liquidation_detail
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Quote, Reply, Source, compact

PUBLIC, BUSINESS = "/ws/v5/public", "/ws/v5/business"
LIQUIDATIONS = "liquidation-orders"
_CHANNELS = {
    # channel -> the argument it needs
    PUBLIC: {
        LIQUIDATIONS: "instType", "instruments": "instType", "mark-price": "instId", "open-interest": "instId",
        "trades": "instId", "tickers": "instId", "funding-rate": "instId", "index-tickers": "instId",
    },
    BUSINESS: {"trades-all": "instId", "candle1m": "instId", "candle5m": "instId", "candle1H": "instId"},
}  # fmt: skip
NOTHING_SENT = 4004  # close code of the venue, "No data received in 30s"
_BAD_REQUEST, _TOO_FREQUENT, _WRONG_CHANNEL = "60012", "60014", "60018"


@dataclass(frozen=True, slots=True, kw_only=True)
class OkxSettings:
    """Real seconds, except the periods in ms, which are market time. Sources: exchanges.md 1.3, 4.3, 4.4."""

    silent_s: float = 30.0
    connects_per_s: int = 3
    operations_per_hour: int = 480
    max_args_bytes: int = 64 * 1024
    cap_window_ms: int = 1000
    mark_ms: int = 200
    mark_at_least_ms: int = 10_000
    open_interest_ms: int = 3000


class OkxVenue:
    name = OKX
    rest_method = "GET"
    most_connections: int | None = None

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: OkxSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        """`speed` stretches the mark price period, so that a faster market does not mean more frames a real second."""
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or OkxSettings()
        self._rest = okx_rest.OkxRest(source, instruments)
        self._symbols = frozenset(row["instId"] for row in instruments)
        self._cap = LargestPerWindow(self._settings.cap_window_ms)
        self._mark = Cadence(round(self._settings.mark_ms * max(1.0, speed)))
        self._open_interest = Cadence(self._settings.open_interest_ms)
        self._feeds = OkxFeeds(source, speed)
        self._mark_sent: dict[str, tuple[str, int]] = {}
        self._open_interest_sent: dict[str, str] = {}
        self._connects = SlidingLimit(self._settings.connects_per_s, 1.0)
        self._connection_count = 0

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        if call.path not in _CHANNELS:
            return HttpReply(404, "Not Found", "text/plain")
        if not self._connects.allow(now_s):
            return HttpReply(429, "Too Many Requests", "text/plain")
        self._connection_count += 1
        return OkxConnection(self, call.path, f"{self._connection_count:08x}", now_s, self._settings)

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rest.answer(call.path, call.query, now_s)

    def refusal(self, status: int) -> HttpReply:
        return okx_rest.refusal(status)

    def topic(self, path: str, arg: Any) -> str | None:
        """The topic an argument names, None if there is no such channel or instrument at this address."""
        if not isinstance(arg, dict):
            return None
        key = _CHANNELS[path].get(str(arg.get("channel")))
        value = arg.get(key) if key is not None else None
        if value != "SWAP" and (key == "instType" or value not in self._symbols):
            return None
        return f"{arg['channel']}:{value}"

    def old_liquidations(self, topic: str) -> str | None:
        """The snapshot of past orders that may follow a subscription."""
        rows = self._source.earlier(OKX) if topic == f"{LIQUIDATIONS}:SWAP" else ()
        return self._liquidation_frame(rows).payload if rows else None

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        now_ms = self._source.now_ms
        for liquidation in happened:
            if liquidation.venue == OKX:
                self._cap.add(liquidation)
        passed = self._cap.due(now_ms)
        if passed:
            self.shown.update(row.position_id for row in passed)
            yield self._liquidation_frame(passed)
        if self._mark.due(now_ms):
            yield from self._each(wanted, "mark-price", self._mark_data)
        if self._open_interest.due(now_ms):
            yield from self._each(wanted, "open-interest", self._open_interest_data)
        yield from self._feeds.due(now_ms, wanted)

    def _liquidation_frame(self, rows: Iterable[TrueLiquidation]) -> Frame:
        """Latest first: the venue does not send rows in time order."""
        data = [self._liquidation_row(row) for row in rows]
        arg = {"channel": LIQUIDATIONS, "instType": "SWAP"}
        return Frame(f"{LIQUIDATIONS}:SWAP", compact({"arg": arg, "data": data[::-1]}))

    def _liquidation_row(self, liquidation: TrueLiquidation) -> dict[str, Any]:
        quote = self._source.quote(OKX, liquidation.symbol)
        assert quote is not None, f"{liquidation.symbol} is not listed"
        family = liquidation.symbol.removesuffix("-SWAP")
        return {
            "instType": "SWAP",
            "instId": liquidation.symbol,
            "instFamily": family,
            "uly": family,
            "details": [liquidation_detail(quote.listing, liquidation)],
        }

    def _each(
        self, wanted: Callable[[str], bool], channel: str, read: Callable[[Quote], dict[str, str] | None]
    ) -> Iterable[Frame]:
        for quote in self._source.quotes(OKX):
            topic = f"{channel}:{quote.listing.symbol}"
            if wanted(topic) and (row := read(quote)) is not None:
                arg = {"channel": channel, "instId": quote.listing.symbol}
                yield Frame(topic, compact({"arg": arg, "data": [row]}))

    def _mark_data(self, quote: Quote) -> dict[str, str] | None:
        """None while the price stands still, but not for longer than ten seconds."""
        row = okx_rest.mark_row(quote, self._source.now_ms)
        price, sent_ms = self._mark_sent.get(row["instId"], ("", 0))
        if price == row["markPx"] and self._source.now_ms - sent_ms < self._settings.mark_at_least_ms:
            return None
        self._mark_sent[row["instId"]] = (row["markPx"], self._source.now_ms)
        return row

    def _open_interest_data(self, quote: Quote) -> dict[str, str] | None:
        row = okx_rest.open_interest_row(quote, self._source.now_ms)
        if self._open_interest_sent.get(row["instId"]) == row["oi"]:
            return None
        self._open_interest_sent[row["instId"]] = row["oi"]
        return row


class OkxConnection:
    def __init__(self, venue: OkxVenue, path: str, connection_id: str, now_s: float, settings: OkxSettings) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._path = path
        self._id = connection_id
        self._settings = settings
        self._operations = SlidingLimit(settings.operations_per_hour, 3600)
        self._args_bytes = 0
        self._sent_s = now_s
        self._subscribed_s = now_s  # when there last was a subscription

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        if text == "ping":
            return ["pong"]
        try:
            request = json.loads(text)
        except ValueError:
            return [self._error("", _BAD_REQUEST, f"Invalid request: {text}")]
        args = request.get("args") if isinstance(request, dict) else None
        if not isinstance(args, list) or request.get("op") not in ("subscribe", "unsubscribe"):
            return [self._error("", _BAD_REQUEST, f"Invalid request: {text}")]
        ident = str(request.get("id", ""))
        if not self._operations.allow(now_s):
            return [self._error(ident, _TOO_FREQUENT, "Requests too frequent.")]
        self._args_bytes += len(compact(args))
        if self._args_bytes > self._settings.max_args_bytes:
            return [self._error(ident, _BAD_REQUEST, "Invalid request: the args of a connection exceed 64 KB")]
        return [reply for arg in args for reply in self._answer(request["op"], arg, ident)]

    def _answer(self, op: str, arg: Any, ident: str) -> Iterable[Reply]:
        """Each argument is answered on its own; a bad one does not hinder the others."""
        topic = self._venue.topic(self._path, arg)
        if topic is None:
            where = ",".join(f"{key}:{value}" for key, value in arg.items()) if isinstance(arg, dict) else str(arg)
            yield self._error(ident, _WRONG_CHANNEL, f"Wrong URL or {where} doesn't exist.")
            return
        ack = {"event": op, "arg": arg, "connId": self._id}
        yield compact({"id": ident} | ack if ident else ack)
        if op == "unsubscribe":
            self.topics.discard(topic)
            return
        self.topics.add(topic)
        old = self._venue.old_liquidations(topic)
        if old is not None:
            yield old

    def _error(self, ident: str, code: str, message: str) -> str:
        error = {"event": "error", "code": code, "msg": message, "connId": self._id}
        return compact({"id": ident} | error if ident else error)

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        """Protocol pings and pongs do not count; only the text ping does."""
        return []

    def sent(self, now_s: float) -> None:
        self._sent_s = now_s

    def tick(self, now_s: float) -> Iterable[Reply]:
        if self.topics:
            self._subscribed_s = now_s
        if now_s - min(self._sent_s, self._subscribed_s) >= self._settings.silent_s:
            return [Close(NOTHING_SENT, f"No data received in {self._settings.silent_s:.0f}s")]
        return []

    def wrap(self, frame: Frame) -> str:
        return frame.payload
