"""When many assets fire together it is one event of the market and one message (detection.md 13.12).

Takes the alerts of the assets as they are raised, on their event time; says which of them the incident already tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity, Stage, VenueShare, stable_id
from intelligence.market import Coverage, PositionSide
from intelligence.market_words import market_wide_text
from intelligence.thresholds.records import Policy

ASSET = "MARKET"
KINDS = frozenset({AlertKind.LIQUIDATION, AlertKind.CASCADE, AlertKind.OPEN_INTEREST})
LEADERS = 5
JOINED_MOST = 100  # times that are told, for pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketWideRule:
    """All ours. `window_ms`: how close together counts. `least_assets`, `least_share`: distinct assets, and of all that are
    watched; both must hold. Single liquidations are counted from P2 on: every asset has a few an hour.
    `p1_share`: that share of all, and a cascade in half of the assets that fire, wakes people. `quiet_ms`: it ends when no asset
    has joined or grown for so long. `update_every_ms`: event time between two updates that tell only more of the same.
    """

    window_ms: int = 300_000
    least_assets: int = 5
    least_share: float = 0.15
    p1_share: float = 0.40
    quiet_ms: int = 600_000
    update_every_ms: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an asset's alert came to. `folded_into`: the incident that already tells it; None where it is to be sent itself.
    `alert`: what there is to tell of the market because of it.
    """

    folded_into: str | None = None
    alert: Alert | None = None


@dataclass(slots=True, kw_only=True)
class _Incident:
    alert_id: str
    started_ms: int
    needed: int
    severity: Severity
    latest_ms: int
    told_ms: int = 0
    alerts: dict[str, Alert] = field(default_factory=dict)  # the newest of each id
    folded: set[str] = field(default_factory=set)

    @property
    def assets(self) -> list[str]:
        return sorted({alert.asset for alert in self.alerts.values()})


class MarketWideDetector:
    """One incident at a time. `watched`: how many assets are watched; set it when the universe changes."""

    def __init__(self, rule: MarketWideRule, watched: int) -> None:
        self._rule = rule
        self.watched = watched
        self._recent: dict[str, tuple[int, Alert]] = {}  # by id: when it was raised, and its newest stage
        self._folded: dict[str, str] = {}  # alert id: incident; of the open one and the last
        self._incident: _Incident | None = None
        self._frontier_ms = 0

    @property
    def open_incident(self) -> str | None:
        return None if self._incident is None else self._incident.alert_id

    def take(self, alert: Alert, now_ms: int) -> Verdict:
        """Every alert of an asset, in the order in which they come. Its later stages go the way of its first.

        A volume spike is told by an open incident, too, and has no part in it: what becomes of the alerts of core detection
        must not hang on an enhancement.
        """
        if alert.kind is AlertKind.VOLUME_SPIKE:
            return Verdict(folded_into=self._fold_beside(alert))
        if alert.kind not in KINDS:
            return Verdict()
        at_ms = _event_ms(alert)
        self._frontier_ms = max(self._frontier_ms, at_ms)
        if alert.stage is not Stage.RAISED:
            return self._later_stage(alert, now_ms)
        if alert.kind is AlertKind.LIQUIDATION and alert.severity is Severity.P3:
            return Verdict(folded_into=self._fold(alert))
        self._recent[alert.alert_id] = (at_ms, alert)
        self._forget()
        if self._incident is None:
            return Verdict(alert=self._open(now_ms))
        folded_into = self._fold(alert)
        return Verdict(folded_into=folded_into, alert=self._join(self._incident, alert, now_ms))

    def end_by(self, market_ms: int) -> Alert | None:
        """End the incident when nothing has come for long."""
        incident = self._incident
        if incident is None or market_ms < incident.latest_ms + self._rule.quiet_ms:
            return None
        self._incident = None
        return self._alert(incident, Stage.ENDED, market_ms)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _open(self, now_ms: int) -> Alert | None:
        needed = max(self._rule.least_assets, -int(-self._rule.least_share * self.watched // 1))
        alerts = {name: alert for name, (_, alert) in self._recent.items()}
        if len({alert.asset for alert in alerts.values()}) < needed:
            return None
        started_ms = min(alert.exchange_ms for alert in alerts.values())
        incident = self._incident = _Incident(
            alert_id=stable_id(AlertKind.MARKET_WIDE, started_ms),
            started_ms=started_ms,
            needed=needed,
            severity=Severity.P2,
            latest_ms=self._frontier_ms,
            alerts=alerts,
        )
        self._folded.clear()
        incident.severity = self._severity(incident)
        return self._alert(incident, Stage.RAISED, now_ms)

    def _fold(self, alert: Alert) -> str | None:
        """Into the open incident, unless the alert is graver than what people were told."""
        incident = self._incident
        if incident is None or alert.severity < incident.severity:  # "P1" < "P2"
            return None
        incident.folded.add(alert.alert_id)
        self._folded[alert.alert_id] = incident.alert_id
        return incident.alert_id

    def _fold_beside(self, alert: Alert) -> str | None:
        incident = self._incident
        if alert.stage is Stage.RAISED and incident is not None and alert.severity >= incident.severity:
            self._folded[alert.alert_id] = incident.alert_id
        return self._folded.get(alert.alert_id)

    def _join(self, incident: _Incident, alert: Alert, now_ms: int) -> Alert | None:
        incident.alerts[alert.alert_id] = alert
        incident.latest_ms = max(incident.latest_ms, _event_ms(alert))
        severity = min(incident.severity, self._severity(incident), alert.severity)
        graver, incident.severity = severity < incident.severity, severity
        if graver or self._frontier_ms >= incident.told_ms + self._rule.update_every_ms:
            return self._alert(incident, Stage.UPDATED, now_ms)
        return None

    def _later_stage(self, alert: Alert, now_ms: int) -> Verdict:
        incident = self._incident
        if alert.alert_id in self._recent:
            raised_ms, _ = self._recent[alert.alert_id]
            self._recent[alert.alert_id] = (raised_ms, alert)
        told = None
        if incident is not None and alert.alert_id in incident.alerts:
            if alert.stage is Stage.ENDED:
                incident.alerts[alert.alert_id] = alert
            else:
                told = self._join(incident, alert, now_ms)
        return Verdict(folded_into=self._folded.get(alert.alert_id), alert=told)

    def _forget(self) -> None:
        oldest_ms = self._frontier_ms - self._rule.window_ms
        self._recent = {name: known for name, known in self._recent.items() if known[0] > oldest_ms}

    def _severity(self, incident: _Incident) -> Severity:
        assets = incident.assets
        cascading = {alert.asset for alert in incident.alerts.values() if alert.kind is AlertKind.CASCADE}
        broad = len(assets) >= self._rule.p1_share * self.watched and 2 * len(cascading) >= len(assets)
        return Severity.P1 if broad else Severity.P2

    def _alert(self, incident: _Incident, stage: Stage, now_ms: int) -> Alert:
        incident.told_ms = self._frontier_ms
        alerts = incident.alerts.values()
        first = min(alerts, key=lambda alert: (alert.exchange_ms, alert.alert_id))
        shares = _by_venue(incident.alerts)
        alert = Alert(
            alert_id=incident.alert_id,
            kind=AlertKind.MARKET_WIDE,
            asset=ASSET,
            severity=incident.severity,
            exchange_ms=incident.started_ms,
            detected_ms=now_ms,
            value=float(len(incident.assets)),
            threshold=float(incident.needed),
            threshold_source=Policy.STATIC,
            coverage=_worst(shares),
            text="",
            stage=stage,
            factors=(
                ("least_assets", self._rule.least_assets),
                ("least_share", self._rule.least_share),
                ("watched", self.watched),
                ("window_s", self._rule.window_ms // 1000),
            ),
            context=_context(incident, first),
            venues_able=first.venues_able,
            venues_configured=first.venues_configured,
            count=len(incident.alerts),
            started_ms=incident.started_ms,
            latest_ms=incident.latest_ms,
            ended_ms=incident.latest_ms if stage is Stage.ENDED else None,
            first_venue=first.first_venue or first.venue,
            by_venue=shares,
        )
        return msgspec.structs.replace(alert, text=market_wide_text(alert))


def _context(incident: _Incident, first: Alert) -> tuple[tuple[str, float | str], ...]:
    strongest: dict[str, float] = {}
    for alert in incident.alerts.values():
        strongest[alert.asset] = max(strongest.get(alert.asset, 0.0), alert.value / alert.threshold)
    leaders = sorted(strongest, key=lambda asset: (-strongest[asset], asset))[:LEADERS]
    seen: list[tuple[str, float | str]] = [
        ("assets", ", ".join(incident.assets)),
        ("leaders", ", ".join(f"{asset} {strongest[asset]:.1f}x" for asset in leaders)),
        ("first_mover", first.asset),
        ("first_kind", str(first.kind)),
        ("folded", len(incident.folded)),
        (
            "joined_s",
            ",".join(f"{(at_ms - incident.started_ms) / 1_000:.0f}" for at_ms in _joined(incident)[:JOINED_MOST]),
        ),
    ]
    for kind in sorted(KINDS):
        concerned = {alert.asset for alert in incident.alerts.values() if alert.kind is kind}
        if concerned:
            seen.append((f"assets_{kind}", len(concerned)))
    return (*seen, *_liquidated(incident.alerts))


def _joined(incident: _Incident) -> list[int]:
    """When each asset fired first, in the order of time."""
    first: dict[str, int] = {}
    for alert in incident.alerts.values():
        first[alert.asset] = min(first.get(alert.asset, alert.exchange_ms), alert.exchange_ms)
    return sorted(first.values())


def _liquidated(alerts: Mapping[str, Alert]) -> list[tuple[str, float | str]]:
    """Sums by side over the cascades, and over single orders of assets without one: those are part of their cascade."""
    sums: list[tuple[str, float | str]] = []
    for side in PositionSide:
        ours = [alert for alert in alerts.values() if alert.position_side is side]
        cascading = {alert.asset for alert in ours if alert.kind is AlertKind.CASCADE}
        counted = [
            alert
            for alert in ours
            if alert.kind is AlertKind.CASCADE or (alert.kind is AlertKind.LIQUIDATION and alert.asset not in cascading)
        ]
        if counted:
            sums.append((f"{side}_liquidated_usd", sum(alert.value for alert in counted)))
    return sums


def _by_venue(alerts: Mapping[str, Alert]) -> tuple[VenueShare, ...]:
    """What the cascades' venues brought, together; largest first."""
    found: dict[str, VenueShare] = {}
    for share in (share for name in sorted(alerts) for share in alerts[name].by_venue):
        known = found.get(share.venue)
        found[share.venue] = VenueShare(
            venue=share.venue,
            notional_usd=share.notional_usd + (known.notional_usd if known else 0.0),
            count=share.count + (known.count if known else 0),
            coverage=share.coverage,
        )
    return tuple(sorted(found.values(), key=lambda share: (-share.notional_usd, share.venue)))


def _worst(shares: tuple[VenueShare, ...]) -> Coverage:
    return Coverage.COMPLETE if all(share.coverage is Coverage.COMPLETE for share in shares) else Coverage.CAPPED


def _event_ms(alert: Alert) -> int:
    return alert.latest_ms or alert.exchange_ms
