"""What the outside says of a coin's market capitalisation, and which of several coins of one name is ours."""

from collections.abc import Iterable

import msgspec

SAME_PRICE = 1.25  # ours: a coin of the same name whose price differs by more is another one


class CoinCap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One coin of one source. `price_usd`, `cap_usd` as of `at_ms`."""

    symbol: str
    source: str
    price_usd: float
    cap_usd: float
    at_ms: int


def ours(coins: Iterable[CoinCap], price_usd: float) -> CoinCap | None:
    """The first coin whose price is about that of our asset: symbols are not unique."""
    matching = (coin for coin in coins if coin.cap_usd > 0 and _alike(coin.price_usd, price_usd))
    return next(matching, None)


def _alike(one: float, other: float) -> bool:
    return one > 0 and other > 0 and max(one, other) / min(one, other) <= SAME_PRICE
