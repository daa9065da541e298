"""OKX v5 swaps: public REST (exchanges.md 4.1 to 4.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulator.limits import SlidingLimit
from simulator.listings import OKX, OKX_CONTRACT_VALUE, Listing
from simulator.okx_history import OkxHistory
from simulator.venue import HttpReply, Quote, Source, compact, json_reply

_LIMIT_PER_2_S = {
    "/api/v5/public/time": 10,
    "/api/v5/public/instruments": 20,
    "/api/v5/market/tickers": 20,
    "/api/v5/market/ticker": 20,
    "/api/v5/public/mark-price": 10,
    "/api/v5/public/open-interest": 20,
    "/api/v5/public/funding-rate": 10,
    "/api/v5/public/position-tiers": 10,
    "/api/v5/public/liquidation-orders": 10,  # not documented any more
    "/api/v5/market/candles": 40,
    "/api/v5/market/history-candles": 20,
    "/api/v5/market/trades": 100,
    "/api/v5/rubik/stat/contracts/open-interest-history": 10,
    "/api/v5/rubik/stat/taker-volume-contract": 5,
}
_DECOYS: tuple[dict[str, str], ...] = (
    # contracts a reader has to leave out: inverse, USDC-margined, suspended, pre-market, a share
    {"instId": "BTC-USD-SWAP", "ctType": "inverse", "ctVal": "100", "ctValCcy": "USD", "settleCcy": "BTC"},
    {"instId": "BTC-USDC-SWAP", "ctVal": "0.0001", "settleCcy": "USDC"},
    {"instId": "LUNA-USDT-SWAP", "state": "suspend"},
    {"instId": "NEWCOIN-USDT-SWAP", "ruleType": "pre_market"},
    {"instId": "TSLA-USDT-SWAP", "instCategory": "3"},
)


def instrument_row(symbol: str, *, contract_value: str = "1", tick: str = "0.0001", **other: str) -> dict[str, str]:
    family = symbol.removesuffix("-SWAP")
    row = {
        "instType": "SWAP",
        "instId": symbol,
        "instFamily": family,
        "uly": family,
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": "USDT",
        "ctType": "linear",
        "ctVal": contract_value,
        "ctMult": "1",
        "ctValCcy": family.partition("-")[0],
        "tickSz": tick,
        "lotSz": "0.01",
        "minSz": "0.01",
        "lever": "50",
        "state": "live",
        "ruleType": "normal",
        "listTime": "1573557408000",
        "instCategory": "1",
    }
    return row | other


def instrument_rows(listings: Iterable[Listing]) -> list[dict[str, str]]:
    rows = [
        instrument_row(listing.symbol, contract_value=f"{listing.contract_size:.12g}", tick=listing.tick)
        for listing in listings
    ]
    return rows + [instrument_row(decoy["instId"]) | decoy for decoy in _DECOYS]


def tape_rows(symbols: Iterable[str]) -> list[dict[str, str]]:
    """Rows for symbols that only a tape knows: contract values from the table of assets, 1 where it has none."""
    rows = []
    for symbol in symbols:
        coin, _, rest = symbol.partition("-")
        if rest.startswith("USD-"):
            usd = "100" if coin == "BTC" else "10"
            rows.append(
                instrument_row(symbol) | {"ctType": "inverse", "ctVal": usd, "ctValCcy": "USD", "settleCcy": coin}
            )
        else:
            rows.append(instrument_row(symbol, contract_value=f"{OKX_CONTRACT_VALUE.get(coin, 1):.12g}"))
    return rows


def mark_row(quote: Quote, now_ms: int) -> dict[str, str]:
    listing = quote.listing
    return {
        "instType": "SWAP",
        "instId": listing.symbol,
        "markPx": listing.price(quote.mark),
        "ts": str(now_ms),
    }


def open_interest_row(quote: Quote, now_ms: int) -> dict[str, str]:
    """Contracts, coins, USD."""
    return {
        "instType": "SWAP",
        "instId": quote.listing.symbol,
        "oi": quote.listing.size(quote.open_coins),
        "oiCcy": f"{quote.open_coins:.2f}",
        "oiUsd": f"{quote.open_coins * quote.mark:.2f}",
        "ts": str(now_ms),
    }


def ticker_row(quote: Quote, now_ms: int) -> dict[str, str]:
    """`vol24h` in contracts, `volCcy24h` in coins."""
    listing = quote.listing
    coins = quote.turnover_usd / quote.last
    price = listing.price(quote.last)
    day_ago = listing.price(quote.day_ago)
    return {
        "instType": "SWAP",
        "instId": listing.symbol,
        "last": price,
        "lastSz": "1",
        "askPx": price,
        "askSz": "100",
        "bidPx": price,
        "bidSz": "100",
        "open24h": day_ago,
        "high24h": max(price, day_ago, key=float),
        "low24h": min(price, day_ago, key=float),
        "volCcy24h": f"{coins:.2f}",
        "vol24h": listing.size(coins),
        "sodUtc0": day_ago,
        "sodUtc8": day_ago,
        "ts": str(now_ms),
    }


def funding_row(quote: Quote, now_ms: int) -> dict[str, str]:
    return {
        "instId": quote.listing.symbol,
        "instType": "SWAP",
        "fundingRate": f"{quote.funding_rate:.16f}",
        "fundingTime": str(quote.next_funding_ms),
        "nextFundingRate": "",
        "nextFundingTime": str(quote.next_funding_ms + 8 * 3_600_000),
        "method": "current_period",
        "ts": str(now_ms),
    }


def refusal(status: int) -> HttpReply:
    """How the venue words a refusal (exchanges.md 1.4)."""
    if status in (418, 429):
        return json_reply({"code": "50011", "msg": "Too Many Requests", "data": []}, 429)
    if status >= 500:
        return json_reply({"code": "50001", "msg": "Service temporarily unavailable.", "data": []}, status)
    return HttpReply(status, "Forbidden", "text/plain")


class OkxRest:
    def __init__(self, source: Source, instruments: Sequence[Mapping[str, Any]]) -> None:
        self._source = source
        self._instruments = instruments
        self._live = {row["instId"] for row in instruments if row["state"] == "live"}
        self._limits = {path: SlidingLimit(limit, 2.0) for path, limit in _LIMIT_PER_2_S.items()}
        history = OkxHistory(source)
        self._history: dict[str, Callable[[Mapping[str, str]], list[Any] | None]] = {
            "/api/v5/market/candles": history.candles,
            "/api/v5/market/history-candles": history.candles,
            "/api/v5/market/trades": history.trades,
            "/api/v5/public/position-tiers": history.position_tiers,
            "/api/v5/public/liquidation-orders": history.liquidations,
            "/api/v5/rubik/stat/contracts/open-interest-history": history.open_interest,
            "/api/v5/rubik/stat/taker-volume-contract": history.taker_volume,
        }
        self._rows: dict[str, Callable[[Quote, int], dict[str, str]]] = {
            "/api/v5/market/tickers": ticker_row,
            "/api/v5/market/ticker": ticker_row,
            "/api/v5/public/mark-price": mark_row,
            "/api/v5/public/open-interest": open_interest_row,
            "/api/v5/public/funding-rate": funding_row,
        }

    def answer(self, path: str, query: Mapping[str, str], now_s: float) -> HttpReply:
        limit = self._limits.get(path)
        if limit is None:
            return json_reply({"code": "404", "msg": "Invalid Request", "data": []}, 404)
        if not limit.allow(now_s):
            return refusal(429)
        if path == "/api/v5/public/time":
            return _envelope([{"ts": str(self._source.now_ms)}])
        if path in self._history and self._is_quiet(query.get("instId", "")):
            return _envelope([])
        if path in self._history:
            rows = self._history[path](query)
            return _error("51000", "Parameter error") if rows is None else _envelope(rows)
        wants_one = path in ("/api/v5/public/funding-rate", "/api/v5/market/ticker")
        if not wants_one and query.get("instType") != "SWAP":
            return _error("51000", "Parameter instType error")
        if path == "/api/v5/public/instruments":
            symbol = query.get("instId")
            return _envelope([row for row in self._instruments if symbol in (None, row["instId"])])
        symbol = query.get("instId", "" if wants_one else "ANY")
        return self._quotes(self._rows[path], symbol)

    def _is_quiet(self, symbol: str) -> bool:
        """Whether it trades at the venue and nobody has ever traded it here."""
        return symbol in self._live and self._source.quote(OKX, symbol) is None

    def _quotes(self, row: Callable[[Quote, int], dict[str, str]], symbol: str) -> HttpReply:
        quotes = [quote for quote in self._source.quotes(OKX) if symbol in ("ANY", quote.listing.symbol)]
        if not quotes and symbol != "ANY":
            return _error("51001", "Instrument ID doesn't exist.")
        return _envelope([row(quote, self._source.now_ms) for quote in quotes])


def _envelope(data: Sequence[Any]) -> HttpReply:
    return HttpReply(200, compact({"code": "0", "msg": "", "data": data}))


def _error(code: str, message: str) -> HttpReply:
    return HttpReply(200, compact({"code": code, "msg": message, "data": []}))
