"""What we tell people, and the stable names of what we tell."""

import base64
import hashlib
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from intelligence.market import Coverage, PositionSide, PriceKind


class AlertKind(StrEnum):
    """A notice is the daemon's own word to one chat (a greeting, a digest, a test): nothing was detected."""

    LIQUIDATION = "liquidation"
    CASCADE = "cascade"
    OPEN_INTEREST = "open_interest"
    VOLUME_SPIKE = "volume_spike"
    ZONE_APPROACH = "zone_approach"
    MARKET_WIDE = "market_wide"
    FEED_HEALTH = "feed_health"
    NOTICE = "notice"


class Severity(StrEnum):
    """P1 wakes people, P2 interrupts them, P3 waits on the screen."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Stage(StrEnum):
    """A single event is only raised; an incident is raised once, updated under its id, and ended."""

    RAISED = "raised"
    UPDATED = "updated"
    ENDED = "ended"


class VenueShare(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one venue contributed to an incident; the sum of a capped feed is a lower bound."""

    venue: str
    notional_usd: float
    count: int
    coverage: Coverage


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One alert record (contract.md 7). An incident keeps its `alert_id` over all stages.

    `value` and `threshold` are USD for liquidations and cascades. `exchange_ms` is the event (for an incident: the first
    order of the window that opened it), `detected_ms` our clock at the detection. `factors` and `estimated` are pairs of
    name and figure: what made the threshold, and what was estimated rather than seen. `context` is what was seen beside
    it, such as the sum of the last minute. `count` is fills of a liquidation, orders of an incident. `move` is the change
    of the reference price since just before the incident, as a fraction, negative when it fell. `latest_ms` is the last
    order counted so far. For open interest `value` and `threshold` are per cent, `count` is venues that agree. `shadow`: the
    rule is on trial, so the alert is decided and recorded and never sent (detection.md 12.8).
    """

    alert_id: str
    kind: AlertKind
    asset: str
    severity: Severity
    exchange_ms: int
    detected_ms: int
    value: float
    threshold: float
    threshold_source: str
    coverage: Coverage
    text: str
    stage: Stage = Stage.RAISED
    position_side: PositionSide | None = None
    factors: tuple[tuple[str, float | str], ...] = ()
    estimated: tuple[tuple[str, float], ...] = ()
    context: tuple[tuple[str, float | str], ...] = ()
    venues_able: tuple[str, ...] = ()
    venues_configured: tuple[str, ...] = ()
    # liquidations: where and at what price
    venue: str | None = None
    instrument: str | None = None
    price: float | None = None
    price_kind: PriceKind | None = None
    # incidents: what happened so far
    count: int = 1
    started_ms: int | None = None
    latest_ms: int | None = None
    ended_ms: int | None = None
    first_venue: str | None = None
    by_venue: tuple[VenueShare, ...] = ()
    move: float | None = None
    shadow: bool = False


def on_trial(alert: Alert, trials: frozenset[AlertKind]) -> Alert:
    """The alert as it is, or in shadow when its kind is on trial."""
    return replace(alert, shadow=True) if alert.kind in trials else alert


def stable_id(*parts: str | float) -> str:
    """Twelve characters that are the same for the same event, over restarts and machines.

    Floats enter by their shortest decimal form, so 1.0 and 1 differ: pass the same type every time.
    """
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return base64.b32encode(digest[:8]).decode()[:12].lower()
