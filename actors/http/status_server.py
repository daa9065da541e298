"""The actor that owns the status server. It only listens and keeps what others tell; threads of requests read that."""

import errno
from pathlib import Path
from typing import Any

from actors import paths
from actors.failures import NeedsOperator, Transient
from actors.http.pages import Pages
from actors.http.server import StatusHttpServer
from actors.messages.feeds import VenuesAble, WatchVenues
from actors.messages.outcomes import ScoresTold
from actors.supervised import Supervised

BUSY_RETRY_S = 5.0  # an address that another program has may be free when that has ended


class StatusServer(Supervised):
    def init(self, *, host: str, port: int, folder: Path, database: Path, busy_s: float, heading: str) -> None:
        """`port`: 0 takes any that is free; which one is logged. `folder`: where the pulse writes."""
        self._pages = Pages(folder, database, busy_s, heading)
        try:
            self._server = StatusHttpServer(host, port, self._pages.answer)
        except OSError as error:
            self._give_up(f"{host}:{port}", error)
        self._server.start()
        self.log.info("http_listening", address=self._server.address)
        self.note(self._server.address)
        self.send(paths.VENUES, WatchVenues(path=self.path), redeliver=True, retain=True)

    def _give_up(self, address: str, error: OSError) -> None:
        advice = "set FORESHOCK_HTTP__PORT to another one, or 0 for any"
        if error.errno == errno.EADDRINUSE:
            raise Transient(f"another program listens on {address}: {advice}", BUSY_RETRY_S) from error
        raise NeedsOperator(f"cannot listen on {address} ({error.strerror or error}): {advice}") from error

    def handle(self, message: Any) -> None:
        match message:
            case VenuesAble():
                self._pages.venues = message
            case ScoresTold(scores=scores):
                self._pages.scores = scores
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002
        if hasattr(self, "_server"):
            self._server.end()
