"""The deliveries of the Telegram notifier: what waits, whose turn it is, and what is known of each. No I/O but the outbox.

A delivery comes from the outbox, or by letter while the outbox cannot be written; one that went out by letter is only
marked when its row appears.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actors.clock import AnyClock
from actors.messages.alerts import DeliverNow
from actors.notices import a_notice
from actors.notifiers.ledger import Ledger
from actors.notifiers.queues import FROM_MEMORY, Choice, Pace, Queues
from actors.outbox import Outbox
from actors.outbox_rows import ALL_CHATS, Chat, Delivery, Place, Planned, Start, chat_of, place_of, telegram_target
from intelligence.alerts import Severity, Stage

HOLD_MAX_S = 3600.0  # a stored wait is not trusted for longer: clocks may have been set
LOST_TOPIC = (
    "The topic that had alerts of its own takes no messages\n"
    "Its alerts come here until somebody writes in it again; /alerts here in another topic brings them there"
)
REMEMBERED = 1_000  # deliveries made from memory, until their rows appear in the outbox

_Key = tuple[str, Stage, str]  # what is delivered to whom: alert id, stage, target


class Deliveries:
    """`valid_ms`: how long a delivery of each severity makes sense. `moved`: new ids of groups by their old ones."""

    def __init__(self, ledger: Ledger, pace: Pace, clock: AnyClock, valid_ms: Mapping[Severity, int], log: Any) -> None:
        self._ledger, self._pace, self._clock, self._valid_ms, self._log = ledger, pace, clock, valid_ms, log
        self._queues = Queues()
        self._memory_ids = itertools.count(FROM_MEMORY)
        self._unstored: dict[_Key, Delivery] = {}
        self._made: dict[_Key, int | None] = {}
        self._taken_over = False
        self._places: dict[Place, Chat] = {}
        self.moved: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._queues)

    # -- what waits -----------------------------------------------------------------------------------------------

    def take_new(self) -> None:
        """Queue the rows that have come since the last look."""
        self._ledger.read(self._take_new)

    def take_all(self) -> None:
        """Look at every row again: forget what was taken back, give up what has become too old."""
        self._ledger.read(self._take_all)

    def take_from_memory(self, letter: DeliverNow) -> None:
        for target in letter.targets:
            row = Delivery(
                id=next(self._memory_ids),
                alert=letter.alert,
                stage=letter.alert.stage,
                target=target,
                attempts=0,
                resent=False,
                not_before_ms=0,
                created_ms=self._clock.now_ms(),
                silent=target in letter.silent,
            )
            if self._unstored.setdefault(_key(row), row) is row:
                self._queues.add(row)

    def next(self) -> Choice | None:
        return self._queues.next(self._clock.monotonic(), self._pace)

    def start_of(self, row: Delivery) -> Start | None:
        """What became of the message that announced the incident of this row; None when there never was one."""
        made = (row.alert.alert_id, Stage.RAISED, row.target)
        if made in self._made:
            return Start(may_have_arrived=True, message_id=self._made[made])
        start: Start | None = self._ledger.read(
            lambda outbox: outbox.deliveries.start_of(row.alert.alert_id, row.target)
        )
        return start

    def urgent(self, chat_id: int) -> bool:
        """Whether something waits for that chat that no picture may hold up."""
        return self._queues.urgent(chat_id)

    def topic_of(self, row: Delivery) -> int:
        """The topic to send it to; 0 for the chat as a whole, also where its topic takes nothing."""
        place = place_of(row.target)
        chat = self._places.get(place)
        return 0 if chat is not None and chat.lost_reason else place.topic

    def zone_of(self, row: Delivery) -> str:
        """The clock of whoever reads it."""
        chat = self._places.get(place_of(row.target))
        return chat.preferences.zone if chat is not None else "UTC"

    def claim(self, row: Delivery) -> Delivery | None:
        """The delivery with its new attempt, ours to send now; None when it is too old, taken back, or must wait."""
        if self._expired(row):
            self.give_up(row, "expired", claimed=False)
            return None
        claimed = True if row.id >= FROM_MEMORY else self._ledger.claim(row.id)
        if claimed is None:
            self._pace.hold(chat_of(row.target), self._clock.monotonic() + self._ledger.busy_s)
        elif not claimed:
            self._queues.remove(row)
        return replace(row, attempts=row.attempts + 1) if claimed else None

    def _take_new(self, outbox: Outbox) -> None:
        self._places = outbox.chats.places()
        if not self._taken_over:
            self._take_over(outbox)
        for row in outbox.deliveries.waiting(ALL_CHATS, after_id=self._queues.newest_id):
            self._add(row)

    def _take_all(self, outbox: Outbox) -> None:
        self._queues = Queues()
        for row in self._unstored.values():
            self._queues.add(row)
        self._take_new(outbox)
        for row in self._queues.rows():
            if self._expired(row):
                self.give_up(row, "expired", claimed=False)

    def _take_over(self, outbox: Outbox) -> None:
        """Begin with what a predecessor left: its waits, and what it was sending, once more."""
        again, given_up = outbox.deliveries.reclaim(ALL_CHATS)
        self._taken_over = True
        for row in again:
            self._log_repeated(row, "interrupted")
        for row in given_up:
            self._log_failed(row, "unknown")
        self.moved = {place.chat_id: chat.moved_to for place, chat in self._places.items() if chat.moved_to}
        for row in outbox.deliveries.waiting(ALL_CHATS):
            wait_s = min((row.not_before_ms - self._clock.now_ms()) / 1000, HOLD_MAX_S)
            if wait_s > 0:
                self._pace.hold(chat_of(row.target), self._clock.monotonic() + wait_s)

    def _add(self, row: Delivery) -> None:
        if _key(row) in self._made:
            message_id = self._made.pop(_key(row))
            self._ledger.mark(lambda outbox: outbox.deliveries.claim(row.id, self._ledger.epoch))
            self._mark_delivered(row, message_id)
            return
        if row.stage is Stage.UPDATED and (row.alert.alert_id, Stage.ENDED, row.target) in self._made:
            return  # its end has been told from memory, and takes its place in the file in a moment
        if (unstored := self._unstored.pop(_key(row), None)) is not None:
            self._queues.remove(unstored)
        self._queues.add(row)

    def _expired(self, row: Delivery) -> bool:
        return self._clock.now_ms() - row.created_ms > self._valid_ms[row.alert.severity]

    # -- what came of it ------------------------------------------------------------------------------------------

    def delivered(self, row: Delivery, message_id: int | None) -> None:
        now_ms = self._clock.now_ms()
        self._queues.remove(row)
        if row.id < FROM_MEMORY:
            self._mark_delivered(row, message_id)
        else:
            self._unstored.pop(_key(row), None)
            self._made[_key(row)] = message_id
            if len(self._made) > REMEMBERED:
                del self._made[next(iter(self._made))]
        self._log.info(
            "alert_delivered",
            **_names(row),
            latency_ms=now_ms - row.alert.detected_ms,
            event_latency_ms=now_ms - row.alert.exchange_ms,
            attempt=row.attempts,
        )

    def put_back(
        self, row: Delivery, reason: str, wait_s: float, *, counted: bool = True, resent: bool = False
    ) -> None:
        """Queue a claimed delivery again, its chat on hold for `wait_s`. `counted`: the attempt counts as one.

        `resent`: it may have arrived, and this is its one repeat.
        """
        if resent:
            self._log_repeated(row, reason)
        self._pace.hold(chat_of(row.target), self._clock.monotonic() + wait_s)
        row = replace(row, attempts=row.attempts - (not counted), resent=row.resent or resent)
        self._queues.add(row)
        if row.id >= FROM_MEMORY:
            self._unstored[_key(row)] = row
            return
        not_before_ms = self._clock.now_ms() + int(wait_s * 1000)
        self._ledger.mark(
            lambda outbox: outbox.deliveries.requeue(
                row.id, self._ledger.epoch, reason=reason, not_before_ms=not_before_ms, counted=counted, resent=resent
            )
        )

    def give_up(self, row: Delivery, reason: str, *, claimed: bool = True) -> None:
        """Settle a delivery as failed, never without a line that says why."""
        self._queues.remove(row)
        if row.id >= FROM_MEMORY:
            self._unstored.pop(_key(row), None)
            self._log_failed(row, reason)
            return

        def fail(outbox: Outbox) -> None:
            ours = claimed or outbox.deliveries.claim(row.id, self._ledger.epoch)
            if ours and outbox.deliveries.failed(row.id, self._ledger.epoch, reason):
                self._log_failed(row, reason)

        self._ledger.mark(fail)

    def leave(self, row: Delivery) -> None:
        """Leave a claimed delivery as it is: the next incarnation sends it once more."""
        self._queues.remove(row)

    def lose_chat(self, row: Delivery, reason: str) -> None:
        """Send nothing to a chat that refuses us, until it writes again; its settings stay."""
        chat_id = chat_of(row.target)
        self._log.warning("chat_dead", chat_id=chat_id, reason=reason)
        self.give_up(row, "chat_dead")
        self._queues.remove_chat(chat_id)
        self._unstored = {key: kept for key, kept in self._unstored.items() if chat_of(kept.target) != chat_id}

        def bury(outbox: Outbox) -> None:
            outbox.chats.set_dead(chat_id, reason)
            settled = outbox.deliveries.withdraw(telegram_target(chat_id), "failed", "chat_dead", topics=True)
            for alert_id, stage, target in settled:
                self._log.warning("alert_failed", alert_id=alert_id, stage=stage, target=target, reason="chat_dead")

        self._ledger.mark(bury)

    def lose_topic(self, row: Delivery, reason: str) -> None:
        """Send what is meant for a topic to its group as a whole, and say so there once; whoever writes in it brings it back.

        A start that the group has got itself is not sent there twice.
        """
        place = place_of(row.target)
        self._log.warning("topic_lost", chat_id=place.chat_id, topic=place.topic, reason=reason)
        lost = self._places.get(place, Chat(chat_id=place.chat_id, topic=place.topic))
        self._places[place] = replace(lost, lost_reason=reason)
        general, now_ms = telegram_target(place.chat_id), self._clock.now_ms()
        notice = a_notice("topic", general, now_ms, LOST_TOPIC)

        def tell(outbox: Outbox) -> None:
            if outbox.chats.set_lost(place.chat_id, place.topic, reason):
                outbox.append(notice, (Planned(target=general, stage=Stage.RAISED, silent=True),), now_ms)

        self._ledger.mark(tell)
        told = self._ledger.read(lambda outbox: general in outbox.told(row.alert.alert_id))
        if told and row.stage is Stage.RAISED:
            self.give_up(row, "topic_lost")
        else:
            self.put_back(row, "topic_lost", 0.0, counted=False)
        self.take_new()

    def move_chat(self, chat_id: int, to: int) -> None:
        self._log.warning("chat_moved", chat_id=chat_id, to_chat_id=to)
        self.moved[chat_id] = to
        self._ledger.mark(lambda outbox: outbox.chats.set_moved(chat_id, to))

    def _mark_delivered(self, row: Delivery, message_id: int | None) -> None:
        now_ms, epoch = self._clock.now_ms(), self._ledger.epoch
        self._ledger.mark(
            lambda outbox: outbox.deliveries.delivered(row.id, epoch, now_ms=now_ms, message_id=message_id)
        )

    def _log_failed(self, row: Delivery, reason: str) -> None:
        self._log.warning("alert_failed", **_names(row), reason=reason, attempt=row.attempts)

    def _log_repeated(self, row: Delivery, reason: str) -> None:
        self._log.warning("delivery_repeated", **_names(row), reason=reason)


def _key(row: Delivery) -> _Key:
    return row.alert.alert_id, row.stage, row.target


def _names(row: Delivery) -> dict[str, Any]:
    return {"alert_id": row.alert.alert_id, "stage": row.stage, "target": row.target}
