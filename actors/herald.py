"""The daemon's own words to chats: that it watches, that it is back, and the digest of the day.

An enhancement (ENABLE_AUTO_START): while it is down alerts go their way, and /alerts works as ever.
"""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from actors import paths
from actors.messages.alerts import DeliveriesQueued
from actors.notices import a_notice
from actors.outbox import Outbox, OutboxError
from actors.outbox_rows import Chat, Place, Planned
from actors.supervised import Supervised
from intelligence.alerts import Stage
from intelligence.amounts import compact_duration
from intelligence.digest import digest_text
from intelligence.time_of_day import date_stamp, last_time_ms

LOOK_S = 30.0  # market seconds between two looks whether a digest is due
RETRY_S = 5.0
LATE_MS = 7_200_000  # ours: a digest that was missed while nothing ran is still sent so long after its hour
DAY_MS = 86_400_000


class _Greet(NamedTuple):
    pass


class _Look(NamedTuple):
    pass


class _Greeted(NamedTuple):
    """Retained: a successor in the same process greets nobody again."""


class Herald(Supervised):
    """Writes notices into the outbox, from where the notifier delivers them as it does alerts."""

    def init(
        self,
        *,
        database: Path | str,
        busy_s: float,
        chats: tuple[int, ...],
        auto_start: bool,
        active: Sequence[str],
        back_online_gap_s: float,
        digest_at: int | None,
    ) -> None:
        """`active`: lines on what is watched. `auto_start`: chats in which nobody has decided get alerts, and are told.

        `back_online_gap_s`: a chat is not told again of a start so soon after the last one. `digest_at`: when chats that have
        not chosen get their digest, in minutes of the day; None for never.
        """
        self._database, self._busy_s = database, busy_s
        self._chats, self._auto_start, self._active = chats, auto_start, tuple(active)
        self._gap_ms = int(back_online_gap_s * 1000)
        self._digest_at = digest_at
        self._looked_ms = self.now_ms - LATE_MS
        self._failures = 0
        self.timer.every("look", LOOK_S, _Look(), market=True)
        if not self.retained:
            self.timer.once("greet", 0.0, _Greet())

    def terminate(self, reason: str) -> None:
        """Note until when the daemon ran; it is known within half a minute otherwise."""
        if reason == "shutdown" and self.retained:
            with suppress(OutboxError), closing(Outbox(self._database, self._busy_s)) as outbox:
                outbox.seen_alive(self.now_ms)

    def handle(self, message: Any) -> None:
        match message:
            case _Greet():
                self._attempt(self._greet)
            case _Look():
                self._attempt(self._look)
            case _:
                super().handle(message)

    def _attempt(self, work: Callable[[Outbox], None]) -> None:
        try:
            with closing(Outbox(self._database, self._busy_s)) as outbox:
                work(outbox)
        except OutboxError as error:
            self._postpone(error)

    def _postpone(self, error: OutboxError) -> None:
        """Say so at the 1st, 2nd, 4th, 8th ... time, and greet as soon as it can be done."""
        self._failures += 1
        loud, reason = not self._failures & (self._failures - 1), str(error)[:300]
        if not self.retained:
            self.timer.once("greet", RETRY_S, _Greet())
            if loud:
                self.log.warning("auto_start_failed", reason=reason, n=self._failures)
        elif loud:
            self.log.warning("digest_failed", reason=reason, n=self._failures)

    # -- the start of the process -----------------------------------------------------------------------------------

    def _greet(self, outbox: Outbox) -> None:
        stored, now_ms, left_ms = outbox.chats.places(), self.now_ms, outbox.last_alive_ms()
        greeted = back = 0
        for chat in (stored.get(Place(chat_id), Chat(chat_id=chat_id)) for chat_id in self._chats):
            if chat.dead_reason:
                self.log.warning("chat_not_told", chat_id=chat.chat_id, reason=chat.dead_reason)
                continue
            places = [chat, *(one for place, one in stored.items() if place.topic and place.chat_id == chat.chat_id)]
            told = next((one for one in places if one.wants_alerts(by_default=self._auto_start)), None)
            if told is None:
                continue
            if chat.greeted_ms is None:
                greeted += self._auto_start
                if self._auto_start:
                    self._tell(outbox, told.place, "greeting", self._greeting(), key="first")
            elif now_ms - chat.greeted_ms >= self._gap_ms:
                back += 1
                words = self._back(left_ms, told.preferences.zone)
                self._tell(outbox, told.place, "back", words, key=str(now_ms))
            else:
                continue
            outbox.chats.set_greeted(chat.chat_id, now_ms)
        outbox.seen_alive(now_ms)
        if left_ms is None:  # the first start of all has missed no digest
            self._looked_ms = now_ms
        self.retained.append(_Greeted())
        self._failures = 0
        self.log.info("auto_started" if self._auto_start else "started_quietly", greeted=greeted, back=back)

    def _greeting(self) -> str:
        return "\n".join(
            (
                "Foreshock watches, and alerts are on",
                *self._active,
                "/alerts stop ends the alerts of this chat, /alerts chooses among them, /help shows the rest",
            )
        )

    def _back(self, left_ms: int | None, zone: str) -> str:
        """`left_ms`: when it was known last that the daemon ran."""
        if left_ms is None or left_ms > self.now_ms:
            return "\n".join(("Back online", *self._active, "What happened meanwhile was not seen"))
        away = compact_duration(self.now_ms - left_ms)
        return "\n".join(
            (
                f"Back online, away for about {away}",
                f"Since {date_stamp(left_ms, zone)}: what happened meanwhile was not seen",
                *self._active,
            )
        )

    # -- digests ------------------------------------------------------------------------------------------------------

    def _look(self, outbox: Outbox) -> None:
        """Send the digests whose hour has come since the last look."""
        now_ms, since_ms = self.now_ms, self._looked_ms
        if self.retained:  # else it is not greeted yet, and that asks when it ran last
            outbox.seen_alive(now_ms)
        chats = {Place(chat_id): Chat(chat_id=chat_id) for chat_id in self._chats}
        for place, chat in (chats | outbox.chats.places()).items():
            minute, zone = chat.preferences.digest_at(self._digest_at), chat.preferences.zone
            if minute is None or place.chat_id not in self._chats or chat.dead_reason:
                continue
            due_ms = last_time_ms(minute, zone, now_ms)
            if not since_ms < due_ms <= now_ms or not chat.wants_alerts(by_default=self._auto_start):
                continue
            day = outbox.alerts.day_of(place.target, due_ms - DAY_MS)
            self._tell(outbox, place, "digest", digest_text(day, zone), key=str(due_ms))
        self._looked_ms, self._failures = now_ms, 0

    def _tell(self, outbox: Outbox, place: Place, what: str, words: str, *, key: str) -> None:
        """Put it into the outbox, without a sound; the same key again changes nothing."""
        notice = a_notice(what, place.target, self.now_ms, words, key=key)
        if outbox.known(notice.alert_id) is not None:
            return
        outbox.append(notice, (Planned(target=place.target, stage=Stage.RAISED, silent=True),), self.now_ms)
        self.log.info("notice_queued", chat_id=place.chat_id, topic=place.topic, what=what, alert_id=notice.alert_id)
        self.send(paths.TELEGRAM, DeliveriesQueued())
