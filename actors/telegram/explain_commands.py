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
from actors.outbox_rows import ALL_CHATS, Place, place_of
from actors.telegram import parsing
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.desk import Desk
from actors.telegram.market import Market
from actors.telegram.market_commands import asset_meant
from intelligence.answers.layout import bold, escape, page
from intelligence.explanations import Explained, Silence, why, why_silent

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
        first, *rest = why(_own(explained, asked), await self._chats.clock(asked))
        alert_id = explained.alert.alert_id
        buttons = (Button("👍", f"vote {alert_id} up"), Button("👎", f"vote {alert_id} down"))
        return Answer(text=page(bold(first), _cut(rest)), buttons=(buttons,))

    async def _why_not(self, asked: Asked) -> Answer:
        clock, now_ms = await self._chats.clock(asked), self._market.now_ms()
        if len(asked.words) < 2:
            raise Refusal(f"For example /whynot BTC 14:32, in the clock of this chat, which is {clock}.")
        asset = asset_meant(self._market.assets(), "whynot", asked.words[:1], " ".join(asked.words[1:]))
        at_ms = parsing.moment_ms(asked.words[1:], clock, now_ms)
        if at_ms is None:
            raise Refusal(
                "I need a time that has been: /whynot BTC 14:32, BTC 2026-11-23 14:32, BTC 14:32 UTC, BTC 20m"
            )
        silence = await self._records.of_silence(asset, at_ms)
        own = tuple(_own(explained, asked) for explained in silence.alerts)
        first, *rest = why_silent(msgspec.structs.replace(silence, alerts=own), clock)
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


def _own(explained: Explained, asked: Asked) -> Explained:
    """Without what was decided for other chats."""
    here = Place(asked.chat_id, asked.topic)
    names = {Place(asked.chat_id).target: "this chat"} | ({here.target: "this topic"} if asked.topic else {})
    own = []
    for fate in explained.fates:
        if fate.target.startswith(ALL_CHATS) and (place := place_of(fate.target)).chat_id == asked.chat_id:
            name = names.get(fate.target, f"topic {place.topic}")
            own.append(msgspec.structs.replace(fate, target=name))
    return msgspec.structs.replace(explained, fates=tuple(own))


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
