"""Binance USD-M: trades, candles and tickers on the WebSocket (exchanges.md 2.6).

Candle streams exist for one minute alone; the others are accepted and stay silent.
"""

from collections.abc import Callable, Iterable
from typing import Any

from simulator.candle_watch import CandleWatch
from simulator.candles import MINUTE_MS, Candle
from simulator.listings import BINANCE, Listing
from simulator.sent import Batch
from simulator.venue import Cadence, Frame, Quote, Source, compact

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
        if self._all_tickers.due(now_ms):
            yield from self._all_ticker_frames(now_ms, wanted)
        if self._tickers.due(now_ms):
            for quote in self._source.quotes(BINANCE):
                for stream, event_of in _TICKERS.items():
                    topic = f"{quote.listing.symbol.lower()}@{stream}"
                    if wanted(topic):
                        yield Frame(topic, compact(event_of(quote, now_ms)))

    def _all_ticker_frames(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        """Symbols that changed, of both markets of the venue (here one has none to show)."""
        changed = [quote for quote in self._source.quotes(BINANCE) if self._has_changed(quote)]
        for stream, event_of in _TICKERS.items():
            topic = f"!{stream}@arr"
            if wanted(topic):
                rows = [event_of(quote, now_ms) | {"ps": quote.listing.symbol, "st": 1} for quote in changed]
                yield Frame(topic, compact(rows))

    def _trade_frames(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        """`@aggTrade` joins the fills of an order at one price; here every order has one fill, so `@trade` has as many."""
        for symbol, prints in self._source.prints(BINANCE).items():
            for stream, template_of in _TRADE_STREAMS.items():
                topic = f"{symbol.lower()}@{stream}"
                if not wanted(topic):
                    continue
                listing = self._listing(symbol)
                template = self._templates.get(topic) or self._templates.setdefault(topic, template_of(listing))
                unit, multiplier = listing.coins_per_unit, listing.multiplier
                for at, price, coins, is_buy, ident, _ in prints:
                    values = {
                        "sent": now_ms,
                        "ident": ident,
                        "price": price * multiplier,
                        "size": coins / unit,
                        "at": at,
                        "taker_sold": "false" if is_buy else "true",
                    }
                    yield Frame(topic, template % values, Batch(symbol, ident, 1))

    def _listing(self, symbol: str) -> Listing:
        quote = self._source.quote(BINANCE, symbol)
        assert quote is not None, f"{symbol} is not listed"
        return quote.listing

    def _has_changed(self, quote: Quote) -> bool:
        symbol = quote.listing.symbol
        changed = self._last_shown.get(symbol) != quote.last
        self._last_shown[symbol] = quote.last
        return changed


def _agg_trade_template(listing: Listing) -> str:
    """`m`: the buyer was maker, so the taker sold. `nq` leaves out retail price improvement, which is not modelled."""
    price, size = f"%(price).{listing.price_decimals}f", f"%(size).{listing.size_decimals}f"
    return (
        f'{{"e":"aggTrade","E":%(sent)d,"s":"{listing.symbol}","a":%(ident)d,"p":"{price}","q":"{size}","nq":"{size}",'
        '"f":%(ident)d,"l":%(ident)d,"T":%(at)d,"m":%(taker_sold)s,"st":1}'
    )


def _trade_template(listing: Listing) -> str:
    price, size = f"%(price).{listing.price_decimals}f", f"%(size).{listing.size_decimals}f"
    return (
        f'{{"e":"trade","E":%(sent)d,"T":%(at)d,"s":"{listing.symbol}","t":%(ident)d,"p":"{price}","q":"{size}",'
        '"X":"MARKET","m":%(taker_sold)s}'
    )


_TRADE_STREAMS = {"aggTrade": _agg_trade_template, "trade": _trade_template}


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


def mini_ticker_event(quote: Quote, now_ms: int) -> dict[str, Any]:
    whole = ticker_event(quote, now_ms)
    return {"e": "24hrMiniTicker"} | {name: whole[name] for name in ("E", "s", "c", "o", "h", "l", "v", "q")}


_TICKERS = {"ticker": ticker_event, "miniTicker": mini_ticker_event}
