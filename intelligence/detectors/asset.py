"""Core detection of one asset, whole: what a symbol stream owns."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from msgspec.structs import replace

from intelligence.alerts import Alert
from intelligence.detectors.cascade import CascadeDetector, CascadeRule, CascadeThresholds, Market
from intelligence.detectors.duplicates import DuplicateRule, Duplicates
from intelligence.detectors.flow import LONG_MS, OTHER_SIDE, LiquidationFlow, Reporting
from intelligence.detectors.liquidation import LiquidationDetector, LiquidationRule
from intelligence.market import Coverage, Liquidation, MarkPrice, PositionSide
from intelligence.minute import Minute
from intelligence.near_misses import NearMiss, of_liquidations
from intelligence.reference_price import ReferencePrice, ReferencePriceRule
from intelligence.thresholds.records import AssetThresholds
from intelligence.thresholds.static import StaticThresholds, expired
from intelligence.volatility import Volatility, VolatilityRule, VolatilityState
from intelligence.wording import plain_text

MAX_AHEAD_MS = 60_000  # ours: more than any clock that is only wrong; further ahead it is a broken time stamp
MAX_DELIVERY_MS = 10_000  # ours: an order that comes next may have happened that long before the newest time known


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRules:
    """All numbers of core detection; the settings fill it."""

    thresholds: StaticThresholds = field(default_factory=StaticThresholds)
    liquidation: LiquidationRule = field(default_factory=LiquidationRule)
    cascade: CascadeRule = field(default_factory=CascadeRule)
    duplicates: DuplicateRule = field(default_factory=DuplicateRule)
    reference_price: ReferencePriceRule = field(default_factory=ReferencePriceRule)
    volatility: VolatilityRule = field(default_factory=VolatilityRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What was not used, since the start: `late` for cascades only, the others not at all.

    `aggregate`: totals of a venue, which are no orders. `uncertain`: how to read the venue is in doubt until its
    self-test has settled it. `ahead`: time stamps in the future. `unusable`: no positive value or price.
    """

    late: int
    duplicates: int
    aggregate: int
    uncertain: int
    ahead: int
    unusable: int


class AssetDetection:
    """Single liquidations and cascades of one asset over all venues.

    A restarted owner makes a fresh instance with `refed_from_ms` and the `volatility` of the old one, feeds it again
    the liquidations and marks it retained from that event time on in the order in which they came, calls `tick`, and
    drops the alerts of all that: from then on it tells what the lost instance would have told, under the same ids.
    """

    def __init__(
        self,
        asset: str,
        rules: DetectionRules,
        *,
        volatility: VolatilityState | None = None,
        refed_from_ms: int | None = None,
    ) -> None:
        self.asset = asset
        self._flow = LiquidationFlow(rules.cascade.lateness_ms)
        self._prices = ReferencePrice(rules.reference_price)
        self._volatility = Volatility(rules.volatility, volatility)
        market = Market(flow=self._flow, prices=self._prices, volatility=self._volatility)
        self._static, self.thresholds = rules.thresholds, rules.thresholds.of(asset)
        thresholds = _for_cascades(self.thresholds)
        self._single = LiquidationDetector(
            rules.liquidation, thresholds.single, self._flow, self._prices, refed_from_ms=refed_from_ms
        )
        self._cascades = {
            side: CascadeDetector(asset, side, rules.cascade, thresholds, market, refed_from_ms=refed_from_ms)
            for side in PositionSide
        }
        self._cascade_rule = rules.cascade
        self._duplicates = Duplicates(rules.duplicates)
        self._reporting = Reporting()
        self._leads: dict[str, int] = {}  # venue: its event time minus our clock, ms
        self._market_ms = 0
        self._aggregate = self._uncertain = self._ahead = self._unusable = 0
        self._accepted: list[Liquidation] = []

    def judge_by(self, thresholds: AssetThresholds) -> None:
        """Judge by these from now on, until they expire or others come; what was told stays as it was."""
        self.thresholds = thresholds
        self._single.judge_by(thresholds.single)
        for cascades in self._cascades.values():
            cascades.judge_by(_for_cascades(thresholds))

    @property
    def counters(self) -> Counters:
        return Counters(
            late=self._flow.late,
            duplicates=self._duplicates.count,
            aggregate=self._aggregate,
            uncertain=self._uncertain,
            ahead=self._ahead,
            unusable=self._unusable,
        )

    @property
    def open_incidents(self) -> tuple[str, ...]:
        """The ids of the cascades that are open."""
        incidents = (cascades.incident for cascades in self._cascades.values())
        return tuple(incident.alert_id for incident in incidents if incident is not None)

    @property
    def volatility_state(self) -> VolatilityState | None:
        """What a restarted instance cannot rebuild from retained events."""
        return self._volatility.state

    def begin_with(self, closes: Iterable[tuple[int, float]]) -> None:
        """Estimate the volatility from closes of before the first mark; see `Volatility.begin_with`."""
        self._volatility.begin_with(closes)

    @property
    def oldest_needed_ms(self) -> int:
        """The event time from which a fresh instance must be fed again: the longest window, and five minutes before
        each incident that reaches into it or is linked to one that does.
        """
        from_ms = max(self._market_ms - LONG_MS - MAX_DELIVERY_MS, 0)
        while True:
            earlier_ms = min(cascades.needed_from(from_ms) for cascades in self._cascades.values())
            if earlier_ms >= from_ms:
                break
            from_ms = earlier_ms
        for cascades in self._cascades.values():
            cascades.forget_before(from_ms)
        return from_ms

    def liquidations(
        self,
        events: Iterable[Liquidation],
        *,
        able: tuple[str, ...],
        configured: tuple[str, ...],
        now_ms: int,
        after_reconnect: bool = False,
    ) -> tuple[Alert, ...]:
        """Take what one read of one feed brought. `able`: venues that can report this asset now.
        `after_reconnect`: the feed has just come back and may send again what it sent before.
        """
        self._reporting = Reporting(able, configured)
        alerts: list[Alert | None] = []
        for event in events:
            if self._usable(event) and not self._duplicates.recognise(event, after_reconnect=after_reconnect):
                self._accepted.append(event)
                alerts += self._judge(event, now_ms)
        return self._worded(alerts)

    def take_accepted(self) -> list[Liquidation]:
        """Those that were judged since the last call: usable, and not told twice."""
        accepted, self._accepted = self._accepted, []
        return accepted

    def near_misses(self, minute: Minute) -> tuple[NearMiss, ...]:
        """What of this closed minute came near to an alert."""
        return of_liquidations(
            minute, self.thresholds, self._cascade_rule, self._volatility.sigma_before(minute.from_ms)
        )

    def reference_price(self) -> float | None:
        """The median of the venues' newest mark prices, in USD a coin; None before the first."""
        latest_ms = self._prices.latest_ms
        return None if latest_ms is None else self._prices.price_at(latest_ms)

    def mark(self, mark: MarkPrice) -> tuple[Alert, ...]:
        if not (isfinite(mark.price) and mark.price > 0):
            self._unusable += 1
            return ()
        if self._is_ahead(mark):
            return ()
        self._move_to(mark.exchange_ms)
        self._volatility.observe(mark.exchange_ms, self._prices.observe(mark))
        return self._worded(
            cascades.take_mark(mark.exchange_ms, mark.received_ms, self._reporting)
            for cascades in self._cascades.values()
        )

    def tick(self, now_ms: int) -> tuple[Alert, ...]:
        """End what has ended by the market time `now_ms` when nothing more comes."""
        self._move_to(now_ms)
        return self._worded(cascades.end_by(now_ms, self._reporting) for cascades in self._cascades.values())

    def _move_to(self, at_ms: int) -> None:
        """Let event time pass: thresholds that nobody has renewed give way to the given ones."""
        self._market_ms = max(self._market_ms, at_ms)
        if not self.thresholds.valid_at(self._market_ms):
            self.judge_by(expired(self.thresholds, self._static))

    def _judge(self, event: Liquidation, now_ms: int) -> list[Alert | None]:
        at_ms, reporting = event.exchange_ms, self._reporting
        self._move_to(at_ms)
        told = [cascades.end_before(at_ms, now_ms, reporting) for cascades in self._cascades.values()]
        in_time = self._flow.add(event)
        told.append(self._single.observe(event, now_ms, reporting))
        if in_time:
            told.append(self._cascades[event.position_side].take_order(event, now_ms, reporting))
            told.append(self._cascades[OTHER_SIDE[event.position_side]].take_opposite(now_ms, reporting))
        return told

    def _usable(self, event: Liquidation) -> bool:
        if event.coverage is Coverage.AGGREGATE:
            self._aggregate += 1
            return False
        if event.uncertain:
            self._uncertain += 1
            return False
        if not (isfinite(event.notional_usd) and event.notional_usd > 0):
            self._unusable += 1
            return False
        return not self._is_ahead(event)

    def _is_ahead(self, event: Liquidation | MarkPrice) -> bool:
        """Whether its time is broken: it would make everything after it look late.

        When our own clock is slow every venue seems ahead, so a lead that other venues share is believed.
        """
        lead_ms = event.exchange_ms - event.received_ms
        self._leads[event.venue] = lead_ms
        if lead_ms <= MAX_AHEAD_MS:
            return False
        others = [other for venue, other in self._leads.items() if venue != event.venue]
        if others and lead_ms - min(others) <= MAX_AHEAD_MS:
            return False
        self._ahead += 1
        return True

    @staticmethod
    def _worded(alerts: Iterable[Alert | None]) -> tuple[Alert, ...]:
        return tuple(replace(alert, text=plain_text(alert)) for alert in alerts if alert is not None)


def _for_cascades(thresholds: AssetThresholds) -> CascadeThresholds:
    return CascadeThresholds(
        cascade=thresholds.cascade, single=thresholds.single, large_order_usd=thresholds.usual_order_usd
    )
