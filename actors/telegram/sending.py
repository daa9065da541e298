"""From an answer to Telegram, by the library's errors (telegram.md 3): nothing doubled, no error echoed to a chat.

What is not known to have arrived is not sent again: the user asks once more. Runs on the bot's event loop.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from html import unescape
from typing import Any

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    MaybeInaccessibleMessage,
    Message,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, ChatMigrated, NetworkError, RetryAfter, TelegramError, TimedOut

from actors.notifiers.texts import MAX_CAPTION_UNITS, MAX_TEXT_UNITS, cut_to_units, utf16_units
from actors.notifiers.verdicts import CLOSED_TOPIC
from actors.telegram.answer import Answer, Button, Picture
from actors.telegram.pictures import NoPicture, Pictures
from intelligence.answers.layout import escape

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library then gives durations as such, and warns of nothing

MAX_NOTICE_CHARS = 200
PATIENCE_S = 5.0  # a wait that Telegram asks for and that an answer is still worth; also where it names none
AGAIN_S = 0.5
GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message",  # it is a picture
)
THROTTLED = ("too many requests",)  # without saying for how long: the library then takes it for a fault of the network
NOT_SENT = ("connecterror", "pool timeout")
STALE_QUERY = ("query is too old", "query id is invalid", "query_id_invalid")


class Sender:
    """`heading` stands before every answer. `charged` is told of every message to a chat, with the seconds that Telegram asked
    to wait then: alerts and answers share its limits.
    """

    def __init__(self, heading: str, pictures: Pictures, charged: Callable[[int, float], None], log: Any) -> None:
        self._heading, self._pictures, self._charged, self._log = heading, pictures, charged, log
        self._uploading: set[asyncio.Task[None]] = set()

    async def reply(self, bot: Bot, asked: Message, answer: Answer) -> None:
        """Answer in the topic asked in. Raises TelegramError when the answer cannot be given."""
        topic = topic_of(asked)
        if answer.picture is None:
            await self._send(bot, asked.chat.id, topic, answer)
            return
        try:
            png = await self._drawn(bot, asked.chat.id, topic, answer.picture)
        except NoPicture as reason:
            await self._send(bot, asked.chat.id, topic, Answer(text=escape(_no_picture(reason))))
        else:
            await self._send(bot, asked.chat.id, topic, answer, png)

    async def press(self, query: CallbackQuery, answer: Answer) -> None:
        """Let go of the button, then change its message; one that is gone is replaced."""
        if answer.picture is not None:
            await self._press_for_picture(query, answer, answer.picture)
            return
        await self._settle(query, answer.notice)
        if not answer.text or query.message is None:
            return
        message = query.message

        async def edit(**fields: Any) -> Any:
            return await query.get_bot().edit_message_text(
                chat_id=message.chat.id, message_id=message.message_id, **fields
            )

        try:
            await self._fields(message.chat.id, answer, edit, repeats=True)
        except BadRequest as error:
            if not _says(error, GONE):
                raise
            await self._send(query.get_bot(), message.chat.id, topic_of(message), answer)

    async def _press_for_picture(self, query: CallbackQuery, answer: Answer, picture: Picture) -> None:
        """Change the picture that the button stands on; one that stands on a text brings a picture of its own."""
        message = query.message
        if message is None:
            await self._settle(query, "")
            return
        bot, chat_id, topic = query.get_bot(), message.chat.id, topic_of(message)
        try:
            png = await self._drawn(bot, chat_id, topic, picture)
        except NoPicture as reason:
            await self._settle(query, _no_picture(reason))
            return
        await self._settle(query, "")
        if not getattr(message, "photo", ()):
            await self._send(bot, chat_id, topic, answer, png)
            return

        async def change(*, photo: bytes, caption: str, parse_mode: str | None, reply_markup: Any) -> Any:
            media = InputMediaPhoto(photo, caption=caption, parse_mode=parse_mode)
            return await bot.edit_message_media(media, chat_id, message.message_id, reply_markup=reply_markup)

        try:
            await self._fields(chat_id, answer, change, png, repeats=True)
        except BadRequest as error:
            if not _says(error, GONE):
                raise
            await self._send(bot, chat_id, topic, answer, png)

    async def _drawn(self, bot: Bot, chat_id: int, topic: int, picture: Picture) -> bytes:
        """Raises NoPicture. The chat sees that a picture is on its way; nothing hangs on that."""
        task = asyncio.ensure_future(self._show_uploading(bot, chat_id, topic))
        self._uploading.add(task)
        task.add_done_callback(self._uploading.discard)
        return await self._pictures.of(picture)

    async def _show_uploading(self, bot: Bot, chat_id: int, topic: int) -> None:
        with suppress(TelegramError):
            await bot.send_chat_action(chat_id, ChatAction.UPLOAD_PHOTO, message_thread_id=topic or None)

    async def _settle(self, query: CallbackQuery, notice: str) -> None:
        """Every press is answered, else the button spins. Nothing hangs on it."""
        try:
            await query.answer(f"{self._heading}{notice}"[:MAX_NOTICE_CHARS] if notice else None)
        except TelegramError as error:
            if not _says(error, STALE_QUERY):
                self._log.info("press_not_settled", caused_by=type(error).__name__)

    async def _send(self, bot: Bot, chat_id: int, topic: int, answer: Answer, png: bytes | None = None) -> None:
        post: Callable[..., Awaitable[Any]] = bot.send_message if png is None else bot.send_photo

        async def send(**fields: Any) -> Any:
            try:
                return await post(chat_id=chat_id, message_thread_id=topic or None, **fields)
            except ChatMigrated as moved:
                return await post(chat_id=moved.new_chat_id, **fields)
            except BadRequest as error:
                if not topic or not _says(error, CLOSED_TOPIC):
                    raise
                return await post(chat_id=chat_id, **fields)

        await self._fields(chat_id, answer, send, png, repeats=False)

    async def _fields(
        self,
        chat_id: int,
        answer: Answer,
        send: Callable[..., Awaitable[Any]],
        png: bytes | None = None,
        *,
        repeats: bool,
    ) -> None:
        """Send the answer as it is, or plain where its markup is refused. `repeats`: doing it twice does no harm."""
        text = f"{self._heading}{answer.text or answer.notice}"
        name, most = ("text", MAX_TEXT_UNITS) if png is None else ("caption", MAX_CAPTION_UNITS)
        fields: dict[str, Any] = {name: text, "parse_mode": ParseMode.HTML}
        if png is not None:
            fields["photo"] = png
        if utf16_units(text) > most:
            fields |= {name: cut_to_units(plain(text), most), "parse_mode": None}
        fields["reply_markup"] = keyboard(answer.buttons)
        try:
            await self._patiently(chat_id, send, fields, repeats=repeats)
        except BadRequest as error:
            if _says(error, ("message is not modified",)):
                return
            if not _says(error, ("can't parse entities",)):
                raise
            self._log.error("answer_template_rejected", reason=str(error)[:200])
            fields |= {name: cut_to_units(plain(text), most), "parse_mode": None}
            await self._patiently(chat_id, send, fields, repeats=repeats)

    async def _patiently(
        self, chat_id: int, send: Callable[..., Awaitable[Any]], fields: dict[str, Any], *, repeats: bool
    ) -> None:
        """Try once more what surely did not arrive, or may arrive twice."""
        try:
            await send(**fields)
        except RetryAfter as error:
            wait: Any = error.retry_after
            self._charged(chat_id, wait.total_seconds())
            if wait.total_seconds() > PATIENCE_S:
                raise
            await asyncio.sleep(wait.total_seconds())
            await send(**fields)
        except (BadRequest, ChatMigrated):
            raise
        except NetworkError as error:
            wait_s = PATIENCE_S if _says(error, THROTTLED) else AGAIN_S
            if wait_s > AGAIN_S:
                self._charged(chat_id, wait_s)
            elif not (_says(error, NOT_SENT) or (repeats and isinstance(error, TimedOut))):
                raise
            await asyncio.sleep(wait_s)
            await send(**fields)
        self._charged(chat_id, 0.0)


def topic_of(message: MaybeInaccessibleMessage) -> int:
    """The topic of a group that it stands in, 0 for none: threads of replies have a number too."""
    return message.message_thread_id or 0 if isinstance(message, Message) and message.is_topic_message else 0


def keyboard(rows: tuple[tuple[Button, ...], ...]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(one.label, callback_data=one.command) for one in row] for row in rows]
    )


def plain(html: str) -> str:
    """Our own HTML without its tags."""
    return unescape(re.sub(r"</?[a-z]+[^>]*>", "", html))


def _no_picture(reason: NoPicture) -> str:
    return f"No picture: {reason}."


def _says(error: TelegramError, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)
