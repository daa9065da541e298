"""Which message goes next, and when: one queue for each chat, the gravest first, at the pace Telegram allows. Pure."""

import heapq
from typing import NamedTuple

from actors.outbox_rows import Delivery, chat_of
from intelligence.alerts import Severity, Stage

FROM_MEMORY = 2**62  # ids from here on are of deliveries that no file knows
STUBBORN_ATTEMPTS = 8  # a message that failed so often lets the others of its chat go first

_Key = tuple[Severity, bool, int]


class Pace:
    """When each chat may get its next message, in machine seconds. Groups (negative ids) are slower."""

    def __init__(self, *, private_gap_s: float, group_gap_s: float, overall_per_s: float) -> None:
        self._private_gap_s, self._group_gap_s = private_gap_s, group_gap_s
        self._overall_gap_s = 1 / overall_per_s
        self._overall_free_s = 0.0
        self._free_s: dict[int, float] = {}

    def free_s(self, chat_id: int) -> float:
        return max(self._overall_free_s, self._free_s.get(chat_id, 0.0))

    def pause(self, until_s: float) -> None:
        """Send nothing to anybody before then."""
        self._overall_free_s = max(self._overall_free_s, until_s)

    def hurry(self) -> None:
        """Forget the limit over all chats: the last messages of a process are one for each chat."""
        self._overall_gap_s = self._overall_free_s = 0.0

    def spent(self, chat_id: int, begun_s: float, ended_s: float) -> None:
        """A message has been sent, or tried. One request at a time makes the limit over all chats hold from beginning to
        beginning; in its chat it may have arrived as late as it ended.
        """
        self._overall_free_s = max(self._overall_free_s, begun_s + self._overall_gap_s)
        self.hold(chat_id, ended_s + (self._group_gap_s if chat_id < 0 else self._private_gap_s))

    def charge(self, chat_id: int, now_s: float) -> None:
        """Somebody else has sent a message: what comes next waits for its gap too."""
        self._overall_free_s = max(self._overall_free_s, now_s) + self._overall_gap_s
        gap_s = self._group_gap_s if chat_id < 0 else self._private_gap_s
        self.hold(chat_id, max(self._free_s.get(chat_id, 0.0), now_s) + gap_s)

    def hold(self, chat_id: int, until_s: float) -> None:
        self._free_s[chat_id] = max(until_s, self._free_s.get(chat_id, 0.0))


class Choice(NamedTuple):
    """The delivery that goes next, not before `at_s`."""

    delivery: Delivery
    at_s: float


class Queues:
    """Open deliveries by chat: P1 before P2 before P3, in the order of the outbox within a class.

    The end of an incident waits for its start to be settled, however grave it is.
    """

    def __init__(self) -> None:
        self._rows: dict[int, Delivery] = {}
        self._heaps: dict[int, list[_Key]] = {}
        self._starts: dict[tuple[str, str], int] = {}
        self._behind: dict[int, list[Delivery]] = {}
        self.newest_id = 0

    def __len__(self) -> int:
        return len(self._rows) + sum(map(len, self._behind.values()))

    def rows(self) -> tuple[Delivery, ...]:
        return tuple(self._rows.values())

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery; again after a failed attempt replaces it."""
        if delivery.id < FROM_MEMORY:
            self.newest_id = max(self.newest_id, delivery.id)
        start = (delivery.alert.alert_id, delivery.target)
        if delivery.stage is Stage.RAISED:
            self._starts[start] = delivery.id
        elif start in self._starts:
            self._behind.setdefault(self._starts[start], []).append(delivery)
            return
        self._rows[delivery.id] = delivery
        heapq.heappush(self._heaps.setdefault(chat_of(delivery.target), []), _key(delivery))

    def remove(self, delivery: Delivery) -> None:
        """Forget a delivery that is settled."""
        self._rows.pop(delivery.id, None)
        if delivery.stage is Stage.RAISED:
            self._starts.pop((delivery.alert.alert_id, delivery.target), None)
        for end in self._behind.pop(delivery.id, ()):
            self.add(end)

    def remove_chat(self, chat_id: int) -> None:
        """Forget what waits for it and its topics."""
        for delivery in [row for row in self._rows.values() if chat_of(row.target) == chat_id]:
            self._behind.pop(delivery.id, None)
            self.remove(delivery)

    def urgent(self, chat_id: int) -> bool:
        """Whether the start of something that interrupts people waits for that chat."""
        return any(
            chat_of(row.target) == chat_id and row.stage is Stage.RAISED and row.alert.severity is not Severity.P3
            for row in self._rows.values()
        )

    def next(self, now_s: float, pace: Pace) -> Choice | None:
        """The gravest of those whose chat is free now, else the one whose chat is free first."""
        heads = [(self._head(chat_id), pace.free_s(chat_id)) for chat_id in tuple(self._heaps)]
        choices = [Choice(delivery, free_s) for delivery, free_s in heads if delivery is not None]
        return min(choices, key=lambda c: (max(c.at_s, now_s), *_key(c.delivery)), default=None)

    def _head(self, chat_id: int) -> Delivery | None:
        heap = self._heaps[chat_id]
        while heap:
            delivery = self._rows.get(heap[0][2])
            if delivery is not None and heap[0] == _key(delivery):
                return delivery
            heapq.heappop(heap)  # settled, or changed since: its new key is in the heap too
        del self._heaps[chat_id]
        return None


def _key(delivery: Delivery) -> _Key:
    return delivery.alert.severity, delivery.attempts >= STUBBORN_ATTEMPTS, delivery.id
