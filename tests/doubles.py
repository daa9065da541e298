"""Actors that do what a test tells them, and a stage to run them on. Time is moved by hand; waiting is for events."""

import queue
import threading
import time as machine
from collections.abc import Callable
from typing import Any, Self

import pykka
import structlog

from actors.clock import ManualClock
from actors.mailbox import Lane, Letter, MailboxSpec, Unavailable, new_future
from actors.messages.supervision import ChildExited, ChildReady, Drill, ShutDown, StopRequested
from actors.supervised import Birth, Supervised
from actors.system import System
from actors.worker import Worker
from supervisors.status import Node, Snapshot
from supervisors.supervisor import Supervisor, _HealthTick

PATIENCE_S = 10.0  # a test that waits longer has failed; none of them waits so long otherwise


class Journal:
    """What actors wrote down, in order, over all their lives."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._written = threading.Condition()

    def write(self, entry: Any) -> None:
        with self._written:
            self.entries.append(entry)
            self._written.notify_all()

    def wait_for(self, *entries: Any) -> None:
        """Wait until each of these has been written."""
        with self._written:
            assert self._written.wait_for(lambda: all(e in self.entries for e in entries), PATIENCE_S), self.entries


class FailableActor(Supervised):
    """Fails in the places named by `fail`, as often as `times` says, with what `error` makes; answers asks."""

    def init(
        self,
        *,
        journal: Journal | None = None,
        fail: dict[str, Callable[[], BaseException]] | None = None,
        gate: threading.Event | None = None,
        child_id: str = "",
    ) -> None:
        self.journal, self.script, self.gate = journal or Journal(), fail or {}, gate
        self.seen: list[Any] = []
        self._fail_in("init")
        self.journal.write(("init", self.path, self.epoch))

    def recover(self, retained: tuple[Any, ...]) -> None:
        self._fail_in("recover")
        self.journal.write(("recover", self.path, retained))

    def handle(self, message: Any) -> Any:
        match message:
            case "fail":
                self._fail_in("handle")
            case "finish":
                self.finish()
            case "wait":
                assert self.gate is not None
                self.journal.write(("waiting", self.path, self.epoch))
                assert self.gate.wait(PATIENCE_S)
            case BaseException():
                raise message
            case _ if callable(message):
                return message(self)
        self.seen.append(message)
        self.journal.write(message)
        return (self.path, self.epoch, message)

    def terminate(self, reason: str) -> None:
        self.journal.write(("terminate", self.path, reason))
        self._fail_in("terminate")

    def _fail_in(self, place: str) -> None:
        if place in self.script:
            error = self.script[place]()
            raise error


class _Watched(System):
    """Remembers who entered, for tests that look at an actor after its end."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.newest: dict[str, tuple[Supervised, threading.Thread | None]] = {}

    def enter(self, path: str, actor: Supervised, thread: threading.Thread | None) -> None:
        self.newest[path] = (actor, thread)
        super().enter(path, actor, thread)


class Stage:
    """A system with a clock that stands still, to run single actors without a supervisor."""

    def __init__(self, spec: MailboxSpec | None = None) -> None:
        self.clock = ManualClock()
        self.system = _Watched(self.clock)
        self.notices: queue.SimpleQueue[ChildReady | ChildExited] = queue.SimpleQueue()
        self.worker = Worker("stage")
        self.spec = spec

    def start(self, *, path: str = "/a", on_worker: bool = False, actor: type[Supervised] = FailableActor, **args: Any):
        """Start the next incarnation of a path."""
        place = self.system.place(path, self.spec)
        place.epoch += 1
        worker = self.worker if on_worker else None
        actor.start(Birth(self.system, path, place.epoch, args, self.notices.put, worker))
        return self.system.newest[path][0]

    def tell(self, message: Any, *, path: str = "/a", **envelope: Any) -> bool:
        return self.system.address(path).tell(message, **envelope)

    def ask(self, message: Any, *, path: str = "/a", timeout: float = PATIENCE_S) -> Any:
        return self.system.address(path).ask(message, timeout=timeout)

    def stop(self, path: str = "/a", *, drain: bool = False) -> None:
        self.system.post(path, Letter(StopRequested(reason="stopped", drain=drain), Lane.CONTROL))

    def notice(self) -> ChildReady | ChildExited:
        return self.notices.get(timeout=PATIENCE_S)

    def ready(self) -> ChildReady:
        notice = self.notice()
        assert isinstance(notice, ChildReady), notice
        return notice

    def exit(self) -> ChildExited:
        notice = self.notice()
        assert isinstance(notice, ChildExited), notice
        return notice


class Tree:
    """A whole tree under a root supervisor, ended with the test."""

    def __init__(self, spec: Any) -> None:
        self.clock = ManualClock()
        self.system = System(self.clock)
        self.worker = self.system.workers["shared"] = Worker("shared")
        self.worker.start()
        self.notices: queue.SimpleQueue[ChildReady | ChildExited] = queue.SimpleQueue()
        self._spec = spec

    def __enter__(self) -> Self:
        self.system.place("/").epoch = 1
        Supervisor.start(Birth(self.system, "/", 1, {"spec": self._spec}, self.notices.put))
        return self

    def __exit__(self, *_: object) -> None:
        if "/" in self.system.ledger:
            self.shut_down()
        self.worker.stop(PATIENCE_S)

    def shut_down(self) -> ChildExited:
        self.ask_to_end()
        return self.exit()

    def ask_to_end(self) -> None:
        self.system.post("/", Letter(ShutDown(deadline_s=self.clock.monotonic() + 8.0), Lane.CONTROL))

    def exit(self) -> ChildExited:
        """Root's own exit notice."""
        while not isinstance(notice := self.notices.get(timeout=PATIENCE_S), ChildExited):
            pass
        return notice

    def ask(self, path: str, message: Any) -> Any:
        return self.system.address(path).ask(message, timeout=PATIENCE_S)

    def tell(self, path: str, message: Any, **envelope: Any) -> bool:
        return self.system.address(path).tell(message, **envelope)

    def look(self, path: str, *, passing_s: float = 0.0) -> Node | None:
        """The slot of a path as its supervisor sees it after every letter that it has now.

        `passing_s`: how much time passes for every millisecond in which the supervisor does not answer.
        """
        parent = path.rpartition("/")[0] or "/"
        answer = new_future()
        self.system.post(parent, Letter(_HealthTick(), Lane.URGENT, reply=answer))
        for _ in range(int(PATIENCE_S * 1000)):
            try:
                answer.get(timeout=0.001)
                break
            except pykka.Timeout:
                self.clock.advance(passing_s)
        published: Snapshot = self.system.status[parent]
        return next((node for node in published.slots if node.path == path), None)

    def crash(self, path: str, error: str = "RuntimeError") -> ChildExited:
        """Make an actor fail, and wait until its supervisor has taken note."""
        epoch = self.system.place(path).epoch
        self.tell(path, Drill(error=error))
        return self.ended(path, epoch)

    def ended(self, path: str, epoch: int) -> ChildExited:
        """Wait until the supervisor of a path has taken note of the end of this epoch. No time passes."""
        place = self.system.place(path)
        deadline_s = machine.monotonic() + PATIENCE_S
        while not place.exits or place.exits[-1].epoch < epoch:
            assert machine.monotonic() < deadline_s, f"{path} does not end"
            self.look(path)
        return place.exits[-1]

    def until(self, path: str, state: str, *, epoch: int | None = None) -> Node:
        """Wait until a slot is in a state, by asking its supervisor again and again; a little time passes each time."""
        deadline_s = machine.monotonic() + PATIENCE_S
        while True:
            try:
                known = self.system.find(path.rpartition("/")[0] or "/") is not None
                node = self.look(path, passing_s=0.01) if known else None
            except Unavailable:  # its supervisor rests
                node = None
            found = "gone" if node is None else node.state
            if found == state and (epoch is None or node.epoch == epoch):
                return node
            assert machine.monotonic() < deadline_s, f"{path} is {found}, not {state}"
            self.clock.advance(0.01)


def capture_logs() -> Any:
    return structlog.testing.capture_logs()
