"""A mailbox belongs to a path, not to an actor: it outlives crashes, has lanes and bounds, and never blocks a sender."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import pykka

URGENT_IN_A_ROW = 64  # then one data letter is taken, so that data is not starved


class Lane(IntEnum):
    """Control overtakes urgent, urgent overtakes data; first in, first out within a lane and sender."""

    CONTROL = 0  # start, stop, ticks of supervisors, exit notices
    URGENT = 1  # liquidations, alerts, commands, timers: kept over restarts
    DATA = 2  # what the next letter supersedes: bounded, dropped when old


class Unavailable(Exception):  # noqa: N818 - what an asker is told
    """An ask got no answer because nobody will handle it; the text says where and why."""


@dataclass(frozen=True, slots=True)
class MailboxSpec:
    """Bounds of one mailbox. `data_max` and `max_age_s` are for the data lane; `retain_max` see `Supervised.retained`."""

    data_max: int = 5_000
    urgent_max: int = 10_000
    max_age_s: float = 10.0
    retain_max: int = 0


@dataclass(slots=True)
class Letter:
    """A message with its envelope. `merge`: a queued data letter with the same key is replaced in its place."""

    message: Any
    lane: Lane
    sender: str = ""
    posted_s: float = 0.0
    number: int = 0
    reply: "pykka.ThreadingFuture[Any] | None" = None
    merge: Hashable = None
    redeliver: bool = False
    retain: bool = False
    attempt: int = 1
    tick: tuple[int, str, int] | None = None  # epoch, key, generation of the timer that sent it

    def refuse(self, error: Exception) -> None:
        """Answer an ask that will not be handled."""
        if self.reply is not None:
            self.reply.set_exception((type(error), error, None))


AnyFuture = pykka.Future[Any]


def new_future() -> "pykka.ThreadingFuture[Any]":
    return pykka.ThreadingFuture()


DeadLetterSink = Callable[[str, Letter, str], None]


@dataclass(slots=True)
class Depths:
    """How full a mailbox is, read without its lock."""

    control: int
    urgent: int
    data: int
    oldest_s: float
    dropped: int


@dataclass(slots=True)
class _Queues:
    control: deque[Letter] = field(default_factory=deque)
    urgent: deque[Letter] = field(default_factory=deque)
    data: deque[Letter] = field(default_factory=deque)


Wake = Callable[[], None]


class Mailbox:
    """Three lanes behind one lock. Senders call `put` from any thread; only the holder of the lease can `take`.

    The lease is the function that wakes its holder: who is not named there any more takes nothing.
    """

    def __init__(self, path: str, spec: MailboxSpec, monotonic: Callable[[], float], dead: DeadLetterSink) -> None:
        self.path = path
        self.spec = spec
        self._monotonic = monotonic
        self._dead = dead
        self._lock = threading.Lock()
        self._lanes = _Queues()
        self._merged: dict[Hashable, Letter] = {}
        self._numbers = itertools.count(1)
        self._urgent_run = 0
        self._closed = False
        self._refusing: str | None = None
        self.retired = False
        self._lease: Wake | None = None
        self._epoch = 0
        self.dropped = 0
        self.retained: deque[Any] = deque(maxlen=spec.retain_max)

    def put(self, letter: Letter) -> bool:
        """Queue a letter and say whether it was kept. Never blocks, never raises."""
        lost: tuple[Letter, str] | None = None
        with self._lock:
            if self.retired:
                return False  # whoever posts finds the path without a place, and makes a new one
            letter.number = next(self._numbers)
            letter.posted_s = self._monotonic()
            if self._closed and letter.lane is not Lane.CONTROL:
                lost = (letter, "closed")
            elif self._refusing is not None and letter.reply is not None:
                lost = (letter, self._refusing)
            elif letter.lane is Lane.CONTROL:
                self._lanes.control.append(letter)
            elif letter.lane is Lane.URGENT:
                if len(self._lanes.urgent) >= self.spec.urgent_max:
                    lost = (letter, "overflow")
                else:
                    self._lanes.urgent.append(letter)
            else:
                lost = self._put_data(letter)
            wake = self._lease
        if lost is not None:
            self._lose(*lost)
        if wake is not None:
            wake()
        return lost is None or lost[0] is not letter

    def _put_data(self, letter: Letter) -> tuple[Letter, str] | None:
        if letter.merge is not None and (queued := self._merged.get(letter.merge)) is not None:
            queued.message, queued.posted_s = letter.message, letter.posted_s
            return None
        lost = None
        if len(self._lanes.data) >= self.spec.data_max:
            lost = (self._pop_data(), "overflow")
        self._lanes.data.append(letter)
        if letter.merge is not None:
            self._merged[letter.merge] = letter
        return lost

    def _pop_data(self) -> Letter:
        letter = self._lanes.data.popleft()
        if letter.merge is not None:
            self._merged.pop(letter.merge, None)
        return letter

    def _lose(self, letter: Letter, reason: str) -> None:
        letter.refuse(Unavailable(f"{self.path}: {reason}"))
        if letter.tick is not None:
            return  # a timer's tick means nothing to anybody else
        with self._lock:
            self.dropped += 1
        self._dead(self.path, letter, reason)

    def put_back(self, letter: Letter) -> None:
        """Return an urgent letter that was in hand at a crash to the head of its lane."""
        with self._lock:
            self._lanes.urgent.appendleft(letter)
            wake = self._lease
        if wake is not None:
            wake()

    def take(self, lease: Wake) -> Letter | None:
        """The next letter in lane order, or None. Data older than `max_age_s` is dropped on the way."""
        while True:
            with self._lock:
                letter = self._next() if self._lease is lease else None
            if letter is None:
                return None
            if letter.lane is Lane.DATA and self._monotonic() - letter.posted_s > self.spec.max_age_s:
                self._lose(letter, "expired")
                continue
            return letter

    def _next(self) -> Letter | None:
        lanes = self._lanes
        if lanes.control:
            return lanes.control.popleft()
        if lanes.urgent and not (lanes.data and self._urgent_run >= URGENT_IN_A_ROW):
            self._urgent_run += 1
            return lanes.urgent.popleft()
        self._urgent_run = 0
        return self._pop_data() if lanes.data else None

    def lease(self, wake: Wake, epoch: int) -> bool:
        """Give the mailbox to the next incarnation; `wake` is called after every `put`, from the sender's thread.

        Control letters were for its predecessor, data is dropped, urgent letters wait on; the first incarnation has no
        predecessor and takes everything. False for an incarnation that comes too late: one of its epoch, or a later one,
        has been here.
        """
        with self._lock:
            if epoch <= self._epoch:
                return False
            dropped = [] if self._epoch == 0 else [*self._lanes.control, *self._lanes.data]
            if self._epoch > 0:
                self._lanes.control.clear()
                self._lanes.data.clear()
                self._merged.clear()
            self._epoch = epoch
            self._closed = False
            self._refusing = None
            self._urgent_run = 0
            self._lease = wake
        for letter in dropped:
            if letter.lane is Lane.DATA or letter.reply is not None:
                self._lose(letter, "restarted")
        return True

    def release(self, lease: Wake, refusing: str | None = None) -> None:
        """End a lease, unless a successor holds the mailbox already. `refusing`: see `refuse_asks`."""
        asked: list[Letter] = []
        with self._lock:
            if self._lease is lease:
                self._lease = None
                asked = self._refuse(refusing) if refusing is not None else []
        for letter in asked:
            self._lose(letter, refusing or "")

    def close(self) -> None:
        """Refuse new letters outside the control lane (draining); what is queued can still be taken."""
        with self._lock:
            self._closed = True

    def refuse_asks(self, state: str) -> None:
        """Answer every ask, queued or to come, with `Unavailable`: nobody will handle them. Told letters wait on."""
        with self._lock:
            asked = self._refuse(state)
        for letter in asked:
            self._lose(letter, state)

    def _refuse(self, state: str) -> list[Letter]:
        self._refusing = state
        asked = [letter for lane in (self._lanes.urgent, self._lanes.data) for letter in lane if letter.reply]
        self._lanes.urgent = deque(letter for letter in self._lanes.urgent if not letter.reply)
        self._lanes.data = deque(letter for letter in self._lanes.data if not letter.reply)
        return asked

    def abolish(self) -> None:
        """Nobody is wanted at this path any longer: what waits is lost, and what comes until the next lease."""
        with self._lock:
            waiting = [*self._lanes.urgent, *self._lanes.data]
            self._lanes = _Queues()
            self._merged.clear()
            self._closed = True
            self.retained.clear()
        for letter in waiting:
            self._lose(letter, "closed")

    def retire(self) -> bool:
        """Take nothing from now on, unless an urgent letter waits. What else waits is forgotten: data, and ticks of the
        timers of whoever was here.
        """
        with self._lock:
            self.retired = all(letter.tick is not None for letter in self._lanes.urgent)
            return self.retired

    def depths(self) -> Depths:
        with self._lock:
            lanes = self._lanes
            heads = [lane[0].posted_s for lane in (lanes.urgent, lanes.data) if lane]
            oldest = self._monotonic() - min(heads) if heads else 0.0
            return Depths(len(lanes.control), len(lanes.urgent), len(lanes.data), oldest, self.dropped)

    @property
    def idle(self) -> bool:
        """Nothing waits in any lane."""
        return not (self._lanes.control or self._lanes.urgent or self._lanes.data)
