"""Volume spikes: far more traded than usual, and the price really moves (detection.md 7).

Rolling over 1, 5 and 15 minutes, judged once a closed minute on event time. Volume alone finds many bursts after which
nothing follows, so a spike is told only while the price ranges of the last minutes and hours are wide for the time of day
(`range_lift`; docs/evaluation.md has what that brings).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf, sqrt

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity, Stage, stable_id
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.market import Coverage
from intelligence.market_words import volume_spike_text
from intelligence.minute import MINUTE_MS, Minute
from intelligence.minute_series import Flow, MinuteSeries
from intelligence.near_misses import NearMiss, below, near
from intelligence.quarter_hours import QUARTER_MS, QuarterHoursState
from intelligence.thresholds.records import Factors, Policy, Threshold
from intelligence.usual_activity import RANGES_MIN, Usual, UsualActivity
from intelligence.volatility import Volatility, VolatilityRule

WINDOWS_MIN = (1, 5, 15)
NEAR_PART = 0.7  # of the threshold: about twice the usual volume, below that nobody asks why nothing was told (ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One window against its threshold. `rvol`: against the usual volume of so many minutes."""

    minutes: int
    flow: Flow
    threshold: Threshold
    rvol: float
    sigmas: float | None

    @property
    def ratio(self) -> float:
        return self.flow.total_usd / self.threshold.value


@dataclass(slots=True, kw_only=True)
class _Incident:
    alert_id: str
    started_ms: int
    severity: Severity
    spike: Spike
    lift: float
    told_ratio: float
    price: float
    quiet_minutes: int = 0


class VolumeSpikeDetector:
    """One incident of an asset at a time.

    `threshold`: USD in 15 minutes from the chain of thresholds; None: the multiple of the usual volume stands alone,
    as `static`. It may be replaced at any time. `expired`: which threshold stood before and counts no longer, for the record.
    """

    def __init__(self, asset: str, rule: VolumeRule, state: QuarterHoursState | None = None) -> None:
        self._asset, self._rule = asset, rule
        self.threshold: Threshold | None = None
        self.expired: Factors = ()
        self._minutes = MinuteSeries()
        self._activity = UsualActivity(self._minutes, rule.least_samples, state)
        self._volatility = Volatility(VolatilityRule())
        self._incident: _Incident | None = None
        self._not_before_ms = 0

    @property
    def state(self) -> QuarterHoursState:
        """What a restarted instance needs, so that it need not learn again what is usual."""
        return self._activity.state

    @property
    def is_open(self) -> bool:
        return self._incident is not None

    def known_quarters(self, at_ms: int) -> int:
        """How many quarters of an hour say what is usual."""
        return self._activity.samples(at_ms)

    def is_whole(self, at_ms: int) -> bool:
        """Whether the baseline counts and no minute of the longest range is missing."""
        return self._activity.usual(at_ms) is not None and self._minutes.flow(RANGES_MIN[-1]) is not None

    def learn(self, minute: Minute) -> None:
        """Take a minute of the past, without a word about it."""
        self._take(minute)

    def begin_with(self, past: Sequence[Minute], hours_usd: Mapping[int, float]) -> None:
        """Let what nobody watched be known from elsewhere, in USD of all venues: minutes, oldest first, and the turnover of
        hours by their start (ms). What was watched stays as it is.
        """
        self._minutes.fill(past)
        self._activity.begin_with(past, hours_usd)
        self._volatility.begin_with((minute.from_ms, minute.close) for minute in past if minute.close is not None)

    def take(self, minute: Minute, now_ms: int, configured: tuple[str, ...] = ()) -> Alert | None:
        """What a closed minute shows, judged at its end."""
        if not self._take(minute):
            return None
        spikes = self._spikes(minute.to_ms)
        found = self._largest(spikes, minute.to_ms)
        incident = self._incident
        stage = self._open(found, minute) if incident is None else self._follow(incident, spikes, found)
        incident = self._incident
        if incident is None or stage is None:
            return None
        if stage is Stage.ENDED:
            self._incident = None
        incident.told_ratio = incident.spike.ratio
        return self._alert(incident, stage, minute.to_ms, now_ms, configured)

    def near_miss(self, minute: Minute) -> NearMiss | None:
        """What kept the minute that was just taken from being told; None inside an incident.

        While it warms up this says so once a quarter of an hour.
        """
        if self._incident is not None:
            return None
        known, least = self._activity.samples(minute.to_ms), self._rule.least_samples
        if self._activity.usual(minute.to_ms) is None:
            if minute.to_ms % QUARTER_MS:
                return None
            flow = self._minutes.flow(15)
            floor = self.threshold or Threshold(value=self._rule.minimum_usd)
            warming = f"warming: {known} of {least} quarters of an hour known"
            value = flow.total_usd if flow is not None else 0.0
            return near(minute, AlertKind.VOLUME_SPIKE, value, floor, (warming,), part=0.0)
        spike = max(self._spikes(minute.to_ms), key=_ratio, default=None)
        if spike is None:
            return None
        missing = (*self._lacking(spike), *self._lacking_around(minute.to_ms))
        usd = spike.flow.total_usd
        return near(minute, AlertKind.VOLUME_SPIKE, usd, spike.threshold, missing, part=NEAR_PART)

    def range_lift(self, at_ms: int) -> float | None:
        """How much wider than usual the price ranges up to the newest minute are, which ends at `at_ms`."""
        return self._activity.range_lift(at_ms)

    def _take(self, minute: Minute) -> bool:
        if not self._minutes.add(minute):
            return False
        if minute.close is not None:
            self._volatility.observe(minute.from_ms, minute.close)
        self._activity.note(minute.to_ms)
        return True

    # -- what is unusual ----------------------------------------------------------------------------------------------

    def _spikes(self, at_ms: int) -> list[Spike]:
        """Every window whose minutes are all there, with its threshold."""
        usual = self._activity.usual(at_ms)
        if usual is None:
            return []
        spikes = []
        for minutes in WINDOWS_MIN:
            flow = self._minutes.flow(minutes)
            threshold = self._threshold(minutes, usual)
            if flow is None or threshold.value <= 0:
                continue
            usual_usd = usual.volume_15m_usd * minutes / 15
            sigma = self._volatility.sigma_before(at_ms - minutes * MINUTE_MS)
            spikes.append(
                Spike(
                    minutes=minutes,
                    flow=flow,
                    threshold=threshold,
                    rvol=flow.total_usd / usual_usd if usual_usd else float("inf"),
                    sigmas=None if sigma is None else flow.move / (sigma * sqrt(minutes)),
                )
            )
        return spikes

    def _threshold(self, minutes: int, usual: Usual) -> Threshold:
        """USD in so many minutes: the same rate of trading as in 15, the floor, and the window's own multiple."""
        part = minutes / 15 * self._rule.multiple_of(minutes) / self._rule.multiple
        if self.threshold is not None:
            whole, source = self.threshold.value, self.threshold.source
            factors, samples = self.threshold.factors, self.threshold.samples
        else:
            own = self._rule.multiple
            whole, source, samples = own * usual.volume_15m_usd, str(Policy.STATIC), usual.samples
            factors = (("multiple", own), ("usual_15m_usd", usual.volume_15m_usd), *self.expired)
        floor = self._rule.minimum_usd
        return Threshold(
            value=max(whole, floor) * part,
            source=source,
            factors=(*factors, ("usd_15m", whole), ("floor_15m_usd", floor), ("window_factor", part)),
            samples=samples,
        )

    def _largest(self, spikes: list[Spike], at_ms: int) -> tuple[Spike, float] | None:
        """The window that is furthest above its threshold, and the lift that lets it be told."""
        firing = [spike for spike in spikes if next(self._lacking(spike), None) is None]
        lift = self.range_lift(at_ms) if firing else None
        if lift is None or lift < self._rule.minimum_lift:
            return None
        return max(firing, key=_ratio), lift

    def _lacking(self, spike: Spike) -> Iterator[str]:
        """Every condition of one window that does not hold."""
        rule, name = self._rule, f"{spike.minutes} min"
        yield from (f"{name} {missing}" for missing in below(spike.flow.total_usd, spike.threshold))
        if spike.rvol < (least := rule.multiple_of(spike.minutes)):
            yield f"{name} relative volume {spike.rvol:.2f} of {least:g}"
        moved = spike.sigmas is None or abs(spike.sigmas) >= rule.least_sigmas
        if not moved and abs(spike.flow.imbalance) < rule.least_imbalance:
            yield f"move {spike.sigmas:.1f} of {rule.least_sigmas:g} sigma, and imbalance {spike.flow.imbalance:.2f} of {rule.least_imbalance:g}"

    def _lacking_around(self, at_ms: int) -> Iterator[str]:
        """What else must hold for an incident to begin."""
        lift = self.range_lift(at_ms)
        if lift is None:
            yield "warming: too few minutes for the price ranges"
        elif lift < self._rule.minimum_lift:
            yield f"price ranges {lift:.2f} of {self._rule.minimum_lift:g} times the usual"
        if at_ms < self._not_before_ms:
            yield f"{self._rule.apart_minutes} min after the last incident began"

    def _severity(self, lift: float) -> Severity:
        return Severity.P2 if lift >= self._rule.p2_lift else Severity.P3

    # -- the incident -------------------------------------------------------------------------------------------------

    def _open(self, found: tuple[Spike, float] | None, minute: Minute) -> Stage | None:
        price = minute.close or minute.reference_price
        if found is None or price is None or minute.to_ms < self._not_before_ms:
            return None
        spike, lift = found
        self._not_before_ms = minute.to_ms + self._rule.apart_minutes * MINUTE_MS
        self._incident = _Incident(
            alert_id=stable_id(AlertKind.VOLUME_SPIKE, self._asset, minute.to_ms // MINUTE_MS),
            started_ms=minute.to_ms,
            severity=self._severity(lift),
            spike=spike,
            lift=lift,
            told_ratio=spike.ratio,
            price=price,
        )
        return Stage.RAISED

    def _follow(self, incident: _Incident, spikes: list[Spike], found: tuple[Spike, float] | None) -> Stage | None:
        window = incident.spike.minutes
        hot = any(spike.minutes == window and spike.ratio >= self._rule.rearm_ratio for spike in spikes)
        incident.quiet_minutes = 0 if hot else incident.quiet_minutes + 1
        if incident.quiet_minutes >= self._rule.rearm_windows * window:
            return Stage.ENDED
        if found is None:
            return None
        spike, lift = found
        if spike.ratio > incident.spike.ratio:
            incident.spike, incident.lift = spike, lift
        severity = min(incident.severity, self._severity(lift))  # "P1" < "P2" < "P3"
        graver, incident.severity = severity < incident.severity, severity
        grown = incident.spike.ratio >= incident.told_ratio * (1 + self._rule.growth)
        return Stage.UPDATED if graver or grown else None

    def _alert(self, incident: _Incident, stage: Stage, at_ms: int, now_ms: int, configured: tuple[str, ...]) -> Alert:
        spike = incident.spike
        alert = Alert(
            alert_id=incident.alert_id,
            kind=AlertKind.VOLUME_SPIKE,
            asset=self._asset,
            severity=incident.severity,
            exchange_ms=incident.started_ms,
            detected_ms=now_ms,
            value=spike.flow.total_usd,
            threshold=spike.threshold.value,
            threshold_source=spike.threshold.source,
            coverage=Coverage.COMPLETE,
            text="",
            stage=stage,
            factors=(*spike.threshold.factors, ("minimum_lift", self._rule.minimum_lift)),
            context=self._context(spike, incident.lift),
            venues_able=self._venues(spike.minutes),
            venues_configured=configured,
            price=incident.price,
            started_ms=incident.started_ms,
            latest_ms=at_ms,
            ended_ms=at_ms if stage is Stage.ENDED else None,
        )
        return msgspec.structs.replace(alert, text=volume_spike_text(alert))

    def _venues(self, minutes: int) -> tuple[str, ...]:
        """Whose trades came in the window."""
        return tuple(sorted({venue for minute in self._minutes.newest(minutes) for venue in minute.venues}))

    def _context(self, spike: Spike, lift: float) -> tuple[tuple[str, float | str], ...]:
        flow = spike.flow
        seen: list[tuple[str, float | str]] = [
            ("window_s", spike.minutes * 60),
            ("imbalance", flow.imbalance),
            ("price_move", flow.move),
            ("range_lift", lift),
            ("largest_share", flow.largest_share),
            ("long_liquidated_usd", flow.long_usd),
            ("short_liquidated_usd", flow.short_usd),
        ]
        if not isinf(spike.rvol):
            seen.append(("rvol", spike.rvol))
        if spike.sigmas is not None:
            seen.append(("move_sigmas", spike.sigmas))
        if flow.largest_share > self._rule.block_share:
            seen.append(("one_block", "yes"))
        return tuple(seen)


def _ratio(spike: Spike) -> float:
    return spike.ratio
