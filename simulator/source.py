"""The two sources behind the venues: the market model, and the empty one of a tape."""

from collections.abc import Callable, Sequence

from simulator.book import Book, TrueLiquidation
from simulator.market import Market
from simulator.venue import Quote

FUNDING_INTERVAL_MS = 8 * 3600 * 1000
KEPT_EARLIER = 20


class MarketSource:
    def __init__(self, market: Market) -> None:
        self._market = market
        self._by_symbol: dict[tuple[str, str], Book] = {
            (listing.venue, listing.symbol): book
            for book in market.books.values()
            for listing in book.listings.values()
        }
        self._day_ago = {name: book.price.last * 0.985 for name, book in market.books.items()}

    @property
    def now_ms(self) -> int:
        return self._market.now_ms

    def quotes(self, venue: str) -> Sequence[Quote]:
        return [self._quote(book, venue) for book in self._market.books.values() if venue in book.listings]

    def quote(self, venue: str, symbol: str) -> Quote | None:
        book = self._by_symbol.get((venue, symbol))
        return None if book is None else self._quote(book, venue)

    def earlier(self, venue: str) -> Sequence[TrueLiquidation]:
        known = self._market.earlier + self._market.liquidations
        mine = sorted((row for row in known if row.venue == venue), key=lambda row: row.time_ms)
        return mine[-KEPT_EARLIER:]

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

    def earlier(self, venue: str) -> Sequence[TrueLiquidation]:  # noqa: ARG002  the protocol's signature
        return ()
