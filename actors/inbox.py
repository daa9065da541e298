"""pykka's inbox, filled from a place's mailbox."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pykka
from pykka.messages import _ActorStop

from actors.mailbox import Letter, Mailbox


class Stop:
    """What the inbox yields when the incarnation shall end."""


class Inbox:
    """pykka's view of a place's mailbox, valid while this incarnation holds the lease.

    `wake` says that there is something to take: it sets the signal that `get` waits for, or schedules a worker's turn.
    """

    def __init__(self, mailbox: Mailbox, wake: Callable[[], None] | None) -> None:
        self._mailbox = mailbox
        self._signal = threading.Event()
        self._asked_to_stop: deque[Any] = deque()
        self.wake = wake or self._set_signal
        self.revoked = False
        self.draining = False

    def _set_signal(self) -> None:
        if not self._signal.is_set():
            self._signal.set()

    def revoke(self) -> None:
        """Let the next `take` yield stop."""
        self.revoked = True
        self.wake()

    def fence(self) -> None:
        """Revoke from another thread: from here on not even a `take` that has begun gets a letter."""
        self.revoked = True
        self._mailbox.release(self.wake)
        self.wake()

    def put(self, envelope: Any) -> None:
        """Only pykka itself puts here (a raw `ref.stop()`), and it means stop."""
        if isinstance(envelope.message, _ActorStop):
            self._asked_to_stop.append(envelope)
            self.revoke()

    def empty(self) -> bool:
        """Whether pykka has nothing to answer at the end: letters belong to the place."""
        return not self._asked_to_stop

    def take(self) -> Letter | type[Stop] | None:
        """A letter, `Stop`, or None when nothing waits."""
        if self.revoked:
            return Stop
        letter = self._mailbox.take(self.wake)
        if letter is None and self.draining:
            return Stop
        return letter

    def get(self) -> Any:
        """Block until there is something: pykka's loop on the actor's own thread."""
        while True:
            if self._asked_to_stop:
                return self._asked_to_stop.popleft()
            letter = self.take()
            if letter is Stop:
                return pykka._envelope.Envelope(_ActorStop())  # noqa: SLF001 - what pykka's own loop reads
            if letter is not None:
                return pykka._envelope.Envelope(letter)  # noqa: SLF001
            self._signal.wait()
            self._signal.clear()  # before the next look, so that no put is missed
