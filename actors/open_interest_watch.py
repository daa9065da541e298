"""Watches the open interest of one asset, minute by minute, beside its symbol stream. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

from actors import paths
from actors.mailbox import Lane
from actors.messages.alerts import AlertRaised, NearMissesSeen
from actors.messages.features import ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.supervised import Supervised
from intelligence.alerts import Alert
from intelligence.detectors.open_interest import OpenInterestDetector, OpenInterestRule, OpenInterestThresholds
from intelligence.minute import Minute
from intelligence.thresholds.records import AssetThresholds
from intelligence.thresholds.static import StaticThresholds, expired

ASKS_MIN = (0, 1, 2, 5, 10, 30)  # minutes after the first one at which the past is asked for: it comes by and by
IDLE_S = 900.0  # market seconds without a minute: the asset's stream has ended


@dataclass(frozen=True, slots=True)
class _Idle:
    """Look whether any minute has come lately."""


class OpenInterestWatch(Supervised):
    """Whatever goes wrong here costs no liquidation. It retains the minutes it has judged, so a successor knows the open
    incident under its id; what was before the first minute it asks the symbol stream for.
    """

    def init(self, *, child_id: str, rule: OpenInterestRule, static: StaticThresholds) -> None:
        self.asset = paths.asset_of(child_id)
        self.log = self.log.bind(asset=self.asset)
        self._static, self._thresholds = static, static.of(self.asset)
        self._detector = OpenInterestDetector(self.asset, rule, OpenInterestThresholds.of(self._thresholds))
        self._minutes = 0
        self._heard_ms = self.now_ms
        self.timer.every("idle", IDLE_S, _Idle(), market=True)

    def recover(self, retained: tuple[Any, ...]) -> None:
        for message in retained:
            if isinstance(message, ThresholdsSet):
                self._judge_by(message.thresholds)
            else:
                self._judge(message.minute)

    def handle(self, message: Any) -> None:
        match message:
            case MinuteClosed(minute=minute):
                self._take(minute)
                self.retained.append(message)
            case HistoryTold(history=history):
                self._detector.begin_with(history.open_interest)
            case ThresholdsSet(thresholds=thresholds):
                self._judge_by(thresholds)
            case _Idle():
                if self.now_ms - self._heard_ms >= IDLE_S * 1000 and not self._detector.is_open:
                    self.finish()
            case _:
                super().handle(message)

    def _take(self, minute: Minute) -> None:
        self._heard_ms = self.now_ms
        alert = self._judge(minute)
        if alert is not None:
            self.send(paths.DISPATCHER, AlertRaised(alert=alert), redeliver=True)
        elif (found := self._detector.near_miss(minute)) is not None:
            self.send(paths.NEAR_MISSES, NearMissesSeen(found=(found,)), lane=Lane.DATA)
        stream = paths.symbol_path(self.asset)
        if self._minutes in ASKS_MIN and self.system.find(stream) is not None:
            self.send(stream, HistoryWanted(path=self.path))
        self._minutes += 1
        self.progress()

    def _judge(self, minute: Minute) -> Alert | None:
        """Thresholds that nobody has renewed give way to the given ones."""
        if not self._thresholds.valid_at(minute.to_ms):
            self._judge_by(expired(self._thresholds, self._static))
        return self._detector.take(minute, self.now_ms)

    def _judge_by(self, thresholds: AssetThresholds) -> None:
        self._thresholds = thresholds
        self._detector.thresholds = OpenInterestThresholds.of(thresholds)
