"""/promote: what is on trial, and an owner's word that it be sent."""

from actors.messages.chats import AskTrials, Promote, TrialsState
from actors.telegram import parsing
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Command, Refusal
from actors.telegram.desk import Desk
from actors.telegram.stats_commands import LedgerDesk
from intelligence.alerts import AlertKind
from intelligence.answers.layout import escape

LEAST_ALERTS, LEAST_DAYS = 100, 14  # of a trial (detection.md 12.8)
ANYWAY = "anyway"


class TrialCommands:
    def __init__(self, desk: Desk, ledger: LedgerDesk) -> None:
        self._desk, self._ledger = desk, ledger

    def commands(self) -> tuple[Command, ...]:
        hint = "send a family that is on trial"
        return (Command("promote", self._promote, hint, "volume|volume off", Right.OPERATE),)

    async def _promote(self, asked: Asked) -> Answer:
        trials = await self._desk.ask(AskTrials(), TrialsState)
        if not asked.words:
            return Answer(text=escape(_words(trials)))
        kind, on = parsing.kind(asked.words[0]), "off" not in asked.words
        if kind is None:
            raise Refusal("Which family? For example /promote volume.")
        if on and kind not in trials.on_trial:
            raise Refusal(escape(f"{kind} is not on trial. {_words(trials)}"))
        if on and ANYWAY not in asked.words and (short := await self._too_short(kind)):
            raise Refusal(f"{short} To promote it all the same: /promote {asked.words[0]} {ANYWAY}")
        after = await self._desk.ask(Promote(kind=kind, on=on, by=asked.user_id or 0), TrialsState)
        return Answer(text=escape(_words(after)))

    async def _too_short(self, kind: AlertKind) -> str:
        """What its trial lacks, "" when it was long enough."""
        state = await self._ledger.state()
        families = state.scores.families if state is not None else ()
        score = next((one for one in families if one.shadow and one.kind is kind), None)
        alerts, days = (score.alerts, score.days) if score is not None else (0, 0.0)
        if alerts < LEAST_ALERTS:
            return f"Only {alerts} alerts of it are scored on trial, {LEAST_ALERTS} should be."
        return f"It is on trial for {days:.0f} days, {LEAST_DAYS} should be." if days < LEAST_DAYS else ""


def _words(trials: TrialsState) -> str:
    promoted = f" Promoted: {', '.join(trials.promoted)}." if trials.promoted else ""
    return f"On trial: {', '.join(trials.on_trial) or 'nothing'}.{promoted} /stats shows how they do."
