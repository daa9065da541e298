"""Bybit v5 linear: trades and candles on the WebSocket (exchanges.md 3.4). Candles exist for one minute alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from simulator.candle_watch import CandleWatch
from simulator.candles import MINUTE_MS, Candle
from simulator.flow import Print
from simulator.listings import BYBIT, Listing
from simulator.sent import Batch
from simulator.venue import Cadence, Frame, Source, compact

TRADES = "publicTrade."
KLINES = "kline.1."
KLINE_MS = 1000
MOST_TRADES = 1024  # in one message


class BybitFeeds:
    def __init__(self, source: Source, speed: float) -> None:
        self._source = source
        self._klines = Cadence(round(KLINE_MS * max(1.0, speed)))
        self._candles = CandleWatch(source, BYBIT)
        self._templates: dict[str, str] = {}
        self._last: dict[str, tuple[float, str]] = {}
        self._sequence = 0

    def due(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for symbol, prints in self._source.prints(BYBIT).items():
            if wanted(TRADES + symbol):
                for first in range(0, len(prints), MOST_TRADES):
                    yield self._trade_frame(symbol, prints[first : first + MOST_TRADES], now_ms)
        if self._klines.due(now_ms):
            for quote in self._source.quotes(BYBIT):
                topic = KLINES + quote.listing.symbol
                if wanted(topic):
                    for candle, is_closed in self._candles.changed(quote.listing.symbol):
                        row = _kline(quote.listing, candle, now_ms, is_closed=is_closed)
                        message = {"topic": topic, "data": [row], "ts": now_ms, "type": "snapshot"}
                        yield Frame(topic, compact(message))

    def _trade_frame(self, symbol: str, prints: Sequence[Print], now_ms: int) -> Frame:
        quote = self._source.quote(BYBIT, symbol)
        assert quote is not None, f"{symbol} is not listed"
        listing = quote.listing
        template = self._templates.get(symbol) or self._templates.setdefault(symbol, _trade_template(listing))
        self._sequence += 1
        rows = ",".join(
            template
            % (
                trade.time_ms,
                "Buy" if trade.is_buy else "Sell",
                trade.coins / listing.coins_per_unit,
                trade.price * listing.multiplier,
                self._direction(symbol, trade.price),
                trade.ident,
                self._sequence,
            )
            for trade in prints
        )
        topic = TRADES + symbol
        payload = f'{{"topic":"{topic}","type":"snapshot","ts":{now_ms},"data":[{rows}]}}'
        return Frame(topic, payload, Batch(symbol, prints[0].ident, len(prints)))

    def _direction(self, symbol: str, price: float) -> str:
        before, direction = self._last.get(symbol, (price, "ZeroPlusTick"))
        if price != before:
            direction = "PlusTick" if price > before else "MinusTick"
        elif not direction.startswith("Zero"):
            direction = f"Zero{direction}"
        self._last[symbol] = price, direction
        return direction


def _trade_template(listing: Listing) -> str:
    price, size = f"%.{listing.price_decimals}f", f"%.{listing.size_decimals}f"
    return (
        f'{{"T":%d,"s":"{listing.symbol}","S":"%s","v":"{size}","p":"{price}","L":"%s",'
        '"i":"00000000-0000-5000-8000-%012x","BT":false,"RPI":false,"seq":%d}'
    )


def _kline(listing: Listing, candle: Candle, now_ms: int, *, is_closed: bool) -> dict[str, Any]:
    return {
        "start": candle.open_ms,
        "end": candle.open_ms + MINUTE_MS - 1,
        "interval": "1",
        "open": listing.price(candle.open),
        "close": listing.price(candle.close),
        "high": listing.price(candle.high),
        "low": listing.price(candle.low),
        "volume": listing.size(candle.coins),
        "turnover": f"{candle.usd:.4f}",
        "confirm": is_closed,
        "timestamp": now_ms,
    }
