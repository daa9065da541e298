"""What must not be lost on the way to people, in one SQLite file: alerts, their deliveries, and what chats have chosen.

An alert is here before any notifier hears of it (supervision.md 11.4). Every actor opens its own, on its own thread.
Stamps are market milliseconds. A delivery goes queued -> sending -> delivered, failed or suppressed; only the
incarnation that claimed it (its path's epoch) may settle it, so an actor that was replaced changes nothing here.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from actors.alert_book import AlertBook
from actors.chat_book import ChatBook
from actors.database import Database
from actors.database import StorageError as OutboxError
from actors.outbox_rows import Backlog, Delivery, Known, Planned, Start
from actors.vote_book import VoteBook
from intelligence.alerts import Alert, AlertKind, Severity, Stage
from intelligence.digest import Told
from intelligence.explanations import Fate

__all__ = ["MIGRATIONS", "Outbox", "OutboxError"]

log = structlog.get_logger("actors.outbox")

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

_OPEN = """
    SELECT d.id, d.alert_id, d.stage, d.target, d.attempts, d.resent, d.not_before_ms, d.created_ms,
           d.silent, a.record, a.updated, a.ended
    FROM deliveries d JOIN alerts a USING (alert_id)
    WHERE d.state IN ('queued', 'sending') AND d.id > ? AND (d.target = ? OR d.target LIKE ?) ORDER BY d.id
"""


class Outbox:
    """Every method raises OutboxError when the file does not serve within `busy_s`."""

    def __init__(self, database: Path | str, busy_s: float) -> None:
        self._db = Database(database, busy_s, MIGRATIONS)
        self.chats = ChatBook(self._db)
        self.votes = VoteBook(self._db)
        self.alerts = AlertBook(self._db)

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

    def open_incidents(self, since_ms: int) -> list[Alert]:
        """The newest record of every incident that began since then and has not ended."""
        rows = self._db.all(
            "SELECT coalesce(updated, record) AS newest FROM alerts WHERE stage != 'ended' AND detected_ms >= ?"
            " AND kind NOT IN ('liquidation', 'notice')",
            since_ms,
        )
        return [msgspec.json.decode(row["newest"], type=Alert) for row in rows]

    def raised_since(self, since_ms: int) -> list[Alert]:
        """The first records of the alerts whose event was since then, in the order in which they were stored."""
        rows = self._db.all("SELECT record FROM alerts WHERE exchange_ms >= ? ORDER BY rowid", since_ms)
        return [msgspec.json.decode(row["record"], type=Alert) for row in rows]

    def newest(self, alert_id: str) -> Alert | None:
        row = self._db.one("SELECT coalesce(ended, updated, record) AS newest FROM alerts WHERE alert_id = ?", alert_id)
        return msgspec.json.decode(row["newest"], type=Alert) if row else None

    def between(self, from_ms: int, to_ms: int) -> list[Alert]:
        """The newest records of the alerts whose event was from the one to the other time, notices left out."""
        rows = self._db.all(
            "SELECT coalesce(ended, updated, record) AS newest FROM alerts WHERE exchange_ms BETWEEN ? AND ?"
            " AND kind != 'notice' ORDER BY exchange_ms",
            from_ms,
            to_ms,
        )
        return [msgspec.json.decode(row["newest"], type=Alert) for row in rows]

    def promoted(self) -> frozenset[AlertKind]:
        """The families that an owner has let out of their trial."""
        return frozenset(AlertKind(row["kind"]) for row in self._db.all("SELECT kind FROM promotions"))

    def promote(self, kind: AlertKind, *, on: bool, by: int, now_ms: int) -> None:
        """Let a family out of its trial, or back to it."""
        if on:
            self._db.write("INSERT OR REPLACE INTO promotions VALUES (?,?,?)", kind, now_ms, by)
        else:
            self._db.write("DELETE FROM promotions WHERE kind = ?", kind)

    def fates(self, alert_id: str) -> tuple[Fate, ...]:
        """What was decided and done for every target, in that order."""
        rows = self._db.all(
            "SELECT target, stage, state, reason, delivered_ms FROM deliveries WHERE alert_id = ? ORDER BY id", alert_id
        )
        return tuple(Fate(**dict(row)) for row in rows)

    def day_of(self, target: str, since_ms: int) -> list[Told]:
        """The alerts whose event was since then, oldest first, with what was decided for the target; notices left out."""
        rows = self._db.all(
            "SELECT coalesce(a.ended, a.updated, a.record) AS newest, d.state = 'suppressed' AS held, d.reason"
            " FROM deliveries d JOIN alerts a USING (alert_id) WHERE d.target = ? AND d.stage = 'raised'"
            " AND a.exchange_ms >= ? AND a.kind != 'notice' ORDER BY a.exchange_ms",
            target,
            since_ms,
        )
        return [
            Told(msgspec.json.decode(row["newest"], type=Alert), row["reason"] if row["held"] else "") for row in rows
        ]

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

    # -- a notifier's side ----------------------------------------------------------------------------------------

    def waiting(self, target: str, *, after_id: int = 0) -> list[Delivery]:
        """Open rows for a target, or for every chat if it ends in ":", oldest first."""
        like = f"{target}%" if target.endswith(":") else target
        return self._readable(self._db.all(_OPEN, after_id, target, like))

    def claim(self, delivery_id: int, epoch: int) -> bool:
        """Take a queued row for sending; False when it is not queued any more."""
        return self._db.write(
            "UPDATE deliveries SET state = 'sending', epoch = ?, attempts = attempts + 1 WHERE id = ? AND state = 'queued'",
            epoch,
            delivery_id,
        )

    def delivered(self, delivery_id: int, epoch: int, *, now_ms: int, message_id: int | None = None) -> bool:
        return self._db.write(
            "UPDATE deliveries SET state = 'delivered', delivered_ms = ?, message_id = ?, reason = ''"
            " WHERE id = ? AND state = 'sending' AND epoch = ?",
            now_ms,
            message_id,
            delivery_id,
            epoch,
        )

    def failed(self, delivery_id: int, epoch: int, reason: str) -> bool:
        """Give a claimed row up."""
        return self._db.write(
            "UPDATE deliveries SET state = 'failed', reason = ? WHERE id = ? AND state = 'sending' AND epoch = ?",
            reason,
            delivery_id,
            epoch,
        )

    def requeue(
        self,
        delivery_id: int,
        epoch: int,
        *,
        reason: str,
        not_before_ms: int = 0,
        counted: bool = True,
        resent: bool = False,
    ) -> bool:
        """Put a claimed row back. `counted`: the attempt counts; `resent`: this is the one repeat of an unknown outcome."""
        return self._db.write(
            "UPDATE deliveries SET state = 'queued', reason = ?, not_before_ms = ?, attempts = attempts - ?,"
            " resent = max(resent, ?) WHERE id = ? AND state = 'sending' AND epoch = ?",
            reason,
            not_before_ms,
            0 if counted else 1,
            int(resent),
            delivery_id,
            epoch,
        )

    def start_of(self, alert_id: str, target: str) -> Start | None:
        """What became of the message that announced an incident; None when there never was one."""
        row = self._db.one(
            "SELECT state = 'delivered' OR reason = 'unknown' AS arrived, message_id FROM deliveries"
            " WHERE alert_id = ? AND target = ? AND stage = 'raised'",
            alert_id,
            target,
        )
        return Start(may_have_arrived=bool(row["arrived"]), message_id=row["message_id"]) if row else None

    def reclaim(self, target: str) -> tuple[list[Delivery], list[Delivery]]:
        """Take over what a predecessor was sending when it ended: rows to send once more, and rows given up because
        they had been sent once more already.
        """
        like = f"{target}%" if target.endswith(":") else target
        with self._db.writing():
            rows = self._db.all(_OPEN.replace("'queued', ", ""), 0, target, like)
            for row in rows:
                self._db.write(
                    "UPDATE deliveries SET state = CASE resent WHEN 0 THEN 'queued' ELSE 'failed' END,"
                    " reason = CASE resent WHEN 0 THEN '' ELSE 'unknown' END, resent = 1 WHERE id = ?",
                    row["id"],
                )
        found = self._readable(rows)
        return [row for row in found if not row.resent], [row for row in found if row.resent]

    def withdraw(self, target: str, state: str, reason: str, *, topics: bool = False) -> list[tuple[str, str, str]]:
        """Settle every queued row of a target as `state`, with `topics` those of a chat's topics too; return alert id, stage
        and target of each.
        """
        with self._db.writing():
            rows = self._db.all(
                "UPDATE deliveries SET state = ?, reason = ? WHERE (target = ? OR target LIKE ?) AND state = 'queued'"
                " RETURNING alert_id, stage, target",
                state,
                reason,
                target,
                f"{target}/%" if topics else target,
            )
        return [(row["alert_id"], row["stage"], row["target"]) for row in rows]

    def _readable(self, rows: list[sqlite3.Row]) -> list[Delivery]:
        """Rows as deliveries. A record that another version wrote and this one cannot read is given up, loudly."""
        found = []
        for row in rows:
            try:
                found.append(_delivery(row))
            except (msgspec.DecodeError, TypeError) as error:
                self._db.write("UPDATE deliveries SET state = 'failed', reason = 'unreadable' WHERE id = ?", row["id"])
                log.exception("alert_failed", alert_id=row["alert_id"], reason="unreadable", caused_by=str(error))
        return found

    def seen_alive(self, now_ms: int) -> None:
        """Note that the daemon runs."""
        self._db.write("INSERT INTO life VALUES (1, ?1) ON CONFLICT DO UPDATE SET seen_ms = ?1", now_ms)

    def last_alive_ms(self) -> int | None:
        """When that was noted last, None for never."""
        row = self._db.one("SELECT seen_ms FROM life")
        return row["seen_ms"] if row else None

    # -- totals -----------------------------------------------------------------------------------------------------

    def counts(self, target: str, since_ms: int) -> tuple[int, int]:
        """Deliveries made to a target since then, and those that wait."""
        row = self._db.one(
            "SELECT count(*) FILTER (WHERE delivered_ms >= ?), count(*) FILTER (WHERE state IN ('queued', 'sending'))"
            " FROM deliveries WHERE target = ?",
            since_ms,
            target,
        )
        assert row is not None  # count always answers
        return row[0], row[1]

    def backlog(self, now_ms: int) -> Backlog:
        row = self._db.one("SELECT count(*), min(created_ms) FROM deliveries WHERE state IN ('queued', 'sending')")
        assert row is not None
        return Backlog(waiting=row[0], oldest_s=max(0, now_ms - (row[1] or now_ms)) / 1000)


def _delivery(row: sqlite3.Row) -> Delivery:
    stage = Stage(row["stage"])
    record = (row["updated"] or row["record"]) if stage is Stage.RAISED else row[stage]
    return Delivery(
        id=row["id"],
        alert=msgspec.json.decode(record, type=Alert),
        stage=stage,
        target=row["target"],
        attempts=row["attempts"],
        resent=bool(row["resent"]),
        not_before_ms=row["not_before_ms"],
        created_ms=row["created_ms"],
        silent=bool(row["silent"]),
    )
