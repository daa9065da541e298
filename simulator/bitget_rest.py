"""Bitget USDT futures (UTA v3): public REST (exchanges.md 7.1, 7.2)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator import bitget_rows
from simulator.candles import INTERVAL_MS
from simulator.limits import SlidingLimit
from simulator.listings import BITGET
from simulator.queries import row_count, span_of, whole_number
from simulator.venue import Call, HttpReply, Quote, Source, compact

MARKET = "/api/v3/market/"
CALLS_PER_S = 20  # per endpoint
LIQUIDATION_CALLS_PER_S = 5
CALLS_PER_MINUTE = 6000
LIQUIDATION_DAYS = 3
_INTERVALS = {
    "1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1H": "1h", "4H": "4h", "6H": "6h", "12H": "12h",
    "1D": "1d",
}  # fmt: skip
_OTHER_CATEGORIES = ("SPOT", "MARGIN", "COIN-FUTURES", "USDC-FUTURES")  # exist at the venue, and are empty here
Answer = list[Any] | dict[str, Any] | str  # a text is what is wrong


def refusal(status: int) -> HttpReply:
    if status in (418, 429):
        return HttpReply(429, compact({"code": "429", "msg": "Too Many Requests"}))
    return HttpReply(status, compact({"code": "40015" if status >= 500 else "40014", "msg": "system error"}))


class BitgetRest:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._all_calls = SlidingLimit(CALLS_PER_MINUTE, 60)
        self._limits: dict[str, SlidingLimit] = {}
        self._routes: dict[str, Callable[[Mapping[str, str]], Answer]] = {
            f"{MARKET}instruments": self._instrument_rows,
            f"{MARKET}tickers": self._tickers,
            f"{MARKET}open-interest": self._open_interest,
            f"{MARKET}current-fund-rate": self._funding,
            f"{MARKET}candles": self._candles,
            f"{MARKET}history-candles": lambda query: self._candles(
                {**query, "limit": str(row_count(query, 100, 100))}
            ),
            f"{MARKET}fills": self._fills,
            f"{MARKET}position-tier": self._tiers,
            f"{MARKET}liquidations": self._liquidations,
        }

    def answer(self, call: Call, now_s: float) -> HttpReply:
        pace = LIQUIDATION_CALLS_PER_S if call.path.endswith("/liquidations") else CALLS_PER_S
        limit = self._limits.setdefault(call.path, SlidingLimit(pace, 1.0))
        if not (limit.allow(now_s) and self._all_calls.allow(now_s)):
            return refusal(429)
        if call.path == "/api/v2/public/time":
            return self._envelope({"serverTime": str(self._source.now_ms)})
        if call.path == "/api/v2/mix/market/current-fund-rate":
            return self._envelope([_funding_row(quote) for quote in self._source.quotes(BITGET)])
        route = self._routes.get(call.path)
        if route is None:
            return HttpReply(404, compact({"code": "40404", "msg": "Request URL NOT FOUND"}))
        category = call.query.get("category", "USDT-FUTURES")
        if category in _OTHER_CATEGORIES:
            return self._envelope([])
        if category != "USDT-FUTURES":
            return self._envelope("Parameter category error")
        return self._envelope(route(call.query))

    def _envelope(self, data: Answer) -> HttpReply:
        stamp = {"requestTime": self._source.now_ms}
        if isinstance(data, str):
            return HttpReply(400, compact({"code": "25227", "msg": data, "data": None} | stamp))
        return HttpReply(200, compact({"code": "00000", "msg": "success"} | stamp | {"data": data}))

    def _instrument_rows(self, query: Mapping[str, str]) -> Answer:
        if "category" not in query:
            return "Parameter category cannot be empty"
        return [row for row in self._instruments if query.get("symbol") in (None, row["symbol"])]

    def _quotes(self, query: Mapping[str, str]) -> Sequence[Quote]:
        return [quote for quote in self._source.quotes(BITGET) if query.get("symbol") in (None, quote.listing.symbol)]

    def _one(self, query: Mapping[str, str]) -> Quote | None:
        return self._source.quote(BITGET, query.get("symbol", ""))

    def _tickers(self, query: Mapping[str, str]) -> Answer:
        head = {"category": "USDT-FUTURES", "ts": str(self._source.now_ms)}
        return [
            {"symbol": quote.listing.symbol} | head | bitget_rows.ticker_row(quote) for quote in self._quotes(query)
        ]

    def _open_interest(self, query: Mapping[str, str]) -> Answer:
        rows = [
            {"symbol": quote.listing.symbol, "openInterest": quote.listing.size(quote.open_coins)}
            for quote in self._quotes(query)
        ]
        return {"list": rows, "ts": str(self._source.now_ms)}

    def _funding(self, query: Mapping[str, str]) -> Answer:
        quote = self._one(query)
        return f"Parameter {query.get('symbol')} does not exist" if quote is None else [_funding_row(quote)]

    def _candles(self, query: Mapping[str, str]) -> Answer:
        quote, interval = self._one(query), _INTERVALS.get(query.get("interval", ""))
        if quote is None or interval is None or query.get("type", "market").lower() != "market":
            return "Parameter verification failed"
        span = span_of(query, INTERVAL_MS[interval], row_count(query, 100, 1000), ("startTime", "endTime"))
        candles = self._source.candles(BITGET, quote.listing.symbol, span)
        return [bitget_rows.candle_in_rest(quote.listing, candle) for candle in candles]

    def _fills(self, query: Mapping[str, str]) -> Answer:
        quote = self._one(query)
        if quote is None:
            return "Parameter symbol error"
        latest = list(self._source.recent(BITGET, quote.listing.symbol))[::-1]
        return [bitget_rows.trade_in_rest(quote.listing, trade) for trade in latest[: row_count(query, 100, 100)]]

    def _tiers(self, query: Mapping[str, str]) -> Answer:
        quote = self._one(query)
        return "Parameter symbol error" if quote is None else bitget_rows.tier_rows(quote.listing)

    def _liquidations(self, query: Mapping[str, str]) -> Answer:
        """Newest first; the cursor is the time of the last row."""
        now_ms = self._source.now_ms
        older_than = whole_number(query, "cursor", now_ms + 1)
        rows = self._source.liquidations(BITGET, now_ms - LIQUIDATION_DAYS * 86_400_000, older_than - 1)
        wanted = [row for row in rows if query.get("symbol") in (None, row.symbol)][::-1]
        page = wanted[: row_count(query, 100, 100)]
        listed = [
            bitget_rows.liquidation_row(quote.listing, row, in_quote=False)
            for row in page
            if (quote := self._source.quote(BITGET, row.symbol)) is not None
        ]
        return {"list": listed, "cursor": listed[-1]["ts"] if len(page) < len(wanted) else ""}


def _funding_row(quote: Quote) -> dict[str, str]:
    return {
        "symbol": quote.listing.symbol,
        "fundingRate": f"{quote.funding_rate:.6f}",
        "fundingRateInterval": "8",
        "nextUpdate": str(quote.next_funding_ms),
        "minFundingRate": "-0.003",
        "maxFundingRate": "0.003",
    }
