"""Checkpoints in one SQLite file: each owner's parts, when they were taken, and what came of those who loaded them.

One file and not one for each asset: a minute's hundreds of changes cost no directory entries and no fsync each, and a
row that is damaged is told by its checksum without harm to the others.
"""

import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actors.database import Database, StorageError

__all__ = ["MIGRATIONS", "CheckpointFile", "Kept", "StorageError", "open_file"]

# Step n takes the file from version n to n + 1; a step that was released is never changed.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE checkpoints (
        owner TEXT NOT NULL, part TEXT NOT NULL, schema INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL, checksum INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (owner, part));
    CREATE TABLE set_aside (
        owner TEXT NOT NULL, part TEXT NOT NULL, schema INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL, checksum INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (owner, part));
    CREATE TABLE starts (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL);
    """,
)
_SUFFIXES = ("", "-wal", "-shm")
_COLUMNS = "owner, part, schema, at_ms, until_ms, checksum, state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One checkpoint; times in market ms. `until_ms`: afterwards it is worth nothing."""

    owner: str
    part: str
    schema: int
    at_ms: int
    until_ms: int
    state: bytes


def open_file(file: Path, busy_s: float) -> tuple["CheckpointFile", str]:
    """Open the file, a new one where the old cannot be understood; that is kept beside it, and the text says why.

    Raises StorageError where no file can be used now: a full disk, a lock, missing rights.
    """
    try:
        return CheckpointFile(file, busy_s), ""
    except StorageError as error:
        if isinstance(error.__cause__, sqlite3.OperationalError | OSError):
            raise
        for suffix in _SUFFIXES:
            part = file.with_name(file.name + suffix)
            if part.exists():
                part.replace(file.with_name(f"{file.name}.set-aside{suffix}"))
        return CheckpointFile(file, busy_s), str(error)


class CheckpointFile:
    """Every method raises StorageError when the file does not serve within `busy_s`."""

    def __init__(self, file: Path, busy_s: float) -> None:
        self._db = Database(file, busy_s, MIGRATIONS)

    def close(self) -> None:
        self._db.close()

    def save(self, checkpoints: Iterable[Kept]) -> None:
        """Write all of them or none."""
        with self._db.writing():
            for kept in checkpoints:
                self._db.write(
                    f"INSERT OR REPLACE INTO checkpoints ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)",  # noqa: S608 - a constant
                    kept.owner,
                    kept.part,
                    kept.schema,
                    kept.at_ms,
                    kept.until_ms,
                    _checksum(kept),
                    kept.state,
                )

    def load(self, owner: str, part: str) -> Kept | None:
        """Read a checkpoint. Raises StorageError too when its checksum says that it is damaged."""
        row = self._db.one("SELECT * FROM checkpoints WHERE owner = ? AND part = ?", owner, part)
        if row is None:
            return None
        kept = Kept(**{name: row[name] for name in Kept.__dataclass_fields__})
        if _checksum(kept) != row["checksum"]:
            raise StorageError(f"{owner} {part}: the checksum is wrong")
        return kept

    def set_aside(self, owner: str, part: str) -> None:
        """Use it no more, but keep it for people to look at."""
        self._move("WHERE owner = ? AND part = ?", owner, part)

    def forget(self, before_ms: int) -> None:
        """Drop what was worth nothing any more at that time."""
        self._db.write("DELETE FROM checkpoints WHERE until_ms < ?", before_ms)

    def clear(self) -> None:
        self._db.write("DELETE FROM checkpoints")

    # -- processes that began with what is kept here ------------------------------------------------------------------

    def begin(self, now_ms: int, tries: int) -> bool:
        """Note that a process begins. False after `tries` that did not prove themselves: then all is set aside."""
        untrusted = self._db.all("SELECT id FROM starts")
        distrusted = len(untrusted) >= tries
        if distrusted:
            self._move("")
            self.trust()
        self._db.write("INSERT INTO starts (at_ms) VALUES (?)", now_ms)
        return not distrusted

    def trust(self) -> None:
        """Note that the process has proved itself, or ended as it should: what it began with does no harm."""
        self._db.write("DELETE FROM starts")

    def _move(self, where: str, *values: str) -> None:
        with self._db.writing():
            self._db.write(
                f"INSERT OR REPLACE INTO set_aside ({_COLUMNS}) SELECT {_COLUMNS} FROM checkpoints {where}",  # noqa: S608
                *values,
            )
            self._db.write(f"DELETE FROM checkpoints {where}", *values)  # noqa: S608 - constants of this file


def _checksum(kept: Kept) -> int:
    head = f"{kept.owner} {kept.part} {kept.schema} {kept.at_ms} {kept.until_ms}"
    return zlib.crc32(kept.state, zlib.crc32(head.encode()))
