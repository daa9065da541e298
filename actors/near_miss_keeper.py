"""Keeps what came near to an alert, for whoever asks later why nobody was told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from actors.database import StorageError
from actors.messages.alerts import NearMissesSeen
from actors.near_miss_book import NearMissBook
from actors.supervised import Supervised
from intelligence.near_misses import NearMiss

FLUSH_S = 5.0
PRUNE_EVERY_S = 3600.0
DAY_MS = 86_400_000
UNWRITTEN_MAX = 10_000  # more than a day's worth of a quiet market; beyond it the oldest are dropped


class _Flush(NamedTuple):
    pass


class _Prune(NamedTuple):
    pass


class NearMissKeeper(Supervised):
    """Writes in batches. A failure of the file costs explanations and nothing else."""

    def init(self, *, file: Path | str, busy_s: float, keep_days: float) -> None:
        self._file, self._busy_s, self._keep_ms = file, busy_s, int(keep_days * DAY_MS)
        self._book: NearMissBook | None = None
        self._unwritten: list[NearMiss] = []
        self._failures = 0
        self.timer.every("flush", FLUSH_S, _Flush())
        self.timer.every("prune", PRUNE_EVERY_S, _Prune())

    def handle(self, message: Any) -> None:
        match message:
            case NearMissesSeen(found=found):
                self._unwritten += found
                del self._unwritten[:-UNWRITTEN_MAX]
            case _Flush():
                self._flush()
            case _Prune():
                self._write(lambda book: book.prune(self.now_ms - self._keep_ms))
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        if hasattr(self, "_unwritten"):
            self._flush()
            if self._book is not None:
                self._book.close()

    def _flush(self) -> None:
        if self._unwritten and self._write(lambda book: book.add(self._unwritten)):
            self._unwritten = []

    def _write(self, work: Callable[[NearMissBook], None]) -> bool:
        try:
            if self._book is None:
                self._book = NearMissBook(self._file, self._busy_s)
            work(self._book)
        except StorageError as error:
            self._failures += 1
            if self._failures & (self._failures - 1) == 0:
                self.log.warning("near_misses_not_written", reason=str(error)[:300], n=self._failures)
            self.note(f"not written: {error}"[:200])
            return False
        self.note("")
        return True
