"""Telegram's own parser, offline: whether a text's formatting is right and how long Telegram thinks it is."""

import json
from typing import NamedTuple

import tdjson


class Verdict(NamedTuple):
    error: str
    units: int
    plain: str


def parse(text, mode):
    """`mode`: HTML, or None for text without marks, which still has to be text."""
    assert mode in {"HTML", None}
    request = {"@type": "parseTextEntities", "text": text, "parse_mode": {"@type": "textParseModeHTML"}}
    answer = _ask(request if mode else {"@type": "getTextEntities", "text": text})
    if answer["@type"] == "error":
        return Verdict(answer["message"], 0, "")
    plain = answer["text"] if mode else text
    return Verdict("", _units(plain), plain)


def _units(text):
    return len(text.encode("utf-16-le")) // 2


def _ask(request):
    return json.loads(tdjson.td_execute(json.dumps(request).encode()))


_ask({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})
