"""/stats: how alerts have done, as the outcome ledger knows it."""

import asyncio
from typing import Any

from actors import paths
from actors.messages.outcomes import AskScores, LedgerState
from actors.system import System
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.market import ASK_S
from intelligence.answers.scores import scores_text

UNKNOWN = "What followed our alerts is not known now: the outcome ledger does not answer. /status /features shows why."


class LedgerDesk:
    """Asks the outcome ledger off the event loop."""

    def __init__(self, system: System, log: Any) -> None:
        self._system, self._log = system, log

    @property
    def exists(self) -> bool:
        return self._system.find(paths.OUTCOMES) is not None

    async def state(self) -> LedgerState | None:
        """None when the ledger does not answer."""
        try:
            state = await asyncio.to_thread(self._system.address(paths.OUTCOMES).ask, AskScores(), timeout=ASK_S)
        except Exception as error:  # down, late, or failed over this very letter
            self._log.warning("command_unanswered", message="stats", caused_by=repr(error)[:200])
            return None
        return state if isinstance(state, LedgerState) else None


class StatsCommands:
    def __init__(self, ledger: LedgerDesk, chats: Chats) -> None:
        self._ledger, self._chats = ledger, chats

    def commands(self) -> tuple[Command, ...]:
        return (Command("stats", self._stats, hint="what followed our alerts"),)

    async def _stats(self, asked: Asked) -> Answer:
        if not self._ledger.exists:
            raise Refusal("Nobody measures what follows our alerts: [outcomes] is switched off.")
        state = await self._ledger.state()
        if state is None:
            raise Refusal(UNKNOWN)
        text = scores_text(
            state.scores,
            state.selection,
            state.selected,
            waiting=state.waiting,
            bars_from_ms=state.bars_from_ms,
            clock=await self._chats.clock(asked),
        )
        return Answer(text=text, buttons=((Button("↻ Refresh", "stats"),),))
