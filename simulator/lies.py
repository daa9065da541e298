"""What a venue says that has lost its senses: its own messages, with values of a wrong type in every field."""

import json
from typing import Any

# By these a client finds out which kind of message it has before it; two of three lies leave them as they are.
_ROUTING = frozenset({"stream", "e", "topic", "channel", "arg", "event", "action", "method", "jsonrpc", "params"})
_WRONG: tuple[Any, ...] = (None, "a lie", -1e300, True, [], {}, 0.5, "NaN", [[None]], {"lie": 1}, 10**30, "\ud83d")


def spoil(text: str, turn: int) -> str:
    """The message with wrong types; `turn` decides on which ones. What is no JSON stays what it is."""
    try:
        message = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_spoilt(message, turn, frozenset() if turn % 3 == 0 else _ROUTING), separators=(",", ":"))


def _spoilt(value: Any, turn: int, kept: frozenset[str]) -> Any:
    match value:
        case dict() if value:
            return {
                name: one if name in kept and isinstance(one, str) else _spoilt(one, turn + place, kept)
                for place, (name, one) in enumerate(value.items())
            }
        case list() if value:
            return [_spoilt(one, turn + place, kept) for place, one in enumerate(value)]
    wrong = _WRONG[turn % len(_WRONG)]
    return _WRONG[(turn + 1) % len(_WRONG)] if isinstance(wrong, type(value)) else wrong
