import io
import json
import logging
import sys
import threading

import pytest
import structlog

from config.loading import load_settings
from config.logs import configure_logs

TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"
HALF = TOKEN.partition(":")[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class StandingStill(io.StringIO):
    """A stdout that nobody reads: the write waits until somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()
        self.read = threading.Event()
        self.told_of_drops = threading.Event()

    def write(self, text: str) -> int:
        self.waiting.set()
        self.read.wait()
        if "log_lines_dropped" in text:
            self.told_of_drops.set()
        return super().write(text)


@pytest.fixture
def logs(tmp_path):
    """Configure logs onto a stream; `.done()` ends them and returns what was written."""
    sinks = []

    def configured(stream=None, **names):
        environ = {"FORESHOCK_LOGS__LEVEL": "debug", "TELEGRAM_BOT_TOKEN": TOKEN}
        environ |= {f"FORESHOCK_LOGS__{name.upper()}": str(value) for name, value in names.items()}
        stream = stream or io.StringIO()
        sink = configure_logs(load_settings(environ=environ, env_file=tmp_path / "none").settings, stream)
        sinks.append(sink)
        sink.done = lambda: (sink.close(5), stream.getvalue())[1]
        return sink

    yield configured
    for sink in sinks:
        sink.close(5)


def test_line_is_json_with_the_promised_keys_first(logs):
    sink = logs()

    structlog.get_logger("actors.connection").bind(venue="okx").info("feed_connected", took_s=0.5)

    (line,) = sink.done().splitlines()
    entry = json.loads(line)
    assert list(entry) == ["timestamp", "level", "event", "logger", "venue", "took_s"]
    assert entry | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "feed_connected",
        "logger": "actors.connection",
        "venue": "okx",
        "took_s": 0.5,
    }


def test_timestamp_is_utc_with_milliseconds(logs):
    sink = logs()

    structlog.get_logger("x").info("feed_connected")

    timestamp = json.loads(sink.done())["timestamp"]
    assert (len(timestamp), timestamp[10], timestamp[19], timestamp[-1]) == (24, "T", ".", "Z")


def test_lines_below_the_level_are_left_out(logs):
    sink = logs(level="warning")

    structlog.get_logger("x").info("feed_connected")
    structlog.get_logger("x").warning("feed_lost")

    assert [json.loads(line)["event"] for line in sink.done().splitlines()] == ["feed_lost"]


def test_terminal_gets_readable_lines_and_anything_else_json(logs):
    assert logs(Terminal()).console is True
    assert logs(io.StringIO()).console is False


def test_format_can_be_forced(logs):
    assert logs(Terminal(), format="json").console is False
    assert logs(io.StringIO(), format="console").console is True


def test_value_of_any_type_can_be_logged(logs):
    sink = logs()

    structlog.get_logger("x").info("odd_logged", what=object, nan=float("nan"), keys={1: {2, 3}})

    assert json.loads(sink.done())["what"] == "<class 'object'>"


def test_libraries_are_logged_the_same_way(logs):
    sink = logs()

    logging.getLogger("some.library").warning("%s of %s", 1, 2)

    entry = json.loads(sink.done())
    assert (entry["event"], entry["logger"], entry["message"]) == ("library_logged", "some.library", "1 of 2")


def test_chatter_of_libraries_is_left_out(logs):
    sink = logs()

    for name in ("pykka", "httpx", "httpcore", "telegram.ext", "urllib3.connectionpool", "asyncio"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("pykka").error("also logged by the supervisor")

    assert sink.done() == ""


def test_line_whose_arguments_do_not_fit_does_not_raise(logs):
    sink = logs()

    logging.getLogger("some.library").warning("%d", "no number")

    assert json.loads(sink.done())["event"] == "log_line_broken"


def test_uncaught_errors_of_process_and_threads_are_logged(logs):
    sink = logs()

    thread = threading.Thread(target=lambda: 1 / 0, name="worker-1")
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError("x"), None)

    first, second = (json.loads(line) for line in sink.done().splitlines())
    assert (first["event"], first["thread"]) == ("thread_failed", "worker-1")
    assert "ZeroDivisionError" in first["exception"]
    assert second["event"] == "process_failed"


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "say",
    [
        lambda: structlog.get_logger("x").debug("sent", url=f"https://api.example/bot{TOKEN}/sendMessage"),
        lambda: structlog.get_logger("x").debug("sent", url=f"https://x/bot{TOKEN.replace(':', '%3A')}/getMe"),
        lambda: structlog.get_logger("x").debug(f"event {TOKEN}"),
        lambda: structlog.get_logger("x").debug("sent", nested={"deep": [(TOKEN, TOKEN.encode())]}),
        lambda: structlog.get_logger("x").debug("sent", **{TOKEN: 1}),
        lambda: structlog.get_logger("x").debug("sent", half=HALF),
        lambda: logging.getLogger("some.library").debug("GET %s", f"/bot{TOKEN}/getMe"),
        lambda: logging.getLogger(TOKEN).debug("%d", "no number"),
        lambda: raise_and_log(structlog.get_logger("x").exception, "send_failed"),
        lambda: raise_and_log(logging.getLogger("x").exception, "send failed"),
        lambda: sys.excepthook(ValueError, ValueError(TOKEN), None),
    ],
)
def test_token_appears_in_no_form(logs, say, log_format):
    sink = logs(format=log_format)

    say()

    written = sink.done()
    assert "(hidden)" in written
    assert HALF not in written


def test_token_of_another_bot_is_hidden_too(logs):
    sink = logs()

    structlog.get_logger("x").info("sent", other="987654:" + "z" * 35)

    assert "zzz" not in sink.done()


def raise_and_log(log, event):
    try:
        fail_with_the_token()
    except ConnectionError:
        log(event)


def fail_with_the_token():
    raise ConnectionError(f"https://api.example/bot{TOKEN}/sendMessage") from ValueError(TOKEN)


def test_reader_who_stands_still_stops_no_logger_and_drops_are_counted(logs):
    stream = StandingStill()
    sink = logs(stream, queue_lines=10)
    log = structlog.get_logger("x")

    log.info("line_written", n=0)
    assert stream.waiting.wait(5)
    for n in range(1, 31):
        log.info("line_written", n=n)

    assert sink.dropped == 20
    stream.read.set()
    events = [json.loads(line) for line in sink.done().splitlines()]
    assert [entry["n"] for entry in events if "n" in entry] == list(range(11))


def test_lost_lines_are_reported_when_the_reader_comes_back(logs):
    stream = StandingStill()
    sink = logs(stream, queue_lines=1)
    log = structlog.get_logger("x")
    log.info("line_written")
    assert stream.waiting.wait(5)
    log.info("line_written")
    log.info("line_written")

    stream.read.set()

    assert stream.told_of_drops.wait(5)
    last = json.loads(sink.done().splitlines()[-1])
    assert (last["event"], last["total"]) == ("log_lines_dropped", 1)


def test_close_waits_no_longer_than_told(logs):
    stream = StandingStill()
    sink = logs(stream)
    structlog.get_logger("x").info("line_written")
    assert stream.waiting.wait(5)

    sink.close(0.01)

    assert stream.getvalue() == ""
    stream.read.set()


def test_stream_that_is_closed_costs_lines_and_nothing_else(logs):
    stream = io.StringIO()
    sink = logs(stream)
    stream.close()

    structlog.get_logger("x").info("line_written")
    sink.close(5)

    assert sink.dropped == 1


def test_close_gives_logging_back_as_it_was(logs):
    before = sys.excepthook, threading.excepthook, logging.getLogger().handlers[:]

    logs().close(5)

    assert (sys.excepthook, threading.excepthook, logging.getLogger().handlers[:]) == before
