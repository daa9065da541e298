"""Which open incident tells what an alert would tell: the alert is then recorded and not sent, because its size is in there."""

from collections.abc import Iterable

from intelligence.alerts import Alert, AlertKind

FRESH_MS = (
    300_000  # an incident that has told nothing for longer no longer speaks for others (ours: the longest window)
)


def inhibitor(alert: Alert, incidents: Iterable[Alert], now_ms: int) -> str:
    """The id of an open cascade of the same asset that the alert is part of, or "".

    A liquidation is part of a cascade of its side, a volume spike of any. What is graver than the incident is told all
    the same.
    """
    for incident in incidents:
        if incident.kind is not AlertKind.CASCADE or incident.asset != alert.asset:
            continue
        is_part = alert.kind is AlertKind.VOLUME_SPIKE or (
            alert.kind is AlertKind.LIQUIDATION and alert.position_side is incident.position_side
        )
        told_ms = incident.latest_ms or incident.exchange_ms
        if is_part and now_ms - told_ms <= FRESH_MS and not alert.severity < incident.severity:
            return incident.alert_id
    return ""
