"""Single liquidations at or above their threshold (detection.md 5.1)."""

from dataclasses import dataclass

from intelligence.alerts import Alert, AlertKind, Severity, Stage, stable_id
from intelligence.detectors.flow import ENTRY_MS, LiquidationFlow, Reporting
from intelligence.market import Coverage, Liquidation, PositionSide
from intelligence.reference_price import ReferencePrice
from intelligence.thresholds.records import Threshold
from intelligence.windows import MICRO, micro_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationRule:
    """`merge_ms`: fills of one order lie within that time of its first fill (detection.md 5.1).
    `p2_ratio`: multiple of the threshold that interrupts people (ours: as for a cascade's P1). A single liquidation is
    never P1, which needs two venues that agree (detection.md 5.2). `memory_ms`: event time over which an alert is not
    raised again, whatever a venue sends again (ours: the longest window).
    """

    merge_ms: int = 1_000
    p2_ratio: float = 5.0
    memory_ms: int = 300_000


@dataclass(slots=True)
class _Order:
    """The fills of one order so far; on a capped feed the only row of it."""

    first: Liquidation
    amount: int  # micro-dollars
    quantity: float
    fills: int = 1
    raised: bool = False

    @property
    def alert_id(self) -> str:
        first = self.first
        return stable_id(
            AlertKind.LIQUIDATION,
            first.venue,
            first.instrument,
            first.position_side,
            first.exchange_ms,
            float(first.price),
            float(first.quantity),
        )


class LiquidationDetector:
    """Raises an order once, at the fill with which it crosses the threshold; later fills update it.

    `flow` and `prices` only add context to the alert; they are fed by their owner.
    """

    def __init__(
        self,
        rule: LiquidationRule,
        threshold: Threshold,
        flow: LiquidationFlow,
        prices: ReferencePrice,
        *,
        refed_from_ms: int | None = None,
    ) -> None:
        self._rule = rule
        self.judge_by(threshold)
        self._flow = flow
        self._prices = prices
        # an order whose first fills were not fed again would get another name
        self._silent_before_ms = 0 if refed_from_ms is None else refed_from_ms + rule.merge_ms
        self._orders: dict[tuple[str, str, PositionSide, float], _Order] = {}
        self._raised: dict[str, int] = {}
        self._frontier_ms = 0

    def judge_by(self, threshold: Threshold) -> None:
        """Judge by another threshold from now on, an order whose fills still come too."""
        self._threshold = threshold
        self._limit = micro_usd(threshold.value)

    def observe(self, liquidation: Liquidation, now_ms: int, reporting: Reporting) -> Alert | None:
        self._frontier_ms = max(self._frontier_ms, liquidation.exchange_ms)
        self._forget()
        order = self._order_of(liquidation)
        if order.amount < self._limit or order.first.exchange_ms < self._silent_before_ms:
            return None
        alert_id = order.alert_id
        if not order.raised and alert_id in self._raised:
            return None
        alert = self._alert(order, liquidation, now_ms, reporting)
        order.raised = True
        self._raised[alert_id] = order.first.exchange_ms
        return alert

    def _order_of(self, liquidation: Liquidation) -> _Order:
        amount = micro_usd(liquidation.notional_usd)
        if liquidation.coverage is not Coverage.COMPLETE:  # its rows are distinct orders, already summed up
            return _Order(liquidation, amount, liquidation.quantity)
        key = (liquidation.venue, liquidation.instrument, liquidation.position_side, liquidation.price)
        order = self._orders.get(key)
        if order is None or abs(liquidation.exchange_ms - order.first.exchange_ms) > self._rule.merge_ms:
            self._orders.pop(key, None)  # so that a new order stands last, in the order of time
            order = self._orders[key] = _Order(liquidation, amount, liquidation.quantity)
            return order
        order.amount += amount
        order.quantity += liquidation.quantity
        order.fills += 1
        return order

    def _forget(self) -> None:
        oldest_ms = self._frontier_ms - 10 * self._rule.merge_ms
        while self._orders:
            key = next(iter(self._orders))
            if self._orders[key].first.exchange_ms >= oldest_ms:
                break
            del self._orders[key]
        while self._raised:
            alert_id = next(iter(self._raised))
            if self._raised[alert_id] >= self._frontier_ms - self._rule.memory_ms:
                break
            del self._raised[alert_id]

    def _alert(self, order: _Order, latest: Liquidation, now_ms: int, reporting: Reporting) -> Alert:
        first = order.first
        return Alert(
            alert_id=order.alert_id,
            kind=AlertKind.LIQUIDATION,
            asset=first.asset,
            severity=Severity.P2 if order.amount >= self._rule.p2_ratio * self._limit else Severity.P3,
            exchange_ms=first.exchange_ms,
            detected_ms=now_ms,
            value=order.amount / MICRO,
            threshold=self._threshold.value,
            threshold_source=self._threshold.source,
            coverage=first.coverage,
            text="",
            stage=Stage.UPDATED if order.raised else Stage.RAISED,
            position_side=first.position_side,
            factors=self._threshold.factors,
            context=self._context(latest, order.quantity),
            venues_able=reporting.able,
            venues_configured=reporting.configured,
            venue=first.venue,
            instrument=first.instrument,
            price=first.price,
            price_kind=first.price_kind,
            count=order.fills,
            latest_ms=max(first.exchange_ms, latest.exchange_ms),
        )

    def _context(self, latest: Liquidation, quantity: float) -> tuple[tuple[str, float | str], ...]:
        """The quantity, the same side over all venues in the last minute, and the price just before it."""
        at_ms = latest.exchange_ms
        orders = self._flow.of_side(latest.position_side)
        context: list[tuple[str, float | str]] = [("quantity", quantity)]
        sum_60s = orders.total(at_ms, ENTRY_MS)
        if sum_60s:  # nothing when this one came too late to be counted
            lower_bound = any(coverage is not Coverage.COMPLETE for coverage in self._flow.coverage.values())
            context.append(("sum_60s_usd", sum_60s / MICRO))
            context.append(("count_60s", orders.count(at_ms, ENTRY_MS)))
            context.append(("sum_60s_coverage", Coverage.CAPPED if lower_bound else Coverage.COMPLETE))
        before = self._prices.price_at(at_ms - 1_000)
        if before is not None:
            context.append(("reference_price", before))
        return tuple(context)
