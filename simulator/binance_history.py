"""Binance USD-M: candles, trades and open-interest history by REST (exchanges.md 2.3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.assets import ASSETS
from simulator.candles import INTERVAL_MS, Candle
from simulator.flow import Print
from simulator.listings import BINANCE, Listing
from simulator.queries import row_count, span_of, whole_number
from simulator.venue import HttpReply, Source, json_reply

MOST_KLINES = 1500
MOST_OPEN_POINTS = 500
_TIMES = ("startTime", "endTime")
_PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
_SUPPLY = {asset.name: 30 * asset.turnover_usd / asset.price_usd for asset in ASSETS}  # coins, of the right magnitude
Answer = list[Any] | HttpReply


def kline_weight(query: Mapping[str, str]) -> int:
    limit = whole_number(query, "limit", 500)
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


class BinanceHistory:
    def __init__(self, source: Source) -> None:
        self._source = source

    def klines(self, query: Mapping[str, str]) -> Answer:
        interval_ms = INTERVAL_MS.get(query.get("interval", ""))
        if interval_ms is None:
            return _refused(-1120, "Invalid interval.")

        def read(listing: Listing) -> Answer:
            candles = self._source.candles(
                BINANCE, listing.symbol, span_of(query, interval_ms, row_count(query, 500, MOST_KLINES), _TIMES)
            )
            return [_kline(listing, candle, interval_ms) for candle in candles]

        return self._of_symbol(query, read)

    def agg_trades(self, query: Mapping[str, str]) -> Answer:
        def read(listing: Listing) -> Answer:
            limit = row_count(query, 500, 1000)
            return [_agg_trade(listing, trade) for trade in self._chosen(query, listing)[-limit:]]

        return self._of_symbol(query, read)

    def _chosen(self, query: Mapping[str, str], listing: Listing) -> Sequence[Print]:
        first, last = whole_number(query, "startTime", 0), whole_number(query, "endTime", self._source.now_ms)
        ident = whole_number(query, "fromId", 0)
        recent = self._source.recent(BINANCE, listing.symbol)
        return [trade for trade in recent if first <= trade.time_ms <= last and trade.ident >= ident]

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        period = query.get("period", "")
        if period not in _PERIODS:
            return _refused(-1130, "Data sent for parameter 'period' is not valid.")

        def read(listing: Listing) -> Answer:
            span = span_of(query, INTERVAL_MS[period], row_count(query, 30, MOST_OPEN_POINTS), _TIMES)
            return [
                {
                    "symbol": listing.symbol,
                    "sumOpenInterest": f"{point.coins / listing.coins_per_unit:.8f}",
                    "sumOpenInterestValue": f"{point.coins * point.price:.8f}",
                    "CMCCirculatingSupply": f"{_SUPPLY[listing.asset]:.8f}",
                    "timestamp": point.time_ms,
                }
                for point in self._source.open_interest(BINANCE, listing.symbol, span)
            ]

        return self._of_symbol(query, read)

    def _of_symbol(self, query: Mapping[str, str], read: Callable[[Listing], Answer]) -> Answer:
        quote = self._source.quote(BINANCE, query.get("symbol", ""))
        return _refused(-1121, "Invalid symbol.") if quote is None else read(quote.listing)


def _refused(code: int, message: str) -> HttpReply:
    return json_reply({"code": code, "msg": message}, 400)


def _kline(listing: Listing, candle: Candle, interval_ms: int) -> list[Any]:
    return [
        candle.open_ms,
        listing.price(candle.open),
        listing.price(candle.high),
        listing.price(candle.low),
        listing.price(candle.close),
        listing.size(candle.coins),
        candle.open_ms + interval_ms - 1,
        f"{candle.usd:.4f}",
        candle.trades,
        listing.size(candle.buy_coins),
        f"{candle.buy_usd:.4f}",
        "0",
    ]


def _agg_trade(listing: Listing, trade: Print) -> dict[str, Any]:
    size = listing.size(trade.coins)
    return {
        "a": trade.ident,
        "p": listing.price(trade.price),
        "q": size,
        "nq": size,
        "f": trade.ident,
        "l": trade.ident,
        "T": trade.time_ms,
        "m": not trade.is_buy,
    }
