"""Words of the daemon itself to one chat. They travel like alerts, so that they wait, repeat and keep their order like them."""

from intelligence.alerts import Alert, AlertKind, Severity, stable_id
from intelligence.market import Coverage


def a_notice(
    what: str, target: str, at_ms: int, words: str, *, severity: Severity = Severity.P2, key: str = ""
) -> Alert:
    """`key`: one notice of that kind for the target is made under it; else one each millisecond. Its first line is bold."""
    return Alert(
        alert_id=stable_id("notice", what, target, key or str(at_ms)),
        kind=AlertKind.NOTICE,
        asset="",
        severity=severity,
        exchange_ms=at_ms,
        detected_ms=at_ms,
        value=0.0,
        threshold=0.0,
        threshold_source="",
        coverage=Coverage.COMPLETE,
        text=words,
    )
