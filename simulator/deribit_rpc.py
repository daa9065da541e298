"""Deribit: the public JSON-RPC methods, the same over HTTP and WebSocket (exchanges.md section 8)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator import deribit_rows as rows
from simulator.limits import SlidingLimit
from simulator.listings import DERIBIT
from simulator.venue import Call, HttpReply, Quote, Source, Span, compact

BASE = "/api/v2/public/"
CALLS_PER_S = 20  # 500 credits each of 10,000 a second
BURST = 100  # of a pool of 50,000 credits
MOST_POINTS = 5000
FUNDING_POINTS = 31 * 24
_RESOLUTION_MS = {str(minutes): minutes * 60_000 for minutes in (1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)} | {
    "1D": 86_400_000
}
_WORDS = {10028: "too_many_requests", 11050: "bad_request", 13780: "price_too_low", -32601: "Method not found"}
_INVALID = -32602
Parameters = Mapping[str, Any]


class RpcError(Exception):
    def __init__(self, code: int, data: Any = None) -> None:
        super().__init__(code)
        self.body = {"code": code, "message": _WORDS.get(code, "Invalid params")} | ({"data": data} if data else {})


def envelope(ident: Any, now_ms: int, *, result: Any = None, error: Mapping[str, Any] | None = None) -> str:
    """`usIn` and `usOut` are microseconds."""
    head = {"jsonrpc": "2.0"} | ({} if ident is None else {"id": ident})
    said = {"result": result} if error is None else {"error": error}
    return compact(head | said | {"usIn": now_ms * 1000, "usOut": now_ms * 1000, "usDiff": 0, "testnet": False})


def refusal(status: int) -> HttpReply:
    code = 10028 if status in (418, 429) else 11050
    body = compact({"jsonrpc": "2.0", "error": RpcError(code).body})
    return HttpReply(429 if code == 10028 else status, body)


class Credits:
    """One pool per client: a burst, refilled at a steady pace."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = float(burst)
        self._then_s = 0.0

    def allow(self, now_s: float) -> bool:
        self._left = min(self._burst, self._left + (now_s - self._then_s) * self._per_s)
        self._then_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class DeribitRpc:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._http = Credits(CALLS_PER_S, BURST)
        self._listings = SlidingLimit(50, 50)  # get_instruments: one a second, 50 at once
        self._methods: dict[str, Callable[[Parameters], Any]] = {
            "get_time": lambda _: self._source.now_ms,
            "test": lambda _: {"version": "1.2.26"},
            "hello": lambda _: {"version": "1.2.26"},
            "get_instruments": self._get_instruments,
            "ticker": lambda given: rows.ticker_row(self._quote(given), self._source.now_ms),
            "get_book_summary_by_currency": self._summaries,
            "get_book_summary_by_instrument": lambda given: [rows.summary_row(self._quote(given), self._source.now_ms)],
            "get_last_trades_by_instrument": lambda given: self._trades([self._quote(given)], given),
            "get_last_trades_by_currency": lambda given: self._trades(self._of_currency(given), given),
            "get_tradingview_chart_data": self._chart,
            "get_funding_rate_history": self._funding,
        }

    def answer(self, call: Call, now_s: float) -> HttpReply:
        if not self._http.allow(now_s):
            return refusal(429)
        now_ms = self._source.now_ms
        try:
            result = self.call(call.path.removeprefix(BASE) if call.path.startswith(BASE) else "", call.query, now_s)
        except RpcError as error:
            return HttpReply(400, envelope(None, now_ms, error=error.body))
        return HttpReply(200, envelope(None, now_ms, result=result))

    def call(self, method: str, given: Parameters, now_s: float) -> Any:
        """Raises RpcError."""
        read = self._methods.get(method)
        if read is None:
            raise RpcError(-32601)
        if method == "get_instruments" and not self._listings.allow(now_s):
            raise RpcError(10028)
        return read(given)

    def _quote(self, given: Parameters) -> Quote:
        quote = self._source.quote(DERIBIT, str(given.get("instrument_name", "")))
        if quote is None:
            raise RpcError(_INVALID, {"reason": "wrong format", "param": "instrument_name"})
        return quote

    def _get_instruments(self, given: Parameters) -> Any:
        currency, kind = given.get("currency", "any"), given.get("kind", "future")
        if kind != "future":
            return []
        listed = [row for row in self._instruments if row["is_active"] or str(given.get("expired")).lower() == "true"]
        return [row for row in listed if currency in ("any", row["settlement_currency"], row["base_currency"])]

    def _of_currency(self, given: Parameters) -> Sequence[Quote]:
        """Linear contracts settle in USDC and belong to that currency."""
        currency = given.get("currency")
        if currency is None:
            raise RpcError(_INVALID, {"reason": "required", "param": "currency"})
        return [
            quote
            for quote in self._source.quotes(DERIBIT)
            if currency in ("any", quote.listing.asset if quote.listing.inverse else "USDC")
        ]

    def _summaries(self, given: Parameters) -> Any:
        return [rows.summary_row(quote, self._source.now_ms) for quote in self._of_currency(given)]

    def _trades(self, quotes: Sequence[Quote], given: Parameters) -> Any:
        """Newest first."""
        count = _whole(given, "count", 10)
        if not 1 <= count <= 1000:
            raise RpcError(_INVALID, {"reason": "must be between 1 and 1000", "param": "count"})
        found = [
            rows.trade_row(quote, trade)
            for quote in quotes
            for trade in self._source.recent(DERIBIT, quote.listing.symbol)
            if trade.time_ms >= _whole(given, "start_timestamp", 0)
        ]
        found.sort(key=lambda row: -int(row["timestamp"]))
        return {"trades": found[:count], "has_more": len(found) > count}

    def _chart(self, given: Parameters) -> Any:
        """Silently cut at 5000 points."""
        quote, period_ms = self._quote(given), _RESOLUTION_MS.get(str(given.get("resolution")))
        if period_ms is None:
            raise RpcError(_INVALID, {"reason": "wrong format", "param": "resolution"})
        span = Span(
            period_ms, MOST_POINTS, _whole(given, "start_timestamp", 0), _whole(given, "end_timestamp", 0) or None
        )
        return rows.chart(quote.listing, self._source.candles(DERIBIT, quote.listing.symbol, span))

    def _funding(self, given: Parameters) -> Any:
        """One row an hour, silently at most 31 days of them."""
        quote, hour_ms = self._quote(given), 3_600_000
        last_ms = _whole(given, "end_timestamp", self._source.now_ms) // hour_ms * hour_ms
        first_ms = max(_whole(given, "start_timestamp", 0), last_ms - FUNDING_POINTS * hour_ms)
        price = rows.ticker_row(quote, last_ms)["index_price"]
        rates = {"interest_8h": round(quote.funding_rate, 8), "interest_1h": round(quote.funding_rate / 8, 10)}
        prices = {"index_price": price, "prev_index_price": price}
        return [
            {"timestamp": at} | prices | rates for at in range(first_ms + -first_ms % hour_ms, last_ms + 1, hour_ms)
        ]


def _whole(given: Parameters, name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError):
        raise RpcError(_INVALID, {"reason": "wrong format", "param": name}) from None
