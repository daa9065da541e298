"""The socket of the status server: GET and HEAD, a thread a request and few at a time, closed by a call from any thread."""

import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from actors.http.pages import Page

log = structlog.get_logger(__name__)

AT_A_TIME = 8  # requests; a further one is closed unread
PATIENCE_S = 5.0  # for one that does not send its request


class StatusHttpServer(ThreadingHTTPServer):
    """Listens once it is made. Raises OSError when the address cannot be listened on."""

    daemon_threads = True
    block_on_close = False  # a slow reader must not hold up a stop

    def __init__(self, host: str, port: int, answer: Callable[[str], Page]) -> None:
        self.answer = answer
        self._free = threading.BoundedSemaphore(AT_A_TIME)
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True
        )

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(1.0)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """A reader that went away is no event."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.warning("http_failed", caused_by=repr(error))


class _Handler(BaseHTTPRequestHandler):
    server: StatusHttpServer
    server_version, sys_version = "Foreshock", ""
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        self._send(self._answer())

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def _answer(self) -> Page:
        try:
            return self.server.answer(self.path)
        except Exception as error:  # a bug of ours: the reader hears of it, and so do we
            log.warning("http_failed", target=self.path[:200], caused_by=repr(error))
            return Page(
                HTTPStatus.INTERNAL_SERVER_ERROR, b"this cannot be answered now, the log says why\n", "text/plain"
            )

    def _send(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The library asks for this where it refuses a request itself; an unknown method is one that is not allowed."""
        unknown_method = code == HTTPStatus.NOT_IMPLEMENTED
        super().send_error(HTTPStatus.METHOD_NOT_ALLOWED if unknown_method else code, message, explain)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Requests are no events."""
