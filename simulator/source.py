"""The two sources behind the venues: the market model, and the empty one of a tape."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from simulator.book import Book, TrueLiquidation
from simulator.candles import HOUR_MS, Candle, merged
from simulator.flow import Contract, Print
from simulator.listings import BINANCE
from simulator.market import Market
from simulator.past import OPEN_POINT_MS, Past
from simulator.venue import OpenPoint, Quote, Span

FUNDING_INTERVAL_MS = 8 * 3600 * 1000
KEPT_EARLIER = 20
# Second contracts of an asset, in which nobody trades: the one they follow, and their share of its open interest.
_QUIET = {(BINANCE, "BTCUSDC"): ("BTCUSDT", 0.04)}


class MarketSource:
    def __init__(self, market: Market) -> None:
        self._market = market
        self._by_symbol: dict[tuple[str, str], Book] = {
            (listing.venue, listing.symbol): book
            for book in market.books.values()
            for listing in book.listings.values()
        }
        self._pasts = {
            name: Past(book, market.seed, market.start_ms, book.price.last) for name, book in market.books.items()
        }
        self._earlier = sorted(market.earlier, key=lambda row: row.time_ms)
        self._day_ago = {name: book.price.last * 0.985 for name, book in market.books.items()}

    @property
    def now_ms(self) -> int:
        return self._market.now_ms

    def quotes(self, venue: str) -> Sequence[Quote]:
        return [self._quote(book, venue) for book in self._market.books.values() if venue in book.listings]

    def quote(self, venue: str, symbol: str) -> Quote | None:
        if (venue, symbol) in _QUIET:
            return self._quiet_quote(venue, symbol)
        book = self._by_symbol.get((venue, symbol))
        return None if book is None else self._quote(book, venue)

    def _quiet_quote(self, venue: str, symbol: str) -> Quote | None:
        followed, share = _QUIET[venue, symbol]
        quote = self.quote(venue, followed)
        if quote is None:
            return None
        listing, coins = replace(quote.listing, symbol=symbol), quote.open_coins * share
        return replace(quote, listing=listing, last=quote.mark, open_coins=coins, turnover_usd=0.0)

    def earlier(self, venue: str) -> Sequence[TrueLiquidation]:
        return self.liquidations(venue, 0, self.now_ms)[-KEPT_EARLIER:]

    def liquidations(self, venue: str, from_ms: int, to_ms: int) -> Sequence[TrueLiquidation]:
        live = takewhile(lambda row: row.time_ms >= from_ms, reversed(self._market.liquidations))
        mine = [row for row in live if row.venue == venue and row.time_ms <= to_ms][::-1]
        return [*(row for row in self._earlier if row.venue == venue and from_ms <= row.time_ms <= to_ms), *mine]

    def _quote(self, book: Book, venue: str) -> Quote:
        return Quote(
            listing=book.listings[venue],
            last=book.venue_price(venue, book.price.last),
            mark=book.venue_price(venue, book.price.mark),
            index=book.price.fair,
            funding_rate=book.funding_rate,
            next_funding_ms=(self.now_ms // FUNDING_INTERVAL_MS + 1) * FUNDING_INTERVAL_MS,
            open_coins=book.open_coins[venue].one_side,
            turnover_usd=book.asset.turnover_usd * book.share(venue),
            day_ago=self._day_ago[book.asset.name],
        )

    def prints(self, venue: str) -> Mapping[str, Sequence[Print]]:
        return self._market.flow.prints(venue)

    def recent(self, venue: str, symbol: str) -> Sequence[Print]:
        contract = self._contract(venue, symbol)
        return () if contract is None else tuple(contract.recent)

    def minutes(self, venue: str, symbol: str, from_ms: int) -> Sequence[Candle]:
        contract = self._contract(venue, symbol)
        return () if contract is None else contract.candles.since(from_ms, self.now_ms)

    def _contract(self, venue: str, symbol: str) -> Contract | None:
        return self._market.flow.contracts.get((venue, symbol))

    def candles(self, venue: str, symbol: str, span: Span) -> Sequence[Candle]:
        if (venue, symbol) in _QUIET:
            followed = self.candles(venue, _QUIET[venue, symbol][0], span)
            return [Candle(one.open_ms, one.close, one.close, one.close, one.close) for one in followed]
        contract = self._contract(venue, symbol)
        if contract is None:
            return ()
        contract.candles.roll(self.now_ms)
        to_ms = self.now_ms if span.to_ms is None else min(span.to_ms, self.now_ms)
        last_ms = to_ms - to_ms % span.period_ms
        first_ms = max(span.from_ms, last_ms - (span.limit - 1) * span.period_ms)
        first_ms += -first_ms % span.period_ms
        by_hour = span.period_ms % HOUR_MS == 0
        return merged(self._parts(contract, first_ms, last_ms + span.period_ms, by_hour=by_hour), span.period_ms)

    def _parts(self, contract: Contract, from_ms: int, until_ms: int, *, by_hour: bool) -> Iterable[Candle]:
        yield from self._pasts[contract.book.asset.name].candles(
            contract.listing.venue, from_ms, until_ms, by_hour=by_hour
        )
        live = contract.candles
        for candle in (*(live.hours if by_hour else live.closed), live.current):
            if from_ms <= candle.open_ms < until_ms:
                yield candle

    def open_interest(self, venue: str, symbol: str, span: Span) -> Sequence[OpenPoint]:
        if (venue, symbol) in _QUIET:
            followed, share = _QUIET[venue, symbol]
            rows = self.open_interest(venue, followed, span)
            return [OpenPoint(at, coins * share, price) for at, coins, price in rows]
        book = self._by_symbol.get((venue, symbol))
        if book is None:
            return ()
        to_ms = self.now_ms if span.to_ms is None else min(span.to_ms, self.now_ms)
        last_ms = to_ms - to_ms % span.period_ms
        times = range(last_ms, last_ms - span.limit * span.period_ms, -span.period_ms)
        points = [self._open_point(book, venue, time_ms) for time_ms in times if time_ms >= span.from_ms]
        return [point for point in reversed(points) if point is not None]

    def _open_point(self, book: Book, venue: str, time_ms: int) -> OpenPoint | None:
        held = self._market.open_point(book.asset.name, venue, time_ms)
        if held is not None:
            return OpenPoint(time_ms, *held)
        past = self._pasts[book.asset.name]
        first_ms = self._market.start_ms - self._market.start_ms % OPEN_POINT_MS
        share = past.open_interest((first_ms - time_ms) // OPEN_POINT_MS)
        price = past.price(time_ms)
        if share is None or price is None:
            return None
        coins = share * self._market.first_open[book.asset.name, venue]
        return OpenPoint(time_ms, coins, book.venue_price(venue, price))


class TapeSource:
    """A tape brings frames, and nothing that REST could quote from."""

    def __init__(self, market_ms: Callable[[], int]) -> None:
        self._market_ms = market_ms

    @property
    def now_ms(self) -> int:
        return self._market_ms()

    def quotes(self, venue: str) -> Sequence[Quote]:  # noqa: ARG002  the protocol's signature
        return ()

    def quote(self, venue: str, symbol: str) -> Quote | None:  # noqa: ARG002  the protocol's signature
        return None

    def liquidations(self, venue: str, from_ms: int, to_ms: int) -> Sequence[TrueLiquidation]:  # noqa: ARG002  the protocol's signature
        return ()

    def prints(self, venue: str) -> Mapping[str, Sequence[Print]]:  # noqa: ARG002  the protocol's signature
        return {}

    def recent(self, venue: str, symbol: str) -> Sequence[Print]:  # noqa: ARG002  the protocol's signature
        return ()

    def minutes(self, venue: str, symbol: str, from_ms: int) -> Sequence[Candle]:  # noqa: ARG002  the protocol's signature
        return ()

    def candles(self, venue: str, symbol: str, span: Span) -> Sequence[Candle]:  # noqa: ARG002  the protocol's signature
        return ()

    def open_interest(self, venue: str, symbol: str, span: Span) -> Sequence[OpenPoint]:  # noqa: ARG002  the protocol's signature
        return ()

    def earlier(self, venue: str) -> Sequence[TrueLiquidation]:  # noqa: ARG002  the protocol's signature
        return ()
