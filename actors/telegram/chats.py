"""What a chat has chosen, asked for and changed on behalf of whoever wrote there."""

from actors.messages.chats import AlertsState, AskAlerts, ChangePreferences, SetAlerts
from actors.telegram.access import Right
from actors.telegram.answer import Asked, Refusal
from actors.telegram.answers import NOT_A_TARGET
from actors.telegram.desk import Desk
from intelligence.preferences import Change


class Chats:
    """`targets`: the chats that get alerts. Every method raises Refusal."""

    def __init__(self, desk: Desk, targets: frozenset[int]) -> None:
        self._desk, self._targets = desk, targets

    async def state(self, asked: Asked) -> AlertsState:
        self.check_target(asked)
        return await self._desk.ask(AskAlerts(chat_id=asked.chat_id), AlertsState)

    async def change(self, asked: Asked, change: Change) -> AlertsState:
        by = self._may_change(asked)
        return await self._desk.ask(ChangePreferences(chat_id=asked.chat_id, change=change, by=by), AlertsState)

    async def switch(self, asked: Asked, *, on: bool) -> AlertsState:
        by = self._may_change(asked)
        return await self._desk.ask(SetAlerts(chat_id=asked.chat_id, on=on, by=by), AlertsState)

    def check_target(self, asked: Asked) -> None:
        if asked.chat_id not in self._targets:
            raise Refusal(NOT_A_TARGET)

    def _may_change(self, asked: Asked) -> int:
        asked.require(Right.CHANGE)
        self.check_target(asked)
        return asked.user_id or 0
