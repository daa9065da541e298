"""Cascades: many liquidations of one side together, over all venues (detection.md 5.2, 3.6, 4.6).

Everything is judged at event times: when an order comes late, at every event time from its own on. An order counts as
the venue reports it, so fills of one order on a complete feed count one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from intelligence.alerts import Alert, Stage
from intelligence.detectors.agreement import VenueAgreement
from intelligence.detectors.flow import BURST_MS, ENTRY_MS, LATENESS_MS, LONG_MS, LiquidationFlow, Reporting
from intelligence.detectors.incident import Incident, SeverityRule
from intelligence.market import Liquidation, PositionSide
from intelligence.reference_price import ReferencePrice
from intelligence.thresholds.records import Threshold
from intelligence.volatility import Volatility
from intelligence.windows import MICRO, micro_usd

REBUILD_BLIND_MS = 2 * ENTRY_MS  # the first minute of re-fed windows is not whole; one more for the price before it


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRule:
    """Numbers of detection.md 5.2 unless said otherwise; shares, ratios and moves are fractions.

    `enter_orders`, `enter_share`, `enter_sigmas`: ENTER besides the threshold. `extend_ratio`: part of the threshold in
    10 s that keeps it open. `end_quiet_ms`, `end_share`, `end_share_ms`: END. `rearm_ratio`, `rearm_ms`: no new
    incident before the sum of a minute stayed below that part of the threshold for two windows of 10 s (4.6; two of a
    minute would keep silent about a second wave that comes a minute after the first).
    `agree_ms`: bursts of two venues within that time agree. `unknown_sigma`: stands for sigma of a minute, 0.1 % for
    1.5 sigma. `lateness_ms`: how long a tick waits for orders still on their way (3.6). `update_every_ms`: event time
    between two updates that tell only a larger sum (ours; the consumer throttles further).
    """

    enter_orders: int = 5
    enter_share: float = 0.80
    enter_sigmas: float = 1.5
    extend_ratio: float = 0.15
    end_quiet_ms: int = 60_000
    end_share: float = 0.60
    end_share_ms: int = 60_000
    rearm_ratio: float = 0.60
    rearm_ms: int = 20_000
    agree_ms: int = 5_000
    unknown_sigma: float = 0.001 / 1.5
    lateness_ms: int = LATENESS_MS
    update_every_ms: int = 5_000
    severity: SeverityRule = field(default_factory=SeverityRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeThresholds:
    """`single` also stands for what is not learned yet: `large_order_usd`, the p90 of the asset's orders, and
    `venue_burst_usd`, pairs of venue and the p99 of its 10 s sums.
    """

    cascade: Threshold
    single: Threshold
    large_order_usd: float | None = None
    venue_burst_usd: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the detectors of one asset look at and their owner feeds."""

    flow: LiquidationFlow
    prices: ReferencePrice
    volatility: Volatility


@dataclass(slots=True, kw_only=True)
class _Past:
    """An incident that is over: a fresh instance must be fed all of it as long as it is fed its end."""

    started_ms: int
    closed_ms: int


class CascadeDetector:
    """The cascades of one asset and side, one open at a time.

    For each liquidation, of either side: `end_before`, then the flow takes it, then `take_order` or `take_opposite`.
    `refed_from_ms`: this instance replaces another and is fed again from that event time on (`needed_from`).
    """

    def __init__(
        self,
        asset: str,
        side: PositionSide,
        rule: CascadeRule,
        thresholds: CascadeThresholds,
        market: Market,
        *,
        refed_from_ms: int | None = None,
    ) -> None:
        self._asset, self._side, self._rule = asset, side, rule
        self._market, self._flow, self._orders = market, market.flow, market.flow.of_side(side)
        self._agreement = VenueAgreement(side, market.flow, default_level=0, levels={}, agree_ms=rule.agree_ms)
        self.judge_by(thresholds)
        self._not_before_ms = 0 if refed_from_ms is None else refed_from_ms + REBUILD_BLIND_MS
        self._hot_until_ms: int | None = None  # the sum of a minute was not below the re-arm level until then
        self._past: list[_Past] = []
        self.incident: Incident | None = None

    def judge_by(self, thresholds: CascadeThresholds) -> None:
        """Judge by other thresholds from now on; an open incident keeps the one it was opened with for what it tells."""
        threshold, single = thresholds.cascade.value, thresholds.single.value
        self._thresholds = thresholds
        self._large_usd = single if thresholds.large_order_usd is None else thresholds.large_order_usd
        self._enter = micro_usd(threshold)
        self._extend = micro_usd(self._rule.extend_ratio * threshold)
        self._rearm = micro_usd(self._rule.rearm_ratio * threshold)
        self._large = micro_usd(self._large_usd)
        self._agreement.judge_by(
            default_level=micro_usd(single),
            levels={venue: micro_usd(usd) for venue, usd in thresholds.venue_burst_usd},
        )

    def end_before(self, at_ms: int, now_ms: int, reporting: Reporting) -> Alert | None:
        """Close the incident if it ended before an event at `at_ms`."""
        if self.incident is None or at_ms <= self._end_ms(self.incident):
            return None
        return self._end(self.incident, now_ms, reporting)

    def end_by(self, market_ms: int, reporting: Reporting) -> Alert | None:
        """Close the incident if it has ended by that time, when no event comes to show it."""
        if self.incident is None or market_ms < self._end_ms(self.incident) + self._rule.lateness_ms:
            return None
        return self._end(self.incident, market_ms, reporting)

    def take_order(self, order: Liquidation, now_ms: int, reporting: Reporting) -> Alert | None:
        at_ms = order.exchange_ms
        agreeing = self._agreement.note(order.venue, at_ms, reporting.able)
        incident = self.incident
        if incident is None:
            alert = self._enter_at(self._orders.times_from(at_ms), now_ms, reporting)
        else:
            incident.agreeing |= agreeing
            amount = micro_usd(order.notional_usd)
            incident.count_order(at_ms, amount, order.venue)
            if amount >= self._large:
                incident.active_ms = max(incident.active_ms, at_ms)
            self._note_activity(incident, at_ms)
            self._note_mixture(incident)
            alert = self._update(incident, at_ms, now_ms, reporting)
        self._note_heat(at_ms)
        return alert

    def take_opposite(self, now_ms: int, reporting: Reporting) -> Alert | None:
        """Judge the share again after an order of the other side."""
        if self.incident is None:
            return self._enter_at((self._frontier_ms,), now_ms, reporting)
        self._note_mixture(self.incident)
        return None

    def take_mark(self, at_ms: int, now_ms: int, reporting: Reporting) -> Alert | None:
        """Judge the move again: the price may follow the orders that push it."""
        if self._flow.frontier_ms is None:
            return None
        at_ms = max(at_ms, self._flow.frontier_ms)
        if self.incident is not None:
            return self._update(self.incident, at_ms, now_ms, reporting, only_graver=True)
        return self._enter_at((at_ms,), now_ms, reporting)

    def needed_from(self, from_ms: int) -> int:
        """An event time not after `from_ms` that an incident does not straddle."""
        if self.incident is not None:
            from_ms = min(from_ms, self.incident.started_ms - LONG_MS)
        for past in reversed(self._past):
            if past.closed_ms >= from_ms:
                from_ms = min(from_ms, past.started_ms - LONG_MS)
        return from_ms

    def forget_before(self, from_ms: int) -> None:
        """Drop what `needed_from` will not be asked about again."""
        self._past = [past for past in self._past if past.closed_ms >= from_ms]

    @property
    def _frontier_ms(self) -> int:
        assert self._flow.frontier_ms is not None
        return self._flow.frontier_ms

    def _end_ms(self, incident: Incident) -> int:
        quiet_ms = incident.active_ms + self._rule.end_quiet_ms
        if incident.mixed_since_ms is None:
            return quiet_ms
        return min(quiet_ms, incident.mixed_since_ms + self._rule.end_share_ms)

    def _enter_at(self, times_ms: Sequence[int], now_ms: int, reporting: Reporting) -> Alert | None:
        for at_ms in times_ms:
            if self._enters(at_ms):
                self.incident = self._open(at_ms)
                self._heat((at_ms, *self._orders.times_from(at_ms)))
                return self._tell(self.incident, Stage.RAISED, max(at_ms, self._frontier_ms), now_ms, reporting)
        return None

    def _enters(self, at_ms: int) -> bool:
        rule = self._rule
        if self._orders.total(at_ms, ENTRY_MS) < self._enter or at_ms < self._not_before_ms:
            return False
        if self._hot_until_ms is not None and at_ms < self._hot_until_ms + rule.rearm_ms:
            return False
        if self._orders.count(at_ms, ENTRY_MS) < rule.enter_orders:
            return False
        if self._flow.share(self._side, at_ms) < rule.enter_share:
            return False
        move = self._market.prices.move(at_ms, ENTRY_MS)
        if move is None:
            return True
        pressed = -move if self._side is PositionSide.LONG else move
        return pressed >= rule.enter_sigmas * (self._sigma(at_ms) or rule.unknown_sigma)

    def _sigma(self, at_ms: int) -> float | None:
        """Sigma of a minute, from before the window that ends at `at_ms`."""
        return self._market.volatility.sigma_before(at_ms - ENTRY_MS)

    def _open(self, opened_ms: int) -> Incident:
        window = list(self._orders.events(opened_ms - ENTRY_MS))
        started_ms, _, first_venue = window[0]
        sigma = self._sigma(opened_ms)
        incident = Incident(
            asset=self._asset,
            side=self._side,
            threshold=self._thresholds.cascade,
            large_order_usd=self._large_usd,
            learned_large_order=self._thresholds.large_order_usd is not None,
            sigma=sigma or self._rule.unknown_sigma,
            learned_sigma=sigma is not None,
            started_ms=started_ms,
            first_venue=first_venue,
            price_before=self._market.prices.price_at(started_ms - 1_000),
            active_ms=opened_ms,
        )
        for at_ms, amount, venue in window:
            incident.count_order(at_ms, amount, venue)
            if amount >= self._large:
                incident.active_ms = max(incident.active_ms, at_ms)
        self._note_activity(incident, opened_ms)
        self._note_mixture(incident)
        incident.agreeing = self._agreement.since(opened_ms - ENTRY_MS)
        self._judge(incident, opened_ms)
        return incident

    def _note_activity(self, incident: Incident, from_ms: int) -> None:
        """Let the newest order from that time on that has enough company in 10 s keep the incident open."""
        for at_ms in reversed(self._orders.times_from(from_ms)):
            if self._orders.total(at_ms, BURST_MS) >= self._extend:
                incident.active_ms = max(incident.active_ms, at_ms)
                return

    def _note_mixture(self, incident: Incident) -> None:
        if self._flow.share(self._side, self._frontier_ms) >= self._rule.end_share:
            incident.mixed_since_ms = None
        elif incident.mixed_since_ms is None:
            incident.mixed_since_ms = self._frontier_ms

    def _note_heat(self, from_ms: int) -> None:
        """Follow how long the sum of a minute stays above the re-arm level, from an incident until it may re-arm."""
        if self.incident is None:
            if self._hot_until_ms is None:
                return
            if self._frontier_ms >= self._hot_until_ms + self._rule.rearm_ms:
                self._hot_until_ms = None
                return
        self._heat(self._orders.times_from(from_ms))
        if self.incident is None and self._past and self._hot_until_ms is not None:
            self._past[-1].closed_ms = max(self._past[-1].closed_ms, self._hot_until_ms)

    def _heat(self, times_ms: Sequence[int]) -> None:
        for at_ms in reversed(times_ms):
            hot_ms = self._orders.falls_below(at_ms, ENTRY_MS, self._rearm)
            if hot_ms is not None:  # the newest time that is hot is hot for longest
                self._hot_until_ms = max(hot_ms, self._hot_until_ms or 0)
                return

    def _judge(self, incident: Incident, at_ms: int) -> bool:
        """Let the severity rise, never fall; True when it rose."""
        incident.note_move(self._market.prices.move(at_ms, ENTRY_MS))
        severity = self._rule.severity.judge(
            incident.ratio, venues_agree=bool(incident.agreeing), sigmas=incident.sigmas
        )
        if severity >= incident.severity:  # "P1" < "P2" < "P3"
            return False
        incident.severity = severity
        return True

    def _update(
        self, incident: Incident, at_ms: int, now_ms: int, reporting: Reporting, *, only_graver: bool = False
    ) -> Alert | None:
        at_ms = max(at_ms, self._frontier_ms)
        graver = self._judge(incident, at_ms)
        larger = incident.amount > incident.told_amount
        due = at_ms >= incident.told_ms + self._rule.update_every_ms
        if graver or (larger and due and not only_graver):
            return self._tell(incident, Stage.UPDATED, at_ms, now_ms, reporting)
        return None

    def _end(self, incident: Incident, now_ms: int, reporting: Reporting) -> Alert:
        alert = self._tell(incident, Stage.ENDED, self._end_ms(incident), now_ms, reporting)
        closed_ms = max(self._end_ms(incident), self._hot_until_ms or 0)
        self._past.append(_Past(started_ms=incident.started_ms, closed_ms=closed_ms))
        self.incident = None
        return alert

    def _tell(self, incident: Incident, stage: Stage, at_ms: int, now_ms: int, reporting: Reporting) -> Alert:
        incident.told_ms, incident.told_amount = at_ms, incident.amount
        sums = (("sum_10s_usd", BURST_MS), ("sum_60s_usd", ENTRY_MS), ("sum_300s_usd", LONG_MS))
        context: tuple[tuple[str, float | str], ...] = ()
        if stage is not Stage.ENDED:
            context = tuple((name, self._orders.total(at_ms, width_ms) / MICRO) for name, width_ms in sums)
            context = (*context, ("share_60s", self._flow.share(self._side, at_ms)))
        return incident.alert(
            stage,
            now_ms=now_ms,
            price=self._market.prices.price_at(incident.latest_ms),
            coverage=self._flow.coverage,
            context=context,
            reporting=reporting,
        )
