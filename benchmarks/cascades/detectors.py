"""Our cascades as they would be told, by the policy that their thresholds come from, and the two rivals, over the same hours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.cascades.market import HOUR_MS, START_MS, SimulatedHours, able, facts_of
from benchmarks.cascades.reference import ForcedOrder, Told
from benchmarks.cascades.rivals import FixedDollars, Point, PriceOnly
from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.detectors.asset import AssetDetection, DetectionRules
from intelligence.market import Liquidation, MarkPrice, PositionSide
from intelligence.minute import MINUTE_MS, Minute
from intelligence.thresholds.engine import ThresholdEngine
from intelligence.thresholds.history import History
from intelligence.thresholds.records import AssetThresholds
from intelligence.thresholds.rules import HistoryRule, LearnedRule, ThresholdRules
from intelligence.thresholds.static import StaticThresholds
from simulator.assets import ASSETS

LEARNED_HOURS = 4.0
LEARNED_SEED = 100  # never scored
MINUTE_ORDERS = 5  # of the detector's rule, for how soon it could have been told

Thresholds = Mapping[str, AssetThresholds]
_BY_NAME = {asset.name: asset for asset in ASSETS}


@dataclass(frozen=True, slots=True)
class Run:
    """One seed. `told`: by policy. `late_ms`: of every cascade that was told, from the order with which all orders, also those
    that no feed shows, fulfilled count and sum of its rule.
    """

    seed: int
    from_ms: int
    until_ms: int
    orders: Sequence[ForcedOrder]
    depth_usd: Mapping[str, float]
    told: Mapping[str, Sequence[Told]]
    late_ms: Mapping[str, Sequence[int]]
    dollars: Sequence[Point]
    price: Sequence[Point]


@dataclass(slots=True)
class _Ours:
    """Core detection of all assets by one policy."""

    detections: Mapping[str, AssetDetection]
    alerts: list[Alert] = field(default_factory=list)
    ticked_ms: int = 0

    @classmethod
    def judging_by(cls, thresholds: Thresholds) -> "_Ours":
        detections = {}
        for asset, one in thresholds.items():
            detections[asset] = AssetDetection(asset, DetectionRules())
            detections[asset].judge_by(replace(one, valid_until_ms=None))
        return cls(detections)

    def take(self, orders: Mapping[str, list[Liquidation]], marks: Iterable[MarkPrice], now_ms: int) -> None:
        for asset, events in orders.items():
            told = self.detections[asset].liquidations(events, able=able(), configured=able(), now_ms=now_ms)
            self.alerts += told
        for mark in marks:
            self.alerts += self.detections[mark.asset].mark(mark)
        if now_ms >= self.ticked_ms + 1000:
            self.ticked_ms = now_ms
            for detection in self.detections.values():
                if detection.open_incidents:
                    self.alerts += detection.tick(now_ms)

    def cascades(self) -> list[Alert]:
        return [one for one in self.alerts if one.kind is AlertKind.CASCADE and one.stage is Stage.RAISED]


def run(seed: int, hours: float, policies: Mapping[str, Thresholds]) -> Run:
    market = SimulatedHours(seed, hours)
    ours = {name: _Ours.judging_by(thresholds) for name, thresholds in policies.items()}
    dollars, price = FixedDollars(), PriceOnly()
    for read in market:
        orders: dict[str, list[Liquidation]] = {}
        marks = []
        for one in read.seen:
            if isinstance(one, Liquidation):
                orders.setdefault(one.asset, []).append(one)
                dollars.take(one)
            else:
                marks.append(one)
                price.take(one)
        for policy in ours.values():
            policy.take(orders, marks, read.at_ms)
    return Run(
        seed=seed,
        from_ms=market.from_ms,
        until_ms=market.until_ms,
        orders=market.orders,
        depth_usd=market.depth_usd,
        told={name: [_told(alert) for alert in policy.cascades()] for name, policy in ours.items()},
        late_ms={name: _late_ms(policy.cascades(), market.orders) for name, policy in ours.items()},
        dollars=dollars.points,
        price=price.points,
    )


def _told(alert: Alert) -> Told:
    assert alert.position_side is not None
    return Told(asset=alert.asset, side=alert.position_side, at_ms=alert.detected_ms)


def _late_ms(alerts: Iterable[Alert], orders: Iterable[ForcedOrder]) -> list[int]:
    by_side: dict[tuple[str, PositionSide], list[ForcedOrder]] = {}
    for order in orders:
        by_side.setdefault((order.asset, order.side), []).append(order)
    found = []
    for alert in alerts:
        assert alert.position_side is not None
        since_ms = alert.exchange_ms - MINUTE_MS
        near = [one for one in by_side[alert.asset, alert.position_side] if since_ms < one.at_ms <= alert.detected_ms]
        first_ms = next((one.at_ms for one in near if _fulfils(near, one.at_ms, alert.threshold)), alert.detected_ms)
        found.append(alert.detected_ms - first_ms)
    return found


def _fulfils(orders: Sequence[ForcedOrder], at_ms: int, threshold_usd: float) -> bool:
    minute = [one.usd for one in orders if at_ms - MINUTE_MS < one.at_ms <= at_ms]
    return len(minute) >= MINUTE_ORDERS and sum(minute) >= threshold_usd


# -- thresholds -------------------------------------------------------------------------------------------------------


def static_thresholds(assets: Iterable[str]) -> Thresholds:
    return {asset: StaticThresholds().of(asset) for asset in assets}


def tiered_thresholds(assets: Iterable[str], rules: ThresholdRules) -> Thresholds:
    """What the daemon judges by in its first fourteen days, when it knows the volume."""
    engine = ThresholdEngine(rules, StaticThresholds())
    return {
        asset: engine.compute(asset, facts_of(_BY_NAME[asset]), History(rules.history), START_MS) for asset in assets
    }


def histories() -> dict[str, History]:
    """What was seen of another seed's market in the hours before."""
    market = SimulatedHours(LEARNED_SEED, LEARNED_HOURS, start_ms=START_MS - round(LEARNED_HOURS * HOUR_MS))
    found = {asset: History(HistoryRule()) for asset in market.depth_usd}
    orders: dict[str, list[Liquidation]] = {asset: [] for asset in found}
    prices: dict[str, float] = {}
    next_ms = market.from_ms + MINUTE_MS
    for read in market:
        if read.at_ms >= next_ms + 2_000:  # the capped feeds are late by a second
            for asset, history in found.items():
                history.take(_minute(asset, next_ms - MINUTE_MS, prices.get(asset), orders[asset]))
                orders[asset] = []
            next_ms += MINUTE_MS
        for one in read.seen:
            if isinstance(one, Liquidation):
                orders[one.asset].append(one)
            else:
                prices[one.asset] = one.price
    return found


def learned_thresholds(found: Mapping[str, History], rule: LearnedRule) -> Thresholds:
    """After `LEARNED_HOURS` instead of fourteen days."""
    rules = ThresholdRules(learned=replace(rule, enough_days=LEARNED_HOURS / 24 / 2))
    engine = ThresholdEngine(rules, StaticThresholds())
    for history in found.values():
        history.progress.in_force.clear()
    return {asset: engine.compute(asset, facts_of(_BY_NAME[asset]), one, START_MS) for asset, one in found.items()}


def _minute(asset: str, from_ms: int, price: float | None, orders: Sequence[Liquidation]) -> Minute:
    usd = _BY_NAME[asset].turnover_usd / 1440
    return Minute(
        asset=asset,
        from_ms=from_ms,
        open=price,
        high=price,
        low=price,
        close=price,
        reference_price=price,
        buy_usd=usd / 2,
        sell_usd=usd / 2,
        trades=1,
        largest_usd=0.0,
        complete=True,
        liquidations=tuple(orders),
    )
