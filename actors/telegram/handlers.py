"""What happens when somebody writes to the bot. Runs on the bot's event loop; other actors are asked off it."""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any

from telegram import Chat, Update, User
from telegram.constants import ChatMemberStatus, ChatType, ParseMode
from telegram.ext import Application, CallbackContext, ChatMemberHandler, MessageHandler, filters

from actors.messages import AlertsState, AskAlerts, ChatSeen, Refused, SetAlerts
from actors.system import Address
from actors.telegram import answers, status_page
from actors.telegram.access import Right, StrangersLimit, right_of

ASK_S = 0.8  # supervision.md 12: the longest an edge may wait for an actor
SEEN_UPDATES = 256  # Telegram sends an update again when our confirmation was lost
PRESENT = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}


class Handlers:
    """`heading` stands before every answer; `dispatcher` keeps what chats have chosen."""

    def __init__(
        self, *, authorized: frozenset[int], dispatcher: Address, status_folder: Path, heading: str, log: Any
    ) -> None:
        self._authorized, self._dispatcher = authorized, dispatcher
        self._status_folder, self._heading, self._log = status_folder, heading, log
        self._strangers = StrangersLimit()
        self._seen: deque[int] = deque(maxlen=SEEN_UPDATES)
        self._asking = asyncio.Lock()  # first come, first served: stop and start in one batch keep their order

    def register(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """One gate for every command, so that none can be reached around it. Edited messages are not commands."""
        application.add_handler(MessageHandler(filters.COMMAND & filters.UpdateType.MESSAGE, self.on_command))
        application.add_handler(ChatMemberHandler(self.on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_error_handler(self.on_error)

    async def on_command(self, update: Update, context: "CallbackContext[Any, Any, Any, Any]") -> None:
        message, chat, user = update.message, update.effective_chat, update.effective_user
        if message is None or chat is None or update.update_id in self._seen:
            return
        self._seen.append(update.update_id)
        name, *words = (message.text or "").split()
        command, _, bot = name.removeprefix("/").lower().partition("@")
        if bot and bot != str(context.bot.username).lower():
            return  # another bot's
        answer = await self._answer(command, words, chat, user, addressed=bool(bot))
        if answer is not None:
            await message.reply_text(f"{self._heading}{answer}", parse_mode=ParseMode.HTML)

    async def _answer(
        self, command: str, words: list[str], chat: Chat, user: User | None, *, addressed: bool
    ) -> str | None:
        """The text of the answer, None for none."""
        user_id = user.id if user is not None else None
        right = right_of(self._authorized, chat.id, user_id)
        known = command in {"start", "help", "status", "alerts"}
        if not known and chat.type != ChatType.PRIVATE and not addressed:
            return None  # in a group it may be meant for anybody
        if right is Right.NONE:
            self._log.info("stranger_wrote", chat_id=chat.id, user_id=user_id, command=command[:32])
            return answers.ids(chat.id, user_id) if self._strangers.allows(chat.id) else None
        self._log.info("command_received", chat_id=chat.id, user_id=user_id, command=command[:32])
        if chat.id in self._authorized:
            self._dispatcher.tell(ChatSeen(chat_id=chat.id))
        match command:
            case "start":
                return answers.welcome(await self._alerts_of(chat.id))
            case "help":
                return answers.HELP
            case "status":
                return await self._status(words)
            case "alerts":
                return await self._alerts(words, chat.id, user_id, right)
            case _:
                return answers.UNKNOWN

    async def _status(self, words: list[str]) -> str:
        folder = self._status_folder
        page = status_page.node_page(folder, words[0]) if words else status_page.page(folder)
        return answers.preformatted(page)

    async def _alerts(self, words: list[str], chat_id: int, user_id: int | None, right: Right) -> str:
        wish = words[0].lower() if words else "status"
        if wish == "status":
            return await self._alerts_of(chat_id)
        if wish not in {"start", "stop"}:
            return answers.USAGE_OF_ALERTS
        if right < Right.CHANGE or user_id is None:
            self._log.warning("command_refused", chat_id=chat_id, user_id=user_id, command=f"alerts {wish}")
            return answers.may_not_change(user_id)
        if chat_id not in self._authorized:
            return answers.NOT_A_TARGET
        return await self._ask(SetAlerts(chat_id=chat_id, on=wish == "start", by=user_id))

    async def _alerts_of(self, chat_id: int) -> str:
        if chat_id not in self._authorized:
            return answers.NOT_A_TARGET
        return await self._ask(AskAlerts(chat_id=chat_id))

    async def _ask(self, message: SetAlerts | AskAlerts) -> str:
        """Ask the dispatcher on another thread: waiting for it here would hold up every other command."""
        try:
            async with self._asking:
                answer = await asyncio.to_thread(self._dispatcher.ask, message, timeout=ASK_S)
        except Exception as error:  # it is down, late, or failed over this very letter: the asker hears the same
            self._log.warning("command_unanswered", message=type(message).__name__, caused_by=repr(error))
            return answers.UNAVAILABLE
        match answer:
            case AlertsState():
                return answers.alerts(answer)
            case Refused(reason=reason):
                return answers.refused(reason)
            case _:
                return answers.UNAVAILABLE

    async def on_membership(self, update: Update, _context: "CallbackContext[Any, Any, Any, Any]") -> None:
        """Somebody blocked, unblocked, added or removed the bot."""
        change = update.my_chat_member
        if change is None:
            return
        status = change.new_chat_member.status
        self._log.info("bot_membership_changed", chat_id=change.chat.id, status=str(status))
        if status in PRESENT and change.chat.id in self._authorized:
            self._dispatcher.tell(ChatSeen(chat_id=change.chat.id))

    async def on_error(self, update: object, context: "CallbackContext[Any, Any, Any, Any]") -> None:
        """Never raises, never echoes the error to the chat: its text may hold anything."""
        update_id = update.update_id if isinstance(update, Update) else None
        self._log.warning("command_failed", update_id=update_id, caused_by=type(context.error).__name__)
