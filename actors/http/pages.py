"""What each address answers. Read from files and from what the status server was told last, so that it answers while
anything hangs. Any thread.
"""

from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from actors import paths, status_file
from actors.alert_book import KeptAlert
from actors.http.metrics import metrics
from actors.messages.feeds import VenuesAble
from actors.notifiers.texts import plain
from actors.outbox import Outbox, OutboxError
from intelligence.outcomes.scores import Scores

CORE = "/core"
ALERTS_A_PAGE = 500
JSON, TEXT = "application/json", "text/plain; charset=utf-8"


class Page(NamedTuple):
    status: HTTPStatus
    body: bytes
    kind: str = JSON


class Pages:
    """`folder`: where the pulse writes. `venues`, `scores`: what was told last; their owner replaces them."""

    def __init__(self, folder: Path, database: Path, busy_s: float, heading: str) -> None:
        self._folder, self._database, self._busy_s, self._heading = folder, database, busy_s, heading
        self.venues: VenuesAble | None = None
        self.scores: Scores | None = None

    def answer(self, target: str) -> Page:
        """`target`: path and query of a GET."""
        address = urlsplit(target)
        match address.path:
            case "/healthz":
                return self._healthz()
            case "/readyz":
                return self._readyz()
            case "/status":
                return self._status()
            case "/metrics":
                return self._metrics()
            case "/alerts":
                return self._alerts(parse_qs(address.query).get("since", [""])[0])
            case _:
                return _problem(
                    HTTPStatus.NOT_FOUND, "there is /healthz, /readyz, /status, /metrics and /alerts?since=ID"
                )

    def _healthz(self) -> Page:
        """Before the first pulse it counts that we answer at all."""
        age_s = status_file.age_s(self._folder) or 0.0
        if age_s > status_file.OLD_S:
            return Page(HTTPStatus.SERVICE_UNAVAILABLE, f"the pulse has stood still for {age_s:.0f} s\n".encode(), TEXT)
        return Page(HTTPStatus.OK, b"ok\n", TEXT)

    def _readyz(self) -> Page:
        why = self._why_not_ready()
        status = HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
        return Page(status, msgspec.json.encode({"ready": not why, "why": why}))

    def _why_not_ready(self) -> list[str]:
        """Why core detection does not watch now; nothing when it does."""
        report, age_s = status_file.read(self._folder), status_file.age_s(self._folder)
        core = next((node for node in report.tree.children if node.path == CORE), None) if report else None
        if report is None or core is None or age_s is None:
            return ["the tree has not started yet"]
        why = [f"the pulse has stood still for {age_s:.0f} s"] if age_s > status_file.OLD_S else []
        if core.state != "running":
            why.append(f"{CORE} is {core.state}")
        if core.health == "unhealthy":
            why += [f"{CORE} is unhealthy", *(line for line in report.why if line.startswith(CORE))]
        if self.venues is None or (self.venues.configured and not self.venues.able):
            why.append(f"no venue is able to report liquidations yet ({paths.VENUES})")
        return why

    def _status(self) -> Page:
        try:
            return Page(HTTPStatus.OK, (self._folder / status_file.JSON).read_bytes())
        except OSError as error:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, f"there is no status yet: {error.strerror}")

    def _metrics(self) -> Page:
        report, age_s = status_file.read(self._folder), status_file.age_s(self._folder)
        return Page(HTTPStatus.OK, metrics(report, age_s, self.venues, self.scores), CONTENT_TYPE_LATEST)

    def _alerts(self, since: str) -> Page:
        try:
            with closing(Outbox(self._database, self._busy_s)) as outbox:
                found = outbox.alerts.after(since, ALERTS_A_PAGE) if since else outbox.alerts.last(ALERTS_A_PAGE)
        except OutboxError as error:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, f"alerts cannot be read now: {error}")
        if found is None:
            return _problem(HTTPStatus.NOT_FOUND, f"no alert {since!r} is kept; without since the newest are answered")
        return Page(HTTPStatus.OK, msgspec.json.encode([self._record(one) for one in found]))

    def _record(self, kept: KeptAlert) -> dict[str, Any]:
        """contract.md 7."""
        told = {"delivered_ms": kept.delivered_ms, "text": plain(kept.alert, heading=self._heading)}
        record: dict[str, Any] = msgspec.to_builtins(kept.alert)
        return record | told


def _problem(status: HTTPStatus, text: str) -> Page:
    return Page(status, msgspec.json.encode({"error": text}))
