"""The life of the daemon's process: one at a time, start, wait for a signal, one budgeted stop, an exit code."""

import fcntl
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TextIO

import structlog

from actors.clock import Clock
from actors.mailbox import Lane, Letter
from actors.messages.supervision import ChildExited, ChildReady, ShutDown
from actors.outbox import Outbox, OutboxError
from actors.supervised import Birth
from actors.system import System
from actors.worker import Worker
from config.logs import LogSink, configure_logs
from config.settings import Settings
from supervisors.pulse import Pulse
from supervisors.spec import problems
from supervisors.supervisor import Supervisor
from supervisors.tree import WORKERS, our_tree
from supervisors.trees.presentation import DATABASE, Presentation

log = structlog.get_logger(__name__)

VERSION = "0.1.0"
EX_OK, EX_STRAGGLERS, EX_GAVE_UP, EX_SOFTWARE, EX_LOCKED, EX_CONFIG = 0, 3, 70, 70, 73, 78
SIGNAL_TURN_S = 0.25
RESERVE_S = 0.5  # of the stop budget, for clock and logs


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the process to end: a signal's number, or 0 for a planned end."""

    signal: int


Inbox = SimpleQueue[StopAsked | ChildReady | ChildExited]


@dataclass(slots=True)
class Running:
    """What a command may do with the daemon it started, from any thread."""

    system: System
    clock: Clock
    sink: LogSink
    inbox: Inbox

    def stop(self) -> None:
        self.inbox.put(StopAsked(0))


class NotOurs(Exception):  # noqa: N818 - said to people as it is
    """The data directory is another daemon's, or another market's."""


def run_daemon(
    settings: Settings, presentation: Presentation, *, clock: Clock, started: Callable[[Running], None] | None = None
) -> int:
    """Run until a signal, the tree's end, or `Running.stop`. `started` is called once the tree is being built.

    Returns the exit code of the process; the caller passes it to `leave`.
    """
    inbox: Inbox = SimpleQueue()
    _route_signals(inbox)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = claim(settings.data_dir, presentation.market)
    except NotOurs as error:
        print(error, file=sys.stderr)
        return EX_LOCKED
    except OSError as error:
        print(
            f"data_dir {settings.data_dir} cannot be used: {error.strerror}; set FORESHOCK_DATA_DIR to a folder that "
            "can be written",
            file=sys.stderr,
        )
        return EX_CONFIG
    sink = configure_logs(settings)
    try:
        return _run(settings, presentation, Running(_system(settings, clock), clock, sink, inbox), started)
    except Exception:
        log.critical("daemon_failed", exc_info=True)  # a bug of ours before the tree could take care of it
        return EX_SOFTWARE
    finally:
        sink.close(RESERVE_S)
        lock.close()


def _run(
    settings: Settings, presentation: Presentation, running: Running, started: Callable[[Running], None] | None
) -> int:
    system, clock, sink, inbox = running.system, running.clock, running.sink, running.inbox
    colors = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    tree = our_tree(settings, replace(presentation, console=sink.console, colors=colors, write=sink.put))
    if wrong := problems(tree):
        print("\n".join(wrong), file=sys.stderr)
        return EX_CONFIG
    clock.start()
    for name in WORKERS:
        worker = system.workers[name] = Worker(name)
        worker.start()
    pulse = Pulse(system, settings, VERSION, totals=lambda: _totals(settings, clock, sink))
    log.info("daemon_started", version=VERSION, data_dir=str(settings.data_dir), pid=os.getpid())
    system.place("/").epoch = 1
    Supervisor.start(Birth(system, "/", 1, {"spec": tree}, inbox.put))
    pulse.start()
    if started is not None:
        started(running)
    code = _wait(system, inbox, settings.supervision.stop_budget_s)
    pulse.stop()
    clock.stop()
    log.info("shutdown_finished", code=code, stragglers=[entry.actor.path for entry in system.leaked])
    return code


def _system(settings: Settings, clock: Clock) -> System:
    return System(clock, health_tick_s=settings.supervision.health_tick_s)


def _totals(settings: Settings, clock: Clock, sink: LogSink) -> dict[str, Any]:
    """What the status shows beside the actors: lost log lines, and alerts that wait for delivery."""
    totals: dict[str, Any] = {"log_dropped": sink.dropped}
    try:
        with closing(Outbox(settings.data_dir / DATABASE, settings.outbox.busy_s)) as outbox:
            backlog = outbox.deliveries.backlog(clock.now_ms())
    except OutboxError as error:
        return totals | {"outbox_error": str(error)}
    return totals | {"outbox_open": backlog.waiting, "outbox_oldest_s": round(backlog.oldest_s, 1)}


def leave(code: int) -> None:
    """End the process now, without flushing: the log sink has flushed, a reader who stands still would hold us up, and so
    would threads that were left behind.
    """
    os._exit(code)


def claim(data_dir: Path, market: str) -> TextIO:
    """Claim a data directory for this process, and for one kind of market: simulated alerts must never meet real ones.

    Raises NotOurs, or OSError where the folder cannot be written.
    """
    lock = (data_dir / "daemon.lock").open("w", encoding="ascii")
    try:
        _hold(lock, data_dir, market)
    except BaseException:
        lock.close()
        raise
    return lock


def _hold(lock: TextIO, data_dir: Path, market: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise NotOurs(
            f"another Foreshock uses {data_dir}; stop it, or set FORESHOCK_DATA_DIR to another folder"
        ) from None
    kind = data_dir / "market"
    if kind.exists() and (found := kind.read_text(encoding="ascii").strip()) != market:
        raise NotOurs(f"{data_dir} holds a {found} market's data; name another folder with FORESHOCK_DATA_DIR")
    kind.write_text(market + "\n", encoding="ascii")
    lock.write(str(os.getpid()))
    lock.flush()


def _route_signals(inbox: Inbox) -> None:
    def handler(number: int, _frame: FrameType | None) -> None:
        inbox.put(StopAsked(number))  # SimpleQueue.put is the one thing that is safe here

    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)


def _wait(system: System, inbox: Inbox, budget_s: float) -> int:
    """Wait for the end and bring it about; the exit code."""
    while True:
        match _next(inbox):
            case ChildReady():
                gc.collect()
                gc.freeze()  # what is alive now lives as long as the process
                log.info("daemon_ready", took_s=round(time.monotonic() - system.started_s, 3))
            case ChildExited(error=error):
                log.critical("root_gave_up", caused_by=error)
                return EX_GAVE_UP
            case StopAsked(signal=number):
                log.info("shutdown_begun", signal=number)
                return _shut_down(system, inbox, budget_s, number)


def _next(inbox: Inbox) -> StopAsked | ChildReady | ChildExited:
    """What happens next. A signal that arrives just before a wait begins is only seen when the wait ends: so wait in
    short turns.
    """
    while True:
        try:
            return inbox.get(timeout=SIGNAL_TURN_S)
        except Empty:
            continue


def _shut_down(system: System, inbox: Inbox, budget_s: float, number: int) -> int:
    end_s = system.clock.monotonic() + budget_s - RESERVE_S
    system.post("/", Letter(ShutDown(deadline_s=end_s), Lane.CONTROL))
    while (left_s := end_s - system.clock.monotonic()) > 0:
        try:
            event: Any = inbox.get(timeout=left_s)
        except Empty:
            break
        if isinstance(event, ChildExited):
            return EX_STRAGGLERS if system.leaked else EX_OK
        if isinstance(event, StopAsked) and event.signal:
            return 128 + event.signal
    log.error("shutdown_overran", budget_s=budget_s, first_signal=number)
    return EX_STRAGGLERS
