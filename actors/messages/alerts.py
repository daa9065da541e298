"""From detectors by the dispatcher and its outbox to notifiers."""

from dataclasses import dataclass

from intelligence.alerts import Alert
from intelligence.near_misses import NearMiss


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """A detector's word to the dispatcher; `alert.stage` says whether it is new, grown or over."""

    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesQueued:
    """There is something in the outbox for this notifier. It reads the rows itself; repeats are harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNow:
    """The outbox cannot be written: deliver this alert from memory, once, best effort. `silent`: those of the targets that
    hear no sound.
    """

    alert: Alert
    targets: tuple[str, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMissesSeen:
    """What came near to an alert of one asset in a minute."""

    found: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered:
    """An alert's start has just arrived in a Telegram chat, as `message_id`. `send_to`: the id the chat has now; `topic`: where in
    it, 0 for none.
    """

    alert: Alert
    chat_id: int
    send_to: int
    message_id: int
    topic: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCharged:
    """Somebody other than the notifier has sent a message to this chat. `wait_s`: what Telegram asked to wait then."""

    chat_id: int
    wait_s: float = 0.0
