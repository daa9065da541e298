"""Volume spikes: far more traded than usual, and the price really moves (detection.md 7).

Rolling over 1, 5 and 15 minutes, judged once a closed minute on event time. Volume alone finds many bursts after which
nothing follows, so a spike is told only while the price ranges of the last minutes and hours are wide for the time of day
(`range_lift`; docs/evaluation.md has what that brings).
"""

from dataclasses import dataclass
from math import isinf, sqrt

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity, Stage, stable_id
from intelligence.market import Coverage
from intelligence.market_words import volume_spike_text
from intelligence.minute import MINUTE_MS, Minute
from intelligence.minute_series import Flow, MinuteSeries
from intelligence.quarter_hours import QuarterHoursState
from intelligence.thresholds.records import Policy, Threshold
from intelligence.usual_activity import Usual, UsualActivity
from intelligence.volatility import Volatility, VolatilityRule

WINDOWS_MIN = (1, 5, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRule:
    """`multiple`: relative volume that 5 and 15 minutes must reach (detection.md 7); `minute_multiple`: that a single minute
    must, which varies more (ours). `minimum_usd`: floor of 15 minutes (ours). `least_imbalance`, `least_sigmas`: one of them must hold (7).
    `minimum_lift`, `p2_lift`: how much wider than usual the ranges are, to be told and to interrupt people; ours, about
    two and one a day on the data of docs/evaluation.md. `rearm_ratio`, `rearm_windows`: the incident ends below that part of
    its threshold for so many of its own windows (4.6). `apart_minutes`: the least time between two incidents (ours).
    `growth`: how much more an update must tell (ours). `least_samples`: quarters of an hour before anything counts as usual:
    one day. `block_share`: one trade as so much of the volume is named (7).
    """

    multiple: float = 3.0
    minute_multiple: float = 8.0
    minimum_usd: float = 250_000.0
    least_imbalance: float = 0.25
    least_sigmas: float = 1.0
    minimum_lift: float = 3.0
    p2_lift: float = 3.5
    rearm_ratio: float = 0.60
    rearm_windows: int = 2
    apart_minutes: int = 60
    growth: float = 0.5
    least_samples: int = 96
    block_share: float = 0.5

    def multiple_of(self, minutes: int) -> float:
        return self.minute_multiple if minutes == 1 else self.multiple


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
    as `static`. It may be replaced at any time.
    """

    def __init__(self, asset: str, rule: VolumeRule, state: QuarterHoursState | None = None) -> None:
        self._asset, self._rule = asset, rule
        self.threshold: Threshold | None = None
        self._minutes = MinuteSeries()
        self._activity = UsualActivity(self._minutes, rule.least_samples, state)
        self._volatility = Volatility(VolatilityRule())
        self._incident: _Incident | None = None
        self._not_before_ms = 0

    @property
    def state(self) -> QuarterHoursState:
        """What a restarted instance needs, so that it need not learn again what is usual."""
        return self._activity.state

    def learn(self, minute: Minute) -> None:
        """Take a minute of the past, without a word about it."""
        self._take(minute)

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
            factors = (("multiple", own), ("usual_15m_usd", usual.volume_15m_usd))
        floor = self._rule.minimum_usd
        return Threshold(
            value=max(whole, floor) * part,
            source=source,
            factors=(*factors, ("usd_15m", whole), ("floor_15m_usd", floor), ("window_factor", part)),
            samples=samples,
        )

    def _largest(self, spikes: list[Spike], at_ms: int) -> tuple[Spike, float] | None:
        """The window that is furthest above its threshold, and the lift that lets it be told."""
        firing = [spike for spike in spikes if self._fires(spike)]
        lift = self.range_lift(at_ms) if firing else None
        if lift is None or lift < self._rule.minimum_lift:
            return None
        return max(firing, key=lambda spike: spike.ratio), lift

    def _fires(self, spike: Spike) -> bool:
        moved = spike.sigmas is None or abs(spike.sigmas) >= self._rule.least_sigmas
        return (
            spike.ratio >= 1
            and spike.rvol >= self._rule.multiple_of(spike.minutes)
            and (moved or abs(spike.flow.imbalance) >= self._rule.least_imbalance)
        )

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
            venues_configured=configured,
            price=incident.price,
            started_ms=incident.started_ms,
            latest_ms=at_ms,
            ended_ms=at_ms if stage is Stage.ENDED else None,
        )
        return msgspec.structs.replace(alert, text=volume_spike_text(alert))

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
