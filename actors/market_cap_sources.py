"""How the keyless sources of market capitalisation are asked and read (exchanges.md 10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from actors.exchanges.exchange import RestCall
from intelligence.market_cap import CoinCap


class SourceError(Exception):
    """A source answered with what cannot be used; the text says with what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source by name and base address; `calls` together bring everything, the largest coins first."""

    name: str
    url: str
    calls: tuple[RestCall, ...]


def coingecko(url: str, pages: int) -> Source:
    def page(number: int) -> RestCall:
        asked = {"vs_currency": "usd", "order": "market_cap_desc", "per_page": "250", "page": str(number)}
        return RestCall(path="/coins/markets", params=tuple(asked.items()))

    return Source(name="coingecko", url=url, calls=tuple(page(number) for number in range(1, pages + 1)))


def coinpaprika(url: str) -> Source:
    return Source(name="coinpaprika", url=url, calls=(RestCall(path="/tickers", params=(("quotes", "USD"),)),))


class _Gecko(msgspec.Struct):
    symbol: str
    current_price: float | None = None
    market_cap: float | None = None


class _Quote(msgspec.Struct):
    price: float | None = None
    market_cap: float | None = None


class _Paprika(msgspec.Struct):
    symbol: str
    quotes: dict[str, _Quote] = {}


def read(source: str, body: bytes, at_ms: int) -> tuple[CoinCap, ...]:
    """The coins in an answer that have a price and a market cap. Raises SourceError."""
    try:
        rows = tuple(_gecko(body) if source == "coingecko" else _paprika(body))
    except msgspec.MsgspecError as error:
        raise SourceError(f"{source}: {error}: {body[:80]!r}") from error
    return tuple(
        CoinCap(symbol=symbol.upper(), source=source, price_usd=price, cap_usd=cap, at_ms=at_ms)
        for symbol, price, cap in rows
        if price and cap and price > 0 and cap > 0
    )


Row = tuple[str, float | None, float | None]


def _gecko(body: bytes) -> Iterator[Row]:
    for coin in msgspec.json.decode(body, type=list[_Gecko]):
        yield coin.symbol, coin.current_price, coin.market_cap


def _paprika(body: bytes) -> Iterator[Row]:
    for coin in msgspec.json.decode(body, type=list[_Paprika]):
        quote = coin.quotes.get("USD", _Quote())
        yield coin.symbol, quote.price, quote.market_cap


def by_symbol(coins: tuple[CoinCap, ...]) -> Mapping[str, tuple[CoinCap, ...]]:
    """Coins by what they are called, the largest first."""
    found: dict[str, list[CoinCap]] = {}
    for coin in sorted(coins, key=lambda coin: -coin.cap_usd):
        found.setdefault(coin.symbol, []).append(coin)
    return {symbol: tuple(named) for symbol, named in found.items()}
