"""Deribit: JSON-RPC over WebSocket (exchanges.md section 8). Liquidations are a flag on trades."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import deribit_rows, deribit_rpc
from simulator.book import TrueLiquidation
from simulator.candle_watch import CandleWatch
from simulator.deribit_rpc import Credits, DeribitRpc, RpcError, envelope
from simulator.listings import DERIBIT
from simulator.sent import Batch
from simulator.venue import Cadence, Call, Close, Connection, Frame, HttpReply, Quote, Reply, Source, compact

PATH = "/ws/api/v2"
LEAST_HEARTBEAT_S = 10
_CHANNEL = re.compile(r"(?P<kind>trades|ticker|chart\.trades)\.(?P<name>[^.]+(?:\.[^.]+)?)\.(?P<pace>100ms|agg2|raw|1)")
_RAW_NEEDS_LOGIN = {"code": 13778, "message": "raw_subscriptions_not_available_for_unauthorized"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeribitSettings:
    """Real seconds, except the periods in ms, which are market time. Sources: exchanges.md 1.3, section 8."""

    calls_per_s: float = 20.0
    burst: int = 100
    subscribes_per_s: float = 3.3
    subscribe_burst: int = 10
    ticker_ms: int = 100
    candle_ms: int = 1000


class DeribitVenue:
    name = DERIBIT
    rest_method = "GET"
    most_connections: int | None = None

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: DeribitSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        stretch = max(1.0, speed)
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or DeribitSettings()
        self._rpc = DeribitRpc(source, instruments)
        self._names = frozenset(row["instrument_name"] for row in instruments)
        self._currencies = frozenset(row["settlement_currency"] for row in instruments)
        self._tickers = Cadence(round(self._settings.ticker_ms * stretch))
        self._candle_period = Cadence(round(self._settings.candle_ms * stretch))
        self._candles = CandleWatch(source, DERIBIT)
        self._last: dict[str, float] = {}

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:
        if call.path != PATH:
            return HttpReply(404, "Not Found", "text/plain")
        return DeribitConnection(self, self._rpc, now_s, self._settings)

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rpc.answer(call, now_s)

    def refusal(self, status: int) -> HttpReply:
        return deribit_rpc.refusal(status)

    @property
    def now_ms(self) -> int:
        return self._source.now_ms

    def has_channel(self, channel: str) -> bool:
        match = _CHANNEL.fullmatch(channel)
        if match is None or (match["pace"] == "1") is not (match["kind"] == "chart.trades"):
            return False
        kind, _, currency = match["name"].partition(".")
        if currency:
            return match["kind"] == "trades" and kind in ("future", "any") and currency in self._currencies | {"any"}
        return match["name"] in self._names

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        self.shown.update(row.position_id for row in happened if row.venue == DERIBIT)
        for symbol, prints in self._source.prints(DERIBIT).items():
            quote = self._source.quote(DERIBIT, symbol)
            assert quote is not None, f"{symbol} is not listed"
            topics = [topic for topic in _trade_topics(quote) if wanted(topic)]
            data = [deribit_rows.trade_row(quote, trade) for trade in prints] if topics else []
            for topic in topics:
                yield _frame(topic, data, Batch(symbol, prints[0].ident, len(prints)))
        if self._tickers.due(self.now_ms):
            yield from self._ticker_frames(wanted)
        if self._candle_period.due(self.now_ms):
            yield from self._candle_frames(wanted)

    def _ticker_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(DERIBIT):
            symbol = quote.listing.symbol
            topics = [topic for pace in ("100ms", "agg2") if wanted(topic := f"ticker.{symbol}.{pace}")]
            if topics and self._last.get(symbol) != quote.last:
                self._last[symbol] = quote.last
                for topic in topics:
                    yield _frame(topic, deribit_rows.ticker_row(quote, self.now_ms))

    def _candle_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(DERIBIT):
            topic = f"chart.trades.{quote.listing.symbol}.1"
            if wanted(topic):
                for candle, _ in self._candles.changed(quote.listing.symbol):
                    row = deribit_rows.chart(quote.listing, [candle])
                    single = {name: values[0] for name, values in row.items() if name not in ("status", "ticks")}
                    yield _frame(topic, {"tick": candle.open_ms} | single)


def _trade_topics(quote: Quote) -> list[str]:
    symbol = quote.listing.symbol
    settled = quote.listing.asset if quote.listing.inverse else "USDC"
    groups = [f"{kind}.{currency}" for kind in ("future", "any") for currency in (settled, "any")]
    return [f"trades.{name}.{pace}" for name in (symbol, *groups) for pace in ("100ms", "agg2")]


def _frame(topic: str, data: Any, trades: Batch | None = None) -> Frame:
    params = {"channel": topic, "data": data}
    return Frame(topic, compact({"jsonrpc": "2.0", "method": "subscription", "params": params}), trades)


class DeribitConnection:
    def __init__(self, venue: DeribitVenue, rpc: DeribitRpc, now_s: float, settings: DeribitSettings) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._rpc = rpc
        self._calls = Credits(settings.calls_per_s, settings.burst)
        self._subscribes = Credits(settings.subscribes_per_s, settings.subscribe_burst)
        self._heartbeat_s: float | None = None
        self._asked_s = self._answered_s = now_s

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:
        try:
            request = json.loads(text)
        except ValueError:
            return [self._reply(None, error={"code": -32700, "message": "Parse error"})]
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return [self._reply(None, error={"code": -32600, "message": "Invalid Request"})]
        ident, method = request.get("id"), request["method"].removeprefix("public/")
        given = request.get("params") or {}
        purse = self._subscribes if method in ("subscribe", "unsubscribe") else self._calls
        if not purse.allow(now_s):
            return [self._reply(ident, error=RpcError(10028).body)]
        try:
            return [self._reply(ident, result=self._result(method, given, now_s))]
        except RpcError as error:
            return [self._reply(ident, error=error.body)]

    def _result(self, method: str, given: Mapping[str, Any], now_s: float) -> Any:
        match method:
            case "subscribe" | "unsubscribe":
                return self._subscribe(method, given.get("channels"))
            case "unsubscribe_all":
                self.topics = set()
            case "set_heartbeat":
                interval = given.get("interval")
                if not isinstance(interval, int) or interval < LEAST_HEARTBEAT_S:
                    raise RpcError(-32602, {"reason": "must be at least 10", "param": "interval"})
                self._heartbeat_s, self._asked_s, self._answered_s = float(interval), now_s, now_s
            case "disable_heartbeat":
                self._heartbeat_s = None
            case _:
                if method == "test":
                    self._answered_s = now_s
                return self._rpc.call(method, given, now_s)
        return "ok"

    def _subscribe(self, method: str, channels: Any) -> list[str]:
        """Answers with the channels it took; unknown ones are left out without a word."""
        if not isinstance(channels, list) or not all(isinstance(channel, str) for channel in channels):
            raise RpcError(-32602, {"reason": "wrong format", "param": "channels"})
        if any(channel.endswith(".raw") for channel in channels):
            error = RpcError(13778)
            error.body = _RAW_NEEDS_LOGIN
            raise error
        known = [channel for channel in channels if self._venue.has_channel(channel)]
        self.topics = self.topics | set(known) if method == "subscribe" else self.topics - set(known)
        return known

    def _reply(self, ident: Any, *, result: Any = None, error: Mapping[str, Any] | None = None) -> str:
        return envelope(ident, self._venue.now_ms, result=result, error=error)

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        return []

    def sent(self, now_s: float) -> None:
        """Nothing here depends on what was sent."""

    def tick(self, now_s: float) -> Iterable[Reply]:
        """Ask for a sign of life once per interval; close when one stays unanswered for as long."""
        if self._heartbeat_s is None or now_s - self._asked_s < self._heartbeat_s:
            return []
        if self._answered_s < self._asked_s:
            return [Close(1000, "heartbeat timeout")]
        self._asked_s = now_s
        return [compact({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})]

    def wrap(self, frame: Frame) -> str:
        return frame.payload
