"""Binance USD-M: trades, candles and tickers on the WebSocket (exchanges.md 2.6).

Candle streams exist for one minute alone; the others are accepted and stay silent.
"""

from collections.abc import Callable, Iterable
from typing import Any

from simulator.candle_watch import CandleWatch
from simulator.candles import MINUTE_MS, Candle
from simulator.listings import BINANCE, Listing
from simulator.venue import Cadence, Frame, Quote, Source, compact

ALL_TICKERS = "!ticker@arr"
KLINE_MS = 250
ALL_TICKERS_MS = 1000
TICKER_MS = 2000
DAY_MS = 86_400_000


class BinanceFeeds:
    def __init__(self, source: Source, speed: float) -> None:
        """`speed` stretches the periods, so that a faster market does not mean more frames a real second."""
        stretch = max(1.0, speed)
        self._source = source
        self._klines = Cadence(round(KLINE_MS * stretch))
        self._all_tickers = Cadence(round(ALL_TICKERS_MS * stretch))
        self._tickers = Cadence(round(TICKER_MS * stretch))
        self._candles = CandleWatch(source, BINANCE)
        self._templates: dict[str, str] = {}
        self._last_shown: dict[str, float] = {}

    def due(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        yield from self._trade_frames(now_ms, wanted)
        if self._klines.due(now_ms):
            for quote in self._source.quotes(BINANCE):
                topic = f"{quote.listing.symbol.lower()}@kline_1m"
                if wanted(topic):
                    for candle, is_closed in self._candles.changed(quote.listing.symbol):
                        yield Frame(topic, compact(kline_event(quote.listing, candle, now_ms, is_closed=is_closed)))
        if self._all_tickers.due(now_ms) and wanted(ALL_TICKERS):
            rows = [ticker_event(quote, now_ms) for quote in self._source.quotes(BINANCE) if self._has_changed(quote)]
            yield Frame(ALL_TICKERS, compact([row | {"ps": row["s"], "st": 1} for row in rows]))
        if self._tickers.due(now_ms):
            for quote in self._source.quotes(BINANCE):
                topic = f"{quote.listing.symbol.lower()}@ticker"
                if wanted(topic):
                    yield Frame(topic, compact(ticker_event(quote, now_ms)))

    def _trade_frames(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for symbol, prints in self._source.prints(BINANCE).items():
            topic = f"{symbol.lower()}@aggTrade"
            if not wanted(topic):
                continue
            quote = self._source.quote(BINANCE, symbol)
            assert quote is not None, f"{symbol} is not listed"
            listing = quote.listing
            template = self._templates.get(symbol) or self._templates.setdefault(symbol, _trade_template(listing))
            for trade in prints:
                size = trade.coins / listing.coins_per_unit
                ident = trade.ident
                values = (now_ms, ident, trade.price * listing.multiplier, size, size, ident, ident, trade.time_ms)
                yield Frame(topic, template % (*values, "false" if trade.is_buy else "true"))

    def _has_changed(self, quote: Quote) -> bool:
        symbol = quote.listing.symbol
        changed = self._last_shown.get(symbol) != quote.last
        self._last_shown[symbol] = quote.last
        return changed


def _trade_template(listing: Listing) -> str:
    """`m`: the buyer was maker, so the taker sold. `nq` leaves out retail price improvement, which is not modelled."""
    price, size = f"%.{listing.price_decimals}f", f"%.{listing.size_decimals}f"
    return (
        f'{{"e":"aggTrade","E":%d,"s":"{listing.symbol}","a":%d,"p":"{price}","q":"{size}","nq":"{size}",'
        '"f":%d,"l":%d,"T":%d,"m":%s,"st":1}'
    )


def kline_event(listing: Listing, candle: Candle, now_ms: int, *, is_closed: bool) -> dict[str, Any]:
    kline = {
        "t": candle.open_ms,
        "T": candle.open_ms + MINUTE_MS - 1,
        "s": listing.symbol,
        "i": "1m",
        "f": 1,
        "L": candle.trades,
        "o": listing.price(candle.open),
        "c": listing.price(candle.close),
        "h": listing.price(candle.high),
        "l": listing.price(candle.low),
        "v": listing.size(candle.coins),
        "n": candle.trades,
        "x": is_closed,
        "q": f"{candle.usd:.4f}",
        "V": listing.size(candle.buy_coins),
        "Q": f"{candle.buy_usd:.4f}",
        "B": "0",
    }
    return {"e": "kline", "E": now_ms, "s": listing.symbol, "k": kline, "st": 1}


def ticker_event(quote: Quote, now_ms: int) -> dict[str, Any]:
    listing = quote.listing
    coins = quote.turnover_usd / quote.last
    return {
        "e": "24hrTicker",
        "E": now_ms,
        "s": listing.symbol,
        "p": listing.price(quote.last - quote.day_ago),
        "P": f"{(quote.last / quote.day_ago - 1) * 100:.3f}",
        "w": listing.price((quote.last + quote.day_ago) / 2),
        "c": listing.price(quote.last),
        "Q": listing.size(coins / 1e6),
        "o": listing.price(quote.day_ago),
        "h": listing.price(max(quote.last, quote.day_ago)),
        "l": listing.price(min(quote.last, quote.day_ago)),
        "v": listing.size(coins),
        "q": f"{quote.turnover_usd:.2f}",
        "O": now_ms - DAY_MS,
        "C": now_ms,
        "F": 1,
        "L": round(quote.turnover_usd / 2000),
        "n": round(quote.turnover_usd / 2000),
    }
