"""Alerts, what followed them and the prices it is measured by, in a file of their own: no writing here holds up an alert."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec

from actors.database import Database
from intelligence.alerts import AlertKind
from intelligence.outcomes.bars import HourBars
from intelligence.outcomes.judging import Outcome, Told
from intelligence.outcomes.scores import DAY_MS, Judged, judged_of
from intelligence.outcomes.standing import Low
from intelligence.outcomes.usefulness import Votes
from intelligence.outcomes.volatility import HOUR

OUTCOMES = "outcomes.db"
HOUR_MS = HOUR * 60_000
_MIGRATIONS = (
    """
    CREATE TABLE told (
        alert_id TEXT PRIMARY KEY, asset TEXT NOT NULL, started_ms INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
        record TEXT NOT NULL);
    CREATE INDEX told_time ON told (asset, started_ms);
    CREATE INDEX told_open ON told (alert_id) WHERE closed = 0;
    CREATE TABLE outcomes (
        alert_id TEXT NOT NULL REFERENCES told, minutes INTEGER NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (alert_id, minutes)) WITHOUT ROWID;
    CREATE TABLE bars (
        asset TEXT NOT NULL, hour INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (asset, hour)) WITHOUT ROWID;
    """,
    """
    CREATE TABLE lows (
        kind TEXT NOT NULL, day INTEGER NOT NULL, lower REAL NOT NULL, PRIMARY KEY (kind, day)) WITHOUT ROWID;
    """,
    """
    CREATE TABLE votes (
        alert_id TEXT PRIMARY KEY, useful INTEGER NOT NULL, useless INTEGER NOT NULL) WITHOUT ROWID;
    """,
)


class OutcomeBook:
    """Every method raises StorageError when the file does not serve within `busy_s`. `hour`: its number since 1970."""

    def __init__(self, file: Path | str, busy_s: float) -> None:
        self._db = Database(file, busy_s, _MIGRATIONS)

    def close(self) -> None:
        self._db.close()

    def put_told(self, told: Told) -> None:
        """Store an alert, or what is known of it now."""
        self._db.write(
            "INSERT INTO told (alert_id, asset, started_ms, record) VALUES (?,?,?,?)"
            " ON CONFLICT (alert_id) DO UPDATE SET record = excluded.record",
            told.alert_id,
            told.asset,
            told.started_ms,
            msgspec.json.encode(told).decode(),
        )

    def told(self, alert_id: str) -> Told | None:
        row = self._db.one("SELECT record FROM told WHERE alert_id = ?", alert_id)
        return msgspec.json.decode(row["record"], type=Told) if row else None

    def open(self) -> dict[str, tuple[Told, dict[int, Outcome]]]:
        """By id, the alerts that still wait for outcomes, with those that are there by their horizon."""
        rows = self._db.all("SELECT record FROM told WHERE closed = 0 ORDER BY started_ms")
        found = [msgspec.json.decode(row["record"], type=Told) for row in rows]
        return {told.alert_id: (told, {one.minutes: one for one in self.outcomes(told.alert_id)}) for told in found}

    def put_outcome(self, outcome: Outcome) -> None:
        record = msgspec.json.encode(outcome).decode()
        self._db.write("INSERT OR REPLACE INTO outcomes VALUES (?,?,?)", outcome.alert_id, outcome.minutes, record)

    def end(self, alert_id: str) -> None:
        """Nothing more is waited for."""
        self._db.write("UPDATE told SET closed = 1 WHERE alert_id = ?", alert_id)

    def outcomes(self, alert_id: str) -> list[Outcome]:
        rows = self._db.all("SELECT record FROM outcomes WHERE alert_id = ? ORDER BY minutes", alert_id)
        return [msgspec.json.decode(row["record"], type=Outcome) for row in rows]

    def judged(self, since_ms: int) -> list[Judged]:
        """Every alert since then that has its outcome at the horizon of its kind."""
        rows = self._db.all(
            "SELECT told.record AS told, outcomes.record AS outcome FROM told JOIN outcomes USING (alert_id)"
            " WHERE started_ms >= ? ORDER BY started_ms, alert_id",
            since_ms,
        )
        found = []
        for told, group in groupby(rows, key=itemgetter("told")):
            outcomes = [msgspec.json.decode(row["outcome"], type=Outcome) for row in group]
            one = judged_of(msgspec.json.decode(told, type=Told), {outcome.minutes: outcome for outcome in outcomes})
            if one is not None:
                found.append(one)
        return found

    def starts_ms(self, asset: str, since_ms: int) -> list[int]:
        """When the asset's alerts began, in order."""
        rows = self._db.all(
            "SELECT started_ms FROM told WHERE asset = ? AND started_ms >= ? ORDER BY started_ms", asset, since_ms
        )
        return [row["started_ms"] for row in rows]

    def put_bars(self, bars: Mapping[tuple[str, int], HourBars]) -> None:
        with self._db.writing():
            for (asset, hour), one in bars.items():
                self._db.write("INSERT OR REPLACE INTO bars VALUES (?,?,?)", asset, hour, one.pack())

    def bars(self, asset: str, hours: Iterable[int]) -> dict[int, HourBars]:
        """Those hours of the asset that are known."""
        wanted = sorted(set(hours))
        marks = ",".join("?" * len(wanted))
        rows = self._db.all(
            f"SELECT hour, packed FROM bars WHERE asset = ? AND hour IN ({marks})",  # noqa: S608 - question marks
            asset,
            *wanted,
        )
        return {row["hour"]: HourBars(row["packed"]) for row in rows}

    def bars_from_ms(self, asset: str = "") -> int | None:
        """The first hour of which there are prices, of any asset without one."""
        row = self._db.one("SELECT min(hour) AS first FROM bars WHERE ? IN (asset, '')", asset)
        return None if row is None or row["first"] is None else int(row["first"]) * HOUR_MS

    def put_lows(self, lows: Iterable[Low]) -> None:
        """Store lower bounds of families' A2."""
        with self._db.writing():
            for kind, day, lower in lows:
                self._db.write("INSERT OR REPLACE INTO lows VALUES (?,?,?)", kind, day, lower)

    def lows(self, since_day: int) -> list[Low]:
        rows = self._db.all("SELECT kind, day, lower FROM lows WHERE day >= ?", since_day)
        return [(AlertKind(row["kind"]), row["day"], row["lower"]) for row in rows]

    def put_votes(self, alert_id: str, votes: Votes) -> None:
        """Store all votes on an alert."""
        self._db.write("INSERT OR REPLACE INTO votes VALUES (?,?,?)", alert_id, votes.useful, votes.useless)

    def votes(self) -> dict[str, Votes]:
        rows = self._db.all("SELECT alert_id, useful, useless FROM votes")
        return {row["alert_id"]: Votes(useful=row["useful"], useless=row["useless"]) for row in rows}

    def forget(self, before_ms: int) -> None:
        """Drop everything from before then."""
        with self._db.writing():
            self._db.write("DELETE FROM bars WHERE hour < ?", before_ms // HOUR_MS)
            self._db.write(
                "DELETE FROM outcomes WHERE alert_id IN (SELECT alert_id FROM told WHERE started_ms < ?)", before_ms
            )
            self._db.write("DELETE FROM told WHERE started_ms < ?", before_ms)
            self._db.write("DELETE FROM votes WHERE alert_id NOT IN (SELECT alert_id FROM told)")
            self._db.write("DELETE FROM lows WHERE day < ?", before_ms // DAY_MS)
