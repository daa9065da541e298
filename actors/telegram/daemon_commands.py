"""/status: how the daemon is, as it has written it down itself, so that it answers while anything hangs."""

from pathlib import Path

from actors.telegram import status_page
from actors.telegram.answer import Answer, Asked, Button, Command
from intelligence.answers.layout import escape


class DaemonCommands:
    """`folder`: where the status is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def commands(self) -> tuple[Command, ...]:
        return (Command("status", self._status, hint="how the daemon and its parts are doing", usage="PATH"),)

    async def _status(self, asked: Asked) -> Answer:
        path = asked.words[0] if asked.words else ""
        page = status_page.node_page(self._folder, path) if path else status_page.page(self._folder)
        refresh = Button("↻ Refresh", f"status {path}".rstrip())
        return Answer(text=f"<pre>{escape(page)}</pre>", buttons=((refresh,),) if refresh.fits else ())
