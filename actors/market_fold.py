"""The market-wide incident as the dispatcher keeps it: what the assets' alerts come to together, across restarts."""

from typing import Any

from actors.outbox import Outbox
from intelligence.alerts import Alert, AlertKind
from intelligence.detectors.market_wide import MarketWideDetector, MarketWideRule, Verdict


class MarketFold:
    """Guards delivery: should the detector fail, it begins anew and every alert is told by itself."""

    def __init__(self, rule: MarketWideRule, watched: int, log: Any) -> None:
        self._rule, self._log = rule, log
        self._watched = watched
        self._detector = MarketWideDetector(rule, watched)

    @property
    def is_open(self) -> bool:
        return self._detector.open_incident is not None

    def watch(self, assets: int) -> None:
        """So many assets are watched from now on."""
        self._watched = self._detector.watched = assets

    def begin(self, outbox: Outbox, now_ms: int) -> None:
        """Know what a predecessor knew, from the alerts it stored. Raises OutboxError."""
        open_now = [one for one in outbox.alerts.open_incidents(0) if one.kind is AlertKind.MARKET_WIDE]
        since_ms = min((one.started_ms or one.exchange_ms for one in open_now), default=now_ms)
        for alert in outbox.alerts.raised_since(since_ms - self._rule.window_ms):
            self.take(alert, now_ms)

    def take(self, alert: Alert, now_ms: int) -> Verdict:
        if alert.kind is AlertKind.MARKET_WIDE or alert.shadow:
            return Verdict()
        try:
            return self._detector.take(alert, now_ms)
        except Exception as error:
            self._fail(error, alert.alert_id)
            return Verdict()

    def end_by(self, now_ms: int) -> Alert | None:
        try:
            return self._detector.end_by(now_ms)
        except Exception as error:
            self._fail(error, self._detector.open_incident or "")
            return None

    def _fail(self, error: Exception, alert_id: str) -> None:
        self._log.exception("market_wide_failed", alert_id=alert_id, caused_by=repr(error))
        self._detector = MarketWideDetector(self._rule, self._watched)
