"""What is stored of chats and of topics of groups, in the file of the outbox: whether they want alerts, how, and whether Telegram
reaches them.
"""

import sqlite3
from dataclasses import replace

import msgspec
import structlog

from actors.database import Database
from actors.outbox_rows import Chat, Place
from intelligence.gates import Preferences

log = structlog.get_logger("actors.outbox")


class ChatBook:
    """Every method raises StorageError when the file does not serve. `topic` 0 is the chat as a whole."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[int, Chat]:
        """What is stored of chats; of one that is not here nobody has decided anything."""
        rows = self._db.all(
            "SELECT chat_id, alerts_on, changed_ms, dead_reason, moved_to, preferences, greeted_ms FROM chats"
        )
        return {row["chat_id"]: _chat(row) for row in rows}

    def places(self) -> dict[Place, Chat]:
        """The chats, and behind them the topics that have alerts of their own; a topic is as dead as its chat."""
        chats = self.all()
        found = {Place(chat_id): chat for chat_id, chat in chats.items()}
        for row in self._db.all("SELECT * FROM topics ORDER BY chat_id, topic"):
            topic = _chat(row)
            chat = chats.get(topic.chat_id, Chat(chat_id=topic.chat_id))
            found[topic.place] = replace(topic, dead_reason=chat.dead_reason, moved_to=chat.moved_to)
        return found

    def of(self, chat_id: int, topic: int = 0) -> Chat:
        """The topic where it has alerts of its own, else its chat."""
        places = self.places()
        return places.get(Place(chat_id, topic)) or places.get(Place(chat_id), Chat(chat_id=chat_id))

    def set_preferences(self, chat_id: int, preferences: Preferences, topic: int = 0) -> None:
        self._set(chat_id, topic, preferences=msgspec.json.encode(preferences).decode())

    def set_alerts(self, chat_id: int, *, on: bool, by: int, now_ms: int, topic: int = 0) -> None:
        """Of a topic it is what makes it a place of its own."""
        self._set(chat_id, topic, alerts_on=int(on), changed_ms=now_ms, changed_by=by)

    def set_greeted(self, chat_id: int, now_ms: int) -> None:
        self._set(chat_id, greeted_ms=now_ms)

    def set_dead(self, chat_id: int, reason: str) -> None:
        """Note that Telegram refuses a chat; its settings stay."""
        self._set(chat_id, dead_reason=reason)

    def set_moved(self, chat_id: int, to: int) -> None:
        self._set(chat_id, moved_to=to)

    def set_lost(self, chat_id: int, topic: int, reason: str) -> bool:
        """Note that a topic takes no messages, or with "" that it does again; False when that is known, or it has no alerts."""
        return self._db.write(
            "UPDATE topics SET lost_reason = ? WHERE chat_id = ? AND topic = ? AND (lost_reason = '') != (? = '')",
            *(reason, chat_id, topic, reason),
        )

    def revive(self, chat_id: int | None = None) -> bool:
        """Forget that Telegram refused a chat (None: every chat); False when it did not."""
        return self._db.write(
            "UPDATE chats SET dead_reason = '' WHERE dead_reason != '' AND chat_id = coalesce(?, chat_id)", chat_id
        )

    def _set(self, chat_id: int, topic: int = 0, **values: int | str) -> None:
        """Columns of a place, which is made where it is not there yet."""
        table, key = ("topics", {"chat_id": chat_id, "topic": topic}) if topic else ("chats", {"chat_id": chat_id})
        columns = key | values
        marks, changes = ",".join("?" * len(columns)), ", ".join(f"{name} = excluded.{name}" for name in values)
        statement = f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {changes}"  # noqa: S608
        self._db.write(statement, *columns.values())


def _chat(row: sqlite3.Row) -> Chat:
    """A place whose preferences another version wrote and this one cannot read has the defaults."""
    values = dict(row)
    values.pop("changed_by", None)
    try:
        preferences = msgspec.json.decode(row["preferences"], type=Preferences)
    except msgspec.DecodeError as error:
        log.warning("preferences_unreadable", chat_id=row["chat_id"], reason=str(error))
        preferences = Preferences()
    return Chat(**{**values, "alerts_on": bool(row["alerts_on"]), "preferences": preferences})
