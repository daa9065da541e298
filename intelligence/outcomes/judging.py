"""An alert as the ledger keeps it, and what followed it: measured from its delivery, never from the event."""

from collections.abc import Sequence

import msgspec

from intelligence.alerts import Alert, AlertKind, Severity
from intelligence.minute import MINUTE_MS
from intelligence.outcomes.bars import Bars, number_of
from intelligence.outcomes.consequence import HORIZONS, OWN_HORIZON, Controls, Followed, verdict
from intelligence.outcomes.controls import DAY
from intelligence.outcomes.markouts import direction_of
from intelligence.outcomes.rules import OutcomeRules

LONGEST = max(HORIZONS)
MARKET_BY = "BTC"  # whose price tells of the whole market (ours)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A raised alert. `asset`: whose price tells what followed. `started_ms`: the event; `decided_ms`: when it was decided who
    hears of it. `delivered_ms`: its first delivery. `awaited`: somebody is to be told, so without a delivery nothing is
    measured. `held`: gates that held it back. `strength`: `strength_of` the alert. `direction`: `direction_of` the alert. `chance`, `chosen`: what the selection of that
    moment made of it (how likely consequential, push or not), None where it said nothing.
    """

    alert_id: str
    kind: AlertKind
    asset: str
    severity: Severity
    shadow: bool
    started_ms: int
    decided_ms: int
    awaited: bool
    held: tuple[str, ...] = ()
    delivered_ms: int | None = None
    strength: float = 1.0
    direction: int = 0
    chance: float | None = None
    chosen: bool | None = None

    @property
    def from_ms(self) -> int | None:
        """From when on it is measured: the first delivery, the decision where nobody was to be told; None while unknown."""
        return self.delivered_ms if self.awaited or self.delivered_ms is not None else self.decided_ms

    @property
    def horizon(self) -> int:
        """Minutes after which it is judged."""
        return OWN_HORIZON[self.kind]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What followed within so many `minutes` of the delivery, from the next whole minute on. `span`: ln(highest / lowest);
    `move`: ln(last / first), both None where the minutes are missing. `rank`, `base`, `consequential`, `strict`: against
    control times, None while there are too few.
    """

    alert_id: str
    minutes: int
    span: float | None = None
    move: float | None = None
    controls: int = 0
    control_days: int = 0
    rank: float | None = None
    base: float | None = None
    consequential: bool | None = None
    strict: bool | None = None


def told_of(alert: Alert, *, decided_ms: int, awaited: bool, held: Sequence[str]) -> Told | None:
    """None for alerts that no price can judge."""
    if alert.kind not in OWN_HORIZON:
        return None
    return Told(
        alert_id=alert.alert_id,
        kind=alert.kind,
        asset=MARKET_BY if alert.kind is AlertKind.MARKET_WIDE else alert.asset,
        severity=alert.severity,
        shadow=alert.shadow,
        started_ms=min(alert.started_ms or alert.exchange_ms, decided_ms),
        decided_ms=decided_ms,
        awaited=awaited,
        held=tuple(sorted({gate.partition(":")[0] for gate in held})),
        strength=strength_of(alert),
        direction=direction_of(alert),
    )


def strength_of(alert: Alert) -> float:
    """By what an alert is more or less likely to be consequential: of a volume spike how much wider than usual the price ranges
    are, which decides there; of all others value over threshold.
    """
    lift = dict(alert.context).get("range_lift")
    if isinstance(lift, float | int):
        return float(lift)
    return abs(alert.value / alert.threshold) if alert.threshold else 1.0


def first_minute(from_ms: int) -> int:
    """The first minute that lies behind a moment as a whole: nothing of before it is in what followed."""
    return -(-from_ms // MINUTE_MS)


def judge(told: Told, minutes: int, bars: Bars, past: Sequence[int], rules: OutcomeRules) -> Outcome:
    """What followed within so many minutes. `past`: the control times (`control_minutes`) of the alert's start."""
    if told.from_ms is None:
        raise ValueError(f"{told.alert_id}: its delivery is not known")
    first, start = first_minute(told.from_ms), number_of(told.started_ms)
    follows = bars.span(first, minutes)
    outcome = Outcome(alert_id=told.alert_id, minutes=minutes, span=follows, move=bars.move(first, minutes))
    if follows is None:
        return outcome
    spans = {minute: span for minute in past if (span := bars.span(minute, minutes)) is not None}
    days = len({minute // DAY for minute in spans})
    if days < rules.controls.least_days:
        return msgspec.structs.replace(outcome, controls=min(len(spans), rules.controls.wanted), control_days=days)
    whole = bars.span(start, first + minutes - start)
    followed = Followed(
        span=follows, whole=follows if whole is None else whole, volatility=bars.volatilities([first])[0]
    )
    controls = Controls(list(spans.values()), bars.volatilities(list(spans)))
    found = verdict(followed, controls, rules)
    return msgspec.structs.replace(
        outcome,
        controls=found.controls,
        control_days=days,
        rank=found.rank,
        base=found.base,
        consequential=found.consequential,
        strict=found.strict,
    )
