"""What people thought of alerts, in the file of the outbox: one vote of each user in each chat, the last one counts."""

from actors.database import Database


class VoteBook:
    """Every method raises StorageError when the file does not serve."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def cast(self, alert_id: str, chat_id: int, user_id: int, *, useful: bool, now_ms: int) -> None:
        self._db.write(
            "INSERT INTO votes VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE"
            " SET useful = excluded.useful, voted_ms = excluded.voted_ms",
            alert_id,
            chat_id,
            user_id,
            int(useful),
            now_ms,
        )

    def of(self, alert_id: str) -> tuple[int, int]:
        """How many found it useful, and how many did not."""
        row = self._db.one(
            "SELECT count(*) FILTER (WHERE useful), count(*) FILTER (WHERE NOT useful) FROM votes WHERE alert_id = ?",
            alert_id,
        )
        assert row is not None  # count always answers
        return row[0], row[1]
