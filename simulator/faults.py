"""Faults on request: what can go wrong at a venue, for how many frames or requests, or for how long.

On data frames: `stall` loses them (and replies and pongs too) while the connection stays open and REST hangs, `garbage`
sends something else instead, `half_frame` sends one half and closes, `duplicate` sends twice, `out_of_order` sends one
after its successor, `slow` delays each (and REST replies), `lie` puts wrong types into every field (of REST replies too).
`mute_trades` and `mute_liquidations` lose all frames of such topics and nothing else: the subscription stays silent.
`flood` sends thousands of frames a second between them, garbage and the latest true one in turn. `drop` cuts connections
without a closing handshake; `vanish` does so to whoever comes, REST included, before a byte is answered. `http_...`
answers REST calls and WebSocket handshakes with that status in the venue's own words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FRAME_KINDS = ("drop", "stall", "garbage", "half_frame", "duplicate", "out_of_order", "slow", "lie", "flood", "vanish")
MUTED_TOPICS = {
    "mute_trades": ("trade",),
    "mute_liquidations": ("liquidat", "forceorder"),
}  # what such a topic's name holds
HTTP_STATUS = {"http_429": 429, "http_418": 418, "http_451": 451, "http_500": 500, "http_403": 403}
KINDS = (*FRAME_KINDS, *MUTED_TOPICS, *HTTP_STATUS)


class FaultError(Exception):
    """A fault that cannot be made; the text says what was wrong with the request."""


@dataclass(slots=True)
class Fault:
    """`count`: how often it still strikes, None while only time ends it. `until_s`: monotonic seconds, None for ever."""

    count: int | None
    until_s: float | None


class FaultBook:
    """The faults in force, by venue and kind; a new one replaces an older one of its kind."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._faults: dict[tuple[str, str], Fault] = {}
        self.struck: dict[str, int] = {}

    def add(self, venue: str, kind: str, *, count: int | None = None, seconds: float | None = None) -> None:
        """Without `count` and `seconds` the fault strikes once."""
        if kind not in KINDS:
            raise FaultError(f"kind: expected one of {', '.join(KINDS)}, was {kind!r}")
        if count is not None and count < 1:
            raise FaultError(f"count: expected at least 1, was {count}")
        if seconds is not None and seconds <= 0:
            raise FaultError(f"seconds: expected more than 0, was {seconds}")
        if count is None and seconds is None:
            count = 1
        self._faults[venue, kind] = Fault(count, None if seconds is None else self._now() + seconds)

    def active(self, venue: str, kind: str) -> bool:
        fault = self._faults.get((venue, kind))
        return fault is not None and self._in_force(fault)

    def any_active(self, venue: str) -> bool:
        return any(key[0] == venue and self._in_force(fault) for key, fault in self._faults.items())

    def take(self, venue: str, kind: str) -> bool:
        """Whether the fault strikes now; counts it."""
        if not self.active(venue, kind):
            return False
        fault = self._faults[venue, kind]
        if fault.count is not None:
            fault.count -= 1
        self.struck[kind] = self.struck.get(kind, 0) + 1
        return True

    def mutes(self, venue: str, topic: str) -> bool:
        """Whether frames of that topic are lost now; counts the one that is asked for."""
        return self.any_active(venue) and any(
            self.take(venue, kind)
            for kind, words in MUTED_TOPICS.items()
            if any(word in topic.lower() for word in words)
        )

    def clear(self, venue: str | None = None) -> None:
        self._faults = {key: fault for key, fault in self._faults.items() if venue not in (None, key[0])}

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"venue": venue, "kind": kind, "count": fault.count}
            for (venue, kind), fault in self._faults.items()
            if self._in_force(fault)
        ]

    def _in_force(self, fault: Fault) -> bool:
        return fault.count != 0 and (fault.until_s is None or self._now() < fault.until_s)
