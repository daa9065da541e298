"""Hyperliquid: the one POST endpoint, `/info` (exchanges.md 5.1)."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulator.assets import ASSETS
from simulator.candles import INTERVAL_MS, Candle
from simulator.flow import Print
from simulator.limits import SlidingLimit
from simulator.listings import HYPERLIQUID, Listing
from simulator.venue import Call, HttpReply, Quote, Source, Span, compact

PATH = "/info"
WEIGHT_PER_MINUTE = 1200
MOST_CANDLES = 5000
MOST_TRADES = 10  # what recentTrades is known to return; not documented
FUNDING_HOURS = 8  # the market's rate is for so long, the venue's for one
INTERVALS = {name: INTERVAL_MS[name] for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d")}
_ASSETS = {asset.name: asset for asset in ASSETS}
_DELISTED = "OLDCOIN"  # keeps its place among the contexts


def refusal(status: int) -> HttpReply:
    return HttpReply(429 if status in (418, 429) else status, "null", "application/json")


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, Any]]:
    """The universe in its order; a delisted coin stands in its middle."""
    rows: list[dict[str, Any]] = [
        {
            "szDecimals": listing.size_decimals,
            "name": listing.symbol,
            "maxLeverage": _ASSETS[listing.asset].max_leverage,
            "marginTableId": 50,
        }
        for listing in listings
    ]
    delisted = {"szDecimals": 1, "name": _DELISTED, "maxLeverage": 3, "marginTableId": 3, "isDelisted": True}
    middle = len(rows) // 2
    return [*rows[:middle], delisted, *rows[middle:]]


def tape_rows(symbols: Iterable[str]) -> list[dict[str, Any]]:
    return [{"szDecimals": 2, "name": symbol, "maxLeverage": 50, "marginTableId": 50} for symbol in symbols]


def number(text: str) -> str:
    """Without the zeros at the end, but with one decimal, as the venue writes it."""
    return text.rstrip("0") + ("0" if text.rstrip("0").endswith(".") else "") if "." in text else f"{text}.0"


def context(quote: Quote) -> dict[str, Any]:
    """`funding` is for one hour; `openInterest` in coins."""
    listing = quote.listing
    return {
        "funding": f"{quote.funding_rate / FUNDING_HOURS:.10f}",
        "openInterest": number(listing.size(quote.open_coins)),
        "prevDayPx": number(listing.price(quote.day_ago)),
        "dayNtlVlm": f"{quote.turnover_usd:.4f}",
        "premium": f"{quote.last / quote.index - 1:.10f}",
        "oraclePx": number(listing.price(quote.index)),
        "markPx": number(listing.price(quote.mark)),
        "midPx": number(listing.price(quote.last)),
        "impactPxs": [number(listing.price(quote.last * (1 + side * 1e-5))) for side in (-1, 1)],
        "dayBaseVlm": number(listing.size(quote.turnover_usd / quote.last)),
    }


def dead_context() -> dict[str, Any]:
    """Of a delisted coin."""
    nothing = dict.fromkeys(("funding", "openInterest", "dayNtlVlm", "dayBaseVlm"), "0.0")
    prices = dict.fromkeys(("prevDayPx", "oraclePx", "markPx"), "0.5")
    return nothing | prices | {"premium": None, "midPx": None, "impactPxs": None}


def trade_row(listing: Listing, trade: Print) -> dict[str, Any]:
    """`side`: B, the taker bought; A, it sold."""
    return {
        "coin": listing.symbol,
        "side": "B" if trade.is_buy else "A",
        "px": number(listing.price(trade.price)),
        "sz": number(listing.size(trade.coins)),
        "time": trade.time_ms,
        "hash": f"0x{trade.ident:064x}",
        "tid": trade.ident,
        "users": [f"0x{trade.ident % 997:040x}", f"0x{trade.ident % 991 + 1000:040x}"],
    }


def candle_row(listing: Listing, candle: Candle, interval: str) -> dict[str, Any]:
    return {
        "t": candle.open_ms,
        "T": candle.open_ms + INTERVALS[interval] - 1,
        "s": listing.symbol,
        "i": interval,
        "o": number(listing.price(candle.open)),
        "c": number(listing.price(candle.close)),
        "h": number(listing.price(candle.high)),
        "l": number(listing.price(candle.low)),
        "v": number(listing.size(candle.coins)),
        "n": candle.trades,
    }


class HyperliquidInfo:
    def __init__(self, source: Source, universe: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._universe = universe
        self._weight = SlidingLimit(WEIGHT_PER_MINUTE, 60)
        self._kinds: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "meta": lambda _: self._meta(),
            "metaAndAssetCtxs": lambda _: [self._meta(), self.contexts()],
            "allMids": lambda _: self.mids(),
            "candleSnapshot": self._candles,
            "recentTrades": self._trades,
            "perpDexs": lambda _: [None],
            "perpsAtOpenInterestCaps": lambda _: [],
            "spotMeta": lambda _: {"universe": [], "tokens": []},
        }

    def answer(self, call: Call, now_s: float) -> HttpReply:
        if call.path != PATH:
            return HttpReply(404, "Not Found", "text/plain")
        try:
            body = json.loads(call.body)
            read = self._kinds[body["type"]]
            found = read(body)
        except (ValueError, KeyError, TypeError):
            return HttpReply(422, "Failed to deserialize the JSON body into the target type", "text/plain")
        if not self._weight.allow(now_s, _weight_of(body["type"], found)):
            return refusal(429)
        return HttpReply(200, compact(found))

    def _meta(self) -> dict[str, Any]:
        return {"universe": self._universe}

    def contexts(self) -> list[dict[str, Any]]:
        """In the order of the universe."""
        quotes = {quote.listing.symbol: quote for quote in self._source.quotes(HYPERLIQUID)}
        return [context(quotes[row["name"]]) if row["name"] in quotes else dead_context() for row in self._universe]

    def mids(self) -> dict[str, str]:
        quotes = self._source.quotes(HYPERLIQUID)
        return {quote.listing.symbol: number(quote.listing.price(quote.last)) for quote in quotes}

    def _candles(self, body: Mapping[str, Any]) -> Any:
        asked = body["req"]
        interval = asked["interval"]
        span = Span(INTERVALS[interval], MOST_CANDLES, asked["startTime"], asked.get("endTime"))
        quote = self._source.quote(HYPERLIQUID, asked["coin"])
        if quote is None:
            return []
        candles = self._source.candles(HYPERLIQUID, asked["coin"], span)
        return [candle_row(quote.listing, candle, interval) for candle in candles]

    def _trades(self, body: Mapping[str, Any]) -> Any:
        quote = self._source.quote(HYPERLIQUID, body["coin"])
        if quote is None:
            return []
        latest = list(self._source.recent(HYPERLIQUID, body["coin"]))[: -MOST_TRADES - 1 : -1]
        return [trade_row(quote.listing, trade) for trade in latest]


def _weight_of(kind: str, found: Any) -> int:
    if kind == "allMids":
        return 2
    rows = {"candleSnapshot": 60, "recentTrades": 20}.get(kind)  # of which each so many cost one more
    return 20 + (math.ceil(len(found) / rows) if rows else 0)
