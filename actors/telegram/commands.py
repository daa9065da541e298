"""The command side of the bot: an actor that owns one thread with one event loop, in which python-telegram-bot lives.

Alerts do not pass here, so all of this may be down while they arrive.
"""

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from telegram.error import InvalidToken

from actors import paths
from actors.failures import NeedsOperator, Transient
from actors.messages.alerts import ChatCharged
from actors.messages.chats import ChatSeen
from actors.supervised import Supervised
from actors.telegram import answers
from actors.telegram.access import Right
from actors.telegram.answer import Command
from actors.telegram.chart_commands import ChartCommands
from actors.telegram.chat_commands import ChatCommands
from actors.telegram.chats import Chats
from actors.telegram.daemon_commands import About, DaemonCommands
from actors.telegram.desk import Desk
from actors.telegram.explain_commands import ExplainCommands, Records
from actors.telegram.handlers import Door, Handlers
from actors.telegram.market import Market
from actors.telegram.market_commands import MarketCommands
from actors.telegram.operator_commands import OperatorCommands
from actors.telegram.pictures import Pictures
from actors.telegram.polling import Poller
from actors.telegram.quiet_commands import QuietCommands
from actors.telegram.sending import Sender
from actors.telegram.stats_commands import LedgerDesk, StatsCommands
from actors.telegram.trial_commands import TrialCommands
from actors.telegram.watch_commands import WatchCommands
from actors.telegram.zone_commands import ZoneCommands
from config.settings import Charts as ChartSettings
from config.settings import Telegram as TelegramSettings

STOP_S = 3.0  # supervision.md 14


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoopSaid:
    epoch: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoopEnded:
    """`unknown_bot`: Telegram refused the token. `cause`: the name of what ended the loop."""

    epoch: int
    cause: str
    unknown_bot: bool


class Files(NamedTuple):
    """What is read to answer: the folder of the status, the files of alerts, of near misses and of what followed alerts."""

    status: Path
    database: Path
    near_misses: Path
    outcomes: Path


class TelegramCommands(Supervised):
    """Answers what authorised users write to the bot. Ready at once: Telegram may be reached later."""

    def init(
        self,
        *,
        telegram: TelegramSettings,
        files: Files,
        charts: ChartSettings,
        assets: Iterable[str] = (),
        about: About | None = None,
        heading: str = "",
    ) -> None:
        """`assets`: those that are watched by name."""
        self._refuse_company()
        if not telegram.authorized_users:
            self.log.warning(
                "nobody_authorized", advice="name user or group ids in AUTHORIZED_USERS; /start tells them"
            )
        market = Market(self.system, assets)
        door = Door(
            frozenset(telegram.authorized_users),
            frozenset(telegram.owner_users),
            telegram.commands_per_minute,
            market.assets,
        )
        commands = self._commands(door, files, market, about or About(), telegram.digest_at.minute)
        pictures = Pictures(self.system, charts, heading, self.log)
        sender = Sender(f"{heading} " if heading else "", pictures, self._charge, self.log)
        handlers = Handlers(door, commands, self._note_chat, sender, self.log)
        self._leaving = False
        self._poller = Poller(telegram, handlers, commands, self._say, self.log)
        self._thread = threading.Thread(target=self._run, name=f"{self.path}#{self.epoch}/loop", daemon=True)
        self._thread.start()
        self.note("connecting")

    def _commands(
        self, door: Door, files: Files, market: Market, about: About, usual_digest: int | None
    ) -> tuple[Command, ...]:
        def helping(right: Right) -> str:
            return answers.help_text(commands, right)

        desk = Desk(self.address(paths.DISPATCHER), self.log)
        chats = Chats(desk, door.authorized)
        records = Records(files.database, files.near_misses, files.outcomes)
        ledger = LedgerDesk(self.system, self.log)
        families = (
            MarketCommands(market, chats, self.log),
            ChartCommands(market, chats),
            ZoneCommands(self.system, market, chats, self.log),
            ChatCommands(chats, market.now_ms, helping, usual_digest),
            WatchCommands(chats, market),
            QuietCommands(chats, market, market.now_ms, usual_digest),
            ExplainCommands(records, desk, chats, market),
            StatsCommands(ledger, chats),
            DaemonCommands(files.status, about, desk, chats),
            OperatorCommands(self.system, self.log),
            TrialCommands(desk, ledger),
        )
        commands = tuple(command for family in families for command in family.commands())
        return commands

    def _note_chat(self, chat_id: int, topic: int) -> None:
        self.address(paths.DISPATCHER).tell(ChatSeen(chat_id=chat_id, topic=topic))

    def _charge(self, chat_id: int, wait_s: float) -> None:
        self.address(paths.TELEGRAM).tell(ChatCharged(chat_id=chat_id, wait_s=wait_s))

    def handle(self, message: Any) -> None:
        match message:
            case _LoopSaid(epoch=epoch, text=text):
                if epoch == self.epoch:
                    self.note(text)
            case _LoopEnded(epoch=epoch):
                if epoch == self.epoch:
                    raise _end(message)
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        if not hasattr(self, "_thread"):
            return
        self._leaving = True
        self._poller.stop()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            self.log.error("loop_left_behind", thread=self._thread.name)

    def _refuse_company(self) -> None:
        """Two polls with one token end each other: the loop of an earlier incarnation must be gone first."""
        for thread in threading.enumerate():
            if thread.name.startswith(f"{self.path}#") and thread.name.endswith("/loop"):
                raise Transient(f"{thread.name} has not ended", retry_after_s=STOP_S)

    # -- on the loop's thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        unknown_bot, cause = False, ""
        try:
            asyncio.run(self._poller.run())
        except InvalidToken:  # its text is the token
            unknown_bot, cause = True, "InvalidToken"
        except BaseException as error:
            cause = type(error).__name__
            self.log.exception("polling_crashed", caused_by=cause)
        self._tell_myself(_LoopEnded(epoch=self.epoch, cause=cause, unknown_bot=unknown_bot))

    def _say(self, text: str) -> None:
        self._tell_myself(_LoopSaid(epoch=self.epoch, text=text))

    def _tell_myself(self, message: _LoopSaid | _LoopEnded) -> None:
        if not self._leaving:
            self.address(self.path).tell(message)


def _end(ended: _LoopEnded) -> Exception:
    if ended.unknown_bot:
        return NeedsOperator(
            "Telegram does not know this bot: correct TELEGRAM_BOT_TOKEN or FORESHOCK_TELEGRAM__API_URL; "
            "commands are not answered"
        )
    return Transient(f"the bot's loop ended: {ended.cause or 'without a reason'}")
