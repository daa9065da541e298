"""The alert journal: what two runs over the same market must have in common (contract.md 7)."""

from collections.abc import Iterable

import msgspec

from intelligence.alerts import Alert, Stage


def journal(alerts: Iterable[Alert]) -> bytes:
    """The raised alerts as JSON lines, by event time and id, without the times at which we detected or delivered."""
    raised = sorted(
        (alert for alert in alerts if alert.stage is Stage.RAISED),
        key=lambda alert: (alert.exchange_ms, alert.alert_id),
    )
    return b"".join(_line(alert) for alert in raised)


def _line(alert: Alert) -> bytes:
    record = msgspec.to_builtins(alert)
    del record["detected_ms"]
    return msgspec.json.encode(record, order="sorted") + b"\n"
