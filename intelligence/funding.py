"""Funding that is far from usual, as context for people who look at an asset (no alert by itself).

Rates come per interval, which differs by venue and contract: everything is compared as the rate of eight hours.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from intelligence.divergence import robust_z
from intelligence.market import MarkPrice

HOUR_MS = 3_600_000
EIGHT_HOURS = 8.0
PAID_EVERY_H = MappingProxyType(
    {"hyperliquid": 1.0}
)  # docs/venues.md; the others' rates are taken for those of eight hours
KNOWN_INTERVALS_H = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRule:
    """`high_8h`: a fraction in eight hours that is extreme whatever is usual (ours: 0.1 %, ten times the venues' neutral
    0.01 %). `least_z`: extreme against the asset's own history, if at least `material_8h` (ours). `history_h`: hours kept.
    `stale_ms`: an older rate does not count.
    """

    high_8h: float = 0.001
    least_z: float = 5.0
    material_8h: float = 0.0003
    history_h: int = 28 * 24
    stale_ms: int = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingView:
    """`rate_8h`: median over venues, a fraction in eight hours; positive means longs pay. `z`: against the hours before,
    None while too few are known. `extreme`: by either measure. `by_venue`: the same of each venue.
    """

    rate_8h: float
    z: float | None
    extreme: bool
    by_venue: tuple[tuple[str, float], ...]

    @property
    def payer(self) -> str:
        return "longs" if self.rate_8h > 0 else "shorts"


class FundingTracker:
    """The funding of one asset over its venues, hour by hour."""

    def __init__(
        self, rule: FundingRule | None = None, *, intervals_h: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        """`intervals_h`: hours between two payments by venue, until two payments of a contract have shown it; else eight."""
        self._rule = rule or FundingRule()
        self._usual_h = intervals_h
        self._intervals: dict[tuple[str, str], float] = {}
        self._payments: dict[tuple[str, str], int] = {}
        self._rates: dict[tuple[str, str], tuple[int, float]] = {}
        self._hours: deque[float] = deque(maxlen=self._rule.history_h)
        self._hour: int | None = None

    def take(self, mark: MarkPrice) -> None:
        """Take a mark price that brings a rate; one without is ignored."""
        if mark.funding_rate is None:
            return
        self._close_hours(mark.exchange_ms)
        key = (mark.venue, mark.instrument)
        self._note_payment(key, mark.next_funding_ms)
        interval_h = self._intervals.get(key, self._usual_h.get(mark.venue, EIGHT_HOURS))
        if mark.exchange_ms >= self._rates.get(key, (0, 0.0))[0]:
            self._rates[key] = (mark.exchange_ms, mark.funding_rate * EIGHT_HOURS / interval_h)

    def view(self, at_ms: int) -> FundingView | None:
        """None while no venue tells a rate."""
        by_venue = self._by_venue(at_ms)
        if not by_venue:
            return None
        rate = median(by_venue.values())
        z = robust_z(rate, self._hours)
        unusual = z is not None and abs(z) >= self._rule.least_z and abs(rate) >= self._rule.material_8h
        return FundingView(
            rate_8h=rate,
            z=z,
            extreme=unusual or abs(rate) >= self._rule.high_8h,
            by_venue=tuple(sorted(by_venue.items())),
        )

    def _by_venue(self, at_ms: int) -> dict[str, float]:
        fresh: dict[str, list[float]] = {}
        for (venue, _), (told_ms, rate) in self._rates.items():
            if told_ms >= at_ms - self._rule.stale_ms:
                fresh.setdefault(venue, []).append(rate)
        return {venue: median(rates) for venue, rates in fresh.items()}

    def _close_hours(self, at_ms: int) -> None:
        """Keep what the hour ended with, from the rates before anything of the next."""
        hour = at_ms // HOUR_MS
        if self._hour is not None and hour > self._hour:
            by_venue = self._by_venue(hour * HOUR_MS)
            if by_venue:
                self._hours.append(median(by_venue.values()))
        self._hour = hour if self._hour is None else max(hour, self._hour)

    def _note_payment(self, key: tuple[str, str], next_ms: int | None) -> None:
        """Two payment times announced one after the other tell how far apart they are."""
        before_ms = self._payments.get(key)
        if next_ms is None or next_ms == before_ms:
            return
        self._payments[key] = next_ms
        if before_ms is not None:
            hours = (next_ms - before_ms) / HOUR_MS
            known = next((known for known in KNOWN_INTERVALS_H if abs(hours - known) < 0.01), None)
            if known is not None:
                self._intervals[key] = known
