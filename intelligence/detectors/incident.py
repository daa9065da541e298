"""One cascade from its first order to its end: what was counted, how grave it is, and its record for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from intelligence.alerts import Alert, AlertKind, Severity, Stage, VenueShare, stable_id
from intelligence.detectors.flow import Reporting
from intelligence.market import Coverage, PositionSide
from intelligence.thresholds.records import Threshold
from intelligence.windows import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityRule:
    """Multiples of the cascade threshold, and of sigma in a minute, for the levels of detection.md 5.2."""

    p2_ratio: float = 2.0
    p1_ratio: float = 5.0
    p1_sigmas: float = 3.0

    def judge(self, ratio: float, *, venues_agree: bool, sigmas: float | None) -> Severity:
        """`sigmas`: the largest move of a minute in the direction of the cascade; None without a mark price, and then
        P2 is the most (detection.md 5.2).
        """
        if venues_agree and ratio >= self.p1_ratio and sigmas is not None and sigmas >= self.p1_sigmas:
            return Severity.P1
        return Severity.P2 if venues_agree or ratio >= self.p2_ratio else Severity.P3


@dataclass(slots=True, kw_only=True)
class VenueTotal:
    amount: int = 0  # micro-dollars
    count: int = 0


@dataclass(slots=True, kw_only=True)
class Incident:
    """An open cascade. Amounts in micro-dollars, `sigma` a fraction per minute from before the opening window.

    `active_ms`: the last order that kept it open. `mixed_since_ms`: since when the
    other side has had too large a part, None while it has not. `told_*`: as of the last alert.
    """

    asset: str
    side: PositionSide
    threshold: Threshold
    large_order_usd: float
    learned_large_order: bool
    sigma: float
    learned_sigma: bool
    started_ms: int
    first_venue: str
    price_before: float | None
    amount: int = 0
    count: int = 0
    latest_ms: int = 0
    active_ms: int = 0
    mixed_since_ms: int | None = None
    sigmas: float | None = None
    agreeing: frozenset[str] = frozenset()
    severity: Severity = Severity.P3
    told_ms: int = 0
    told_amount: int = 0
    by_venue: dict[str, VenueTotal] = field(default_factory=dict)

    @property
    def alert_id(self) -> str:
        return stable_id(AlertKind.CASCADE, self.asset, self.side, self.started_ms)

    @property
    def ratio(self) -> float:
        return self.amount / MICRO / self.threshold.value

    def count_order(self, at_ms: int, amount: int, venue: str) -> None:
        self.amount += amount
        self.count += 1
        self.latest_ms = max(self.latest_ms, at_ms)
        total = self.by_venue.setdefault(venue, VenueTotal())
        total.amount += amount
        total.count += 1

    def note_move(self, move: float | None) -> None:
        """Take the log return of a minute; the largest one in the direction of the cascade is kept, in sigmas."""
        if move is None:
            return
        pressed = (-move if self.side is PositionSide.LONG else move) / self.sigma
        self.sigmas = pressed if self.sigmas is None else max(self.sigmas, pressed)

    def stand_ins(self) -> tuple[tuple[str, float | str], ...]:
        """What was not known and what stood for it (detection.md 5.2)."""
        factors: list[tuple[str, float | str]] = []
        if not self.learned_large_order:
            factors.append(("p90_order_usd", f"unknown, the single threshold {self.large_order_usd:g} stands for it"))
        if self.sigmas is None:
            factors.append(("move_test", "skipped, no price of a minute before"))
        elif not self.learned_sigma:
            factors.append(("sigma_60s", "unknown, 0.1 % stands for 1.5 sigma"))
        return tuple(factors)

    def shares(self, coverage: Mapping[str, Coverage]) -> tuple[VenueShare, ...]:
        """What each venue brought, largest first."""
        ranked = sorted(self.by_venue.items(), key=lambda item: (-item[1].amount, item[0]))
        return tuple(
            VenueShare(venue=venue, notional_usd=total.amount / MICRO, count=total.count, coverage=coverage[venue])
            for venue, total in ranked
        )

    def alert(
        self,
        stage: Stage,
        *,
        now_ms: int,
        price: float | None,
        coverage: Mapping[str, Coverage],
        context: tuple[tuple[str, float | str], ...],
        reporting: Reporting,
    ) -> Alert:
        """The record at this stage. `price`: the reference price at the last order."""
        shares = self.shares(coverage)
        complete = all(share.coverage is Coverage.COMPLETE for share in shares)
        seen: tuple[tuple[str, float | str], ...] = context
        if self.sigmas is not None:
            seen = (*seen, ("largest_move_60s_sigmas", self.sigmas), ("sigma_60s", self.sigma))
        if self.agreeing:
            seen = (*seen, ("venues_agreeing", ", ".join(sorted(self.agreeing))))
        return Alert(
            alert_id=self.alert_id,
            kind=AlertKind.CASCADE,
            asset=self.asset,
            severity=self.severity,
            exchange_ms=self.started_ms,
            detected_ms=now_ms,
            value=self.amount / MICRO,
            threshold=self.threshold.value,
            threshold_source=self.threshold.source,
            coverage=Coverage.COMPLETE if complete else Coverage.CAPPED,
            text="",
            stage=stage,
            position_side=self.side,
            factors=(*self.threshold.factors, *self.stand_ins()),
            context=seen,
            venues_able=reporting.able,
            venues_configured=reporting.configured,
            price=price,
            count=self.count,
            started_ms=self.started_ms,
            latest_ms=self.latest_ms,
            ended_ms=self.latest_ms if stage is Stage.ENDED else None,
            first_venue=self.first_venue,
            by_venue=shares,
            move=price / self.price_before - 1 if price and self.price_before else None,
        )
