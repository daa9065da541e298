"""What a chat has chosen, in words and on buttons. Pure; plain text."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from actors.telegram.answer import Button
from intelligence.alerts import AlertKind, Severity
from intelligence.amounts import compact_usd
from intelligence.gates import Loudness, Mute, OwnThreshold, Preferences, QuietHours

FAMILIES = {
    AlertKind.LIQUIDATION: ("Liquidations", "liquidation"),
    AlertKind.CASCADE: ("Cascades", "cascade"),
    AlertKind.OPEN_INTEREST: ("Open interest", "oi"),
    AlertKind.VOLUME_SPIKE: ("Volume", "volume"),
    AlertKind.ZONE_APPROACH: ("Zones", "zone"),
    AlertKind.MARKET_WIDE: ("Market-wide", "market"),
    AlertKind.FEED_HEALTH: ("Venue lost", "health"),
}
MARKS = {Loudness.LOUD: "🔔", Loudness.SILENT: "🔈", Loudness.OFF: "🔕"}
NEXT = {Loudness.LOUD: Loudness.SILENT, Loudness.SILENT: Loudness.OFF, Loudness.OFF: Loudness.LOUD}
SHOWN = 12  # of a list


def family(kind: AlertKind) -> str:
    return FAMILIES[kind][0] if kind in FAMILIES else str(kind)


def loudness_of(chosen: Preferences, of: AlertKind | Severity) -> Loudness:
    if isinstance(of, AlertKind):
        return chosen.kinds.get(of, Loudness.LOUD)
    return chosen.severities.get(of, Loudness.SILENT if of is Severity.P3 else Loudness.LOUD)


def menu(chosen: Preferences, *, on: bool) -> tuple[tuple[Button, ...], ...]:
    """Each button says how it is and gives the next loudness, by name: pressed twice it does the same."""
    kinds = [_toggle(chosen, kind, label, word) for kind, (label, word) in FAMILIES.items()]
    rows = [tuple(kinds[at : at + 2]) for at in range(0, len(kinds), 2)]
    severities = tuple(_toggle(chosen, one, str(one), one.lower()) for one in Severity)
    return (*rows, severities, (Button("Stop all" if on else "Start", f"alerts {'stop' if on else 'start'}"),))


def _toggle(chosen: Preferences, of: AlertKind | Severity, label: str, word: str) -> Button:
    loudness = loudness_of(chosen, of)
    return Button(f"{MARKS[loudness]} {label}", f"alerts {word} {NEXT[loudness]}")


def described(chosen: Preferences, now_ms: int, usual_digest: int | None) -> list[str]:
    """Everything that is not as it comes, and the digest, a line each."""
    every: tuple[AlertKind | Severity, ...] = (*AlertKind, *Severity)
    usual = Preferences()
    quieter = [
        f"{family(of) if isinstance(of, AlertKind) else of} {loudness_of(chosen, of)}"
        for of in every
        if loudness_of(chosen, of) is not loudness_of(usual, of)
    ]
    mutes = [mute(one, now_ms, chosen.zone) for one in chosen.mutes if one.until_ms is None or one.until_ms > now_ms]
    lines = [
        ("Changed", quieter),
        ("Only", list(chosen.assets)),
        ("Own thresholds", [threshold(one) for one in chosen.own_thresholds]),
        ("Muted", mutes),
        ("Quiet", [quiet_hours(chosen.quiet)] if chosen.quiet else []),
        ("Budget", [f"{chosen.pushes_a_day} alerts a day, P1 passes"] if chosen.pushes_a_day is not None else []),
        ("Digest", [digest(chosen, usual_digest)]),
    ]
    return [f"{name}: {_listed(several)}" for name, several in lines if several]


def mute(one: Mute, now_ms: int, zone: str) -> str:
    what = " ".join(filter(None, (one.asset, family(one.kind).lower() if one.kind else ""))) or "everything"
    return what if one.until_ms is None else f"{what} until {local(one.until_ms, zone, now_ms)}"


def threshold(one: OwnThreshold) -> str:
    return f"{one.asset or 'all'} {family(one.kind).lower()} from {amount(one.kind, one.value)}"


def amount(kind: AlertKind, value: float) -> str:
    if kind is AlertKind.OPEN_INTEREST:
        return f"{value:g} %"
    return f"{value:g} assets" if kind is AlertKind.MARKET_WIDE else compact_usd(value)


def quiet_hours(quiet: QuietHours) -> str:
    passes = ", P1 passes" if quiet.p1_passes else ""
    return f"{minute(quiet.from_minute)} to {minute(quiet.to_minute)} {quiet.zone}{passes}"


def digest(chosen: Preferences, usual: int | None) -> str:
    at = chosen.digest_at(usual)
    return "none" if at is None else f"daily at {minute(at)} {chosen.zone}"


def minute(of_day: int) -> str:
    return f"{of_day // 60:02}:{of_day % 60:02}"


def local(at_ms: int, zone: str, now_ms: int) -> str:
    """A clock time in the chat's zone, with the date where it is another day's."""
    at, now = (datetime.fromtimestamp(one // 1000, UTC).astimezone(ZoneInfo(zone)) for one in (at_ms, now_ms))
    return f"{at:%H:%M} {zone}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} {zone}"


def _listed(several: list[str]) -> str:
    left = len(several) - SHOWN
    return ", ".join(several[:SHOWN]) + (f" and {left} more" if left > 0 else "")
