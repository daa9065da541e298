"""OKX v5 swaps: candles, trades, open-interest history and position tiers by REST (exchanges.md 4.2)."""

from collections.abc import Mapping
from typing import Any

from simulator.assets import ASSETS
from simulator.book import TrueLiquidation
from simulator.candles import INTERVAL_MS, Candle
from simulator.listings import OKX, Listing
from simulator.queries import row_count, whole_number
from simulator.tiers import tiers_of
from simulator.venue import Quote, Source, Span

_BARS = {
    "1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1H": "1h", "2H": "2h", "4H": "4h", "6Hutc": "6h",
    "12Hutc": "12h", "1Dutc": "1d",
}  # fmt: skip
_MOST_FAMILIES = 5
_ASSETS = {asset.name: asset for asset in ASSETS}
Answer = list[Any] | None  # None: a parameter was wrong


class OkxHistory:
    def __init__(self, source: Source) -> None:
        self._source = source

    def candles(self, query: Mapping[str, str]) -> Answer:
        """Newest first; `after` means older than, `before` newer than."""
        quote, bar = self._quote(query), _BARS.get(query.get("bar", "1m"))
        if quote is None or bar is None:
            return None
        period_ms = INTERVAL_MS[bar]
        span = _span(query, period_ms, row_count(query, 100, 300), "before", "after")
        rows = [
            candle_row(quote.listing, candle, is_closed=candle.open_ms + period_ms <= self._source.now_ms)
            for candle in self._source.candles(OKX, quote.listing.symbol, span)
        ]
        return rows[::-1]

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        """Newest first: time, contracts, coins, USD."""
        quote, period = self._quote(query), _BARS.get(query.get("period", "5m"))
        if quote is None or period is None:
            return None
        listing = quote.listing
        span = _span(query, INTERVAL_MS[period], row_count(query, 100, 100), "begin", "end")
        points = self._source.open_interest(OKX, listing.symbol, span)
        return [
            [str(at), listing.size(coins), f"{coins:.4f}", f"{coins * price:.4f}"]
            for at, coins, price in reversed(points)
        ]

    def taker_volume(self, query: Mapping[str, str]) -> Answer:
        """Newest first: time, sold, bought; in coins, contracts (as it is without `unit`) or USD."""
        quote, period, unit = self._quote(query), _BARS.get(query.get("period", "5m")), query.get("unit", "1")
        if quote is None or period is None or unit not in ("0", "1", "2"):
            return None
        span = _span(query, INTERVAL_MS[period], row_count(query, 100, 100), "begin", "end")
        rows = []
        for candle in self._source.candles(OKX, quote.listing.symbol, span):
            bought, whole = (candle.buy_usd, candle.usd) if unit == "2" else (candle.buy_coins, candle.coins)
            share = quote.listing.coins_per_unit if unit == "1" else 1.0
            rows.append([str(candle.open_ms), f"{(whole - bought) / share:.4f}", f"{bought / share:.4f}"])
        return rows[::-1]

    def trades(self, query: Mapping[str, str]) -> Answer:
        quote = self._quote(query)
        if quote is None:
            return None
        listing = quote.listing
        rows = [
            {
                "instId": listing.symbol,
                "side": "buy" if trade.is_buy else "sell",
                "sz": listing.size(trade.coins),
                "px": listing.price(trade.price),
                "tradeId": str(trade.ident),
                "ts": str(trade.time_ms),
                "source": "0",
            }
            for trade in reversed(self._source.recent(OKX, listing.symbol))
        ]
        return rows[: row_count(query, 100, 500)]

    def liquidations(self, query: Mapping[str, str]) -> Answer:
        """Of one family, newest first, older than `after`: the old call, gone from the documents and still answering."""
        family = query.get("uly") or query.get("instFamily", "")
        quote = self._source.quote(OKX, f"{family}-SWAP")
        if quote is None or query.get("instType") != "SWAP" or query.get("state") != "filled":
            return None
        symbol = quote.listing.symbol
        rows = self._source.liquidations(OKX, 0, whole_number(query, "after", self._source.now_ms + 1) - 1)
        mine = [row for row in rows if row.symbol == symbol][::-1]
        details = [liquidation_detail(quote.listing, row) for row in mine[: row_count(query, 100, 100)]]
        head = {"instType": "SWAP", "instId": symbol, "instFamily": family, "uly": family, "totalLoss": "0"}
        return [head | {"details": details}] if details else []

    def position_tiers(self, query: Mapping[str, str]) -> Answer:
        """Of up to five families; sizes in contracts."""
        families = query.get("instFamily", query.get("uly", "")).split(",")
        if len(families) > _MOST_FAMILIES or query.get("tdMode") not in ("cross", "isolated"):
            return None
        quotes = [self._source.quote(OKX, f"{family}-SWAP") for family in families]
        return [row for quote in quotes if quote is not None for row in _tier_rows(quote)]

    def _quote(self, query: Mapping[str, str]) -> Quote | None:
        return self._source.quote(OKX, query.get("instId", ""))


def liquidation_detail(listing: Listing, row: TrueLiquidation) -> dict[str, str]:
    """`posSide` is the position's side, or `net`; `side` the order's."""
    position = "long" if row.is_long else "short"
    return {
        "side": "sell" if row.is_long else "buy",
        "posSide": "net" if row.position_id % 4 == 0 else position,  # an account's position mode
        "sz": listing.size(row.quantity),
        "bkPx": listing.price(row.bankruptcy_price),
        "bkLoss": "0",
        "ccy": "",
        "ts": str(row.time_ms),
    }


def candle_row(listing: Listing, candle: Candle, *, is_closed: bool) -> list[str]:
    return [
        str(candle.open_ms),
        listing.price(candle.open),
        listing.price(candle.high),
        listing.price(candle.low),
        listing.price(candle.close),
        listing.size(candle.coins),
        f"{candle.coins:.4f}",
        f"{candle.usd:.4f}",
        "1" if is_closed else "0",
    ]


def _span(query: Mapping[str, str], period_ms: int, limit: int, newer: str, older: str) -> Span:
    """Both ends are exclusive."""
    to_ms = whole_number(query, older, -1)
    return Span(period_ms, limit, whole_number(query, newer, -1) + 1, None if to_ms < 0 else to_ms - 1)


def _tier_rows(quote: Quote) -> list[dict[str, str]]:
    listing = quote.listing
    family = listing.symbol.removesuffix("-SWAP")
    return [
        {
            "tier": str(tier.number),
            "minSz": listing.size(tier.floor_usd / quote.mark),
            "maxSz": listing.size(tier.cap_usd / quote.mark),
            "mmr": f"{tier.rate:g}",
            "imr": f"{1 / tier.max_leverage:.6g}",
            "maxLever": str(tier.max_leverage),
            "instFamily": family,
            "uly": family,
            "instId": "",
        }
        for tier in tiers_of(_ASSETS[listing.asset])
    ]
