"""What the outbox knows of alerts that nobody told the outcome ledger of, because it was away."""

from collections.abc import Container, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from actors.outbox import Outbox
from actors.outbox_rows import ALL_CHATS
from actors.outcome_book import OutcomeBook
from intelligence.alerts import Stage
from intelligence.outcomes.judging import Told, told_of


def missed_alerts(database: Path, busy_s: float, since_ms: int) -> Iterator[Told]:
    """Every alert since then with its first delivery: to chats where there are chats, else on the terminal.

    Raises StorageError.
    """
    with closing(Outbox(database, busy_s)) as outbox:
        for alert in outbox.alerts.raised_since(since_ms):
            starts = [fate for fate in outbox.alerts.fates(alert.alert_id) if fate.stage == Stage.RAISED]
            counted = [fate for fate in starts if fate.target.startswith(ALL_CHATS)] or starts
            held = [fate.reason for fate in counted if fate.state == "suppressed"]
            told = told_of(alert, decided_ms=alert.detected_ms, awaited=len(held) < len(counted), held=held)
            if told is not None:
                delivered = [fate.delivered_ms for fate in counted if fate.delivered_ms is not None]
                yield msgspec.structs.replace(told, delivered_ms=min(delivered, default=None))


def new_to(book: OutcomeBook, missed: Iterable[Told], waiting: Container[str]) -> Iterator[Told]:
    """Those that the book does not know, and those that wait for a delivery which is known now. Raises StorageError."""
    for told in missed:
        known = book.told(told.alert_id)
        if known is None:
            yield told
        elif known.from_ms is None and told.delivered_ms is not None and told.alert_id in waiting:
            yield msgspec.structs.replace(known, delivered_ms=told.delivered_ms)
