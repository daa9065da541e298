"""A venue's name of a base coin -> the asset and how many of its coins one unit stands for.

Only the spelling is read here. Whether 1000CAT really is a thousand CAT is decided where prices of several venues are
seen together (the universe): a unit counts as proven when the scaled price agrees with the other venues within 3 %.
Source of the rules: exchanges.md 9.
"""

import re
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
