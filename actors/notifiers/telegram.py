"""Alerts to Telegram chats, by plain HTTP, so that the command side may be down altogether.

One request at a time, on the actor's own thread, each bounded; between requests there is only a timer. A row is claimed
in the outbox before its request and settled after the answer, so a crash at any step loses nothing; between Telegram's
yes and the mark it costs one repeat. telegram.md 3 is the table of failures, `verdicts.py` reads it.
"""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from actors.backoff import Backoff
from actors.failures import NeedsOperator
from actors.mailbox import Lane
from actors.messages.alerts import AlertDelivered, ChatCharged, DeliveriesQueued, DeliverNow
from actors.messages.outcomes import ScoresTold
from actors.notifiers import verdicts
from actors.notifiers.bot_api import BotApi
from actors.notifiers.deliveries import Deliveries
from actors.notifiers.ledger import Ledger
from actors.notifiers.payloads import text_fields
from actors.notifiers.queues import Pace
from actors.notifiers.reach import Reach
from actors.notifiers.remedies import Remedies
from actors.notifiers.reporting import report
from actors.notifiers.texts import age_ms
from actors.notifiers.verdicts import Verdict
from actors.outbox_rows import Delivery, chat_of
from actors.supervised import Supervised
from config.settings import Outbox as OutboxSettings
from config.settings import Telegram as TelegramSettings
from intelligence.alerts import AlertKind, Severity, Stage
from intelligence.outcomes.scores import lines_of

DRAIN_S = 2.0  # what a stop may spend on sending; supervision.md 16 gives 2.5 s
LOUD_FAILURES = 5  # from the fifth failure in a row on a person may be needed


class _Step(NamedTuple):
    pass


class _Reread(NamedTuple):
    pass


class _CheckToken(NamedTuple):
    pass


class TelegramNotifier(Supervised):
    """Sends what the outbox holds for Telegram chats, gravest first, at the pace of the settings."""

    def init(
        self,
        *,
        database: Path | str,
        telegram: TelegramSettings,
        outbox: OutboxSettings,
        heading: str = "",
        instance: str = "",
        pictures: str = "",
    ) -> None:
        """`instance`: stands at the head of every message, for people who run several daemons. `pictures`: the path of who
        adds pictures to incidents.
        """
        self._heading, self._instance = heading, instance
        self._pictures = pictures
        self._scores: Mapping[AlertKind, str] = {}
        self._api = BotApi(telegram)
        self._backoff = Backoff(base_s=telegram.retry_base_s, factor=telegram.retry_factor, cap_s=telegram.retry_cap_s)
        self._reach = Reach(self._api, self._backoff, self.log)
        self._pace = Pace(
            private_gap_s=telegram.private_gap_s,
            group_gap_s=telegram.group_gap_s,
            overall_per_s=telegram.overall_per_s,
        )
        self._ledger = Ledger(database, busy_s=outbox.busy_s, epoch=self.epoch, log=self.log)
        valid_s = {Severity.P1: outbox.p1_valid_s, Severity.P2: outbox.p2_valid_s, Severity.P3: outbox.p3_valid_s}
        valid_ms = {severity: int(seconds * 1000) for severity, seconds in valid_s.items()}
        self._deliveries = Deliveries(self._ledger, self._pace, self.system.clock, valid_ms, self.log)
        self._failures: dict[int, int] = {}
        self._remedies = Remedies(self._deliveries, self.log)
        self._stepping = False
        self._stop_s: float | None = None
        self.timer.every("reread", outbox.reread_s, _Reread())
        self.send(self.path, _CheckToken())
        self._deliveries.take_all()
        self._go_on()

    def terminate(self, reason: str) -> None:
        """At the end of the process send what may be sent at once; the rest stays in the outbox."""
        self.timer.cancel_all()
        if reason == "shutdown":
            self._stop_s = self._now_s + DRAIN_S
            self._pace.hurry()
            try:
                while self._send_next():
                    pass
            except NeedsOperator as refusal:
                self.log.warning("telegram_refused_us", reason=str(refusal))
        if left := len(self._deliveries):
            self.log.info("deliveries_left", n=left)
        self._api.close()
        self._ledger.close()

    def handle(self, message: Any) -> None:
        match message:
            case _Step():
                self._stepping = False
                self._send_next()
            case DeliveriesQueued():
                self._deliveries.take_new()
            case DeliverNow():
                self._deliveries.take_from_memory(message)
            case _Reread():
                self._deliveries.take_all()
            case ChatCharged(chat_id=chat_id, wait_s=wait_s):
                self._pace.charge(chat_id, self._now_s)
                self._pace.hold(chat_id, self._now_s + wait_s)
            case ScoresTold(scores=scores):
                self._scores = lines_of(scores)
            case _CheckToken():
                if isinstance(verdict := self._api.send("getMe", {}), verdicts.NoSuchBot):
                    raise _needs_operator(verdict)
            case _:
                super().handle(message)
        self._go_on()

    @property
    def _now_s(self) -> float:
        return self.system.clock.monotonic()

    @property
    def _within_s(self) -> float | None:
        """What a request may take at the end of the process; None before."""
        return None if self._stop_s is None else max(0.05, self._stop_s - self._now_s)

    # -- one after the other --------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """See to it that the next delivery is made when its chat is free."""
        waiting = len(self._deliveries)
        self.note(f"{waiting} waiting" if waiting else "")
        choice = self._deliveries.next()
        if choice is None or self._inbox.draining:
            return
        wait_s = choice.at_s - self._now_s
        if wait_s > 0:
            self.timer.once("step", wait_s, _Step())
        elif not self._stepping:
            self._stepping = True
            self.send(self.path, _Step())

    def _send_next(self) -> bool:
        """Make the delivery that is due; False when none is."""
        now_s = self._now_s
        choice = self._deliveries.next()
        if choice is None or choice.at_s > now_s or (self._stop_s is not None and now_s >= self._stop_s):
            return False
        if wait_s := self._reach.wait_s(self._within_s):
            self._pace.pause(self._now_s + wait_s)
            return False
        row = self._deliveries.claim(choice.delivery)
        if row is not None:
            self._attempt(row)
        return True

    def _attempt(self, row: Delivery) -> None:
        edits: int | None = None
        if row.stage is not Stage.RAISED:
            start = self._deliveries.start_of(row)
            edits = start.message_id if start is not None and not self._remedies.is_new(row) else None
            if start is not None and not start.may_have_arrived:
                self._deliveries.give_up(row, "start_not_delivered")
                return
            if edits is None and row.stage is Stage.UPDATED:
                self._deliveries.give_up(row, "no_message_to_edit")
                return
        method = "sendMessage" if edits is None else "editMessageText"
        begun_s = self._now_s
        verdict = self._api.send(method, self._fields(row, edits), within_s=self._within_s)
        self._reach.note(verdict)
        self._pace.spent(chat_of(row.target), begun_s, self._now_s)
        if not isinstance(verdict, verdicts.NotSent | verdicts.Throttled):
            self._failures.pop(chat_of(row.target), None)
        self._settle(row, verdict)

    def _fields(self, row: Delivery, edits: int | None) -> dict[str, Any]:
        chat_id = chat_of(row.target)
        fields = text_fields(
            row.alert,
            unadorned=self._remedies.is_plain(row),
            heading=self._heading,
            age_ms=age_ms(row.alert, self.now_ms),
            instance=self._instance,
            score=self._scores.get(row.alert.kind, ""),
            zone=self._deliveries.zone_of(row),
        )
        fields["chat_id"] = self._deliveries.moved.get(chat_id, chat_id)
        if edits is not None:
            fields["message_id"] = edits
            return fields
        if topic := self._deliveries.topic_of(row):
            fields["message_thread_id"] = topic
        if row.silent:
            fields["disable_notification"] = True
        return fields

    # -- what came of it ------------------------------------------------------------------------------------------

    def _settle(self, row: Delivery, verdict: Verdict) -> None:
        match verdict:
            case verdicts.Sent(message_id=message_id):
                self._deliveries.delivered(row, message_id)
                self._remedies.delivered(row)
                self.progress()
                report(self, row.alert, row.stage, row.target)
                self._offer_picture(row, message_id)
            case verdicts.Throttled(wait_s=wait_s):
                self.log.warning("telegram_throttled", chat_id=chat_of(row.target), wait_s=wait_s)
                self._deliveries.put_back(row, "throttled", wait_s, counted=False)
            case verdicts.NotSent(reason=reason, answered=answered):
                self._try_later(row, reason, counted=answered)
            case verdicts.Unknown(reason=reason):
                self._settle_unknown(row, reason)
            case verdicts.Answered():
                self._settle_unknown(row, "answer_not_understood")
            case verdicts.NoSuchBot():
                self._deliveries.put_back(row, "no_such_bot", 0.0, counted=False)
                raise _needs_operator(verdict)
            case verdicts.Rejected(reason=reason):
                self._deliveries.give_up(row, reason)
            case _:
                self._remedies.apply(row, verdict)

    def _offer_picture(self, row: Delivery, message_id: int | None) -> None:
        """Let a picture follow the start of an incident, by somebody else, unless another waits to be told in that chat."""
        chat_id = chat_of(row.target)
        if not self._pictures or row.stage is not Stage.RAISED or message_id is None or self._stop_s is not None:
            return
        if self._deliveries.urgent(chat_id):
            why = f"another alert waits for {chat_id}"
            self.log.info("picture_not_sent", alert_id=row.alert.alert_id, kind=row.alert.kind, reason=why)
            return
        delivered = AlertDelivered(
            alert=row.alert,
            chat_id=chat_id,
            send_to=self._deliveries.moved.get(chat_id, chat_id),
            message_id=message_id,
            topic=self._deliveries.topic_of(row),
        )
        self.send(self._pictures, delivered, lane=Lane.DATA)

    def _try_later(self, row: Delivery, reason: str, *, counted: bool) -> None:
        """`counted`: the message may be to blame. While nobody answers at all it is not, and keeps its place."""
        chat_id = chat_of(row.target)
        failures = self._failures[chat_id] = self._failures.get(chat_id, 0) + 1
        wait_s = self._backoff.delay_s(failures, random.random())
        level = self.log.warning if failures < LOUD_FAILURES else self.log.error
        level(
            "delivery_delayed",
            alert_id=row.alert.alert_id,
            target=row.target,
            reason=reason,
            attempt=failures,
            wait_s=round(wait_s, 2),
        )
        self._deliveries.put_back(row, reason, wait_s, counted=counted)

    def _settle_unknown(self, row: Delivery, reason: str) -> None:
        """Telegram may have it. An edit is made once more, and what interrupts people sent, with the same id in its text; the
        rest is not.
        """
        if self._stop_s is not None:
            self._deliveries.leave(row)
        elif (row.stage is not Stage.RAISED or row.alert.severity is not Severity.P3) and not row.resent:
            self._deliveries.put_back(row, reason, self._backoff.base_s, resent=True)
        else:
            self._deliveries.give_up(row, "unknown")


def _needs_operator(verdict: verdicts.NoSuchBot) -> NeedsOperator:
    hint = " or FORESHOCK_TELEGRAM__API_URL, which names no Bot API server" if verdict.status == 404 else ""
    return NeedsOperator(
        f"Telegram does not know this bot (HTTP {verdict.status}): correct TELEGRAM_BOT_TOKEN{hint}; alerts wait"
    )
