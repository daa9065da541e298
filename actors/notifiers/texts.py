"""An alert's words for notifiers and the journal, whatever the wording makes of an unusual record.

An error in a template must cost its beauty and not the alert, so both functions fall back to the bare facts.
"""

from html import escape

import structlog

from actors.outbox import Delivery
from intelligence.alerts import Alert
from intelligence.wording import plain_text, telegram_html

log = structlog.get_logger("actors.notifiers.texts")

LATE_MS = 30_000  # a delivery that took longer says how old the event is


def plain(alert: Alert, *, simulation: bool, age_ms: int | None = None) -> str:
    try:
        return plain_text(alert, simulation=simulation, age_ms=age_ms)
    except Exception as error:
        log.exception("wording_failed", alert_id=alert.alert_id, kind=alert.kind, caused_by=repr(error))
        return _bare(alert, simulation=simulation)


def html(alert: Alert, *, simulation: bool, age_ms: int | None = None) -> str:
    """For Telegram's parse mode HTML."""
    try:
        return telegram_html(alert, simulation=simulation, age_ms=age_ms)
    except Exception as error:
        log.exception("wording_failed", alert_id=alert.alert_id, kind=alert.kind, caused_by=repr(error))
        return escape(_bare(alert, simulation=simulation), quote=False)


def age_ms(delivery: Delivery, now_ms: int) -> int | None:
    """How old the event is, if its delivery is late; None while it is on time (market ms)."""
    if now_ms - delivery.created_ms <= LATE_MS:
        return None
    alert = delivery.alert
    return now_ms - (alert.ended_ms or alert.latest_ms or alert.exchange_ms)


def _bare(alert: Alert, *, simulation: bool) -> str:
    first = f"{'SIMULATION ' if simulation else ''}{alert.asset} {alert.kind} {alert.stage} {alert.value:.6g}"
    return f"{first}\n{alert.severity}, id {alert.alert_id}"
