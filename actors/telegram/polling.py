"""The bot's event loop: start without Telegram, poll, notice a poll that died silently, stop within seconds.

telegram.md 2: python-telegram-bot's own loop may hang for hours, so what counts is the time of the last answered poll, and
whoever is late is started anew.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from telegram import BotCommand
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application

from actors.backoff import Backoff
from actors.telegram.answer import Command
from actors.telegram.handlers import Handlers
from actors.telegram.menus import menus_of
from actors.telegram.requests import BotRequest, PollRequest
from config.settings import Telegram as TelegramSettings

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
CLOSE_S = 0.4  # and again after a cancellation; a stop has 3 s altogether
MENU_RETRY_S = 60.0
CONFLICT_ADVICE = (
    "another program uses this bot's token, or a webhook is set: stop the other one, or give it its own bot"
)

T = TypeVar("T")
AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class Stopped(Exception):  # noqa: N818 - not an error
    """The poller was asked to stop while it waited."""


class Poller:
    """Runs on its own thread by `asyncio.run(poller.run())`; `stop` may be called from any thread."""

    def __init__(
        self,
        settings: TelegramSettings,
        handlers: Handlers,
        commands: Sequence[Command],
        say: Callable[[str], None],
        log: Any,
    ) -> None:
        """`commands` for the menus; `say` takes one line on how it goes, for the status."""
        self._settings, self._handlers, self._say, self._log = settings, handlers, say, log
        self._menus = menus_of(settings, commands)
        self._backoff = Backoff(base_s=settings.retry_base_s, factor=settings.retry_factor, cap_s=settings.retry_cap_s)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._stop_early = False
        self._failures, self._failed_s = 0, 0.0
        self._menu_due_s = 0.0

    def stop(self) -> None:
        self._stop_early = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(self._stop.set)

    async def run(self) -> None:
        """Poll until stopped. Raises InvalidToken when Telegram does not know the bot."""
        self._loop = asyncio.get_running_loop()
        if self._stop_early:
            return
        limits = {
            "connect_timeout": self._settings.connect_timeout_s,
            "read_timeout": self._settings.read_timeout_s,
            "write_timeout": self._settings.read_timeout_s,
        }
        self._polls = PollRequest(**limits)
        self._sends = BotRequest(**limits)  # type: ignore[arg-type]
        application = self._build()
        self._handlers.register(application)
        try:
            await self._connect(application)
            await application.start()
            await self._start_polling(application, drop_pending=True)
            self._say("polling")
            self._log.info("polling_started", username=application.bot.username)
            await self._watch(application)
        except Stopped:
            pass
        finally:
            await self._close(application)

    def _build(self) -> AnyApplication:
        base = self._settings.api_url
        return (
            Application.builder()
            .token(self._settings.token.reveal())
            .base_url(f"{base}/bot")
            .base_file_url(f"{base}/file/bot")
            .request(self._sends)
            .get_updates_request(self._polls)
            .concurrent_updates(True)
            .job_queue(None)
            .build()
        )

    async def _connect(self, application: AnyApplication) -> None:
        """Make the first call, however long Telegram cannot be reached."""
        attempt = 0
        while True:
            try:
                await self._unless_stopped(application.initialize())
            except InvalidToken:
                raise
            except TelegramError as error:
                attempt += 1
                wait_s = self._backoff.delay_s(attempt, random.random())
                self._say(f"not connected: {type(error).__name__}")
                self._note_failure(error, attempt, wait_s)
                await self._pause(wait_s)
            else:
                return

    async def _start_polling(self, application: AnyApplication, *, drop_pending: bool) -> None:
        assert application.updater is not None
        self._polls.answered_s = time.monotonic()
        await self._unless_stopped(
            application.updater.start_polling(
                timeout=timedelta(seconds=max(1, round(self._settings.poll_timeout_s))),  # Telegram takes whole ones
                bootstrap_retries=-1,
                allowed_updates=ALLOWED_UPDATES,
                drop_pending_updates=drop_pending,
                error_callback=self._on_poll_error,
            )
        )

    def _on_poll_error(self, error: TelegramError) -> None:
        self._failures, self._failed_s = self._failures + 1, time.monotonic()
        self._note_failure(error, self._failures, None)

    def _note_failure(self, error: TelegramError, attempt: int, wait_s: float | None) -> None:
        """Log the 1st, 2nd, 4th, 8th ... failure in a row."""
        if attempt & (attempt - 1):
            return
        if isinstance(error, Conflict):
            self._say("another program polls with this token")
            self._log.error("polling_conflict", attempt=attempt, advice=CONFLICT_ADVICE)
        else:
            wait = {} if wait_s is None else {"wait_s": round(wait_s, 2)}
            self._log.warning("polling_failed", caused_by=type(error).__name__, attempt=attempt, **wait)

    # -- while it runs --------------------------------------------------------------------------------------------

    async def _watch(self, application: AnyApplication) -> None:
        """Revive a poll that hangs; park on a token that is refused; report what was skipped; keep trying to set the menu."""
        look_every_s = min(1.0, self._settings.poll_stale_s / 4)
        while True:
            await self._set_menu(application)
            await self._pause(look_every_s)
            while self._polls.skipped:
                self._log.error("update_skipped", update_id=self._polls.skipped.pop())
            if self._failures and self._polls.answered_s > self._failed_s:
                self._failures = 0
                self._say("polling")
            if self._polls.refused is not None:
                await self._check_token(application)
            silent_s = time.monotonic() - self._polls.answered_s
            if silent_s > self._settings.poll_stale_s:
                await self._revive(application, silent_s)

    async def _check_token(self, application: AnyApplication) -> None:
        """Raises InvalidToken where Telegram refuses more than one poll."""
        self._log.warning("poll_refused", status=self._polls.refused)
        self._polls.refused = None
        try:
            await self._unless_stopped(application.bot.get_me())
        except InvalidToken:
            raise
        except TelegramError:
            pass

    async def _revive(self, application: AnyApplication, silent_s: float) -> None:
        self._log.warning("polling_revived", silent_s=round(silent_s, 1))
        self._say("reconnecting")
        await self._bounded(self._stop_polling(application))
        await self._bounded(self._polls.shutdown())
        await self._polls.initialize()  # a fresh connection: the old one may be occupied for ever
        await self._start_polling(application, drop_pending=False)
        self._say("polling")

    async def _set_menu(self, application: AnyApplication) -> None:
        """Tell Telegram our commands, each scope by itself. Nothing depends on it, so a failure is only tried again."""
        if not self._menus or time.monotonic() < self._menu_due_s:
            return
        left = []
        for scope, entries in self._menus:
            try:
                menu = [BotCommand(*entry) for entry in entries]
                await self._unless_stopped(application.bot.set_my_commands(menu, scope=scope))
            except TelegramError as error:
                left.append((scope, entries))
                self._log.info("menu_not_set", scope=scope.type, caused_by=type(error).__name__, wait_s=MENU_RETRY_S)
        self._menus = left
        self._menu_due_s = time.monotonic() + MENU_RETRY_S

    # -- the end --------------------------------------------------------------------------------------------------

    async def _close(self, application: AnyApplication) -> None:
        await self._bounded(self._stop_polling(application))
        if application.running:
            await self._bounded(application.stop())
        await self._bounded(application.shutdown())
        for request in (self._sends, self._polls):  # the library closes them only after a start that succeeded
            await self._bounded(request.shutdown())

    async def _stop_polling(self, application: AnyApplication) -> None:
        if application.updater is not None and application.updater.running:
            await application.updater.stop()

    async def _bounded(self, step: Coroutine[Any, Any, Any]) -> None:
        """Take one step of closing; whatever it meets must not keep the others from happening.

        The library swallows a first cancellation and goes on talking to Telegram, so it gets a second one.
        """
        task = asyncio.ensure_future(step)
        for _ in range(3):
            done, _pending = await asyncio.wait({task}, timeout=CLOSE_S)
            if done:
                break
            task.cancel()
        if not task.done():
            self._log.warning("polling_close_failed", caused_by="does not end")
        elif not task.cancelled() and (error := task.exception()) is not None:
            # It raises its old errors again here, and complaints about its own state.
            self._log.debug("polling_close_failed", caused_by=type(error).__name__)

    # -- waiting --------------------------------------------------------------------------------------------------

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        if self._stop.is_set():
            raise Stopped

    async def _unless_stopped(self, work: Awaitable[T]) -> T:
        """Await something that may take long; a stop cancels it."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
