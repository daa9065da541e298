"""What the people in a chat want, from the command edge. `topic`: of the group they wrote in, 0 for none: it is meant where it has
alerts of its own, else the chat as a whole.
"""

from dataclasses import dataclass

from intelligence.alerts import AlertKind, Severity
from intelligence.gates import Preferences
from intelligence.preferences import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAlerts:
    """Switch the alerts of one chat on or off (stored); answered with `AlertsState`."""

    chat_id: int
    on: bool
    by: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTopic:
    """Let a topic of a group have alerts of its own from now on (stored): of `kinds`, or of all that the group has chosen;
    answered with `AlertsState`.
    """

    chat_id: int
    topic: int
    kinds: tuple[AlertKind, ...]
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAlerts:
    """Ask for the alert state of one chat; answered with `AlertsState`."""

    chat_id: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreferences:
    """Change one thing of what a chat has chosen (stored); answered with `AlertsState`."""

    chat_id: int
    change: Change
    by: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """Store what `by` thinks of an alert; answered with `VotesState`. Replaces an earlier vote of the same user and chat."""

    alert_id: str
    chat_id: int
    by: int
    useful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesState:
    """All votes on an alert, to whoever has voted and to the outcome ledger."""

    alert_id: str
    useful: int
    useless: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Let a family of alerts out of its trial, or back to it (stored); answered with `TrialsState`."""

    kind: AlertKind
    on: bool
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTrials:
    """Ask the dispatcher for `TrialsState`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsState:
    """The families that are on trial now, and those that were promoted."""

    on_trial: tuple[AlertKind, ...]
    promoted: tuple[AlertKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTest:
    """Send a chat a test alert of that severity, by the ways of real ones; answered with `TestPlanned`."""

    chat_id: int
    severity: Severity
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlanned:
    """`held`: the gate that keeps it from the chat, "" when it goes out; `silent` then says how."""

    __test__ = False

    held: str
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsState:
    """`since_ms`: when it was last changed by a person, None if never. `sent_24h`, `waiting`: this place's deliveries. `topic`:
    of which topic that is, 0: of the chat as a whole; `topics`: how many of the chat's topics have alerts of their own.
    """

    chat_id: int
    on: bool
    since_ms: int | None
    sent_24h: int
    waiting: int
    preferences: Preferences
    topic: int = 0
    topics: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSeen:
    """An authorised chat has written to us, so Telegram delivers to it, and to that topic, again if it had refused to."""

    chat_id: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer to an ask that cannot be granted now; `reason` is for people."""

    reason: str
