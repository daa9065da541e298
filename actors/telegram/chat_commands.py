"""/start /help /alerts: what this chat gets."""

from collections.abc import Callable
from datetime import UTC, datetime

from actors.messages import AlertsState, AskAlerts, SetAlerts
from actors.telegram import answers
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Command, Refusal
from actors.telegram.desk import Desk

USAGE_OF_ALERTS = "Use /alerts start, /alerts stop or /alerts status."


class ChatCommands:
    """`helping` gives the text of /help for a right: it lists the commands of others too."""

    def __init__(self, desk: Desk, targets: frozenset[int], helping: Callable[[Right], str]) -> None:
        self._desk, self._targets, self._helping = desk, targets, helping

    def commands(self) -> tuple[Command, ...]:
        return (
            Command("alerts", self._alerts, hint="the alerts of this chat", usage="start|stop|status"),
            Command("help", self._help, hint="what this bot can do"),
            Command("start", self._start),
        )

    async def _help(self, asked: Asked) -> Answer:
        return Answer(text=self._helping(asked.right))

    async def _start(self, asked: Asked) -> Answer:
        return Answer(text=f"{self._helping(asked.right)}\n\n{_state(await self._state_of(asked))}")

    async def _alerts(self, asked: Asked) -> Answer:
        wish = asked.words[0].lower() if asked.words else "status"
        if wish == "status":
            return Answer(text=_state(await self._state_of(asked)))
        if wish not in {"start", "stop"}:
            raise Refusal(USAGE_OF_ALERTS)
        asked.require(Right.CHANGE)
        self._check_target(asked)
        wished = SetAlerts(chat_id=asked.chat_id, on=wish == "start", by=asked.user_id or 0)
        return Answer(text=_state(await self._desk.ask(wished, AlertsState)))

    async def _state_of(self, asked: Asked) -> AlertsState:
        self._check_target(asked)
        return await self._desk.ask(AskAlerts(chat_id=asked.chat_id), AlertsState)

    def _check_target(self, asked: Asked) -> None:
        if asked.chat_id not in self._targets:
            raise Refusal(answers.NOT_A_TARGET)


def _state(state: AlertsState) -> str:
    """HTML."""
    since = "" if state.since_ms is None else f", set {_clock(state.since_ms)}"
    how = "/alerts stop ends them" if state.on else "/alerts start brings them back; detection goes on"
    waiting = f", {state.waiting} waiting" if state.waiting else ""
    return (
        f"Alerts in this chat are <b>{'on' if state.on else 'off'}</b>{since}.\n"
        f"{state.sent_24h} sent in the last 24 h{waiting}. {how}."
    )


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
