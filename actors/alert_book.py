"""The alerts that the outbox keeps, for whoever reads them in their order."""

import msgspec

from actors.database import Database
from intelligence.alerts import Alert


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
