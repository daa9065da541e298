"""Explosions of open interest on Binance's own figures, by policy: how often, and whether the known one is found."""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from benchmarks.evaluation.recorded import binance_open_interest
from intelligence.alerts import Alert, Stage
from intelligence.detectors.open_interest import (
    OpenInterestDetector,
    OpenInterestRule,
    OpenInterestThresholds,
)
from intelligence.thresholds.records import Policy, Threshold
from intelligence.thresholds.static import StaticThresholds

FRESH_MS = 330_000  # a figure every five minutes here
QUARTER = 3  # figures in 15 minutes
WARM_UP = 14 * 288  # learned is scored only where 14 days precede
KEPT = 28 * 288
RENEWED = 12  # figures: hourly
KNOWN_FROM = datetime(2026, 3, 4, 9, 35, tzinfo=UTC)  # the figure before 09:40, with which the rise begins
KNOWN_TO = datetime(2026, 3, 4, 10, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Result:
    """`quantile` None: the static policy. `alerts`: raised and updated in the `days` after the warm-up."""

    asset: str
    quantile: float | None
    days: float
    alerts: tuple[Alert, ...]

    @property
    def raised(self) -> int:
        return sum(alert.stage is Stage.RAISED for alert in self.alerts)


def known(result: Result) -> list[str]:
    """What was told of the explosion that the data's README names."""
    between = range(int(KNOWN_FROM.timestamp() * 1000), int(KNOWN_TO.timestamp() * 1000) + 1)
    return [
        f"{datetime.fromtimestamp((alert.latest_ms or 0) / 1000, UTC):%H:%M} {alert.stage} {_headline(alert)}"
        for alert in result.alerts
        if alert.latest_ms in between
    ]


def _headline(alert: Alert) -> str:
    return alert.text.partition("\n")[0]


class TrailingQuantile:
    """Quantile of the 15-minute changes (per cent, without sign) of 28 days that ended 15 minutes ago."""

    def __init__(self, quantile: float) -> None:
        self._quantile = quantile
        self._coins: deque[float] = deque(maxlen=2 * QUARTER + 1)
        self._changes: deque[float] = deque()
        self._sorted: list[float] = []

    def take(self, coins: float) -> None:
        self._coins.append(coins)
        if len(self._coins) < 2 * QUARTER + 1:
            return
        change = 100 * abs(self._coins[QUARTER] / self._coins[0] - 1)
        self._changes.append(change)
        insort(self._sorted, change)
        if len(self._changes) > KEPT:
            del self._sorted[bisect_left(self._sorted, self._changes.popleft())]

    def threshold(self, floor_pct: float) -> Threshold:
        value = max(self._sorted[int(self._quantile * (len(self._sorted) - 1))], floor_pct)
        factors = (("quantile", self._quantile), ("floor_pct", floor_pct))
        return Threshold(value=value, source=Policy.LEARNED, factors=factors, samples=len(self._sorted))


def run(asset: str, quantile: float | None, floor_pct: float = 0.0) -> Result:
    static = StaticThresholds().of(asset)
    detector = OpenInterestDetector(asset, OpenInterestRule(fresh_ms=FRESH_MS), OpenInterestThresholds.of(static))
    learned = None if quantile is None else TrailingQuantile(quantile)
    alerts: list[Alert] = []
    count = 0
    for count, minute in enumerate(binance_open_interest(asset), start=1):
        if learned is not None:
            learned.take(minute.open_interest[0].quantity)
            if count >= WARM_UP and count % RENEWED == 0:
                detector.thresholds = OpenInterestThresholds.of(
                    replace(static, oi_change_pct=learned.threshold(floor_pct))
                )
        alert = detector.take(minute, minute.to_ms)
        if alert is not None and alert.stage is not Stage.ENDED and count >= WARM_UP:
            alerts.append(alert)
    return Result(asset, quantile, (count - WARM_UP) / 288, tuple(alerts))


def window_factors(asset: str, quantile: float) -> list[float]:
    """Quantiles of the change over 5 minutes, an hour and four, in those of 15 minutes."""
    coins = [minute.open_interest[0].quantity for minute in binance_open_interest(asset)]
    found = []
    for steps in (QUARTER, 1, 12, 48):
        changes = sorted(abs(after / before - 1) for before, after in zip(coins, coins[steps:], strict=False))
        found.append(changes[int(quantile * (len(changes) - 1))])
    return [factor / found[0] for factor in found[1:]]
