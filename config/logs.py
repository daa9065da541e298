"""structlog and logging, configured once: JSON lines where a machine reads, readable lines on a terminal.

A line is rendered and cleared of secrets in the thread that logs, then put into a bounded queue; one thread writes.
So a reader of stdout that stands still costs lines, which are counted, and never stops an actor (supervision.md 14).
"""

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from queue import SimpleQueue
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog

from config.settings import Settings, secrets

log = structlog.get_logger(__name__)

_HIDDEN = "(hidden)"
# A bot's token in any text: in a URL the colon may be escaped.
_BOT_TOKEN = re.compile(r"\d{5,}(?::|%3[Aa])[A-Za-z0-9_-]{30,}")
_SHORTEST_SECRET = 8  # hiding shorter texts would blot out half of every line
_FIRST = ("timestamp", "level", "event", "logger")
_LIBRARIES = {
    "pykka": logging.CRITICAL,  # it logs every failure that we log with its context (supervision.md 3, row 21)
    "httpx": logging.WARNING,  # its INFO line is the URL with the token
    "httpcore": logging.WARNING,
    "telegram": logging.WARNING,
    "telegram.ext": logging.CRITICAL,  # errors of a stop during an outage, and a 401 that we report ourselves
    "urllib3": logging.WARNING,
    "websocket": logging.WARNING,
    "asyncio": logging.WARNING,
}


class LogSink:
    """The queue of lines and the one thread that writes them to `stream`."""

    def __init__(self, stream: TextIO, *, console: bool, hide: Callable[[str], str], queue_lines: int) -> None:
        self.console = console
        self.dropped = 0
        self._stream = stream
        self._hide = hide
        self._queue_lines = queue_lines
        self._lines: SimpleQueue[str | None] = SimpleQueue()  # reentrant: a signal handler or __del__ may log
        self._undo: list[Callable[[], None]] = []
        self._writer = threading.Thread(target=self._write, name="logs", daemon=True)
        self._writer.start()

    def put(self, text: str) -> bool:
        """Queue a line without its end; tell whether there was room. Never waits. Secrets are hidden here."""
        # Threads may see the same last free place together: the bound is exact to the number of threads.
        if self._lines.qsize() >= self._queue_lines:
            self.dropped += 1
            return False
        self._lines.put(self._hide(text) + "\n")
        return True

    def close(self, timeout_s: float) -> None:
        """Write what is queued, for at most `timeout_s`, and give logging back as it was found."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._lines.put(None)
        self._writer.join(timeout_s)

    def at_close(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)

    def _write(self) -> None:
        reported = 0
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # the reader is gone, or the stream is closed: nobody to tell
                self.dropped += 1
                continue
            if self.dropped > reported and self._lines.empty():  # there is room for the report itself
                reported = self.dropped
                log.warning("log_lines_dropped", total=reported)


class _SinkHandler(logging.Handler):
    """Renders in the logging thread and puts the text into the sink."""

    def __init__(self, sink: LogSink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception as error:  # someone else's arguments do not fit their message, or a repr fails
            text = f'{{"event":"log_line_broken","logger":"{record.name}","caused_by":"{type(error).__name__}"}}'
        self._sink.put(text)


def configure_logs(settings: Settings, stream: TextIO | None = None) -> LogSink:
    """Send every log line of the process, ours and the libraries', to `stream`, by default stdout."""
    stream = stream or sys.stdout
    console = settings.logs.format == "console" or (settings.logs.format == "auto" and stream.isatty())
    sink = LogSink(stream, console=console, hide=redactor(secrets(settings)), queue_lines=settings.logs.queue_lines)
    _route_structlog()
    _route_logging(sink, settings.logs.level.upper(), colors=stream.isatty())
    _route_crashes(sink)
    return sink


def redactor(known: Iterable[str]) -> Callable[[str], str]:
    """Make a function that hides bot tokens and the known secrets, and the part of a token behind its colon."""
    parts = {part for secret in known for part in (secret, secret.rpartition(":")[2])}
    texts = sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True)
    pattern = re.compile("|".join([_BOT_TOKEN.pattern, *map(re.escape, texts)]))
    return lambda text: pattern.sub(_HIDDEN, text)


def _route_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a cached logger would miss what tests capture
    )


def _route_logging(sink: LogSink, level: str, *, colors: bool) -> None:
    handler = _SinkHandler(sink)
    render: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if sink.console:
        # Plain tracebacks: the decorated ones break lines, and a secret broken in two is not recognised.
        render.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback))
    else:
        render += [structlog.processors.format_exc_info, _in_order, structlog.processors.JSONRenderer(_json)]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*_SHARED, _of_library], processors=render)
    )
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name, quietest in _LIBRARIES.items():
        logging.getLogger(name).setLevel(quietest)

    def undo() -> None:
        root.handlers[:], root.level = before[0], before[1]
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()

    sink.at_close(undo)


def _route_crashes(sink: LogSink) -> None:
    """Log what no one caught, in any thread."""
    before = sys.excepthook, threading.excepthook

    def of_process(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        log.critical("process_failed", exc_info=(kind, error, traceback))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            thread = args.thread.name if args.thread else None
            log.error("thread_failed", thread=thread, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def undo() -> None:
        sys.excepthook, threading.excepthook = before

    sys.excepthook, threading.excepthook = of_process, of_thread
    sink.at_close(undo)


def _stamp(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    entry["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return entry


def _of_library(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give prose of other people's code an event name like every other line."""
    entry["message"], entry["event"] = entry["event"], "library_logged"
    return entry


def _in_order(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: entry[key] for key in _FIRST if key in entry} | dict(entry)


def _json(entry: Any, **_: Any) -> str:
    return msgspec.json.encode(entry, enc_hook=repr).decode()


_SHARED: list[Any] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _stamp,
]
