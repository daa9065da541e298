"""What followed an alert, to and from the outcome ledger."""

from dataclasses import dataclass

from intelligence.alerts import Alert
from intelligence.outcomes.scores import Scores
from intelligence.outcomes.selection import Selected, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDecided:
    """A new alert, and who is told of it, from the dispatcher to the outcome ledger. `held`: the gates, where it is held
    back; `awaited`: somebody is to be told.
    """

    alert: Alert
    decided_ms: int
    awaited: bool
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMade:
    """The start of an alert has reached a target, from its notifier to the outcome ledger."""

    alert_id: str
    target: str
    delivered_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresTold:
    """How the families of alerts have done, from the outcome ledger to notifiers; a later word replaces it."""

    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionSet:
    """What decides from now on which alerts are pushed, from the outcome ledger to the dispatcher; a later word replaces it."""

    selection: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class AskScores:
    """Ask the outcome ledger for `LedgerState`; only at a path that exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """`waiting`: alerts whose outcomes are not all there yet. `bars_from_ms`: since when prices are kept, None without any."""

    scores: Scores
    selection: Selection
    selected: Selected | None
    waiting: int
    bars_from_ms: int | None
