"""A venue's name of a base coin -> the asset and how many of its coins one unit stands for.

`unit_of` reads the spelling alone. Whether 1000CAT really is a thousand CAT, and whether WEN is the same thing on two
venues, `judge_mappings` decides by the prices of all venues. Source of the rules: exchanges.md 9.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Unit(NamedTuple):
    """`multiplier` coins of `asset` make one unit of the venue's base."""

    asset: str
    multiplier: float


# Longest first. What remains begins with a letter and has two letters or more, else the digits belong to the name:
# 1INCH, 0G, 2Z, 4, 4STOCK and 1000X are coins.
_PREFIX = re.compile(r"(?P<scale>10000000|1000000|100000|10000|1000|1M)(?P<name>[^\W\d_]\w*)")
_SUFFIX = re.compile(r"(?P<name>\w*[^\W\d_])(?P<scale>10000|1000)")
_KILO = re.compile(r"k(?P<name>[A-Z]\w*)")  # Hyperliquid: kPEPE; KAS is written with a capital and is a name
_LETTER = re.compile(r"[^\W\d_]")

MEGA = 1_000_000.0


def unit_of(base: str, *, in_millions: frozenset[str] = frozenset()) -> Unit:
    """Read a base such as BTC, 1000PEPE, 1MBABYDOGE, SHIB1000 or kPEPE.

    `in_millions`: the venue's names whose leading M is a million (Gate: MBABYDOGE). They have to be listed, because
    MKR and MANA begin with the same letter.
    """
    if base in in_millions:
        return Unit(base[1:], MEGA)
    for pattern in (_PREFIX, _SUFFIX):
        if (found := pattern.fullmatch(base)) and _is_name(found["name"]):
            return Unit(found["name"], MEGA if found["scale"] == "1M" else float(found["scale"]))
    if (found := _KILO.fullmatch(base)) and _is_name(found["name"]):
        return Unit(found["name"], 1_000.0)
    return Unit(base, 1.0)


def _is_name(remainder: str) -> bool:
    return len(_LETTER.findall(remainder)) >= 2


AGREEMENT = 0.03  # exchanges.md 9, rule 3


class Quote(NamedTuple):
    """One contract as its name was read: `price` in USD a coin of `asset`, `turnover_usd` of 24 hours."""

    venue: str
    instrument: str
    asset: str
    multiplier: float
    price: float
    turnover_usd: float


class Rejection(NamedTuple):
    """`price`: the others call something else by that name. `unproven`: no other venue shows that the scale is one."""

    quote: Quote
    reason: str


def judge_mappings(quotes: Iterable[Quote], within: float = AGREEMENT) -> tuple[list[Quote], list[Rejection]]:
    """Accept the contracts of an asset whose prices agree; name what is wrong with the others.

    What most venues agree on is the asset, among equals the larger turnover. A scaled name (1000CAT, kPEPE) stands only
    where another venue agrees; a plain name may stand alone.
    """
    by_asset: dict[str, list[Quote]] = {}
    for quote in quotes:
        by_asset.setdefault(quote.asset, []).append(quote)
    accepted: list[Quote] = []
    rejected: list[Rejection] = []
    for several in by_asset.values():
        agreeing = max((_agreeing(several, one.price, within) for one in several), key=_weight)
        venues = {quote.venue for quote in agreeing}
        for quote in several:
            if quote not in agreeing:
                rejected.append(Rejection(quote, "price"))
            elif quote.multiplier != 1 and len(venues) < 2:
                rejected.append(Rejection(quote, "unproven"))
            else:
                accepted.append(quote)
    return accepted, rejected


def _agreeing(quotes: list[Quote], price: float, within: float) -> list[Quote]:
    return [quote for quote in quotes if abs(quote.price - price) <= within * price]


def _weight(quotes: list[Quote]) -> tuple[int, float]:
    return len({quote.venue for quote in quotes}), sum(quote.turnover_usd for quote in quotes)
