"""What happens when somebody writes to the bot or presses a button: one gate for all, then the command.

Runs on the bot's event loop; commands ask other actors off it.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from telegram import CallbackQuery, Chat, Update, User
from telegram.constants import ChatMemberStatus, ChatType
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    ChatMemberHandler,
    MessageHandler,
    filters,
)

from actors.notifiers.texts import sendable
from actors.telegram import answers
from actors.telegram.access import Right, StrangersLimit, UsersLimit, right_of
from actors.telegram.answer import Answer, Asked, Button, Command, NotAllowed, Refusal
from actors.telegram.meaning import likeliest, renamed, spoken
from actors.telegram.sending import Sender, topic_of
from intelligence.answers.layout import escape

SEEN_UPDATES = 256  # Telegram sends an update again when our confirmation was lost
DOUBLE_CLICK_S = 1.0
PRESENT = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}


class Door(NamedTuple):
    """Who is let in. `per_minute`: commands of one user. `assets`: what is watched now, for words without a slash."""

    authorized: frozenset[int]
    owners: frozenset[int]
    per_minute: int
    assets: Callable[[], Collection[str]] = frozenset


class Handlers:
    """`chat_seen` is told the id of every authorised chat that writes, and the topic."""

    def __init__(
        self, door: Door, commands: Sequence[Command], chat_seen: Callable[[int, int], None], sender: Sender, log: Any
    ) -> None:
        self._door, self._sender, self._log = door, sender, log
        self._commands = {command.name: command for command in commands}
        self._offered = {command.name for command in commands if command.hint or command.name == "start"}
        self._chat_seen = chat_seen
        self._strangers, self._users = StrangersLimit(), UsersLimit(door.per_minute)
        self._seen: deque[int] = deque(maxlen=SEEN_UPDATES)
        self._pressed: deque[tuple[float, tuple[int, int, str]]] = deque(maxlen=SEEN_UPDATES)

    def register(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """One gate for every command and button, so that none is reached around it. Edited messages are not commands."""
        typed = filters.COMMAND | (filters.TEXT & filters.ChatType.PRIVATE)
        application.add_handler(MessageHandler(typed & filters.UpdateType.MESSAGE, self.on_command))
        application.add_handler(CallbackQueryHandler(self.on_press))
        application.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_error_handler(self.on_error)

    async def on_command(self, update: Update, context: "CallbackContext[Any, Any, Any, Any]") -> None:
        message, chat, user = update.message, update.effective_chat, update.effective_user
        if message is None or chat is None or self._is_repeated(update):
            return
        meant = self._meant(sendable(message.text or "").split(), chat, user, str(context.bot.username).lower())
        if not meant:
            return
        command, *words = meant
        answer = await self._answer(command, words, chat, user, topic=topic_of(message))
        if answer is not None:
            await self._sender.reply(context.bot, message, answer)

    def _meant(self, typed: list[str], chat: Chat, user: User | None, username: str) -> list[str]:
        """A command and its words; nothing where it was not said to us."""
        if not typed or not typed[0].startswith("/"):  # only where we are alone with somebody who may ask
            right = right_of(self._door.authorized, chat.id, user.id if user else None, self._door.owners)
            return spoken(typed, self._door.assets()) if right is not Right.NONE else []
        name, _, bot = typed[0].removeprefix("/").lower().partition("@")
        if bot and bot != username:
            return []
        meant = renamed(name, typed[1:], self._offered)
        if meant[0] not in self._commands and chat.type != ChatType.PRIVATE and not bot:
            return []  # in a group it may be meant for anybody
        return meant

    async def on_press(self, update: Update, _context: "CallbackContext[Any, Any, Any, Any]") -> None:
        query = update.callback_query
        if query is None or self._is_repeated(update):
            return
        words = sendable(query.data or "").split()
        if query.message is None or not words or self._is_double(query):
            await self._sender.press(query, Answer())
            return
        where = topic_of(query.message)
        answer = await self._answer(words[0], words[1:], query.message.chat, query.from_user, topic=where, pressed=True)
        await self._sender.press(query, answer or Answer())

    async def _answer(
        self, name: str, words: list[str], chat: Chat, user: User | None, *, topic: int, pressed: bool = False
    ) -> Answer | None:
        """What to answer, None for nothing."""
        user_id = user.id if user is not None else None
        right = right_of(self._door.authorized, chat.id, user_id, self._door.owners)
        if right is Right.NONE:
            self._log.info("stranger_wrote", chat_id=chat.id, user_id=user_id, command=name[:32])
            return _ids(chat.id, user_id, pressed=pressed) if self._strangers.allows(chat.id) else None
        who = user_id or chat.id
        wait_s = self._users.wait_s(who)
        if wait_s > 0:
            self._log.info("user_limited", chat_id=chat.id, user_id=user_id, command=name[:32])
            told = pressed or self._users.first_refusal(who)
            return _to(pressed, answers.too_many(wait_s)) if told else None
        self._log.info("command_received", chat_id=chat.id, user_id=user_id, command=name[:32])
        if chat.id in self._door.authorized:
            self._chat_seen(chat.id, topic)
        command = self._commands.get(name)
        if command is None:
            return _to(pressed, answers.UNKNOWN) if pressed else _unknown(name, words, self._offered)
        asked = Asked(
            command=name,
            words=tuple(words),
            chat_id=chat.id,
            user_id=user_id,
            right=right,
            topic=topic,
            pressed=pressed,
        )
        return await self._carry_out(command, asked)

    async def _carry_out(self, command: Command, asked: Asked) -> Answer:
        try:
            asked.require(command.least)
            return await command.run(asked)
        except Refusal as refusal:
            if isinstance(refusal, NotAllowed):
                self._log.warning(
                    "command_refused", chat_id=asked.chat_id, user_id=asked.user_id, command=asked.command
                )
            if asked.pressed and not refusal.buttons:
                return Answer(notice=refusal.text)
            return Answer(text=escape(refusal.text), buttons=refusal.buttons)
        except Exception as error:  # a bug of ours costs this answer
            self._log.exception("command_crashed", command=asked.command, caused_by=type(error).__name__)
            return _to(asked.pressed, answers.BROKEN)

    def _is_repeated(self, update: Update) -> bool:
        if update.update_id in self._seen:
            return True
        self._seen.append(update.update_id)
        return False

    def _is_double(self, query: CallbackQuery) -> bool:
        """Whether the same finger has just pressed the same button: it did not mean it twice."""
        now_s, message_id = time.monotonic(), query.message.message_id if query.message is not None else 0
        press = (query.from_user.id, message_id, query.data or "")
        double = any(press == other and now_s - at_s < DOUBLE_CLICK_S for at_s, other in self._pressed)
        self._pressed.append((now_s, press))
        return double

    async def on_membership(self, update: Update, _context: "CallbackContext[Any, Any, Any, Any]") -> None:
        """Somebody blocked, unblocked, added or removed the bot."""
        change = update.my_chat_member
        if change is None:
            return
        status = change.new_chat_member.status
        self._log.info("bot_membership_changed", chat_id=change.chat.id, status=str(status))
        if status in PRESENT and change.chat.id in self._door.authorized:
            self._chat_seen(change.chat.id, 0)

    async def on_error(self, update: object, context: "CallbackContext[Any, Any, Any, Any]") -> None:
        """Never raises, never echoes the error to the chat: its text may hold anything."""
        update_id = update.update_id if isinstance(update, Update) else None
        self._log.warning("command_failed", update_id=update_id, caused_by=type(context.error).__name__)


def _unknown(name: str, words: list[str], known: Collection[str]) -> Answer:
    like = likeliest(name, known)
    if not like:
        return Answer(text=escape(answers.UNKNOWN))
    button = Button(f"/{like}", " ".join((like, *words)))
    return Answer(
        text=escape(f"I do not know /{name[:32]}. Is it /{like}?"), buttons=((button,),) if button.fits else ()
    )


def _ids(chat_id: int, user_id: int | None, *, pressed: bool) -> Answer:
    """All that a stranger learns."""
    if pressed:
        return Answer(notice=f"user id: {user_id}")
    return Answer(text=answers.ids(chat_id, user_id))


def _to(pressed: bool, words: str) -> Answer:  # noqa: FBT001
    """Plain words, as a notice where a button was pressed: what it stands on is not ours to change then."""
    return Answer(notice=words) if pressed else Answer(text=escape(words))
