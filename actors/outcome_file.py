"""The ledger's book as long as its file serves: a failure costs scores and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from actors.database import StorageError
from actors.outcome_book import OutcomeBook

T = TypeVar("T")


class OutcomeFile:
    """Opened when it is needed, and again after a failure. `opened` is called with the book each time, `failed` with what went
    wrong and the how-manieth time in a row that was.
    """

    def __init__(
        self,
        file: Path | str,
        busy_s: float,
        *,
        opened: Callable[[OutcomeBook], None],
        failed: Callable[[StorageError, int], None],
    ) -> None:
        self._file, self._busy_s = file, busy_s
        self._when_opened, self._when_failed = opened, failed
        self._book: OutcomeBook | None = None
        self.failures = 0

    def do(self, work: Callable[[OutcomeBook], T]) -> T | None:
        """The result of `work`, or None when the file does not serve now."""
        try:
            if self._book is None:
                self._book = OutcomeBook(self._file, self._busy_s)
                self._when_opened(self._book)
            result = work(self._book)
        except StorageError as error:
            self.failures += 1
            self.close()
            self._when_failed(error, self.failures)
            return None
        self.failures = 0
        return result

    def close(self) -> None:
        if self._book is not None:
            self._book.close()
            self._book = None
