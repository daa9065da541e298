"""Whether one target is told of an alert now, and how loudly. The first gate that holds it back names the reason.

Detection knows nothing of this: an alert that every target is spared is raised, stored and explained all the same.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity

MINUTES_A_DAY = 1_440


class Loudness(StrEnum):
    """`loud` rings, `silent` arrives without a sound, `off` does not arrive."""

    LOUD = "loud"
    SILENT = "silent"
    OFF = "off"


class Gate(StrEnum):
    """Why a target is not told, in the order in which they are tried."""

    SHADOW = "shadow"
    FOLDED = "folded"
    INHIBITED = "inhibited"
    ALERTS_OFF = "alerts_off"
    CHAT_DEAD = "chat_dead"
    KIND_OFF = "kind_off"
    NOT_WATCHED = "not_watched"
    BELOW_OWN_THRESHOLD = "below_own_threshold"
    MUTED = "muted"
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"
    DIGEST = "digest"
    TOPIC_LOST = "topic_lost"


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of this asset and kind (None: of any) until then (None: until it is taken back)."""

    asset: str | None = None
    kind: AlertKind | None = None
    until_ms: int | None = None

    def holds(self, alert: Alert, now_ms: int) -> bool:
        return (
            self.asset in {None, alert.asset}
            and self.kind in {None, alert.kind}
            and (self.until_ms is None or now_ms < self.until_ms)
        )


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of the day in `zone` (a name of the tz database), from the first to before the last, over midnight too."""

    from_minute: int
    to_minute: int
    zone: str
    p1_passes: bool = True

    def hold(self, alert: Alert, now_ms: int) -> bool:
        if self.p1_passes and alert.severity is Severity.P1:
            return False
        local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return (minute - self.from_minute) % MINUTES_A_DAY < (self.to_minute - self.from_minute) % MINUTES_A_DAY


class OwnThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """A chat's own threshold beside ours, in the unit of the kind's `value`; `asset` None: of all assets."""

    kind: AlertKind
    value: float
    asset: str | None = None


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What one chat has chosen. `assets`: only these, all when empty. `pushes_a_day` counts over the last 24 hours.
    `digest_minute`: when it gets its digest, in minutes of the day in its `zone` (a name of the tz database); None: when it is
    usual, unless `digest_off`.

    Where nothing is chosen P3 is silent and everything else loud.
    """

    kinds: Mapping[AlertKind, Loudness] = {}
    severities: Mapping[Severity, Loudness] = {}
    assets: tuple[str, ...] = ()
    own_thresholds: tuple[OwnThreshold, ...] = ()
    mutes: tuple[Mute, ...] = ()
    quiet: QuietHours | None = None
    pushes_a_day: int | None = None
    digest_minute: int | None = None
    zone: str = "UTC"
    digest_off: bool = False

    def digest_at(self, usual: int | None) -> int | None:
        """The minute of the day at which its digest comes, None for never."""
        if self.digest_off:
            return None
        return usual if self.digest_minute is None else self.digest_minute


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One target at the moment of the decision. `folded_into`, `inhibited_by`: ids of open incidents that tell it already.

    `pushed`: how many alerts it got in the last 24 hours. `for_digest`: why the alert is not worth a push, "" where it is.
    `in_general`: a topic that takes nothing, whose group as a whole is told.
    """

    now_ms: int
    preferences: Preferences = Preferences()
    alerts_on: bool = True
    is_dead: bool = False
    pushed: int = 0
    folded_into: str = ""
    inhibited_by: str = ""
    for_digest: str = ""
    in_general: bool = False


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`held`: the gate that keeps the alert from the target, with the incident that stands for it, or why, behind a colon; "" when it
    goes out, `silent` then says how.
    """

    held: str = ""
    silent: bool = False


def decide(alert: Alert, standing: Standing) -> Decision:
    for gate, is_shut in _GATES:
        if is_shut(alert, standing):
            by = {
                Gate.FOLDED: standing.folded_into,
                Gate.INHIBITED: standing.inhibited_by,
                Gate.DIGEST: standing.for_digest,
            }.get(gate)
            return Decision(held=f"{gate}:{by}" if by else gate)
    return Decision(silent=_loudness(alert, standing.preferences) is Loudness.SILENT)


def _loudness(alert: Alert, preferences: Preferences) -> Loudness:
    """The quieter of what is chosen for the kind and for the severity."""
    usual = Loudness.SILENT if alert.severity is Severity.P3 else Loudness.LOUD
    of_severity = preferences.severities.get(alert.severity, usual)
    return max(preferences.kinds.get(alert.kind, of_severity), of_severity, key=tuple(Loudness).index)


def _is_below_own(alert: Alert, preferences: Preferences) -> bool:
    """Judged by the threshold for its asset if there is one, else by that for all."""
    of_kind = {one.asset: one.value for one in preferences.own_thresholds if one.kind is alert.kind}
    least = of_kind.get(alert.asset, of_kind.get(None))
    return least is not None and abs(alert.value) < least


_GATES: tuple[tuple[Gate, Callable[[Alert, Standing], bool]], ...] = (
    (Gate.SHADOW, lambda alert, _: alert.shadow),
    (Gate.FOLDED, lambda _, standing: bool(standing.folded_into)),
    (Gate.INHIBITED, lambda _, standing: bool(standing.inhibited_by)),
    (Gate.ALERTS_OFF, lambda _, standing: not standing.alerts_on),
    (Gate.CHAT_DEAD, lambda _, standing: standing.is_dead),
    (Gate.KIND_OFF, lambda alert, standing: _loudness(alert, standing.preferences) is Loudness.OFF),
    (
        Gate.NOT_WATCHED,
        lambda alert, standing: (
            bool(standing.preferences.assets)
            and alert.kind not in {AlertKind.FEED_HEALTH, AlertKind.MARKET_WIDE, AlertKind.NOTICE}
            and alert.asset not in standing.preferences.assets
        ),
    ),
    (Gate.BELOW_OWN_THRESHOLD, lambda alert, standing: _is_below_own(alert, standing.preferences)),
    (
        Gate.MUTED,
        lambda alert, standing: any(mute.holds(alert, standing.now_ms) for mute in standing.preferences.mutes),
    ),
    (
        Gate.QUIET_HOURS,
        lambda alert, standing: (
            standing.preferences.quiet is not None and standing.preferences.quiet.hold(alert, standing.now_ms)
        ),
    ),
    (
        Gate.BUDGET,
        lambda alert, standing: (
            standing.preferences.pushes_a_day is not None
            and standing.pushed >= standing.preferences.pushes_a_day
            and alert.severity is not Severity.P1
        ),
    ),
    (Gate.DIGEST, lambda _, standing: bool(standing.for_digest)),
    (Gate.TOPIC_LOST, lambda _, standing: standing.in_general),
)
