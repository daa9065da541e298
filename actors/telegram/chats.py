"""What a chat, or a topic of a group, has chosen: asked for and changed on behalf of whoever wrote there."""

import time

from actors.messages.chats import AlertsState, AskAlerts, ChangePreferences, SetAlerts, TakeTopic
from actors.telegram.access import Right
from actors.telegram.answer import Asked, Refusal
from actors.telegram.answers import NOT_A_TARGET
from actors.telegram.desk import Desk
from intelligence.alerts import AlertKind
from intelligence.preferences import Change

UNKNOWN_CLOCK = "UTC"
ASK_AGAIN_S = 10.0  # ours: how long nobody waits again for a clock that could not be asked for


class Chats:
    """`targets`: the chats that get alerts. Every method but `clock` raises Refusal."""

    def __init__(self, desk: Desk, targets: frozenset[int]) -> None:
        self._desk, self._targets = desk, targets
        self._clocks: dict[tuple[int, int], str] = {}
        self._ask_from_s = 0.0

    async def state(self, asked: Asked) -> AlertsState:
        self.check_target(asked)
        return self._known(
            asked, await self._desk.ask(AskAlerts(chat_id=asked.chat_id, topic=asked.topic), AlertsState)
        )

    async def change(self, asked: Asked, change: Change) -> AlertsState:
        wish = ChangePreferences(chat_id=asked.chat_id, topic=asked.topic, change=change, by=self._may_change(asked))
        return self._known(asked, await self._desk.ask(wish, AlertsState))

    async def switch(self, asked: Asked, *, on: bool) -> AlertsState:
        wish = SetAlerts(chat_id=asked.chat_id, topic=asked.topic, on=on, by=self._may_change(asked))
        return self._known(asked, await self._desk.ask(wish, AlertsState))

    async def take_topic(self, asked: Asked, kinds: tuple[AlertKind, ...]) -> AlertsState:
        wish = TakeTopic(chat_id=asked.chat_id, topic=asked.topic, kinds=kinds, by=self._may_change(asked))
        return self._known(asked, await self._desk.ask(wish, AlertsState))

    async def clock(self, asked: Asked) -> str:
        """The time zone that was chosen there; no answer about a market waits for a dispatcher that is down."""
        key = (asked.chat_id, asked.topic)
        if key not in self._clocks and asked.chat_id in self._targets and time.monotonic() >= self._ask_from_s:
            try:
                await self.state(asked)
            except Refusal:
                self._ask_from_s = time.monotonic() + ASK_AGAIN_S
        return self._clocks.get(key, UNKNOWN_CLOCK)

    def check_target(self, asked: Asked) -> None:
        if asked.chat_id not in self._targets:
            raise Refusal(NOT_A_TARGET)

    def _known(self, asked: Asked, state: AlertsState) -> AlertsState:
        """Remember the clock; of a topic without alerts of its own it is that of its chat, which may change elsewhere."""
        if state.topic == asked.topic:
            self._clocks[asked.chat_id, asked.topic] = state.preferences.zone
        return state

    def _may_change(self, asked: Asked) -> int:
        asked.require(Right.CHANGE)
        self.check_target(asked)
        return asked.user_id or 0
