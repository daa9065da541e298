"""Which command is meant by what was typed: other names, slips of the finger, and words without a slash. Pure."""

import difflib
from collections.abc import Collection, Sequence

from actors.telegram.parsing import asset_of

SPOKEN = ("price", "volume", "cvd", "oi", "profile", "liquidations", "funding", "chart", "zones")
USUAL = "price"  # what a bare asset asks for
MOST_BARE_WORDS = 3  # more is talk
ALIKE = 0.6  # of difflib's measure, from which on a name may be a slip of another
OTHER_NAMES = {
    "p": "price",
    "v": "volume",
    "vol": "volume",
    "openinterest": "oi",
    "interest": "oi",
    "l": "liquidations",
    "liq": "liquidations",
    "liqs": "liquidations",
    "liquidation": "liquidations",
    "fund": "funding",
    "rate": "funding",
    "c": "chart",
    "pic": "chart",
    "zone": "zones",
    "alert": "alerts",
    "settings": "alerts",
    "thresholds": "threshold",
    "mutes": "mute",
    "silence": "mute",
    "tz": "timezone",
    "clock": "timezone",
    "scores": "stats",
    "health": "status",
    "ping": "version",
    "uptime": "version",
    "commands": "help",
    "stop": "alerts stop",
}


def spoken(words: Sequence[str], assets: Collection[str]) -> list[str]:
    """What a few words without a slash ask about a market; nothing where they are talk. They change nothing."""
    if not words or len(words) > MOST_BARE_WORDS:
        return []
    name, *rest = renamed(words[0].lower(), words[1:], SPOKEN)
    if name in SPOKEN and (not rest or any(asset_of(word, assets) for word in rest)):
        return [name, *rest]
    return [USUAL, *words] if asset_of(words[0], assets) else []


def renamed(name: str, words: Sequence[str], known: Collection[str]) -> list[str]:
    """The words of a command by its own name."""
    other = OTHER_NAMES.get(name) if name not in known else None
    return [*(other.split() if other else (name,)), *words]


def likeliest(name: str, known: Collection[str]) -> str:
    """The command that a slip of the finger may have meant, "" where none is alike."""
    found = difflib.get_close_matches(name, (*known, *OTHER_NAMES), n=1, cutoff=ALIKE)
    return OTHER_NAMES.get(found[0], found[0]).split()[0] if found else ""
