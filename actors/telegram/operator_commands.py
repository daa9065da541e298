"""/restart /pause /resume of a path of the tree: for owners, and only after a second press within a minute."""

import asyncio
import secrets
import time
from typing import Any, NamedTuple

from actors import paths
from actors.messages.supervision import OperatorCommand
from actors.system import System
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.market import ASK_S
from intelligence.answers.layout import bold, escape, page

VALID_S = 60.0
MOST_WAITING = 100
CONFIRM = "confirm"


class _Wish(NamedTuple):
    """`by`: only who wished it may confirm it."""

    command: str
    path: str
    by: int
    until_s: float


class OperatorCommands:
    """Wishes wait in memory: one that a restart of the bot forgets was not confirmed in time. Each is carried out once."""

    def __init__(self, system: System, log: Any) -> None:
        self._system, self._log = system, log
        self._wishes: dict[str, _Wish] = {}

    def commands(self) -> tuple[Command, ...]:
        hints = {"restart": "start a part anew", "pause": "stop a part until /resume", "resume": "let a part go on"}
        wished = (Command(name, self._wish, hint, "PATH", Right.OPERATE) for name, hint in hints.items())
        return (*wished, Command(CONFIRM, self._confirm, least=Right.OPERATE))

    async def _wish(self, asked: Asked) -> Answer:
        path = self._path(asked)
        now_s = time.monotonic()
        self._wishes = {key: wish for key, wish in self._wishes.items() if wish.until_s > now_s}
        if len(self._wishes) >= MOST_WAITING:
            raise Refusal("Too many wishes wait for their confirmation. Try again in a minute.")
        key = secrets.token_hex(4)
        self._wishes[key] = _Wish(asked.command, path, asked.user_id or 0, now_s + VALID_S)
        return Answer(
            text=page(
                bold(f"{asked.command} {path}?"), _warning(asked.command, path), "The button works for a minute."
            ),
            buttons=((Button(f"Yes, {asked.command} it", f"{CONFIRM} {key}"),),),
        )

    async def _confirm(self, asked: Asked) -> Answer:
        wish = self._wishes.get(asked.words[0]) if asked.words else None
        if wish is None or wish.until_s < time.monotonic():
            raise Refusal("That was too long ago, or is done already. Give the command again.")
        if wish.by != asked.user_id:
            raise Refusal("Only who gave the command may confirm it.")
        del self._wishes[asked.words[0]]
        parent, _, child_id = wish.path.rpartition("/")
        order = OperatorCommand(child_id=child_id, command=wish.command, by=f"telegram:{wish.by}")
        try:
            await asyncio.to_thread(self._system.address(parent or "/").ask, order, timeout=ASK_S)
        except Exception as error:
            self._log.warning("command_unanswered", message=wish.command, caused_by=repr(error))
            raise Refusal(f"{parent or '/'} does not answer; look at /status {parent}.") from error
        return Answer(text=escape(f"{wish.command} of {wish.path} is under way. /status {wish.path} shows it."))

    def _path(self, asked: Asked) -> str:
        """Raises Refusal for a path that is not there, or that carries this very answer."""
        path = "/" + asked.words[0].strip("/").lower() if asked.words else "/"
        if path == "/":
            raise Refusal(f"Which part? For example /{asked.command} {paths.FEEDS}; /status lists them.")
        parent = path.rpartition("/")[0] or "/"
        if self._system.find(path) is None or self._system.find(parent) is None:
            raise Refusal(f"There is no {path[:60]}. /status lists what there is.")
        if asked.command == "pause" and paths.COMMANDS.startswith(path):
            raise Refusal("Paused, I could not hear you say /resume.")
        return path


def _warning(command: str, path: str) -> str:
    if command == "resume":
        return ""
    grave = {
        paths.DISPATCHER: "no alert is decided",
        paths.TELEGRAM: "no alert is sent here",
        "/core": "nothing is detected",
    }
    what = next((told for start, told in grave.items() if start.startswith(path) or path == start), "")
    return f"Meanwhile {what}." if what else ""
