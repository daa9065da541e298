"""The log's account of an alert until it is queued: the record when it is raised, and what was decided for every target."""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec
import structlog

from actors.notifiers.texts import plain
from actors.outbox_rows import Planned
from intelligence.alerts import Alert

REMEMBERED = 1_000  # alerts: a repeat comes soon or never


class AlertJournal:
    """`keep` gets every alert when it is raised. `brief`: without the record, for people at a terminal who see the alert itself."""

    def __init__(
        self, log: structlog.BoundLogger, *, heading: str, brief: bool, keep: Callable[[Alert], None] | None
    ) -> None:
        self._log, self._heading, self._brief, self._keep = log, heading, brief, keep
        self._raised: deque[str] = deque(maxlen=REMEMBERED)

    def raised(self, alert: Alert) -> None:
        """Log the record, once though it is stored later: the sequence of these lines is what runs are compared by."""
        if alert.alert_id in self._raised:
            return
        self._raised.append(alert.alert_id)
        if self._keep is not None:
            self._keep(alert)
        record = msgspec.to_builtins(alert) | {"text": plain(alert, heading=self._heading)}
        if self._brief:
            record = {key: record[key] for key in ("alert_id", "kind", "asset", "severity")}
        self._log.info("alert_raised", **record)

    def decided(self, alert: Alert, planned: Iterable[Planned]) -> tuple[str, ...]:
        """Log what was decided of a stage; return the targets to which it goes out."""
        targets = []
        for plan in planned:
            if plan.suppressed:
                self._log.info(
                    "alert_suppressed",
                    alert_id=alert.alert_id,
                    stage=alert.stage,
                    target=plan.target,
                    reason=plan.suppressed,
                )
            else:
                targets.append(plan.target)
        if targets:
            self._log.info("alert_queued", alert_id=alert.alert_id, stage=alert.stage, targets=tuple(targets))
        return tuple(targets)
