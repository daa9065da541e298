"""Gate USDT futures: the public WebSocket (exchanges.md 6.3). Every liquidation of a contract and second in one array."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import gate_rest, gate_rows
from simulator.book import TrueLiquidation
from simulator.candle_watch import CandleWatch
from simulator.listings import GATE, Listing
from simulator.sent import Batch
from simulator.venue import Cadence, Call, Connection, Frame, HttpReply, OpenPoint, Reply, Source, compact

PATH = "/v4/ws/usdt"
ALL = "!all"
DECIMAL = "/decimal"  # ends the topics of connections that asked for decimal sizes
_SIZE_ENDINGS = (("", False), (DECIMAL, True))
CONTRACT_INFO = "futures.contract_info"
_BY_CONTRACT = ("futures.trades", "futures.tickers", "futures.public_liquidates", CONTRACT_INFO)
_WITH_ALL = ("futures.public_liquidates", CONTRACT_INFO)
_BY_INTERVAL = {"futures.contract_stats": 1, "futures.candlesticks": 0}  # where in the payload the interval stands


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """Market time in ms. Sources: exchanges.md 6.3; the pace of tickers and statistics is not documented."""

    liquidation_period_ms: int = 1000
    liquidations_at_once: int = 20
    ticker_ms: int = 1000
    candle_ms: int = 1000
    statistics_ms: int = 60_000


class GateVenue:
    name = GATE
    rest_method = "GET"
    most_connections: int | None = 300

    def __init__(
        self,
        source: Source,
        instruments: Sequence[Mapping[str, Any]],
        settings: GateSettings | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        stretch = max(1.0, speed)
        self.shown: set[int] = set()
        self._source = source
        self._settings = settings or GateSettings()
        self._rest = gate_rest.GateRest(source, instruments)
        self._contracts = {row["name"]: row for row in instruments}
        self._period = Cadence(self._settings.liquidation_period_ms)
        self._tickers = Cadence(round(self._settings.ticker_ms * stretch))
        self._candle_period = Cadence(round(self._settings.candle_ms * stretch))
        self._statistics = Cadence(self._settings.statistics_ms)
        self._candles = CandleWatch(source, GATE)
        self._waiting: dict[str, list[TrueLiquidation]] = {}
        self._last: dict[str, float] = {}

    def connect(self, call: Call, now_s: float) -> Connection | HttpReply:  # noqa: ARG002  no limit of attempts is known
        if call.path != PATH:
            return HttpReply(404, "404 page not found", "text/plain")
        return GateConnection(self, decimal=call.headers.get("x-gate-size-decimal") == "1")

    def rest(self, call: Call, now_s: float) -> HttpReply:
        return self._rest.answer(call, now_s)

    def refusal(self, status: int) -> HttpReply:
        return gate_rest.refusal(status)

    @property
    def now_ms(self) -> int:
        return self._source.now_ms

    def topics(self, channel: Any, payload: Any) -> list[str] | str:
        """The topics a subscription names, or what is wrong with it."""
        if not isinstance(payload, list) or not all(isinstance(part, str) for part in payload):
            return "invalid argument struct"
        if channel in _BY_CONTRACT:
            contracts = payload
        elif channel in _BY_INTERVAL and len(payload) == 2:
            contracts = [payload[1 - _BY_INTERVAL[channel]]]
            if payload[_BY_INTERVAL[channel]] != "1m":
                return "only intervals of 1m are simulated"
        else:
            return f"unknown channel {channel}"
        for contract in contracts:
            if contract not in self._contracts and not (contract == ALL and channel in _WITH_ALL):
                return f"unknown contract {contract}"
        return [f"{channel}:{contract}" for contract in contracts]

    def contract_info(self, topics: Iterable[str]) -> list[dict[str, Any]]:
        """What a new subscriber to these contracts is told; nothing of it changes in a run."""
        names = {topic.removeprefix(f"{CONTRACT_INFO}:") for topic in topics}
        rows = [row for name, row in self._contracts.items() if name in names or ALL in names]
        quotes = [self._source.quote(GATE, row["name"]) for row in rows]
        return [
            gate_rows.contract_info(row, None if quote is None else quote.listing)
            for row, quote in zip(rows, quotes, strict=True)
        ]

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        now_ms = self.now_ms
        if self._period.due(now_ms):
            yield from self._liquidation_frames([*self._waiting], wanted)
        for row in happened:
            if row.venue == GATE:
                self._waiting.setdefault(row.symbol, []).append(row)
        full = [symbol for symbol, rows in self._waiting.items() if len(rows) >= self._settings.liquidations_at_once]
        yield from self._liquidation_frames(full, wanted)
        for symbol, prints in self._source.prints(GATE).items():
            for topic, decimal in _wanted_of("futures.trades", symbol, wanted):
                listing = self._listing(symbol)
                rows = [gate_rows.trade_row(listing, trade, decimal=decimal, in_rest=False) for trade in prints]
                yield self._frame(topic, rows, Batch(symbol, prints[0].ident, len(prints)))
        if self._tickers.due(now_ms):
            yield from self._ticker_frames(wanted)
        if self._candle_period.due(now_ms):
            yield from self._candle_frames(wanted)
        if self._statistics.due(now_ms):
            yield from self._statistics_frames(now_ms, wanted)

    def _listing(self, symbol: str) -> Listing:
        quote = self._source.quote(GATE, symbol)
        assert quote is not None, f"{symbol} is not listed"
        return quote.listing

    def _liquidation_frames(self, symbols: Iterable[str], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        """What waits for these contracts, to who wants all and to who wants just one; counted as missed by no one."""
        for symbol in symbols:
            waiting = self._waiting.pop(symbol)
            self.shown.update(row.position_id for row in waiting)
            listing, channel = self._listing(symbol), "futures.public_liquidates"
            topics = [*_wanted_of(channel, ALL, wanted), *_wanted_of(channel, symbol, wanted)]
            for topic, decimal in topics or [(f"{channel}:{ALL}", False)]:
                yield self._frame(
                    topic, [gate_rows.public_liquidation(listing, row, decimal=decimal) for row in waiting]
                )

    def _ticker_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(GATE):
            symbol = quote.listing.symbol
            topics = _wanted_of("futures.tickers", symbol, wanted)
            if topics and self._last.get(symbol) != quote.last:
                self._last[symbol] = quote.last
                for topic, _ in topics:
                    yield self._frame(topic, [gate_rows.ticker_row(quote)])

    def _candle_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(GATE):
            symbol = quote.listing.symbol
            topics = _wanted_of("futures.candlesticks", symbol, wanted)
            for candle, is_closed in self._candles.changed(symbol) if topics else ():
                for topic, decimal in topics:
                    row = gate_rows.candle_row(quote.listing, candle, decimal=decimal)
                    yield self._frame(topic, [row | {"n": f"1m_{symbol}", "w": is_closed}])

    def _statistics_frames(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        """Of the minute that just ended."""
        first_ms = now_ms - now_ms % self._settings.statistics_ms - self._settings.statistics_ms
        for quote in self._source.quotes(GATE):
            symbol = quote.listing.symbol
            for topic, decimal in _wanted_of("futures.contract_stats", symbol, wanted):
                rows = self._source.liquidations(GATE, first_ms, first_ms + self._settings.statistics_ms - 1)
                liquidated = [row for row in rows if row.symbol == symbol]
                minutes = self._source.minutes(GATE, symbol, first_ms)
                candle = next((minute for minute in minutes if minute.open_ms == first_ms), None)
                point = OpenPoint(first_ms, quote.open_coins, quote.mark)
                row = gate_rows.statistics_row(quote.listing, point, candle, liquidated, decimal=decimal)
                yield self._frame(topic, [row | {"contract": symbol}])

    def _frame(self, topic: str, rows: Sequence[Any], trades: Batch | None = None) -> Frame:
        channel = topic.partition(":")[0]
        stamp = {"time": self.now_ms // 1000, "time_ms": self.now_ms}
        return Frame(topic, compact(stamp | {"channel": channel, "event": "update", "result": rows}), trades)


def _wanted_of(channel: str, contract: str, wanted: Callable[[str], bool]) -> list[tuple[str, bool]]:
    """Topics that have a subscriber, and whether its sizes are decimal."""
    topics = [(f"{channel}:{contract}{ending}", decimal) for ending, decimal in _SIZE_ENDINGS]
    return [(topic, decimal) for topic, decimal in topics if wanted(topic)]


class GateConnection:
    def __init__(self, venue: GateVenue, *, decimal: bool) -> None:
        self.topics: set[str] = set()
        self._venue = venue
        self._ending = DECIMAL if decimal else ""

    def receive(self, text: str, now_s: float) -> Iterable[Reply]:  # noqa: ARG002  no message limit is known
        try:
            request = json.loads(text)
        except ValueError:
            return [self._reply("", "", error="invalid request body")]
        if not isinstance(request, dict):
            return [self._reply("", "", error="invalid request body")]
        channel, event = str(request.get("channel", "")), str(request.get("event", ""))
        if channel == "futures.ping":
            return [self._reply("futures.pong", "")]
        if event not in ("subscribe", "unsubscribe"):
            return [self._reply(channel, event, error="unknown event")]
        topics = self._venue.topics(channel, request.get("payload"))
        if isinstance(topics, str):
            return [self._reply(channel, event, error=topics)]
        named = {topic + self._ending for topic in topics}
        self.topics = self.topics | named if event == "subscribe" else self.topics - named
        accepted = self._reply(channel, event, result={"status": "success"})
        if (channel, event) == (CONTRACT_INFO, "subscribe"):
            return [accepted, self._reply(channel, "all", result=self._venue.contract_info(topics))]
        return [accepted]

    def _reply(self, channel: str, event: str, *, result: Any = None, error: str = "") -> str:
        now_ms = self._venue.now_ms
        reply: dict[str, Any] = {"time": now_ms // 1000, "time_ms": now_ms, "channel": channel, "event": event}
        if error:
            reply["error"] = {"code": 2, "message": error}
        return compact(reply | {"result": result})

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:  # noqa: ARG002
        return []

    def sent(self, now_s: float) -> None:
        """Nothing here depends on what was sent."""

    def tick(self, now_s: float) -> Iterable[Reply]:  # noqa: ARG002  no idle limit is known
        return []

    def wrap(self, frame: Frame) -> str:
        return frame.payload
