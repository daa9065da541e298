"""Real actors on a stage of their own: started by hand, replaced like a supervisor would, stopped at the end."""

import queue
import threading
import time

from actors.clock import Clock
from actors.mailbox import Lane, Letter
from actors.messages.supervision import ChildExited, ChildReady, Drill, StopRequested
from actors.supervised import Birth, Supervised
from actors.system import System

DEADLINE_S = 10.0


def wait_for(condition, what="condition", deadline_s=DEADLINE_S):
    """Wait until `condition()` is true and return it. It polls a state; no test measures time with it."""
    end_s = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end_s, f"waited {deadline_s:g} s for {what}"
        time.sleep(0.005)
    return value


class Recorder(Supervised):
    """Stands at a path and keeps what is sent there."""

    def init(self, *, letters):
        self.letters = letters

    def handle(self, message):
        self.letters.append(message)


class Stage:
    """One system with a running clock. `exits`: every notice of an end, in order."""

    def __init__(self, clock=None):
        self.clock = clock or Clock()
        if isinstance(self.clock, Clock):
            self.clock.start()
        self.system = System(self.clock, log_dead_letters=False)
        self.exits = []
        self._notices = queue.SimpleQueue()
        self._cast = {}

    def start(self, path, actor, **args):
        """Start an actor and wait until it is ready."""
        self._cast[path] = (actor, args)
        self.begin(path)
        assert isinstance(self._next(path), ChildReady), self.exits[-1]
        return self.system.address(path)

    def begin(self, path):
        actor, args = self._cast[path]
        place = self.system.place(path)
        place.epoch += 1
        actor.start(Birth(self.system, path, place.epoch, args, self._notices.put))

    def record(self, path):
        """Stand a recorder at a path; return the list it fills."""
        letters = []
        self.start(path, Recorder, letters=letters)
        return letters

    def tell(self, path, message):
        assert self.system.address(path).tell(message, redeliver=True)

    def ask(self, path, message, timeout=5):
        return self.system.address(path).ask(message, timeout=timeout)

    def crash(self, path, error="RuntimeError"):
        """Make an actor fail and start its successor, as its supervisor would."""
        self.tell(path, Drill(error=error))
        self.exit_of(path)
        self.begin(path)
        assert isinstance(self._next(path), ChildReady), self.exits[-1]

    def exit_of(self, path):
        """Wait for the end of the actor at a path."""
        while not isinstance(notice := self._next(path), ChildExited):
            pass
        return notice

    def quiet(self, path):
        """Wait until an actor has nothing to do: under a clock that stands still it stays so."""
        place, seen = self.system.place(path), []

        def idle():
            busy = place.vitals.busy_since is not None or not place.mailbox.idle
            seen.append(None if busy else place.vitals.handled)
            return len(seen) > 2 and seen[-1] is not None and seen[-1] == seen[-2] == seen[-3]

        wait_for(idle, f"{path} to have nothing to do")

    def stop(self, path, *, drain=False):
        self.ask_to_stop(path, drain=drain)
        return self.exit_of(path)

    def ask_to_stop(self, path, *, drain=False):
        self.system.post(path, Letter(StopRequested(reason="shutdown", drain=drain), Lane.CONTROL))

    def restart(self, path):
        """Stop an actor and start its successor with the next epoch."""
        self.stop(path)
        self.begin(path)
        assert isinstance(self._next(path), ChildReady), self.exits[-1]

    def _next(self, path):
        passed = []
        try:
            while True:
                notice = self._notices.get(timeout=DEADLINE_S)
                if isinstance(notice, ChildExited):
                    self.exits.append(notice)
                if notice.path == path:
                    return notice
                passed.append(notice)
        finally:
            for notice in passed:
                self._notices.put(notice)

    def close(self):
        for path in tuple(self.system.ledger):
            self.system.post(path, Letter(StopRequested(reason="stopped"), Lane.CONTROL))
        threads = [entry.thread for entry in tuple(self.system.ledger.values()) if entry.thread]
        for thread in threads:
            thread.join(DEADLINE_S)
        if isinstance(self.clock, Clock):
            self.clock.stop()
        left = [t.name for t in threads if t.is_alive()]
        assert not left, f"threads did not end: {left}"


def thread_named(part):
    return next((thread for thread in threading.enumerate() if part in thread.name), None)
