"""Binance USD-M futures: public REST (exchanges.md 2.2 to 2.4)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulator.binance_history import BinanceHistory, kline_weight
from simulator.limits import SlidingLimit
from simulator.listings import BINANCE, Listing
from simulator.venue import HttpReply, Quote, Source, compact, json_reply

WEIGHT_PER_MINUTE = 2400
DATA_CALLS_PER_5_MIN = 1000  # of /futures/data, which has no weight and no header
IGNORED_429_BEFORE_BAN = 20  # how many calls after a 429 turn into a 418; not documented
DELIVERY_MS = 1_798_185_600_000  # 2026-12-25 08:00, of the dated contract
_DECOYS: tuple[dict[str, Any], ...] = (
    # a second contract of an asset (source.py), and what a reader has to leave out: dated, a stock, being settled
    {"symbol": "BTCUSDC", "baseAsset": "BTC", "quoteAsset": "USDC", "marginAsset": "USDC"},
    {"symbol": "BTCUSDT_261225", "baseAsset": "BTC", "contractType": "CURRENT_QUARTER", "deliveryDate": DELIVERY_MS},
    {"symbol": "TSLAUSDT", "baseAsset": "TSLA", "contractType": "TRADIFI_PERPETUAL", "underlyingType": "EQUITY"},
    {"symbol": "BLZUSDT", "baseAsset": "BLZ", "status": "SETTLING"},
)


def instrument_row(symbol: str, base: str, *, tick: str = "0.0001", step: str = "1", **other: Any) -> dict[str, Any]:
    quote = other.get("quoteAsset", "USDT")
    row = {
        "symbol": symbol,
        "pair": symbol.split("_", maxsplit=1)[0],
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "deliveryDate": 4133404800000,
        "onboardDate": 1598252400000,
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "pricePrecision": len(tick.partition(".")[2]),
        "quantityPrecision": len(step.partition(".")[2]),
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "liquidationFee": "0.010000",
        "marketTakeBound": "0.30",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": tick},
            {"filterType": "LOT_SIZE", "stepSize": step},
            {"filterType": "MIN_NOTIONAL", "notional": "5.0"},
        ],
    }
    return row | other


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, Any]]:
    rows = [
        instrument_row(listing.symbol, listing.symbol.removesuffix("USDT"), tick=listing.tick, step=listing.step)
        for listing in listings
    ]
    return rows + [instrument_row(decoy["symbol"], **_without_symbol(decoy)) for decoy in _DECOYS]


def _without_symbol(decoy: Mapping[str, Any]) -> dict[str, Any]:
    return {("base" if key == "baseAsset" else key): value for key, value in decoy.items() if key != "symbol"}


def refusal(status: int) -> HttpReply:
    """How the venue words a refusal (exchanges.md 1.4)."""
    if status == 451:
        message = "Service unavailable from a restricted location according to 'b. Eligibility' in the terms."
        return json_reply({"code": 0, "msg": message}, 451)
    if status in (418, 429):
        limit = f"Too many requests; current limit is {WEIGHT_PER_MINUTE} requests per minute."
        message = limit if status == 429 else "Way too many requests; IP banned."
        return json_reply({"code": -1003, "msg": message}, status, Retry_After="120" if status == 418 else "5")
    if status == 403:
        return HttpReply(403, "<html><body><h1>403 Forbidden</h1></body></html>", "text/html")
    return json_reply({"code": -1000, "msg": "An unknown error occurred while processing the request."}, status)


def tape_rows(symbols: Iterable[str]) -> list[dict[str, Any]]:
    """Rows for symbols that only a tape knows; dated contracts and other quotes keep their nature."""
    rows = []
    for symbol in symbols:
        pair, dated, _ = symbol.partition("_")
        quote = pair[-4:] if pair.endswith(("USDT", "USDC", "BUSD")) else "USDT"
        kind = "CURRENT_QUARTER" if dated else "PERPETUAL"
        rows.append(instrument_row(symbol, pair.removesuffix(quote), quoteAsset=quote, contractType=kind))
    return rows


def _weight_of(path: str, query: Mapping[str, str], whole: int) -> int:
    if path == "/fapi/v1/klines":
        return kline_weight(query)
    return 1 if "symbol" in query and path != "/fapi/v1/aggTrades" else whole


def _reply(found: Any, **headers: str) -> HttpReply:
    return found if isinstance(found, HttpReply) else HttpReply(200, compact(found), headers=headers)


class BinanceRest:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._weight = SlidingLimit(WEIGHT_PER_MINUTE, 60)
        self._data_calls = SlidingLimit(DATA_CALLS_PER_5_MIN, 300)
        self._history = BinanceHistory(source)
        self._refused = 0
        self._routes: dict[str, tuple[int, Callable[[Mapping[str, str]], Any]]] = {
            "/fapi/v1/ping": (1, lambda _: {}),
            "/fapi/v1/time": (1, lambda _: {"serverTime": self._source.now_ms}),
            "/fapi/v1/exchangeInfo": (1, self._exchange_info),
            "/fapi/v1/premiumIndex": (10, self._per_symbol(self._premium_index)),
            "/fapi/v1/ticker/24hr": (40, self._per_symbol(self._ticker)),
            "/fapi/v1/openInterest": (1, self._per_symbol(self._open_interest, needs_symbol=True)),
            "/fapi/v1/fundingInfo": (1, lambda _: []),
            "/fapi/v1/klines": (0, self._history.klines),
            "/fapi/v1/aggTrades": (20, self._history.agg_trades),
        }

    def answer(self, path: str, query: Mapping[str, str], now_s: float) -> HttpReply:
        if path == "/futures/data/openInterestHist":
            if not self._data_calls.allow(now_s):
                return refusal(429)
            return _reply(self._history.open_interest(query))
        route = self._routes.get(path)
        if route is None:
            return json_reply({"code": -5000, "msg": f"Path {path}, Method GET is invalid"}, 404)
        weight, read = route
        if not self._weight.allow(now_s, _weight_of(path, query, weight)):
            self._refused += 1
            return refusal(418 if self._refused > IGNORED_429_BEFORE_BAN else 429)
        self._refused = 0
        found = read(query)
        return _reply(found, **{"X-MBX-USED-WEIGHT-1M": str(self._weight.used)})

    def _per_symbol(
        self, row: Callable[[Quote], dict[str, Any]], *, needs_symbol: bool = False
    ) -> Callable[[Mapping[str, str]], Any]:
        def read(query: Mapping[str, str]) -> Any:
            symbol = query.get("symbol")
            if symbol is None and needs_symbol:
                message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
                return json_reply({"code": -1102, "msg": message}, 400)
            if symbol is None:
                return [row(quote) for quote in self._source.quotes(BINANCE)]
            quote = self._source.quote(BINANCE, symbol)
            return json_reply({"code": -1121, "msg": "Invalid symbol."}, 400) if quote is None else row(quote)

        return read

    def _exchange_info(self, _query: Mapping[str, str]) -> dict[str, Any]:
        limit = {
            "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": WEIGHT_PER_MINUTE,
        }  # fmt: skip
        return {
            "timezone": "UTC",
            "serverTime": self._source.now_ms,
            "futuresType": "U_MARGINED",
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": self._instruments,
        }

    def _premium_index(self, quote: Quote) -> dict[str, Any]:
        listing = quote.listing
        return {
            "symbol": listing.symbol,
            "markPrice": listing.price(quote.mark),
            "indexPrice": listing.price(quote.index),
            "estimatedSettlePrice": listing.price(quote.index),
            "lastFundingRate": f"{quote.funding_rate:.8f}",
            "interestRate": "0.00010000",
            "nextFundingTime": quote.next_funding_ms,
            "time": self._source.now_ms,
        }

    def _ticker(self, quote: Quote) -> dict[str, Any]:
        listing = quote.listing
        return {
            "symbol": listing.symbol,
            "priceChangePercent": f"{(quote.last / quote.day_ago - 1) * 100:.3f}",
            "weightedAvgPrice": listing.price((quote.last + quote.day_ago) / 2),
            "lastPrice": listing.price(quote.last),
            "volume": listing.size(quote.turnover_usd / quote.last),
            "quoteVolume": f"{quote.turnover_usd:.2f}",
            "openTime": self._source.now_ms - 86_400_000,
            "closeTime": self._source.now_ms,
            "count": round(quote.turnover_usd / 2000),
        }

    def _open_interest(self, quote: Quote) -> dict[str, Any]:
        return {
            "symbol": quote.listing.symbol,
            "openInterest": quote.listing.size(quote.open_coins),
            "time": self._source.now_ms,
        }
