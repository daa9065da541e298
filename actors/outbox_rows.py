"""The records of the outbox: what is planned, what waits, and what is known of alerts and chats."""

from dataclasses import dataclass, field

from intelligence.alerts import Alert, Severity, Stage
from intelligence.gates import Preferences

TERMINAL = "terminal"
ALL_CHATS = "telegram:"


def telegram_target(chat_id: int) -> str:
    return f"{ALL_CHATS}{chat_id}"


def chat_of(target: str) -> int:
    return int(target.removeprefix(ALL_CHATS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of an alert: how far it has come, the gravest severity it has had, and when it was first seen."""

    stage: Stage
    severity: Severity
    detected_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A delivery to be stored; `suppressed` names the gate that holds it back, `silent` has it arrive without a sound."""

    target: str
    stage: Stage
    suppressed: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An open row. `alert` is the record of its stage. `attempts` made, `resent`: once already, the outcome unknown."""

    id: int
    alert: Alert
    stage: Stage
    target: str
    attempts: int
    resent: bool
    not_before_ms: int
    created_ms: int
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the start of an incident fared with one target."""

    may_have_arrived: bool
    message_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """`dead_reason`: why Telegram refuses it, empty while it does not. `moved_to`: its id since it became a supergroup.

    `alerts_on` is what a person decided at `changed_ms`, None if nobody has. `greeted_ms`: when it was told last that the
    daemon runs.
    """

    chat_id: int
    alerts_on: bool = True
    changed_ms: int | None = None
    dead_reason: str = ""
    moved_to: int | None = None
    preferences: Preferences = field(default_factory=Preferences)
    greeted_ms: int | None = None

    def wants_alerts(self, *, by_default: bool) -> bool:
        """What a person decided wins."""
        return by_default if self.changed_ms is None else self.alerts_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries that are neither made nor given up, and how long the oldest has waited."""

    waiting: int
    oldest_s: float
