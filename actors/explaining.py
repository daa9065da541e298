"""Explanations put together from the files: `explain` and `explain_silence`, for the bot and for `run.py explain`."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from actors.database import StorageError
from actors.near_miss_book import NearMissBook
from actors.outbox import Outbox
from actors.outcome_book import OutcomeBook
from intelligence.alerts import Alert, AlertKind
from intelligence.explanations import Explained, Silence
from intelligence.outcomes.judging import Outcome

AROUND_MS = 300_000


def explain(outbox: Outbox, alert_id: str, outcomes: Sequence[Outcome] = ()) -> Explained | None:
    """The alert, with what was decided and done for every target; None when nothing is stored under that id. `outcomes`: what
    followed it.

    Raises OutboxError.
    """
    alert = outbox.alerts.newest(alert_id)
    return None if alert is None else replace(_explained(outbox, alert), outcomes=tuple(outcomes))


def outcomes_in(file: Path, busy_s: float, alert_id: str) -> list[Outcome]:
    """What is kept of what followed an alert; nothing where the file does not serve."""
    if not file.exists():
        return []
    try:
        with closing(OutcomeBook(file, busy_s)) as book:
            return book.outcomes(alert_id)
    except StorageError:
        return []


def explain_silence(
    outbox: Outbox, near_misses: NearMissBook, asset: str, at_ms: int, around_ms: int = AROUND_MS
) -> Silence:
    """What is stored of an asset from so long before a time to so long after it. Raises StorageError."""
    from_ms, to_ms = at_ms - around_ms, at_ms + around_ms
    alerts = outbox.alerts.between(from_ms, to_ms)
    return Silence(
        asset=asset,
        at_ms=at_ms,
        alerts=tuple(_explained(outbox, alert) for alert in alerts if alert.asset == asset),
        near_misses=tuple(near_misses.between(asset, from_ms, to_ms)),
        troubles=tuple(alert for alert in alerts if alert.kind is AlertKind.FEED_HEALTH),
    )


def _explained(outbox: Outbox, alert: Alert) -> Explained:
    return Explained(alert=alert, fates=outbox.alerts.fates(alert.alert_id))
