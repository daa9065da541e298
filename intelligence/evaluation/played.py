"""The product's own detectors over recorded minutes and orders, as the daemon feeds them."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import fsum

from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.detectors.asset import AssetDetection, DetectionRules
from intelligence.detectors.open_interest import OpenInterestDetector, OpenInterestRule, OpenInterestThresholds
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.detectors.volume_spike import VolumeSpikeDetector
from intelligence.evaluation.bars import DAY_MIN
from intelligence.market import Liquidation, MarkPrice, PositionSide
from intelligence.minute import MINUTE_MS, Minute
from intelligence.outcomes.judging import strength_of
from intelligence.thresholds.records import Policy, Threshold
from intelligence.thresholds.static import StaticThresholds

QUARTER_MIN = 15
RENEWED_MIN = 60
KEPT_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a detector told at the end of the minute (or at the order) `at_ms`. `value`, `threshold` as in the alert;
    `strength`: `strength_of` it. `started_ms`, `latest_ms`: of what was counted; `window_ms`: by which it was found, 0 for
    an order or an incident.
    """

    alert_id: str
    at_ms: int
    started_ms: int
    latest_ms: int
    window_ms: int
    stage: Stage
    kind: AlertKind
    side: PositionSide | None
    value: float
    threshold: float
    strength: float
    text: str

    @classmethod
    def of(cls, alert: Alert, at_ms: int) -> "Told":
        window_s = dict(alert.context).get("window_s", 0)
        return cls(
            alert_id=alert.alert_id,
            at_ms=at_ms,
            started_ms=alert.started_ms or alert.exchange_ms,
            latest_ms=alert.latest_ms or alert.exchange_ms,
            window_ms=int(1000 * float(window_s)),
            stage=alert.stage,
            kind=alert.kind,
            side=alert.position_side,
            value=alert.value,
            threshold=alert.threshold,
            strength=strength_of(alert),
            text=alert.text.partition("\n")[0],
        )

    @property
    def start_ms(self) -> int:
        """An event that is found by a window began with that window."""
        return self.started_ms - self.window_ms


def raised(told: Iterable[Told], kind: AlertKind | None = None) -> list[Told]:
    return [one for one in told if one.stage is Stage.RAISED and kind in {None, one.kind}]


def volume_spikes(minutes: Sequence[Minute], rule: VolumeRule, quantile: float | None = None) -> list[Told]:
    """`quantile`: the threshold is that of all 15-minute windows before, from the eighth day on, renewed hourly; without,
    three times their median.
    """
    detector = VolumeSpikeDetector(minutes[0].asset, rule)
    recent: deque[float] = deque(maxlen=QUARTER_MIN)
    windows: list[float] = []
    told = []
    for place, minute in enumerate(minutes):
        recent.append(minute.total_usd)
        if quantile is not None and place >= 7 * DAY_MIN and place % RENEWED_MIN == 0:
            value = windows[int(quantile * (len(windows) - 1))]
            detector.threshold = Threshold(value=value, source=Policy.LEARNED, samples=len(windows))
        if place % QUARTER_MIN == QUARTER_MIN - 1:
            insort(windows, fsum(recent))
        alert = detector.take(minute, minute.to_ms)
        if alert is not None:
            told.append(Told.of(alert, minute.to_ms))
    return told


class TrailingQuantile:
    """Quantile of the 15-minute changes (per cent, without sign) of 28 days that ended 15 minutes ago."""

    def __init__(self, quantile: float, step_min: int) -> None:
        self._quantile = quantile
        self._quarter = QUARTER_MIN // step_min
        self._kept = KEPT_DAYS * DAY_MIN // step_min
        self._coins: deque[float] = deque(maxlen=2 * self._quarter + 1)
        self._changes: deque[float] = deque()
        self._sorted: list[float] = []

    def take(self, coins: float) -> None:
        self._coins.append(coins)
        if len(self._coins) < 2 * self._quarter + 1:
            return
        change = 100 * abs(self._coins[self._quarter] / self._coins[0] - 1)
        self._changes.append(change)
        insort(self._sorted, change)
        if len(self._changes) > self._kept:
            del self._sorted[bisect_left(self._sorted, self._changes.popleft())]

    def threshold(self, floor_pct: float) -> Threshold:
        value = max(self._sorted[int(self._quantile * (len(self._sorted) - 1))], floor_pct)
        factors = (("quantile", self._quantile), ("floor_pct", floor_pct))
        return Threshold(value=value, source=Policy.LEARNED, factors=factors, samples=len(self._sorted))


def open_interest_changes(
    minutes: Sequence[Minute], quantile: float | None, *, floor_pct: float = 0.0, step_min: int, warm_up: int
) -> list[Told]:
    """`quantile` None: the static policy. Minutes lie `step_min` apart; the threshold is learned from the `warm_up`-th on."""
    asset = minutes[0].asset
    static = StaticThresholds().of(asset)
    fresh_ms = step_min * MINUTE_MS + MINUTE_MS // 2
    detector = OpenInterestDetector(
        asset, OpenInterestRule(fresh_ms=max(fresh_ms, OpenInterestRule().fresh_ms)), OpenInterestThresholds.of(static)
    )
    learned = None if quantile is None else TrailingQuantile(quantile, step_min)
    told = []
    for count, minute in enumerate(minutes, start=1):
        if learned is not None and minute.open_interest:
            learned.take(minute.open_interest[0].quantity)
            if count >= warm_up and count % (RENEWED_MIN // step_min) == 0:
                detector.thresholds = OpenInterestThresholds.of(
                    replace(static, oi_change_pct=learned.threshold(floor_pct))
                )
        alert = detector.take(minute, minute.to_ms)
        if alert is not None:
            told.append(Told.of(alert, minute.to_ms))
    return told


def liquidations(asset: str, orders: Sequence[Liquidation], marks: Sequence[MarkPrice]) -> list[Told]:
    """Single liquidations and cascades by the static thresholds, orders and marks in the order of receipt."""
    detection = AssetDetection(asset, DetectionRules())
    able = tuple({one.venue for one in orders})
    told = []
    records: list[Liquidation | MarkPrice] = [*orders, *marks]
    for record in sorted(records, key=lambda one: one.received_ms):
        if isinstance(record, MarkPrice):
            alerts = detection.mark(record)
        else:
            alerts = detection.liquidations([record], able=able, configured=able, now_ms=record.received_ms)
        told += [Told.of(alert, record.received_ms) for alert in alerts]
        told += [Told.of(alert, record.received_ms) for alert in detection.tick(record.received_ms)]
    return told
