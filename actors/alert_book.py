"""The alerts that the outbox keeps, for whoever reads them in their order."""

import msgspec

from actors.database import Database
from intelligence.alerts import Alert
from intelligence.digest import Told
from intelligence.explanations import Fate


class KeptAlert(msgspec.Struct, frozen=True, kw_only=True):
    """The newest record of an alert, and when its start reached each target (ms; None where it has not)."""

    alert: Alert
    delivered_ms: dict[str, int | None]


class AlertBook:
    """Every method raises StorageError when the file does not serve."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def after(self, alert_id: str, limit: int) -> list[KeptAlert] | None:
        """Those that were stored after that one, oldest first; None where it is not known (any more)."""
        row = self._db.one("SELECT rowid FROM alerts WHERE alert_id = ?", alert_id)
        return self._from(row["rowid"] + 1, limit) if row else None

    def last(self, limit: int) -> list[KeptAlert]:
        """The newest, oldest first."""
        row = self._db.one(
            "SELECT min(rowid) AS first FROM (SELECT rowid FROM alerts WHERE kind != 'notice' ORDER BY rowid DESC LIMIT ?)",
            limit,
        )
        return self._from(row["first"], limit) if row and row["first"] is not None else []

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

    def _from(self, rowid: int, limit: int) -> list[KeptAlert]:
        rows = self._db.all(
            "SELECT coalesce(ended, updated, record) AS newest, (SELECT json_group_object(target, delivered_ms) FROM deliveries"
            " WHERE deliveries.alert_id = alerts.alert_id AND deliveries.stage = 'raised') AS delivered"
            " FROM alerts WHERE rowid >= ? AND kind != 'notice' ORDER BY rowid LIMIT ?",
            rowid,
            limit,
        )
        return [
            KeptAlert(
                alert=msgspec.json.decode(row["newest"], type=Alert),
                delivered_ms=msgspec.json.decode(row["delivered"], type=dict[str, int | None]),
            )
            for row in rows
        ]
