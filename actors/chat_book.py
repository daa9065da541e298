"""What is stored of chats, in the file of the outbox: whether they want alerts, how, and whether Telegram reaches them."""

import sqlite3

import msgspec
import structlog

from actors.database import Database
from actors.outbox_rows import Chat
from intelligence.gates import Preferences

log = structlog.get_logger("actors.outbox")


class ChatBook:
    """Every method raises StorageError when the file does not serve."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[int, Chat]:
        """What is stored of chats; of one that is not here nobody has decided anything."""
        rows = self._db.all(
            "SELECT chat_id, alerts_on, changed_ms, dead_reason, moved_to, preferences, greeted_ms FROM chats"
        )
        return {row["chat_id"]: _chat(row) for row in rows}

    def set_preferences(self, chat_id: int, preferences: Preferences) -> None:
        self._db.write(
            "INSERT INTO chats (chat_id, preferences) VALUES (?1,?2) ON CONFLICT DO UPDATE SET preferences = ?2",
            chat_id,
            msgspec.json.encode(preferences).decode(),
        )

    def set_alerts(self, chat_id: int, *, on: bool, by: int, now_ms: int) -> None:
        self._db.write(
            "INSERT INTO chats (chat_id, alerts_on, changed_ms, changed_by) VALUES (?,?,?,?) ON CONFLICT DO UPDATE"
            " SET alerts_on = excluded.alerts_on, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by",
            chat_id,
            int(on),
            now_ms,
            by,
        )

    def set_greeted(self, chat_id: int, now_ms: int) -> None:
        self._db.write(
            "INSERT INTO chats (chat_id, greeted_ms) VALUES (?1,?2) ON CONFLICT DO UPDATE SET greeted_ms = ?2",
            chat_id,
            now_ms,
        )

    def set_dead(self, chat_id: int, reason: str) -> None:
        """Note that Telegram refuses a chat; its settings stay."""
        self._db.write(
            "INSERT INTO chats (chat_id, dead_reason) VALUES (?1,?2) ON CONFLICT DO UPDATE SET dead_reason = ?2",
            chat_id,
            reason,
        )

    def revive(self, chat_id: int | None = None) -> bool:
        """Forget that Telegram refused a chat (None: every chat); False when it did not."""
        return self._db.write(
            "UPDATE chats SET dead_reason = '' WHERE dead_reason != '' AND chat_id = coalesce(?, chat_id)", chat_id
        )

    def set_moved(self, chat_id: int, to: int) -> None:
        self._db.write(
            "INSERT INTO chats (chat_id, moved_to) VALUES (?1,?2) ON CONFLICT DO UPDATE SET moved_to = ?2", chat_id, to
        )


def _chat(row: sqlite3.Row) -> Chat:
    """A chat whose preferences another version wrote and this one cannot read has the defaults."""
    try:
        preferences = msgspec.json.decode(row["preferences"], type=Preferences)
    except msgspec.DecodeError as error:
        log.warning("preferences_unreadable", chat_id=row["chat_id"], reason=str(error))
        preferences = Preferences()
    return Chat(**{**dict(row), "alerts_on": bool(row["alerts_on"]), "preferences": preferences})
