"""Open-interest explosions: contracts created or destroyed in an unusual share of those that exist (detection.md 6).

Judged in coins, so that a price move is no change; once a closed minute, on event time. The context is what else was seen
in the window: facts, no verdict on who opened or closed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import sqrt

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity, Stage, stable_id
from intelligence.history import DAY_MS
from intelligence.market import Coverage
from intelligence.market_words import open_interest_text
from intelligence.minute import MINUTE_MS, Minute
from intelligence.minute_series import MinuteSeries
from intelligence.near_misses import NearMiss, below, near
from intelligence.oi_series import NEW_MS, OpenInterestSeries, VenueChange
from intelligence.quarter_hours import QUARTER_MS
from intelligence.thresholds.records import AssetThresholds, Policy, Threshold

WINDOWS_MS = (300_000, 900_000, 3_600_000, 14_400_000)  # detection.md 6
LEARNED_WINDOW_MS = 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterestRule:
    """`fresh_ms`: a figure older than that at an end of the window does not count (ours: two and a half polls).
    `agree_part`: a venue agrees from that part of the threshold on (ours). `alone_share`: a venue that holds so much of
    all open interest needs no other (detection.md 6). `rearm_ratio`, `rearm_minutes`: the incident ends below that part of
    the threshold for so long (4.6). `p2_ratio`: multiple of the threshold that interrupts people (ours); never P1, which
    is for what must be acted on at once. `growth`: what an update must add to the change that was told last (ours).
    `new_ms`: a contract that is traded for less than that counts in nothing (detection.md 6).
    """

    windows_ms: tuple[int, ...] = WINDOWS_MS
    fresh_ms: int = 150_000
    agree_part: float = 0.5
    alone_share: float = 0.5
    rearm_ratio: float = 0.60
    rearm_minutes: int = 2
    p2_ratio: float = 1.5
    growth: float = 0.1
    new_ms: int = NEW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterestThresholds:
    """`change_pct`: per cent, for every window that `by_window_ms` does not name. `minimum_usd`: of what is open.
    `minimum_change_usd`: of what was created or destroyed (detection.md 6: 1 % of a day's turnover), where it was learned.
    """

    change_pct: Threshold
    minimum_usd: Threshold
    by_window_ms: Mapping[int, Threshold] = field(default_factory=dict)
    minimum_change_usd: Threshold | None = None

    @classmethod
    def of(cls, thresholds: AssetThresholds) -> "OpenInterestThresholds":
        """A percentage that was given holds for every window. One that was learned is of 15 minutes, and those of the
        other windows grow with the root of their length, as quantiles do (docs/evaluation.md).
        """
        change = thresholds.oi_change_pct
        by_window = {window_ms: _scaled(change, window_ms) for window_ms in WINDOWS_MS}
        return cls(
            change_pct=change,
            minimum_usd=thresholds.minimum_oi_usd,
            minimum_change_usd=thresholds.minimum_oi_change_usd,
            by_window_ms=by_window if change.source == Policy.LEARNED else {},
        )

    def change(self, window_ms: int) -> Threshold:
        return self.by_window_ms.get(window_ms, self.change_pct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Venues whose coins may be added, together, over one window."""

    window_ms: int
    threshold: Threshold
    before: float
    after: float
    venues: tuple[VenueChange, ...]
    agreeing: tuple[str, ...]

    @property
    def fraction(self) -> float:
        return self.after / self.before - 1

    @property
    def ratio(self) -> float:
        """The change in thresholds, without its sign."""
        return 100 * abs(self.fraction) / self.threshold.value


@dataclass(slots=True, kw_only=True)
class _Incident:
    alert_id: str
    rising: bool
    started_ms: int
    severity: Severity
    largest: Change
    context: tuple[tuple[str, float | str], ...]
    told_ratio: float = 0.0
    quiet_minutes: int = 0


class OpenInterestDetector:
    """One incident of an asset at a time.

    `thresholds` may be replaced at any time; an open incident keeps the one that opened it in what it tells.
    """

    def __init__(self, asset: str, rule: OpenInterestRule, thresholds: OpenInterestThresholds) -> None:
        self._asset, self._rule = asset, rule
        self._minutes = MinuteSeries()
        self.thresholds = thresholds
        kept_ms = max(rule.windows_ms) + 2 * rule.fresh_ms
        self._series = OpenInterestSeries(kept_ms=kept_ms, new_ms=rule.new_ms)
        self._incident: _Incident | None = None
        self._changes_now: list[Change] = []

    def begin_with(self, past: Mapping[tuple[str, str], Iterable[tuple[int, float]]]) -> None:
        """Let the windows reach back before the first minute: (ms, coins) of contracts that minutes have told, oldest first."""
        for (venue, instrument), points in past.items():
            self._series.begin_with(venue, instrument, points)

    @property
    def is_open(self) -> bool:
        return self._incident is not None

    def take(self, minute: Minute, now_ms: int, configured: tuple[str, ...] = ()) -> Alert | None:
        """What a closed minute shows, judged at its end; figures with a later time wait for the next one."""
        if not self._minutes.add(minute):
            return None
        for record in minute.open_interest:
            self._series.add(record)
        price = minute.reference_price or minute.close
        if price is None:
            return None
        at_ms = minute.to_ms
        changes = [change for window_ms in self._rule.windows_ms for change in self._changes(at_ms, window_ms)]
        self._changes_now = changes
        if self._incident is not None:
            stage = self._follow(self._incident, changes, price)
        else:
            stage = self._open(changes, at_ms, price)
        if self._incident is None or stage is None:
            return None
        alert = self._alert(self._incident, stage, at_ms=at_ms, now_ms=now_ms, price=price, configured=configured)
        if stage is Stage.ENDED:
            self._incident = None
        return alert

    def near_miss(self, minute: Minute) -> NearMiss | None:
        """What kept the minute that was just taken from being told; None inside an incident.

        While no venue is there at both ends of any window this says so once a quarter of an hour.
        """
        price = minute.reference_price or minute.close
        if self._incident is not None or price is None or not minute.open_interest:
            return None
        if not self._changes_now:
            if minute.to_ms % QUARTER_MS:
                return None
            lacking = (self._why_nothing(minute.to_ms),)
            return near(minute, AlertKind.OPEN_INTEREST, 0.0, self.thresholds.change_pct, lacking, part=0.0)
        change = max(self._changes_now, key=_ratio)
        missing = (f"{change.window_ms // MINUTE_MS} min {lacking}" for lacking in self._lacking(change, price))
        value = 100 * abs(change.fraction)
        return near(minute, AlertKind.OPEN_INTEREST, value, change.threshold, missing)

    def _why_nothing(self, at_ms: int) -> str:
        if new := self._series.new(at_ms):
            which = ", ".join(f"{venue} {instrument}" for venue, instrument in new)
            return f"new market, traded for less than {self._rule.new_ms // DAY_MS} days: {which}"
        return "warming: no venue at both ends of a window"

    # -- what changed -------------------------------------------------------------------------------------------------

    def _changes(self, at_ms: int, window_ms: int) -> list[Change]:
        """The venues that count alike together, and each of the others alone."""
        venues = self._series.changes(at_ms, window_ms, fresh_ms=self._rule.fresh_ms)
        alike = tuple(venue for venue in venues if not venue.sides_unknown)
        groups = [alike] if alike else []
        groups += [(venue,) for venue in venues if venue.sides_unknown]
        return [self._together(group, venues, window_ms) for group in groups]

    def _together(self, group: tuple[VenueChange, ...], venues: tuple[VenueChange, ...], window_ms: int) -> Change:
        threshold = self.thresholds.change(window_ms)
        before, after = sum(venue.before for venue in group), sum(venue.after for venue in group)
        least = self._rule.agree_part * threshold.value / 100
        sign = 1 if after >= before else -1
        return Change(
            window_ms=window_ms,
            threshold=threshold,
            before=before,
            after=after,
            venues=venues,
            agreeing=tuple(venue.venue for venue in venues if sign * venue.change >= least),
        )

    def _fires(self, change: Change, price: float) -> bool:
        return next(self._lacking(change, price), None) is None

    def _lacking(self, change: Change, price: float) -> Iterator[str]:
        """Every condition that does not hold."""
        yield from below(100 * abs(change.fraction), change.threshold)
        if (usd := change.after * price) < (least := self.thresholds.minimum_usd.value):
            yield f"open interest {usd:.6g} of {least:.6g} USD"
        moved, asked = abs(change.after - change.before) * price, self.thresholds.minimum_change_usd
        if asked is not None and moved < asked.value:
            yield f"change {moved:.6g} of {asked.value:.6g} USD"
        if len(change.agreeing) < 2 and not any(self._carries(venue, change) for venue in change.agreeing):
            yield f"one venue alone: {change.agreeing[0]}" if change.agreeing else "no venue agrees"

    def _carries(self, name: str, change: Change) -> bool:
        """Whether a venue holds enough to count alone, even if it counts pairs twice and the others once."""
        own = next(venue for venue in change.venues if venue.venue == name)
        coins = own.after / 2 if own.sides_unknown and len(change.venues) > 1 else own.after
        others = sum(venue.after for venue in change.venues if venue.venue != name)
        return coins >= self._rule.alone_share * (coins + others)

    # -- the incident -------------------------------------------------------------------------------------------------

    def _severity(self, change: Change) -> Severity:
        return Severity.P2 if change.ratio >= self._rule.p2_ratio else Severity.P3

    def _open(self, changes: list[Change], at_ms: int, price: float) -> Stage | None:
        largest = max((change for change in changes if self._fires(change, price)), key=_ratio, default=None)
        if largest is None:
            return None
        self._incident = _Incident(
            alert_id=stable_id(AlertKind.OPEN_INTEREST, self._asset, at_ms // MINUTE_MS),
            rising=largest.fraction > 0,
            started_ms=at_ms,
            severity=self._severity(largest),
            largest=largest,
            context=self._context(largest, price),
        )
        return Stage.RAISED

    def _follow(self, incident: _Incident, changes: list[Change], price: float) -> Stage | None:
        same = [change for change in changes if (change.fraction > 0) == incident.rising]
        hot = any(change.ratio >= self._rule.rearm_ratio for change in same)
        incident.quiet_minutes = 0 if hot else incident.quiet_minutes + 1
        if incident.quiet_minutes >= self._rule.rearm_minutes:
            return Stage.ENDED
        largest = max((change for change in same if self._fires(change, price)), key=_ratio, default=None)
        if largest is None or largest.ratio <= incident.largest.ratio:
            return None
        incident.largest, incident.context = largest, self._context(largest, price)
        severity = min(incident.severity, self._severity(largest))  # "P1" < "P2" < "P3"
        graver, incident.severity = severity < incident.severity, severity
        return Stage.UPDATED if graver or largest.ratio >= incident.told_ratio * (1 + self._rule.growth) else None

    def _alert(
        self,
        incident: _Incident,
        stage: Stage,
        *,
        at_ms: int,
        now_ms: int,
        price: float,
        configured: tuple[str, ...],
    ) -> Alert:
        change = incident.largest
        incident.told_ratio = change.ratio
        used = tuple(venue.venue for venue in change.venues)
        alert = Alert(
            alert_id=incident.alert_id,
            kind=AlertKind.OPEN_INTEREST,
            asset=self._asset,
            severity=incident.severity,
            exchange_ms=incident.started_ms,
            detected_ms=now_ms,
            value=100 * abs(change.fraction),
            threshold=change.threshold.value,
            threshold_source=change.threshold.source,
            coverage=Coverage.COMPLETE,
            text="",
            stage=stage,
            factors=(
                *change.threshold.factors,
                ("minimum_oi_usd", self.thresholds.minimum_usd.value),
                ("minimum_oi_usd_source", self.thresholds.minimum_usd.source),
                *self._minimum_change_told(),
            ),
            context=incident.context,
            venues_able=used,
            venues_configured=configured or used,
            price=price,
            started_ms=incident.started_ms,
            latest_ms=at_ms,
            ended_ms=at_ms if stage is Stage.ENDED else None,
            count=len(change.agreeing),
        )
        return msgspec.structs.replace(alert, text=open_interest_text(alert))

    def _minimum_change_told(self) -> tuple[tuple[str, float], ...]:
        asked = self.thresholds.minimum_change_usd
        return () if asked is None else (("minimum_change_usd", asked.value),)

    def _context(self, change: Change, price: float) -> tuple[tuple[str, float | str], ...]:
        seen: list[tuple[str, float | str]] = [
            ("window_s", change.window_ms // 1000),
            ("change_pct", 100 * change.fraction),
            ("coins_before", change.before),
            ("coins_after", change.after),
            ("oi_usd", change.after * price),
            ("change_usd", (change.after - change.before) * price),
            ("venues_agreeing", ", ".join(change.agreeing)),
            *((f"change_pct_{venue.venue}", 100 * venue.change) for venue in change.venues),
        ]
        flow = self._minutes.flow(change.window_ms // MINUTE_MS, present=0.8)
        if flow is not None:
            seen += [
                ("price_move", flow.move),
                ("taker_imbalance", flow.imbalance),
                ("long_liquidated_usd", flow.long_usd),
                ("short_liquidated_usd", flow.short_usd),
            ]
        latest = self._minutes.latest
        return (*seen, *(latest.beside if latest else ()))


def _scaled(learned: Threshold, window_ms: int) -> Threshold:
    factor = sqrt(window_ms / LEARNED_WINDOW_MS)
    factors = (*learned.factors, ("pct_15m", learned.value), ("window_factor", factor))
    return replace(learned, value=learned.value * factor, factors=factors)


def _ratio(change: Change) -> float:
    return change.ratio
