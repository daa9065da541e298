"""What is tried once more in another way, where Telegram refuses a message or an edit: telegram.md 3. No I/O but the outbox."""

from typing import Any

from actors.notifiers import verdicts
from actors.notifiers.deliveries import Deliveries
from actors.notifiers.verdicts import Verdict
from actors.outbox_rows import Delivery, chat_of
from intelligence.alerts import Stage


class Remedies:
    """Knows which deliveries go out without markup, and which as messages of their own, by their ids."""

    def __init__(self, deliveries: Deliveries, log: Any) -> None:
        self._deliveries, self._log = deliveries, log
        self._as_plain: set[int] = set()
        self._as_new: set[int] = set()

    def is_plain(self, row: Delivery) -> bool:
        return row.id in self._as_plain

    def is_new(self, row: Delivery) -> bool:
        return row.id in self._as_new

    def delivered(self, row: Delivery) -> None:
        self._as_plain.discard(row.id)
        self._as_new.discard(row.id)

    def apply(self, row: Delivery, verdict: Verdict) -> None:
        """Take what is said of the place, of an edit or of the markup."""
        match verdict:
            case verdicts.ChatGone(reason=reason):
                self._deliveries.lose_chat(row, reason)
            case verdicts.ChatMoved(to=to):
                self._follow(row, to)
            case verdicts.TopicGone(reason=reason):
                self._lose_topic(row, reason)
            case verdicts.Unchanged() | verdicts.NoMessage():
                self._settle_edit(row, verdict)
            case verdicts.BadMarkup(reason=reason):
                self._send_plain(row, reason)

    def _follow(self, row: Delivery, to: int) -> None:
        """Send to the group's new id. Its old one stays the name of its settings."""
        chat_id = chat_of(row.target)
        if self._deliveries.moved.get(chat_id) == to:
            self._deliveries.give_up(row, "chat_moved_twice")
            return
        self._deliveries.move_chat(chat_id, to)
        self._deliveries.put_back(row, "chat_moved", 0.0)

    def _lose_topic(self, row: Delivery, reason: str) -> None:
        """An edit there is no more is the end's own message in the group as a whole; growth is left out."""
        if row.stage is Stage.UPDATED or not self._deliveries.topic_of(row):
            self._deliveries.give_up(row, reason)
            return
        self._as_new.add(row.id)
        self._deliveries.lose_topic(row, reason)

    def _settle_edit(self, row: Delivery, verdict: verdicts.Unchanged | verdicts.NoMessage) -> None:
        """Take an edit that changed nothing. Where the message is gone the end gets one of its own, growth none."""
        if isinstance(verdict, verdicts.Unchanged):
            self._deliveries.delivered(row, None)
            return
        if row.stage is Stage.UPDATED or row.id in self._as_new:
            self._deliveries.give_up(row, verdict.reason)
            return
        self._as_new.add(row.id)
        self._deliveries.put_back(row, "message_gone", 0.0)

    def _send_plain(self, row: Delivery, reason: str) -> None:
        """Try once more without markup: a bug in a template must not cost the alert."""
        if row.id in self._as_plain:
            self._deliveries.give_up(row, reason)
            return
        self._log.error("template_rejected", alert_id=row.alert.alert_id, kind=row.alert.kind, reason=reason)
        self._as_plain.add(row.id)
        self._deliveries.put_back(row, "template_rejected", 0.0)
