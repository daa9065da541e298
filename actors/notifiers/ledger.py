"""The outbox as one notifier works with it: opened when it can be, and marks that must wait are made before all else."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actors.outbox import Outbox, OutboxError

Work = Callable[[Outbox], Any]


class Ledger:
    """Used by one incarnation on its own thread; `epoch` is that incarnation's right to settle what it claimed."""

    def __init__(self, database: Path | str, *, busy_s: float, epoch: int, log: Any) -> None:
        self._database, self._log = database, log
        self._outbox: Outbox | None = None
        self._marks: deque[Work] = deque()
        self.epoch, self.busy_s = epoch, busy_s

    def read(self, work: Work) -> Any:
        """The result of `work`, or None when the file does not serve now; the caller tries again later."""
        try:
            if self._outbox is None:
                self._outbox = Outbox(self._database, self.busy_s)
            while self._marks:
                self._marks[0](self._outbox)
                self._marks.popleft()
            return work(self._outbox)
        except OutboxError as error:
            self._log.warning("outbox_unavailable", reason=str(error), marks_waiting=len(self._marks))
            self.close()
            return None

    def mark(self, work: Work) -> None:
        """Do `work` now, or as soon as the file serves. It may run more than once."""
        self._marks.append(work)
        self.read(lambda _: None)

    def claim(self, delivery_id: int) -> bool | None:
        """Whether the row is ours to send now; None when that cannot be known."""
        claimed: bool | None = self.read(lambda outbox: outbox.deliveries.claim(delivery_id, self.epoch))
        return claimed

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
