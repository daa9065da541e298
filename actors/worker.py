"""One shared thread that runs many small actors in turn: a tell to a busy worker costs no thread switch."""

import queue
import threading
from collections import deque
from collections.abc import Callable

import structlog

log = structlog.get_logger("actors.worker")


class Worker:
    """Runs turns in the order in which they were asked for. Actors on it must never block."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"worker-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def run(self, turn: Callable[[], None]) -> None:
        """Queue one turn, from any thread."""
        self._queue.put(turn)

    def stop(self, timeout_s: float) -> bool:
        """End after the turns that are queued; False when a turn does not come back in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (turn := self._queue.get()) is not None:
            try:
                turn()
            except BaseException:
                # Actors guard their own code; whatever arrives here is a bug of ours and must not cost the others.
                log.exception("invariant_broken", what="a turn raised")


class Turns:
    """A worker without a thread: whoever drives the time lets the turns run. With every actor of a tree on it, nothing
    is under way anywhere once `settle` returns, and two runs over the same letters do the same in the same order.
    """

    def __init__(self) -> None:
        self._queue: deque[Callable[[], None]] = deque()

    def run(self, turn: Callable[[], None]) -> None:
        self._queue.append(turn)

    def settle(self) -> None:
        """Run turns, and those they ask for, until there are none."""
        while self._queue:
            turn = self._queue.popleft()
            try:
                turn()
            except BaseException:
                log.exception("invariant_broken", what="a turn raised")  # as in a worker


AnyWorker = Worker | Turns
