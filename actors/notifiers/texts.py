"""An alert's words for notifiers and the journal, whatever the wording makes of an unusual record.

An error in a template must cost its beauty and not the alert, so both fall back to the bare facts.
"""

from collections.abc import Callable
from html import escape

import structlog

from actors.outbox_rows import Delivery
from intelligence.alerts import Alert
from intelligence.wording import plain_text, telegram_html

log = structlog.get_logger("actors.notifiers.texts")

LATE_MS = 30_000  # a delivery that took longer says how old the event is


def plain(alert: Alert, *, heading: str, age_ms: int | None = None, instance: str = "", score: str = "") -> str:
    """`heading`: a word before the text (SIMULATION, REPLAY); `instance`: the name of this daemon, before everything.
    `score`: how such alerts have done.
    """
    return _headed(instance, _worded(plain_text, alert, heading=heading, age_ms=age_ms, score=score))


def html(alert: Alert, *, heading: str, age_ms: int | None = None, instance: str = "", score: str = "") -> str:
    """For Telegram's parse mode HTML."""
    told = _worded(telegram_html, alert, heading=heading, age_ms=age_ms, score=score)
    return _headed(escape(instance, quote=False), told)


def utf16_units(text: str) -> int:
    """The length by which Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def cut_to_units(text: str, units: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if utf16_units(text) <= units:
        return text
    return text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", errors="ignore") + "…"


def age_ms(delivery: Delivery, now_ms: int) -> int | None:
    """How old the event is, if its delivery is late; None while it is on time (market ms)."""
    if now_ms - delivery.created_ms <= LATE_MS:
        return None
    alert = delivery.alert
    return now_ms - (alert.ended_ms or alert.latest_ms or alert.exchange_ms)


def _worded(words: Callable[..., str], alert: Alert, *, heading: str, age_ms: int | None, score: str) -> str:
    try:
        return words(alert, heading=heading, age_ms=age_ms, score=score)
    except Exception as error:  # whatever a template trips over, the bare facts must go out
        log.exception("wording_failed", alert_id=alert.alert_id, kind=alert.kind, caused_by=repr(error))
        first = f"{heading} {alert.asset} {alert.kind} {alert.stage} {alert.value:.6g}".lstrip()
        return escape(f"{first}\n{alert.severity}, id {alert.alert_id}", quote=False)


def _headed(instance: str, text: str) -> str:
    return f"{instance}: {text}" if instance else text
