"""An alert's words for notifiers and the journal, whatever the wording makes of an unusual record.

An error in a template must cost its beauty and not the alert, so both fall back to the bare facts.
"""

from collections.abc import Callable
from html import escape
from typing import Any

import structlog

from intelligence.alerts import Alert
from intelligence.wording import plain_text, telegram_html

log = structlog.get_logger("actors.notifiers.texts")

MAX_TEXT_UNITS, MAX_CAPTION_UNITS = 4096, 1024  # UTF-16 units after parsing, Telegram Bot API


def plain(
    alert: Alert, *, heading: str, age_ms: int | None = None, instance: str = "", score: str = "", zone: str = "UTC"
) -> str:
    """`heading`: a word before the text (SIMULATION, REPLAY); `instance`: the name of this daemon, before everything.
    `score`: how such alerts have done. `zone`: of the reader's clock, a name of the tz database.
    """
    return _headed(instance, _worded(plain_text, alert, heading=heading, age_ms=age_ms, score=score, zone=zone))


def html(
    alert: Alert, *, heading: str, age_ms: int | None = None, instance: str = "", score: str = "", zone: str = "UTC"
) -> str:
    """For Telegram's parse mode HTML."""
    told = _worded(telegram_html, alert, heading=heading, age_ms=age_ms, score=score, zone=zone)
    return _headed(escape(instance, quote=False), told)


def sendable(text: str) -> str:
    """The text without halves of surrogate pairs, which no JSON may carry (a venue's name, a person's word)."""
    return text.encode("utf-8", errors="replace").decode()


def utf16_units(text: str) -> int:
    """The length by which Telegram counts, of what is sendable."""
    return len(text.encode("utf-16-le")) // 2


def cut_to_units(text: str, units: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if utf16_units(text) <= units:
        return text
    return text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", errors="ignore") + "…"


def age_ms(alert: Alert, now_ms: int) -> int:
    """How old the event is (market ms)."""
    return now_ms - (alert.ended_ms or alert.latest_ms or alert.exchange_ms)


def _worded(words: Callable[..., str], alert: Alert, *, heading: str, **known: Any) -> str:
    try:
        return words(alert, heading=heading, **known)
    except Exception as error:  # whatever a template trips over, the bare facts must go out
        log.exception("wording_failed", alert_id=alert.alert_id, kind=alert.kind, caused_by=repr(error))
        first = f"{heading} {alert.asset} {alert.kind} {alert.stage} {alert.value:.6g}".lstrip()
        return escape(f"{first}\n{alert.severity}, id {alert.alert_id}", quote=False)


def _headed(instance: str, text: str) -> str:
    return sendable(f"{instance}: {text}" if instance else text)
