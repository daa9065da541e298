"""Gate USDT futures: public REST (exchanges.md 6.1, 6.2)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator import gate_rows
from simulator.candles import INTERVAL_MS
from simulator.limits import SlidingLimit
from simulator.listings import GATE, Listing
from simulator.queries import row_count, span_of, whole_number
from simulator.venue import Call, HttpReply, Quote, Source, Span, compact, json_reply

BASE = "/api/v4"
CALLS_PER_10_S = 200  # per endpoint
LIQUIDATION_WINDOW_S = 3600
TIERED_MARKETS_PER_PAGE = 100
_FUTURES = f"{BASE}/futures/usdt/"
_INTERVALS = {name: INTERVAL_MS[name] for name in ("1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d")}
_STATISTICS = {name: INTERVAL_MS[name] for name in ("5m", "15m", "30m", "1h", "4h", "1d")}
_TIMES = ("from", "to")
Answer = list[Any] | dict[str, Any] | HttpReply


def refusal(status: int) -> HttpReply:
    if status in (418, 429):
        return _error("TOO_MANY_REQUESTS", "Request rate limit exceeded", 429)
    if status >= 500:
        return _error("SERVER_ERROR", "Internal server error", status)
    return _error("FORBIDDEN", "Access denied", status)


def _error(label: str, message: str, status: int = 400) -> HttpReply:
    return json_reply({"label": label, "message": message}, status)


class GateRest:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._limits: dict[str, SlidingLimit] = {}
        self._routes: dict[str, Callable[[Mapping[str, str], bool], Answer]] = {
            "contracts": self._contracts,
            "tickers": self._tickers,
            "contract_stats": self._statistics,
            "liq_orders": self._liquidations,
            "trades": self._trades,
            "candlesticks": self._candles,
            "risk_limit_tiers": self._tiers,
        }

    def answer(self, call: Call, now_s: float) -> HttpReply:
        name = call.path.removeprefix(_FUTURES).partition("/")[0]
        limit = self._limits.setdefault(name, SlidingLimit(CALLS_PER_10_S, 10))
        allowed = limit.allow(now_s)
        headers = {
            "X-Gate-RateLimit-Limit": str(CALLS_PER_10_S),
            "X-Gate-RateLimit-Requests-Remain": str(CALLS_PER_10_S - limit.used),
            "X-Gate-RateLimit-Reset-Timestamp": str(self._source.now_ms // 1000 + 10),
            "x-out-time": str(self._source.now_ms * 1000),
        }
        found = self._found(call, name) if allowed else refusal(429)
        if isinstance(found, HttpReply):
            return HttpReply(found.status, found.body, found.content_type, headers)
        return HttpReply(200, compact(found), headers=headers)

    def _found(self, call: Call, name: str) -> Answer:
        if call.path == f"{BASE}/spot/time":
            return {"server_time": self._source.now_ms}
        route = self._routes.get(name) if call.path.startswith(_FUTURES) else None
        if route is None:
            return _error("NOT_FOUND", "the requested path does not exist", 404)
        one = call.path.removeprefix(_FUTURES).partition("/")[2]
        query = {**call.query, "one": one} if one else call.query
        return route(query, call.headers.get("x-gate-size-decimal") == "1")

    def _contracts(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: ARG002, FBT001  as all routes
        quotes = {quote.listing.symbol: quote for quote in self._source.quotes(GATE)}
        rows = [
            {**row} | (gate_rows.live_part(quotes[row["name"]]) if row["name"] in quotes else {})
            for row in self._instruments
        ]
        if "one" in query:
            found = next((row for row in rows if row["name"] == query["one"]), None)
            return found or _error("CONTRACT_NOT_FOUND", "CONTRACT_NOT_FOUND")
        first = whole_number(query, "offset", 0)
        return rows[first : first + row_count(query, 100, 1000)]

    def _tickers(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: ARG002, FBT001  as all routes
        if "contract" not in query:
            return [gate_rows.ticker_row(quote) for quote in self._source.quotes(GATE)]
        return self._of_contract(query, lambda listing: [gate_rows.ticker_row(self._quote(listing))])

    def _statistics(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: FBT001  as all routes
        period_ms = _STATISTICS.get(query.get("interval", "5m"))
        if period_ms is None:
            return _error("INVALID_PARAM_VALUE", "Invalid request parameter `interval`")

        def read(listing: Listing) -> Answer:
            span = _statistics_span(query, period_ms, row_count(query, 30, 2000))
            points = self._source.open_interest(GATE, listing.symbol, span)
            candles = {candle.open_ms: candle for candle in self._source.candles(GATE, listing.symbol, span)}
            first_ms = points[0].time_ms if points else 0
            rows = self._source.liquidations(GATE, first_ms, self._source.now_ms)
            liquidated = [row for row in rows if row.symbol == listing.symbol]
            return [
                gate_rows.statistics_row(
                    listing,
                    point,
                    candles.get(point.time_ms),
                    [row for row in liquidated if 0 <= row.time_ms - point.time_ms < period_ms],
                    decimal=decimal,
                )
                for point in points
            ]

        return self._of_contract(query, read)

    def _liquidations(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: FBT001  as all routes
        to_s = whole_number(query, "to", self._source.now_ms // 1000)
        from_s = whole_number(query, "from", to_s - LIQUIDATION_WINDOW_S)
        if to_s - from_s > LIQUIDATION_WINDOW_S:
            return _error("INVALID_PARAM_VALUE", "the interval between from and to exceeds 3600 seconds")
        rows = self._source.liquidations(GATE, from_s * 1000, to_s * 1000 + 999)
        wanted = [row for row in rows if query.get("contract") in (None, row.symbol)][::-1]
        return [
            gate_rows.liquidation_order(quote.listing, row, decimal=decimal)
            for row in wanted[: row_count(query, 100, 1000)]
            if (quote := self._source.quote(GATE, row.symbol)) is not None
        ]

    def _trades(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: FBT001  as all routes
        def read(listing: Listing) -> Answer:
            latest = list(self._source.recent(GATE, listing.symbol))[::-1]
            return [
                gate_rows.trade_row(listing, trade, decimal=decimal, in_rest=True)
                for trade in latest[: row_count(query, 100, 1000)]
            ]

        return self._of_contract(query, read)

    def _candles(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: FBT001  as all routes
        period_ms = _INTERVALS.get(query.get("interval", "5m"))
        if period_ms is None or ("limit" in query and ("from" in query or "to" in query)):
            return _error("INVALID_PARAM_VALUE", "Invalid request parameter")

        def read(listing: Listing) -> Answer:
            most = 2000 if "from" in query else 100
            span = span_of(query, period_ms, row_count(query, most, 2000), _TIMES, 1000)
            return [
                gate_rows.candle_row(listing, candle, decimal=decimal)
                for candle in self._source.candles(GATE, listing.symbol, span)
            ]

        return self._of_contract(query, read)

    def _tiers(self, query: Mapping[str, str], decimal: bool) -> Answer:  # noqa: ARG002, FBT001  as all routes
        if "contract" in query:
            return self._of_contract(query, gate_rows.tier_rows)
        first = whole_number(query, "offset", 0)
        quotes = self._source.quotes(GATE)[first : first + row_count(query, 100, TIERED_MARKETS_PER_PAGE)]
        return [row for quote in quotes for row in gate_rows.tier_rows(quote.listing)]

    def _of_contract(self, query: Mapping[str, str], read: Callable[[Listing], Answer]) -> Answer:
        quote = self._source.quote(GATE, query.get("contract", ""))
        return _error("CONTRACT_NOT_FOUND", "CONTRACT_NOT_FOUND") if quote is None else read(quote.listing)

    def _quote(self, listing: Listing) -> Quote:
        quote = self._source.quote(GATE, listing.symbol)
        assert quote is not None, f"{listing.symbol} is not listed"
        return quote


def _statistics_span(query: Mapping[str, str], period_ms: int, limit: int) -> Span:
    """The newest rows; with `from` those that follow it, oldest first."""
    from_ms = whole_number(query, "from", 0) * 1000
    return Span(period_ms, limit, from_ms, from_ms + limit * period_ms - 1 if from_ms else None)
