"""The folder of recordings: a name for the next file, and which old files have to go."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from actors.recording.files import SUFFIX

DAY_S = 86_400.0


class RecordingFolder:
    """Bounded in size and age; the newest file is never removed. Raises OSError throughout."""

    def __init__(self, folder: Path, *, max_bytes: int, keep_days: float) -> None:
        self._folder, self._max_bytes, self._keep_s = folder, max_bytes, keep_days * DAY_S
        folder.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[Path]:
        """Oldest first: names begin with the time."""
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    def next_path(self, at_ms: int) -> Path:
        """A name that is free, after the time at which the file begins."""
        while (path := self._folder / f"{_stamp(at_ms)}{SUFFIX}").exists():
            at_ms += 1
        return path

    def prune(self) -> int:
        """Remove what is too old or too much, oldest first, and say how many files that were."""
        total, gone = self.total_bytes(), 0
        for file, size, age_s in _with_size_and_age(self.files()[:-1]):
            if age_s <= self._keep_s and total <= self._max_bytes:
                break
            file.unlink(missing_ok=True)
            total -= size
            gone += 1
        return gone

    def total_bytes(self) -> int:
        return sum(size for _, size, _ in _with_size_and_age(self.files()))


def _with_size_and_age(files: list[Path]) -> Iterator[tuple[Path, int, float]]:
    now_s = time.time()
    for file in files:
        try:
            found = file.stat()
        except FileNotFoundError:
            continue
        yield file, found.st_size, now_s - found.st_mtime


def _stamp(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{at_ms % 1000:03d}Z"
