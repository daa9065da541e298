"""Deliveries on their way, a notifier's side of the outbox's file.

A delivery goes queued -> sending -> delivered, failed or suppressed; only the incarnation that claimed it (its path's epoch)
may settle it, so an actor that was replaced changes nothing here.
"""

import sqlite3

import msgspec
import structlog

from actors.database import Database
from actors.outbox_rows import Backlog, Delivery, Start
from intelligence.alerts import Alert, Stage

log = structlog.get_logger("actors.outbox")

_OPEN = """
    SELECT d.id, d.alert_id, d.stage, d.target, d.attempts, d.resent, d.not_before_ms, d.created_ms,
           d.silent, a.record, a.updated, a.ended
    FROM deliveries d JOIN alerts a USING (alert_id)
    WHERE d.state IN ('queued', 'sending') AND d.id > ? AND (d.target = ? OR d.target LIKE ?) ORDER BY d.id
"""


class DeliveryBook:
    """Every method raises StorageError when the file does not serve."""

    def __init__(self, database: Database) -> None:
        self._db = database

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
