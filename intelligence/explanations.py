"""Why an alert was raised and what became of it, and why at some time nobody was told: from stored records, in words."""

import msgspec

from intelligence.alerts import Alert, AlertKind
from intelligence.amounts import compact_usd
from intelligence.near_misses import NearMiss
from intelligence.outcomes.judging import Outcome
from intelligence.outcomes.words import outcome_lines
from intelligence.time_of_day import date_stamp

UNITS = {AlertKind.OPEN_INTEREST: " %", AlertKind.MARKET_WIDE: " assets"}
FOR_PICTURES = {"joined_s"}
GATES = {
    "shadow": "the rule is on trial: decided and recorded, never sent",
    "folded": "told by the incident of the whole market",
    "inhibited": "part of an incident that was open",
    "alerts_off": "alerts were switched off in this chat",
    "chat_dead": "Telegram refuses this chat",
    "kind_off": "this kind or severity is off in this chat",
    "not_watched": "the chat does not watch this asset",
    "below_own_threshold": "below the chat's own threshold",
    "muted": "muted",
    "quiet_hours": "quiet hours",
    "budget": "the day's budget of pushes was spent",
    "digest": "less often consequential than what is pushed: it waits for the digest",
    "topic_lost": "its topic takes no messages, and the group as a whole was told",
    "superseded": "the end of the incident took its place",
}


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one stage of an alert at one target. `reason`: the gate or the failure, with an id behind a colon."""

    target: str
    stage: str
    state: str
    reason: str = ""
    delivered_ms: int | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """An alert's newest record, its fates, oldest first, and what followed it, as far as that is known."""

    alert: Alert
    fates: tuple[Fate, ...]
    outcomes: tuple[Outcome, ...] = ()


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an asset around a time. `troubles`: what was told of feeds that were away then."""

    asset: str
    at_ms: int
    alerts: tuple[Explained, ...]
    near_misses: tuple[NearMiss, ...]
    troubles: tuple[Alert, ...]


def why(explained: Explained, zone: str = "UTC") -> list[str]:
    """The threshold with every factor, the venues, and each target's decision. `zone`: of the clock, a name of the tz database."""
    alert = explained.alert
    lines = [
        f"{alert.kind} {alert.asset} {alert.severity}, id {alert.alert_id}, {date_stamp(alert.exchange_ms, zone)}",
        f"Value {_amount(alert.kind, alert.value)}, threshold {_amount(alert.kind, alert.threshold)} ({alert.threshold_source})",
    ]
    lines += [f"  {name} = {_figure(value)}" for name, value in alert.factors]
    if beside := [f"{name} {_figure(value)}" for name, value in alert.context if name not in FOR_PICTURES]:
        lines.append(f"Seen beside it: {', '.join(beside)}")
    if alert.estimated:
        lines.append("Estimated: " + ", ".join(f"{name} {_figure(value)}" for name, value in alert.estimated))
    lines.append(f"Coverage {alert.coverage}; able to report: {', '.join(alert.venues_able) or 'nobody'}")
    lines += [_fate(fate, alert) for fate in explained.fates]
    return lines + outcome_lines(alert.kind, explained.outcomes)


def why_silent(silence: Silence, zone: str = "UTC") -> list[str]:
    """Every gate and condition that stood between this asset and a message around the time that was asked for."""
    lines = [f"{silence.asset} around {date_stamp(silence.at_ms, zone)}"]
    for explained in silence.alerts:
        alert = explained.alert
        lines.append(
            f"{date_stamp(alert.exchange_ms, zone)} {alert.kind} {_amount(alert.kind, alert.value)}, id {alert.alert_id}:"
        )
        lines += [f"  {_fate(fate, alert)}" for fate in explained.fates]
    for near in silence.near_misses:
        side = f" {near.position_side}" if near.position_side else ""
        part = f"{near.value / near.threshold:.0%} of the {near.source} threshold {_amount(near.kind, near.threshold)}"
        lines.append(f"{date_stamp(near.from_ms, zone)} {near.kind}{side}: {part}; missing: {', '.join(near.missing)}")
    lines += [
        f"{date_stamp(alert.exchange_ms, zone)} {alert.text.splitlines()[0] if alert.text else alert.asset}"
        for alert in silence.troubles
    ]
    if len(lines) == 1:
        lines.append(
            "Nothing reached a quarter of its threshold and no feed was away, as far as the records say: "
            "a daemon that was not running kept none."
        )
    return lines


def _fate(fate: Fate, alert: Alert) -> str:
    if fate.delivered_ms is not None:
        return f"{fate.target}: {fate.stage} delivered {(fate.delivered_ms - alert.detected_ms) / 1000:.1f} s after detection"
    gate, _, by = fate.reason.partition(":")
    reason = GATES.get(gate, fate.reason)
    why = f", {reason}{f' ({by})' if gate in GATES and by else ''}" if reason else ""
    return f"{fate.target}: {fate.stage} {fate.state}{why}"


def _amount(kind: AlertKind, value: float) -> str:
    unit = UNITS.get(kind)
    return compact_usd(value) if unit is None else f"{value:.4g}{unit}"


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.8g}"
