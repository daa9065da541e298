"""OKX v5 swaps: trades, tickers, funding and candles on the WebSocket (exchanges.md 4.4)."""

from collections.abc import Callable, Iterable
from typing import Any

from simulator import okx_rest
from simulator.candle_watch import CandleWatch
from simulator.listings import OKX, Listing
from simulator.okx_history import candle_row
from simulator.sent import Batch
from simulator.venue import Cadence, Frame, Quote, Source, compact

TICKER_MS = 100
CANDLE_MS = 1000
FUNDING_MS = 60_000


class OkxFeeds:
    def __init__(self, source: Source, speed: float) -> None:
        stretch = max(1.0, speed)
        self._source = source
        self._tickers = Cadence(round(TICKER_MS * stretch))
        self._candle_period = Cadence(round(CANDLE_MS * stretch))
        self._funding = Cadence(FUNDING_MS)
        self._candles = CandleWatch(source, OKX)
        self._templates: dict[str, str] = {}
        self._shown: dict[str, float] = {}

    def due(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for symbol, prints in self._source.prints(OKX).items():
            for channel in ("trades", "trades-all"):
                topic = f"{channel}:{symbol}"
                if wanted(topic):
                    template, listing = self._template(channel, symbol)
                    for trade in prints:
                        yield Frame(
                            topic,
                            template
                            % (
                                trade.ident,
                                trade.price,
                                trade.coins / listing.coins_per_unit,
                                "buy" if trade.is_buy else "sell",
                                trade.time_ms,
                                trade.ident,
                            ),
                            Batch(symbol, trade.ident, 1),
                        )
        if self._tickers.due(now_ms):
            yield from self._ticker_frames(now_ms, wanted)
        if self._funding.due(now_ms):
            yield from self._rows("funding-rate", wanted, lambda quote: okx_rest.funding_row(quote, now_ms))
        if self._candle_period.due(now_ms):
            yield from self._candle_frames(wanted)

    def _template(self, channel: str, symbol: str) -> tuple[str, Listing]:
        quote = self._source.quote(OKX, symbol)
        assert quote is not None, f"{symbol} is not listed"
        key = f"{channel}:{symbol}"
        known = self._templates.get(key)
        return known or self._templates.setdefault(key, _trade_template(channel, quote.listing)), quote.listing

    def _ticker_frames(self, now_ms: int, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        def changed(quote: Quote) -> dict[str, str] | None:
            if self._shown.get(quote.listing.symbol) == quote.last:
                return None
            self._shown[quote.listing.symbol] = quote.last
            return okx_rest.ticker_row(quote, now_ms)

        yield from self._rows("tickers", wanted, changed)

    def _candle_frames(self, wanted: Callable[[str], bool]) -> Iterable[Frame]:
        for quote in self._source.quotes(OKX):
            topic = f"candle1m:{quote.listing.symbol}"
            if wanted(topic):
                for candle, is_closed in self._candles.changed(quote.listing.symbol):
                    row = candle_row(quote.listing, candle, is_closed=is_closed)
                    yield _message(topic, [row])

    def _rows(
        self, channel: str, wanted: Callable[[str], bool], read: Callable[[Quote], dict[str, str] | None]
    ) -> Iterable[Frame]:
        for quote in self._source.quotes(OKX):
            topic = f"{channel}:{quote.listing.symbol}"
            if wanted(topic) and (row := read(quote)) is not None:
                yield _message(topic, [row])


def _message(topic: str, data: list[Any]) -> Frame:
    channel, _, symbol = topic.partition(":")
    return Frame(topic, compact({"arg": {"channel": channel, "instId": symbol}, "data": data}))


def _trade_template(channel: str, listing: Listing) -> str:
    price, size = f"%.{listing.price_decimals}f", f"%.{listing.size_decimals}f"
    symbol = listing.symbol
    count = '"count":"1",' if channel == "trades" else ""
    return (
        f'{{"arg":{{"channel":"{channel}","instId":"{symbol}"}},"data":[{{"instId":"{symbol}","tradeId":"%d",'
        f'"px":"{price}","sz":"{size}","side":"%s","ts":"%d",{count}"source":"0","seqId":%d}}]}}'
    )
