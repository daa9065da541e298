"""Who may do what (contract.md 4), as a pure rule over a chat's and a user's id."""

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


def right_of(authorized: frozenset[int], chat_id: int, user_id: int | None) -> Right:
    """An authorised group may ask whoever writes there; changes need an authorised user, in a group too.

    `user_id` is None where nobody in particular wrote, such as in a channel.
    """
    if user_id is not None and user_id > 0 and user_id in authorized:
        return Right.CHANGE
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
