"""/status /venues /config /version /test: the daemon itself. The status is read as the pulse has written it down, so that it
answers while anything hangs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from actors.messages.chats import SendTest, TestPlanned
from actors.telegram import parsing, status_page
from actors.telegram.access import Right
from actors.telegram.answer import Answer, Asked, Button, Command, Refusal
from actors.telegram.chats import Chats
from actors.telegram.desk import Desk
from intelligence.alerts import Severity
from intelligence.answers.layout import bold, escape, page
from intelligence.explanations import GATES


class About(NamedTuple):
    """What the daemon says of itself. `settings`: lines for people, without a secret."""

    venues: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


class DaemonCommands:
    """`folder`: where the status is written."""

    def __init__(self, folder: Path, about: About, desk: Desk, chats: Chats) -> None:
        self._folder, self._about, self._desk, self._chats = folder, about, desk, chats

    def commands(self) -> tuple[Command, ...]:
        return (
            Command("status", self._status, hint="how the daemon and its parts are doing", usage="PATH"),
            Command("venues", self._venues, hint="how each venue's feeds are"),
            Command("config", self._config, hint="the settings in force"),
            Command("test", self._test, hint="a test alert of that severity", usage="p1"),
            Command("version", self._version, hint="which version runs"),
        )

    async def _status(self, asked: Asked) -> Answer:
        path = asked.words[0] if asked.words else ""
        told = status_page.node_page(self._folder, path) if path else status_page.page(self._folder)
        return Answer(text=f"<pre>{escape(told)}</pre>", buttons=_refresh(f"status {path}".rstrip()))

    async def _venues(self, _asked: Asked) -> Answer:
        told = status_page.venues_page(self._folder, self._about.venues)
        return Answer(text=f"<pre>{escape(told)}</pre>", buttons=_refresh("venues"))

    async def _config(self, _asked: Asked) -> Answer:
        return Answer(text=page(bold("Settings in force"), _lines(self._about.settings)))

    async def _version(self, _asked: Asked) -> Answer:
        return Answer(text=escape(status_page.version(self._folder)))

    async def _test(self, asked: Asked) -> Answer:
        asked.require(Right.CHANGE)
        self._chats.check_target(asked)
        severity = parsing.severity(asked.words[0]) if asked.words else Severity.P2
        if severity is None:
            raise Refusal("Which severity? /test p1, /test p2 or /test p3")
        planned = await self._desk.ask(
            SendTest(chat_id=asked.chat_id, topic=asked.topic, severity=severity), TestPlanned
        )
        if planned.held:
            reason = GATES.get(planned.held.partition(":")[0], planned.held)
            return Answer(text=escape(f"A {severity} alert would not be sent now: {reason}."))
        return Answer(
            text=escape(f"A {severity} test alert follows, {'without' if planned.silent else 'with'} a sound.")
        )


def _refresh(command: str) -> tuple[tuple[Button, ...], ...]:
    button = Button("↻ Refresh", command)
    return ((button,),) if button.fits else ()


def _lines(lines: Sequence[str]) -> str:
    return escape("\n".join(lines))
