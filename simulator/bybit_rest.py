"""Bybit v5 linear: public REST (exchanges.md 3.1 to 3.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from simulator.bybit_history import BybitHistory
from simulator.limits import SlidingLimit
from simulator.listings import BYBIT, Listing
from simulator.venue import HttpReply, Quote, Source, compact

REQUESTS_PER_5_S = 600
DEFAULT_PAGE = 500
LARGEST_PAGE = 1000
_OTHER_CATEGORIES = ("spot", "inverse", "option")  # exist at the venue, and are empty here
_DECOYS: tuple[dict[str, Any], ...] = (
    # contracts a reader has to leave out: USDC-margined, dated, a share, one not trading yet, one being closed
    {"symbol": "BTCPERP", "baseCoin": "BTC", "quoteCoin": "USDC", "settleCoin": "USDC"},
    {"symbol": "BTCUSDT-25DEC26", "baseCoin": "BTC", "contractType": "LinearFutures", "fundingInterval": 0,
     "deliveryTime": "1798185600000"},
    {"symbol": "TSLAUSDT", "baseCoin": "TSLA", "symbolType": "stock"},
    {"symbol": "NEWCOINUSDT", "baseCoin": "NEWCOIN", "status": "PreLaunch", "isPreListing": True},
    {"symbol": "OLDCOINUSDT", "baseCoin": "OLDCOIN", "status": "Closed"},
)  # fmt: skip


def instrument_row(symbol: str, base: str, *, tick: str = "0.0001", step: str = "1", **other: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(len(tick.partition(".")[2])),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "50.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.98", "tickSize": tick},
        "lotSizeFilter": {"qtyStep": step, "minOrderQty": step, "minNotionalValue": "5"},
        "fundingInterval": 480,
        "settleCoin": "USDT",
        "isPreListing": False,
        "symbolType": "",
    }
    return row | other


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, Any]]:
    """In the order of symbols, as the venue pages them."""
    rows = [
        instrument_row(listing.symbol, listing.symbol.removesuffix("USDT"), tick=listing.tick, step=listing.step)
        for listing in listings
    ]
    for decoy in _DECOYS:
        other = {key: value for key, value in decoy.items() if key not in ("symbol", "baseCoin")}
        rows.append(instrument_row(decoy["symbol"], decoy["baseCoin"], **other))
    return sorted(rows, key=lambda row: str(row["symbol"]))


def tape_rows(symbols: Iterable[str]) -> list[dict[str, Any]]:
    """Rows for symbols that only a tape knows."""
    rows = []
    for symbol in symbols:
        if symbol.endswith("PERP"):
            rows.append(instrument_row(symbol, symbol.removesuffix("PERP"), quoteCoin="USDC", settleCoin="USDC"))
        elif "-" in symbol:
            base = symbol.partition("-")[0].removesuffix("USDT")
            rows.append(instrument_row(symbol, base, contractType="LinearFutures"))
        else:
            rows.append(instrument_row(symbol, symbol.removesuffix("USDT")))
    return rows


def ticker_row(quote: Quote) -> dict[str, str]:
    """`openInterest` counts both sides, `singleOpenInterest` one. Bid and ask are one tick around the last price."""
    listing = quote.listing
    tick = float(listing.tick) / listing.multiplier
    return {
        "symbol": listing.symbol,
        "lastPrice": listing.price(quote.last),
        "indexPrice": listing.price(quote.index),
        "markPrice": listing.price(quote.mark),
        "prevPrice24h": listing.price(quote.day_ago),
        "price24hPcnt": f"{quote.last / quote.day_ago - 1:.6f}",
        "openInterest": listing.size(2 * quote.open_coins),
        "openInterestValue": f"{2 * quote.open_coins * quote.mark:.2f}",
        "singleOpenInterest": listing.size(quote.open_coins),
        "singleOpenInterestValue": f"{quote.open_coins * quote.mark:.2f}",
        "turnover24h": f"{quote.turnover_usd:.4f}",
        "volume24h": listing.size(quote.turnover_usd / quote.last),
        "fundingRate": f"{quote.funding_rate:.8f}",
        "nextFundingTime": str(quote.next_funding_ms),
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
        "bid1Price": listing.price(quote.last - tick / 2),
        "ask1Price": listing.price(quote.last + tick / 2),
    }


def refusal(status: int) -> HttpReply:
    """How the venue words a refusal (exchanges.md 1.4); its geo block is a 403 of CloudFront."""
    if status == 451:
        text = "<html><body>The Amazon CloudFront distribution is configured to block access from your country.</body></html>"
        return HttpReply(403, text, "text/html")
    if status == 403:
        return HttpReply(403, "access too frequent", "text/plain")
    if status in (418, 429):
        return HttpReply(429, compact({"retCode": 10006, "retMsg": "Too many visits!", "result": {}}))
    return HttpReply(status, compact({"retCode": 10016, "retMsg": "Server error.", "result": {}}))


class BybitRest:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._trading = {row["symbol"] for row in instruments if row["status"] == "Trading"}
        self._requests = SlidingLimit(REQUESTS_PER_5_S, 5)
        history = BybitHistory(source)
        self._routes: dict[str, Callable[[Mapping[str, str]], dict[str, Any] | str]] = {
            "/v5/market/instruments-info": self._instruments_info,
            "/v5/market/tickers": self._tickers,
            "/v5/market/kline": history.klines,
            "/v5/market/open-interest": history.open_interest,
            "/v5/market/recent-trade": history.recent_trades,
            "/v5/market/risk-limit": history.risk_limits,
        }

    def answer(self, path: str, query: Mapping[str, str], now_s: float) -> HttpReply:
        if not self._requests.allow(now_s):
            return refusal(403)
        if path == "/v5/market/time":
            return self._envelope(self._time())
        route = self._routes.get(path)
        if route is None:
            return HttpReply(404, "404 page not found", "text/plain")
        category = query.get("category")
        if category in _OTHER_CATEGORIES:
            return self._envelope({"category": category, "list": [], "nextPageCursor": ""})
        if category != "linear":
            return self._envelope("params error: Category is invalid")
        if path != "/v5/market/instruments-info" and self._is_quiet(query.get("symbol", "")):
            return self._envelope({"category": category, "symbol": query["symbol"], "list": [], "nextPageCursor": ""})
        return self._envelope(route(query))

    def _is_quiet(self, symbol: str) -> bool:
        """Whether it trades at the venue and nobody has ever traded it here."""
        return symbol in self._trading and self._source.quote(BYBIT, symbol) is None

    def _envelope(self, result: dict[str, Any] | str) -> HttpReply:
        """Wrap a result, or an error's text; the HTTP status is 200 either way."""
        failed = isinstance(result, str)
        body = {
            "retCode": 10001 if failed else 0,
            "retMsg": result if failed else "OK",
            "result": {} if failed else result,
            "retExtInfo": {},
            "time": self._source.now_ms,
        }
        return HttpReply(200, compact(body))

    def _time(self) -> dict[str, Any]:
        return {"timeSecond": str(self._source.now_ms // 1000), "timeNano": str(self._source.now_ms * 1_000_000)}

    def _instruments_info(self, query: Mapping[str, str]) -> dict[str, Any] | str:
        try:
            limit = int(query.get("limit") or DEFAULT_PAGE)
        except ValueError:
            return "params error: limit invalid"
        if not 1 <= limit <= LARGEST_PAGE:
            return "params error: limit invalid"
        rows = self._instruments
        if "symbol" in query:
            rows = [row for row in rows if row["symbol"] == query["symbol"]]
        last_seen = unquote_plus(query.get("cursor", "")).rpartition("last=")[2]
        if last_seen:
            rows = [row for row in rows if row["symbol"] > last_seen]
        page = rows[:limit]
        cursor = ""
        if len(rows) > limit:
            cursor = quote_plus(f"first={page[0]['symbol']}&last={page[-1]['symbol']}")
        return {"category": "linear", "list": page, "nextPageCursor": cursor}

    def _tickers(self, query: Mapping[str, str]) -> dict[str, Any] | str:
        if "symbol" not in query:
            return {"category": "linear", "list": [ticker_row(quote) for quote in self._source.quotes(BYBIT)]}
        quote = self._source.quote(BYBIT, query["symbol"])
        if quote is None:
            return "params error: symbol invalid"
        return {"category": "linear", "list": [ticker_row(quote)]}
