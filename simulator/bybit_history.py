"""Bybit v5 linear: candles, trades, open-interest history and risk limits by REST (exchanges.md 3.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.assets import ASSETS
from simulator.candles import INTERVAL_MS
from simulator.listings import BYBIT, Listing
from simulator.queries import row_count, span_of, whole_number
from simulator.tiers import tiers_of
from simulator.venue import Quote, Source

_INTERVALS = {
    "1": "1m", "3": "3m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "120": "2h", "240": "4h", "360": "6h",
    "720": "12h", "D": "1d",
}  # fmt: skip
_PERIODS = {"5min": "5m", "15min": "15m", "30min": "30m", "1h": "1h", "4h": "4h", "1d": "1d"}
_SYMBOLS_PER_RISK_PAGE = 15
_ASSETS = {asset.name: asset for asset in ASSETS}
Answer = dict[str, Any] | str  # a result, or the text of an error


class BybitHistory:
    def __init__(self, source: Source) -> None:
        self._source = source

    def klines(self, query: Mapping[str, str]) -> Answer:
        """Newest first."""
        quote, interval = self._quote(query), _INTERVALS.get(query.get("interval", ""))
        if quote is None or interval is None:
            return "params error: symbol or interval invalid"
        listing = quote.listing
        span = span_of(query, INTERVAL_MS[interval], row_count(query, 200, 1000), ("start", "end"))
        rows = [
            [
                str(candle.open_ms),
                listing.price(candle.open),
                listing.price(candle.high),
                listing.price(candle.low),
                listing.price(candle.close),
                listing.size(candle.coins),
                f"{candle.usd:.4f}",
            ]
            for candle in self._source.candles(BYBIT, listing.symbol, span)
        ]
        return {"symbol": listing.symbol, "category": "linear", "list": rows[::-1]}

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        """Newest first; a cursor leads to what is older."""
        quote, period = self._quote(query), _PERIODS.get(query.get("intervalTime", ""))
        if quote is None or period is None:
            return "params error: symbol or intervalTime invalid"
        listing, limit = quote.listing, row_count(query, 50, 200)
        named = dict(query) | ({"endTime": query["cursor"]} if query.get("cursor") else {})
        points = self._source.open_interest(
            BYBIT, listing.symbol, span_of(named, INTERVAL_MS[period], limit, ("startTime", "endTime"))
        )
        rows = [
            {
                "openInterest": listing.size(2 * point.coins),
                "singleOpenInterest": listing.size(point.coins),
                "timestamp": str(point.time_ms),
            }
            for point in reversed(points)
        ]
        cursor = str(points[0].time_ms - 1) if len(points) == limit else ""
        return {"symbol": listing.symbol, "category": "linear", "list": rows, "nextPageCursor": cursor}

    def recent_trades(self, query: Mapping[str, str]) -> Answer:
        """Newest first."""
        quote = self._quote(query)
        if quote is None:
            return "params error: symbol invalid"
        listing = quote.listing
        rows = [
            {
                "execId": f"00000000-0000-5000-8000-{trade.ident:012x}",
                "symbol": listing.symbol,
                "price": listing.price(trade.price),
                "size": listing.size(trade.coins),
                "side": "Buy" if trade.is_buy else "Sell",
                "time": str(trade.time_ms),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(trade.ident),
            }
            for trade in reversed(self._source.recent(BYBIT, listing.symbol))
        ]
        return {"category": "linear", "list": rows[: row_count(query, 500, 1000)]}

    def risk_limits(self, query: Mapping[str, str]) -> Answer:
        """Pages of 15 symbols; rates are fractions here (exchanges.md calls the unit open)."""
        quotes = sorted(self._source.quotes(BYBIT), key=lambda quote: quote.listing.symbol)
        if "symbol" in query:
            quotes = [quote for quote in quotes if quote.listing.symbol == query["symbol"]]
        first = whole_number(query, "cursor", 0)
        page = quotes[first : first + _SYMBOLS_PER_RISK_PAGE]
        rest = first + _SYMBOLS_PER_RISK_PAGE
        rows = [row for quote in page for row in _risk_rows(quote.listing)]
        return {"category": "linear", "list": rows, "nextPageCursor": str(rest) if rest < len(quotes) else ""}

    def _quote(self, query: Mapping[str, str]) -> Quote | None:
        return self._source.quote(BYBIT, query.get("symbol", ""))


def _risk_rows(listing: Listing) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": tier.number,
            "symbol": listing.symbol,
            "riskLimitValue": f"{tier.cap_usd:.0f}",
            "maintenanceMargin": f"{tier.rate:g}",
            "initialMargin": f"{1 / tier.max_leverage:.6g}",
            "maxLeverage": f"{tier.max_leverage:.2f}",
            "mmDeduction": f"{tier.deduction_usd:.0f}" if tier.deduction_usd else "",
            "isLowestRisk": int(tier.number == 1),
        }
        for tier in tiers_of(_ASSETS[listing.asset])
    ]
