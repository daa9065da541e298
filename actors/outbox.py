"""What must not be lost on the way to people, in one SQLite file: alerts, their deliveries, and what chats have chosen.

An alert is here before any notifier hears of it (supervision.md 11.4). Every actor opens its own, on its own thread.
Stamps are market milliseconds. Here stands what the dispatcher writes; `alerts` reads them, `deliveries` is the side of
notifiers, `chats` and `votes` what people want and think.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from actors.alert_book import AlertBook
from actors.chat_book import ChatBook
from actors.database import Database
from actors.database import StorageError as OutboxError
from actors.delivery_book import DeliveryBook
from actors.outbox_rows import Known, Planned
from actors.vote_book import VoteBook
from intelligence.alerts import Alert, AlertKind, Severity, Stage

__all__ = ["MIGRATIONS", "Outbox", "OutboxError"]


# Step n takes the file from version n to n + 1; a step that was released is never changed.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE alerts (
        alert_id TEXT PRIMARY KEY, kind TEXT NOT NULL, asset TEXT NOT NULL, severity TEXT NOT NULL,
        exchange_ms INTEGER NOT NULL, detected_ms INTEGER NOT NULL, stage TEXT NOT NULL,
        record TEXT NOT NULL, updated TEXT, ended TEXT);
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, alert_id TEXT NOT NULL REFERENCES alerts, stage TEXT NOT NULL, target TEXT NOT NULL,
        state TEXT NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
        resent INTEGER NOT NULL DEFAULT 0, not_before_ms INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL,
        delivered_ms INTEGER, message_id INTEGER, reason TEXT NOT NULL DEFAULT '',
        UNIQUE (alert_id, stage, target));
    CREATE INDEX deliveries_open ON deliveries (id) WHERE state IN ('queued', 'sending');
    CREATE INDEX deliveries_done ON deliveries (target, delivered_ms);
    CREATE INDEX deliveries_age ON deliveries (created_ms);
    CREATE TABLE chats (
        chat_id INTEGER PRIMARY KEY, alerts_on INTEGER NOT NULL DEFAULT 1, changed_ms INTEGER, changed_by INTEGER,
        dead_reason TEXT NOT NULL DEFAULT '', moved_to INTEGER);
    """,
    """
    ALTER TABLE deliveries ADD COLUMN silent INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE chats ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';
    CREATE INDEX alerts_open ON alerts (detected_ms) WHERE stage != 'ended';
    """,
    """
    CREATE TABLE votes (
        alert_id TEXT NOT NULL, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL, useful INTEGER NOT NULL,
        voted_ms INTEGER NOT NULL, PRIMARY KEY (alert_id, chat_id, user_id));
    ALTER TABLE chats ADD COLUMN greeted_ms INTEGER;
    """,
    """
    CREATE TABLE promotions (kind TEXT PRIMARY KEY, promoted_ms INTEGER NOT NULL, promoted_by INTEGER NOT NULL);
    """,
    """
    CREATE TABLE topics (
        chat_id INTEGER NOT NULL, topic INTEGER NOT NULL, alerts_on INTEGER NOT NULL DEFAULT 1, changed_ms INTEGER,
        changed_by INTEGER, preferences TEXT NOT NULL DEFAULT '{}', lost_reason TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (chat_id, topic));
    CREATE TABLE life (id INTEGER PRIMARY KEY CHECK (id = 1), seen_ms INTEGER NOT NULL);
    """,
)


class Outbox:
    """Every method raises OutboxError when the file does not serve within `busy_s`."""

    def __init__(self, database: Path | str, busy_s: float) -> None:
        self._db = Database(database, busy_s, MIGRATIONS)
        self.chats = ChatBook(self._db)
        self.votes = VoteBook(self._db)
        self.alerts = AlertBook(self._db)
        self.deliveries = DeliveryBook(self._db)

    def close(self) -> None:
        self._db.close()

    # -- the dispatcher's side ------------------------------------------------------------------------------------

    def known(self, alert_id: str) -> Known | None:
        row = self._db.one("SELECT stage, severity, detected_ms FROM alerts WHERE alert_id = ?", alert_id)
        if row is None:
            return None
        severity, detected_ms = Severity(row["severity"]), row["detected_ms"]
        return Known(stage=Stage(row["stage"]), severity=severity, detected_ms=detected_ms)

    def append(self, alert: Alert, planned: Iterable[Planned], now_ms: int) -> None:
        """Store the record of a stage and its deliveries, all or nothing. The same again changes nothing.

        What of an incident's growth waits to be told when it ends is told with its end.
        """
        with self._db.writing():
            self._store_record(alert)
            if alert.stage is Stage.ENDED:
                self._db.write(
                    "UPDATE deliveries SET state = 'suppressed', reason = 'superseded'"
                    " WHERE alert_id = ? AND stage = 'updated' AND state = 'queued'",
                    alert.alert_id,
                )
            for plan in planned:
                self._db.write(
                    "INSERT INTO deliveries (alert_id, stage, target, state, reason, silent, created_ms) VALUES (?,?,?,?,?,?,?)"
                    " ON CONFLICT DO UPDATE SET state = 'queued', attempts = 0, created_ms = excluded.created_ms,"
                    " reason = '', silent = excluded.silent WHERE excluded.state = 'queued'"
                    " AND (stage = 'updated' AND state != 'sending' OR stage = 'raised' AND state = 'suppressed')",
                    alert.alert_id,
                    plan.stage,
                    plan.target,
                    "suppressed" if plan.suppressed else "queued",
                    plan.suppressed,
                    plan.silent,
                    now_ms,
                )

    def _store_record(self, alert: Alert) -> None:
        record = msgspec.json.encode(alert).decode()
        if alert.stage is Stage.RAISED:
            self._db.write(
                "INSERT INTO alerts VALUES (?,?,?,?,?,?,?,?,NULL,NULL) ON CONFLICT DO NOTHING",
                alert.alert_id,
                alert.kind,
                alert.asset,
                alert.severity,
                alert.exchange_ms,
                alert.detected_ms,
                alert.stage,
                record,
            )
            return
        column = "ended" if alert.stage is Stage.ENDED else "updated"
        self._db.write(
            f"UPDATE alerts SET {column} = ?, stage = ?, severity = min(severity, ?)"  # noqa: S608 - two fixed names
            " WHERE alert_id = ? AND stage != 'ended'",
            record,
            alert.stage,
            alert.severity,  # 'P1' < 'P2': the minimum is the gravest
            alert.alert_id,
        )

    def told(self, alert_id: str) -> tuple[str, ...]:
        """Targets that have got, or are about to get, the start of this alert (or may have: the outcome is unknown)."""
        rows = self._db.all(
            "SELECT target FROM deliveries WHERE alert_id = ? AND stage = 'raised'"
            " AND (state IN ('queued', 'sending', 'delivered') OR reason = 'unknown') ORDER BY id",
            alert_id,
        )
        return tuple(row["target"] for row in rows)

    def promoted(self) -> frozenset[AlertKind]:
        """The families that an owner has let out of their trial."""
        return frozenset(AlertKind(row["kind"]) for row in self._db.all("SELECT kind FROM promotions"))

    def promote(self, kind: AlertKind, *, on: bool, by: int, now_ms: int) -> None:
        """Let a family out of its trial, or back to it."""
        if on:
            self._db.write("INSERT OR REPLACE INTO promotions VALUES (?,?,?)", kind, now_ms, by)
        else:
            self._db.write("DELETE FROM promotions WHERE kind = ?", kind)

    def pushed(self, target: str, since_ms: int) -> int:
        """How many alerts a target was told, or is about to be told, since then; notices do not count."""
        row = self._db.one(
            "SELECT count(*) AS n FROM deliveries JOIN alerts USING (alert_id) WHERE target = ? AND kind != 'notice'"
            " AND deliveries.stage = 'raised' AND created_ms >= ? AND state IN ('queued', 'sending', 'delivered')",
            target,
            since_ms,
        )
        assert row is not None  # count always answers
        return int(row["n"])

    def prune(self, before_ms: int) -> int:
        """Forget what was settled before `before_ms`; return how many alerts went."""
        with self._db.writing():
            self._db.write(
                "DELETE FROM deliveries WHERE created_ms < ? AND state NOT IN ('queued', 'sending')", before_ms
            )
            gone = self._db.all(
                "DELETE FROM alerts WHERE detected_ms < ? AND alert_id NOT IN (SELECT alert_id FROM deliveries)"
                " RETURNING alert_id",
                before_ms,
            )
            self._db.write("DELETE FROM votes WHERE alert_id NOT IN (SELECT alert_id FROM alerts)")
        return len(gone)

    def seen_alive(self, now_ms: int) -> None:
        """Note that the daemon runs."""
        self._db.write("INSERT INTO life VALUES (1, ?1) ON CONFLICT DO UPDATE SET seen_ms = ?1", now_ms)

    def last_alive_ms(self) -> int | None:
        """When that was noted last, None for never."""
        row = self._db.one("SELECT seen_ms FROM life")
        return row["seen_ms"] if row else None

    # -- totals -----------------------------------------------------------------------------------------------------
