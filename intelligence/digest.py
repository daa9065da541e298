"""A day in a few lines: what was told to a chat, what was held back from it and why, and the largest of each family. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from intelligence.alerts import Alert, AlertKind
from intelligence.explanations import GATES
from intelligence.time_of_day import clock_time
from intelligence.wording import plain_text

SHOWN = 8  # of those that were held back
FAMILIES = {
    AlertKind.LIQUIDATION: "Liquidations",
    AlertKind.CASCADE: "Cascades",
    AlertKind.OPEN_INTEREST: "Open interest",
    AlertKind.VOLUME_SPIKE: "Volume spikes",
    AlertKind.ZONE_APPROACH: "Zones",
    AlertKind.MARKET_WIDE: "Market-wide",
    AlertKind.FEED_HEALTH: "Venues lost",
}


class Told(NamedTuple):
    """An alert and what was decided on it for one chat: `held` names the gate, "" where it was sent."""

    alert: Alert
    held: str


def digest_text(day: Sequence[Told], zone: str) -> str:
    if not day:
        return "Digest of 24 h: no alert\nNothing crossed its threshold"
    held = [one for one in day if one.held]
    lines = [f"Digest of 24 h: {_alerts(len(day))}, {len(held)} held back"]
    if held:
        reasons = Counter(GATES.get(one.held.partition(":")[0], one.held) for one in held)
        lines.append("Held back: " + ", ".join(f"{n} {reason}" for reason, n in reasons.most_common()))
    lines += [line for kind, name in FAMILIES.items() if (line := _family(name, kind, day))]
    most = sorted(held, key=lambda one: (one.alert.severity, -_strength(one.alert)))[:SHOWN]
    if most:
        lines.append("The gravest that were held back:")
        lines += [_line(one.alert, zone) for one in sorted(most, key=lambda one: one.alert.exchange_ms)]
    return "\n".join(lines)


def _alerts(n: int) -> str:
    return "1 alert" if n == 1 else f"{n} alerts"


def _family(name: str, kind: AlertKind, day: Sequence[Told]) -> str:
    alerts = [one.alert for one in day if one.alert.kind is kind]
    if not alerts:
        return ""
    largest = max(alerts, key=_strength)
    return f"{name}: {len(alerts)}, first of all {_first_line(largest)}"


def _line(alert: Alert, zone: str) -> str:
    return f"{clock_time(alert.exchange_ms, zone)} {alert.severity} {_first_line(alert)}"


def _first_line(alert: Alert) -> str:
    return plain_text(alert).partition("\n")[0]


def _strength(alert: Alert) -> float:
    """In thresholds, which compare over assets and families."""
    return alert.value / alert.threshold if alert.threshold else 0.0
