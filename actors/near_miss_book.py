"""Near misses of the last days in a file of their own, so that no writing here ever holds up an alert."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from actors.database import Database
from intelligence.near_misses import NearMiss

NEAR_MISSES = "near_misses.db"
_MIGRATIONS = (
    """
    CREATE TABLE near_misses (asset TEXT NOT NULL, from_ms INTEGER NOT NULL, record TEXT NOT NULL);
    CREATE INDEX near_misses_time ON near_misses (from_ms);
    """,
)


class NearMissBook:
    """Every method raises StorageError when the file does not serve within `busy_s`."""

    def __init__(self, file: Path | str, busy_s: float) -> None:
        self._db = Database(file, busy_s, _MIGRATIONS)

    def close(self) -> None:
        self._db.close()

    def add(self, found: Iterable[NearMiss]) -> None:
        with self._db.writing():
            for near in found:
                record = msgspec.json.encode(near).decode()
                self._db.write("INSERT INTO near_misses VALUES (?,?,?)", near.asset, near.from_ms, record)

    def between(self, asset: str, from_ms: int, to_ms: int) -> list[NearMiss]:
        rows = self._db.all(
            "SELECT record FROM near_misses WHERE from_ms BETWEEN ? AND ? AND asset = ? ORDER BY from_ms",
            from_ms,
            to_ms,
            asset,
        )
        return [msgspec.json.decode(row["record"], type=NearMiss) for row in rows]

    def prune(self, before_ms: int) -> None:
        self._db.write("DELETE FROM near_misses WHERE from_ms < ?", before_ms)
