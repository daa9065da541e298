"""One asset over all venues: takes what the feeds bring and lets the detectors judge it. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

from actors import paths
from actors.messages import AlertRaised, LiquidationsSeen, MarksSeen
from actors.supervised import Supervised
from intelligence.alerts import Alert
from intelligence.detectors.asset import AssetDetection, DetectionRules

TICK_S = 1.0  # market seconds; only while an incident is open


@dataclass(frozen=True, slots=True)
class _Tick:
    pass


class SymbolStream(Supervised):
    """Owns the detection of one asset. What it has seen lately is retained in its mailbox, so a successor starts where
    it ended and raises the same alerts under the same ids.
    """

    def init(self, *, child_id: str, rules: DetectionRules) -> None:
        self.asset = paths.asset_of(child_id)
        self._rules = rules
        self._detection = AssetDetection(self.asset, rules)
        self._ticking = False
        self.log = self.log.bind(asset=self.asset)

    def recover(self, retained: tuple[Any, ...]) -> None:
        first = min(event.exchange_ms for message in retained for event in message.events)
        self._detection = AssetDetection(self.asset, self._rules, refed_from_ms=first)
        for message in retained:
            self._observe(message)
        self._detection.tick(self.now_ms)
        self._tick_while_open()

    def handle(self, message: Any) -> None:
        match message:
            case LiquidationsSeen():
                self._raise(self._observe(message))
                self._forget()
                self.progress()
            case MarksSeen(mark=mark):
                self._raise(self._detection.mark(mark))
            case _Tick():
                self._ticking = False
                self._raise(self._detection.tick(self.now_ms))
            case _:
                super().handle(message)
        self._tick_while_open()

    def _observe(self, seen: LiquidationsSeen) -> tuple[Alert, ...]:
        return self._detection.liquidations(
            seen.events,
            able=seen.able,
            configured=seen.configured,
            now_ms=self.now_ms,
            after_reconnect=seen.after_reconnect,
        )

    def _raise(self, alerts: tuple[Alert, ...]) -> None:
        for alert in alerts:
            self.send(paths.DISPATCHER, AlertRaised(alert=alert), redeliver=True)

    def _tick_while_open(self) -> None:
        if self._detection.open_incidents and not self._ticking:
            self._ticking = True
            self.timer.once("tick", TICK_S, _Tick(), market=True)

    def _forget(self) -> None:
        """Drop retained letters that lie wholly before what a successor would need."""
        oldest_ms = self._detection.oldest_needed_ms
        while self.retained and max(event.exchange_ms for event in self.retained[0].events) < oldest_ms:
            self.retained.popleft()
