"""/why /whynot and votes: why an alert was raised and what became of it here, and why nothing came."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from actors.explaining import explain, explain_silence, outcomes_in
from actors.messages.chats import CastVote, VotesState
from actors.near_miss_book import NearMissBook
from actors.outbox import Outbox, OutboxError
from actors.outbox_rows import telegram_target
from actors.telegram import parsing
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.desk import Desk
from actors.telegram.market import Market
from intelligence.answers.layout import bold, escape, page
from intelligence.explanations import Explained, Silence, why, why_silent
from intelligence.time_of_day import last_time_ms

BUSY_S = 0.3  # the files are only read here, and the dispatcher's writes are short
MAX_CHARS = 3_500  # below Telegram's 4,096, with room for markup
T = TypeVar("T")
VOTES = {"up": True, "down": False}


class Records:
    """The files of alerts, near misses and outcomes, opened for each question on the thread that asks."""

    def __init__(self, database: Path, near_misses: Path, outcomes: Path) -> None:
        self._database, self._near_misses, self._outcomes = database, near_misses, outcomes

    async def of_alert(self, alert_id: str) -> Explained | None:
        """Raises Refusal."""
        return await asyncio.to_thread(
            self._read, lambda outbox, _: explain(outbox, alert_id, outcomes_in(self._outcomes, BUSY_S, alert_id))
        )

    async def of_silence(self, asset: str, at_ms: int) -> Silence:
        """Raises Refusal."""
        return await asyncio.to_thread(self._read, lambda outbox, near: explain_silence(outbox, near, asset, at_ms))

    def _read(self, work: Callable[[Outbox, NearMissBook], T]) -> T:
        try:
            with (
                closing(Outbox(self._database, BUSY_S)) as outbox,
                closing(NearMissBook(self._near_misses, BUSY_S)) as near,
            ):
                return work(outbox, near)
        except OutboxError as error:
            raise Refusal("The records cannot be read now. Try again in a few seconds.") from error


class ExplainCommands:
    """A chat learns what was decided for itself, and of no other chat."""

    def __init__(self, records: Records, desk: Desk, chats: Chats, market: Market) -> None:
        self._records, self._desk, self._chats, self._market = records, desk, chats, market

    def commands(self) -> tuple[Command, ...]:
        return (
            Command("why", self._why, hint="why an alert was raised", usage="ID"),
            Command("whynot", self._why_not, hint="why nothing came at that time", usage="BTC 14:32"),
            Command("vote", self._vote),
        )

    async def _why(self, asked: Asked) -> Answer:
        if not asked.words:
            raise Refusal("Which alert? Its id stands in its last line: /why ID")
        explained = await self._records.of_alert(asked.words[0].lower()[:24])
        if explained is None:
            raise Refusal("There is no alert of that id any more. For a silence: /whynot BTC 14:32")
        first, *rest = why(_own(explained, asked.chat_id))
        alert_id = explained.alert.alert_id
        buttons = (Button("👍", f"vote {alert_id} up"), Button("👎", f"vote {alert_id} down"))
        return Answer(text=page(bold(first), _cut(rest)), buttons=(buttons,))

    async def _why_not(self, asked: Asked) -> Answer:
        if len(asked.words) != 2:
            raise Refusal("For example /whynot BTC 14:32, in the clock of this chat.")
        asset = parsing.asset_of(asked.words[0], self._market.assets())
        minute = parsing.minute_of_day(asked.words[1])
        if asset is None or minute is None:
            raise Refusal("I need an asset that is watched and a time: /whynot BTC 14:32")
        zone = (await self._chats.state(asked)).preferences.zone
        silence = await self._records.of_silence(asset, last_time_ms(minute, zone, self._market.now_ms()))
        own = tuple(_own(explained, asked.chat_id) for explained in silence.alerts)
        first, *rest = why_silent(msgspec.structs.replace(silence, alerts=own))
        return Answer(text=page(bold(first), _cut(rest)))

    async def _vote(self, asked: Asked) -> Answer:
        asked.require(Right.CHANGE)
        self._chats.check_target(asked)
        if len(asked.words) != 2 or asked.words[1] not in VOTES:
            raise Refusal("Votes are given by the buttons under an alert.")
        alert_id, vote = asked.words
        cast = CastVote(alert_id=alert_id, chat_id=asked.chat_id, by=asked.user_id or 0, useful=VOTES[vote])
        state = await self._desk.ask(cast, VotesState)
        return Answer(
            notice=f"Noted, thank you: {state.useful} 👍, {state.useless} 👎. /why {alert_id} says why it came."
        )


def _own(explained: Explained, chat_id: int) -> Explained:
    """Without what was decided for other chats."""
    own = tuple(fate for fate in explained.fates if fate.target == telegram_target(chat_id))
    return msgspec.structs.replace(explained, fates=tuple(msgspec.structs.replace(f, target="this chat") for f in own))


def _cut(lines: Sequence[str]) -> str:
    """As many whole lines as fit; HTML."""
    told: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if length > MAX_CHARS:
            told.append("...")
            break
        told.append(line)
    return escape("\n".join(told))
