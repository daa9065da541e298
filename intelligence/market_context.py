"""What stands beside an asset's figures: funding against its usual, CVD against the price, what capped feeds left out."""

from collections import deque
from collections.abc import Iterable

from msgspec.structs import replace

from intelligence.alerts import Alert
from intelligence.coverage import CapSurvival, estimated_pairs
from intelligence.divergence import CvdTracker
from intelligence.funding import PAID_EVERY_H, FundingTracker, FundingView
from intelligence.market import Liquidation, MarkPrice
from intelligence.minute import Minute

REMEMBERED = 5_000  # liquidations, for the estimate of an incident; more than the largest recorded cascade had


class MarketContext:
    """Facts, never an alert and never part of a threshold."""

    def __init__(self) -> None:
        self._cvd = CvdTracker()
        self._funding = FundingTracker(intervals_h=PAID_EVERY_H)
        self._survival = CapSurvival()
        self._liquidations: deque[Liquidation] = deque(maxlen=REMEMBERED)

    def liquidations(self, accepted: Iterable[Liquidation]) -> None:
        for one in accepted:
            self._survival.observe(one)
            self._liquidations.append(one)

    def mark(self, mark: MarkPrice) -> None:
        self._funding.take(mark)

    def minute(self, minute: Minute) -> Minute:
        """The closed minute with what was beside it."""
        self._cvd.take(minute)
        funding = self._funding.view(minute.to_ms)
        return replace(minute, funding_8h=funding.rate_8h if funding else None, divergence=self.divergence)

    def funding(self, at_ms: int) -> FundingView | None:
        return self._funding.view(at_ms)

    @property
    def divergence(self) -> str:
        """`bearish` or `bullish` where the last minute confirmed that CVD did not follow the price, else ""."""
        return str(self._cvd.swing.kind) if self._cvd.swing else ""

    def estimated(self, incident: Alert) -> Alert:
        """An incident with what its capped feeds may have left out (detection.md 5.4), beside what was seen."""
        from_ms, to_ms = incident.started_ms or incident.exchange_ms, incident.latest_ms or incident.exchange_ms
        seen = [
            one
            for one in self._liquidations
            if one.position_side is incident.position_side and from_ms <= one.exchange_ms <= to_ms
        ]
        pairs = estimated_pairs(sum(one.notional_usd for one in seen), self._survival.estimate(seen))
        return replace(incident, estimated=(*incident.estimated, *pairs))
