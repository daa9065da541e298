"""Who may do what (contract.md 4), as pure rules over ids, and how often."""

import time
from collections import deque
from enum import IntEnum

STRANGER_ANSWERS = 5  # a minute for each chat: answers to strangers share the bot's rate limit with alerts
STRANGER_ANSWERS_ALL = 30  # a minute for all of them together
MINUTE_S = 60.0


class Right(IntEnum):
    """Each includes those before it."""

    NONE = 0  # learns its own ids and nothing else
    ASK = 1  # may ask
    CHANGE = 2  # may change what is stored
    OPERATE = 3  # may also restart, pause and resume


def right_of(
    authorized: frozenset[int], chat_id: int, user_id: int | None, owners: frozenset[int] = frozenset()
) -> Right:
    """An authorised group may ask whoever writes there; changes need an authorised user, in a group too.

    `user_id` is None where nobody in particular wrote, such as in a channel. An owner must be authorised, too.
    """
    if user_id is not None and user_id > 0 and user_id in authorized:
        return Right.OPERATE if user_id in owners else Right.CHANGE
    return Right.ASK if chat_id in authorized else Right.NONE


class StrangersLimit:
    """How often strangers are answered at all. Called on one thread."""

    def __init__(self) -> None:
        self._answered: deque[tuple[float, int]] = deque()

    def allows(self, chat_id: int, now_s: float | None = None) -> bool:
        now_s = time.monotonic() if now_s is None else now_s
        while self._answered and now_s - self._answered[0][0] > MINUTE_S:
            self._answered.popleft()
        of_this = sum(chat == chat_id for _, chat in self._answered)
        if of_this >= STRANGER_ANSWERS or len(self._answered) >= STRANGER_ANSWERS_ALL:
            return False
        self._answered.append((now_s, chat_id))
        return True


class UsersLimit:
    """How many commands one user, or one chat where nobody in particular writes, may give in a minute. Called on one thread."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._given: dict[int, deque[float]] = {}
        self._told: set[int] = set()

    def wait_s(self, who: int, now_s: float | None = None) -> float:
        """0 when the command is let through, which counts it; else how long it takes until one is."""
        now_s = time.monotonic() if now_s is None else now_s
        given = self._given.setdefault(who, deque())
        while given and now_s - given[0] >= MINUTE_S:
            given.popleft()
        if len(given) >= self._per_minute:
            return MINUTE_S - (now_s - given[0])
        given.append(now_s)
        self._told.discard(who)
        return 0.0

    def first_refusal(self, who: int) -> bool:
        """Whether `who` has not been told of the limit since it was within it: one warning is enough."""
        if who in self._told:
            return False
        self._told.add(who)
        return True
