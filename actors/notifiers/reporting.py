"""A notifier's word to whoever measures what followed an alert: from when on people could act."""

from actors import paths
from actors.messages.outcomes import DeliveryMade
from actors.supervised import Supervised
from intelligence.alerts import Alert, Stage


def report(notifier: Supervised, alert: Alert, stage: Stage, target: str) -> None:
    """Say that a start has reached its target now, if anybody measures."""
    if stage is Stage.RAISED and notifier.system.find(paths.OUTCOMES) is not None:
        made = DeliveryMade(alert_id=alert.alert_id, target=target, delivered_ms=notifier.now_ms)
        notifier.send(paths.OUTCOMES, made)
