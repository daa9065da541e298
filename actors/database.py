"""One SQLite file as an actor holds it: opened, brought to our schema, every error under one name."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class StorageError(Exception):
    """The file cannot be read or written now; the text says why."""


class Database:
    """One connection, used by the thread that made it. Every method raises StorageError within the busy limit."""

    def __init__(self, database: Path | str, busy_s: float, migrations: Sequence[str]) -> None:
        self._database = database = Path(database)
        with _errors_named(database):
            database.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(database, timeout=busy_s, isolation_level=None)
        try:
            with _errors_named(database):
                self._db.row_factory = sqlite3.Row
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")  # survives our death; a power cut costs the last rows
                self._migrate(migrations)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def _migrate(self, migrations: Sequence[str]) -> None:
        if self._version() == len(migrations):
            return
        with self.writing():
            found = self._version()  # again, under the lock: another actor may have been first
            if found > len(migrations):
                raise StorageError(
                    f"{self._database}: schema version up to {len(migrations)} expected, was {found}; "
                    "a newer Foreshock has written it: start that one, or name another data directory"
                )
            for step in migrations[found:]:
                for statement in filter(str.strip, step.split(";")):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(migrations)}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: everything in it or nothing."""
        with _errors_named(self._database):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite ends it by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    def write(self, sql: str, *values: Any) -> bool:
        """Execute one change; tell whether it changed a row."""
        with _errors_named(self._database):
            return self._db.execute(sql, values).rowcount > 0

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with _errors_named(self._database):
            return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        rows = self.all(sql, *values)
        return rows[0] if rows else None


@contextmanager
def _errors_named(database: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{database}: {error}") from error
