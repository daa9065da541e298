"""The records of the outbox: what is planned, what waits, and what is known of alerts and chats."""

from dataclasses import dataclass, field
from typing import NamedTuple

from intelligence.alerts import Alert, Severity, Stage
from intelligence.gates import Preferences

TERMINAL = "terminal"
ALL_CHATS = "telegram:"


class Place(NamedTuple):
    """Where people read, with settings of its own: a chat as a whole (`topic` 0), or a topic of a group."""

    chat_id: int
    topic: int = 0

    @property
    def target(self) -> str:
        return telegram_target(self.chat_id, self.topic)


def telegram_target(chat_id: int, topic: int = 0) -> str:
    return f"{ALL_CHATS}{chat_id}/{topic}" if topic else f"{ALL_CHATS}{chat_id}"


def place_of(target: str) -> Place:
    chat_id, _, topic = target.removeprefix(ALL_CHATS).partition("/")
    return Place(int(chat_id), int(topic or 0))


def chat_of(target: str) -> int:
    return place_of(target).chat_id


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
    """What is stored of a place. `dead_reason`: why Telegram refuses its chat, empty while it does not. `moved_to`: the chat's
    id since it became a supergroup. `lost_reason`: why a topic takes no messages, which then go to the group as a whole.

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
    topic: int = 0
    lost_reason: str = ""

    @property
    def place(self) -> Place:
        return Place(self.chat_id, self.topic)

    def wants_alerts(self, *, by_default: bool) -> bool:
        """What a person decided wins."""
        return by_default if self.changed_ms is None else self.alerts_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries that are neither made nor given up, and how long the oldest has waited."""

    waiting: int
    oldest_s: float
