"""Asking the dispatcher from the bot's event loop, in the order in which people asked."""

import asyncio
from typing import Any, TypeVar

from actors.messages.chats import Refused
from actors.system import Address
from actors.telegram.answer import Refusal
from actors.telegram.answers import UNAVAILABLE
from actors.telegram.market import ASK_S

T = TypeVar("T")


class Desk:
    """One at a time: stop and start in one batch keep their order."""

    def __init__(self, dispatcher: Address, log: Any) -> None:
        self._dispatcher, self._log = dispatcher, log
        self._asking = asyncio.Lock()

    async def ask(self, message: Any, answer: type[T]) -> T:
        """The answer, on another thread: waiting for it here would hold up every other command. Raises Refusal."""
        try:
            async with self._asking:
                given = await asyncio.to_thread(self._dispatcher.ask, message, timeout=ASK_S)
        except Exception as error:  # it is down, late, or failed over this very letter: the asker hears the same
            self._log.warning("command_unanswered", message=type(message).__name__, caused_by=repr(error))
            raise Refusal(UNAVAILABLE) from error
        if isinstance(given, Refused):
            raise Refusal(f"Not done: {given.reason}.")
        if not isinstance(given, answer):
            raise Refusal(UNAVAILABLE)
        return given
