"""What followed every alert, measured from its delivery by the asset's minutes, and how the families of alerts do."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from actors import paths
from actors.database import StorageError
from actors.mailbox import Lane
from actors.messages.market import MinuteClosed
from actors.messages.outcomes import AlertDecided, AskScores, DeliveryMade, LedgerState, ScoresTold, SelectionSet
from actors.missed_alerts import missed_alerts
from actors.outcome_book import OutcomeBook
from actors.supervised import Supervised
from intelligence.alerts import AlertKind
from intelligence.minute import MINUTE_MS, Minute
from intelligence.outcomes.bars import Bars, HourBars, hours_of, number_of, prices_of
from intelligence.outcomes.consequence import HORIZONS, OWN_HORIZON
from intelligence.outcomes.controls import control_minutes
from intelligence.outcomes.judging import LONGEST, Outcome, Told, first_minute, judge, told_of
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import DAY_MS, Judged, Scores, scores
from intelligence.outcomes.selection import VALID_MS, demotions, fit, selected
from intelligence.outcomes.volatility import HOUR

TICK_S = 60.0  # market seconds: minutes are written, and what is due is judged
SETTLE_MS = 90_000  # behind a horizon: by then its last minute has been closed and told
GIVE_UP_MS = 600_000  # behind a horizon: minutes that are not there by then do not come
AWAITED_MS = 21_600_000  # a message that was not delivered for so long never is (outbox.p1_valid_s)
BATCH = 10  # outcomes in one turn, so that nobody takes this for a hang
TELL_S = 600.0
FIT_MS = 3_600_000
HEARERS = (paths.TERMINAL, paths.TELEGRAM)
T = TypeVar("T")


class _Tick(NamedTuple):
    pass


class _Tell(NamedTuple):
    pass


class OutcomeLedger(Supervised):
    """A failure of the file costs scores and nothing else: what could not be written is tried again each minute.

    It learns of alerts by `AlertDecided` and `DeliveryMade`; whichever target was first counts. Judged is by minutes that lie
    behind the delivery as a whole, so that nothing of the event itself is in what followed it.
    """

    def init(
        self, *, file: Path | str, busy_s: float, rules: OutcomeRules, fresh: bool, outbox: Path | None = None
    ) -> None:
        """`fresh`: forget what a former process has left, for its market was another one. `outbox`: the file that knows the
        alerts that were told while nobody was here.
        """
        self._outbox = None if fresh else outbox
        self._file, self._busy_s, self._rules = file, busy_s, rules
        self._fresh = fresh and self.epoch == 1
        self._book: OutcomeBook | None = None
        self._open: dict[str, tuple[Told, set[int]]] = {}
        self._judged: list[Judged] = []
        self._selection = fit((), self.now_ms, rules.selection)
        self._fitted_ms = 0
        self._bars: dict[str, tuple[int, HourBars]] = {}  # the newest hour of each asset
        self._unwritten: dict[tuple[str, int], HourBars] = {}
        self._failures = 0
        self._do(lambda _: None)
        self.timer.every("tick", TICK_S, _Tick(), market=True)
        self.timer.every("tell", TELL_S, _Tell(), market=True)

    def handle(self, message: Any) -> LedgerState | None:
        match message:
            case MinuteClosed(minute=minute):
                self._take_minute(minute)
            case AlertDecided():
                self._take_alert(message)
            case DeliveryMade():
                self._take_delivery(message)
            case _Tick():
                self._work()
            case _Tell():
                self._tell()
            case AskScores():
                return self._state()
            case _:
                super().handle(message)
        return None

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        if hasattr(self, "_unwritten"):
            self._write_bars()
            if self._book is not None:
                self._book.close()

    # -- what comes ---------------------------------------------------------------------------------------------------

    def _take_minute(self, minute: Minute) -> None:
        prices = prices_of(minute)
        if prices is None:
            return
        number = number_of(minute.from_ms)
        hour, bars = self._bars.get(minute.asset, (0, None))
        if bars is None or hour != number // HOUR:
            hour = number // HOUR
            kept = self._do(lambda book: book.bars(minute.asset, (hour,)))
            bars = self._unwritten.get((minute.asset, hour)) or (kept or {}).get(hour) or HourBars()
            self._bars[minute.asset] = hour, bars
        bars.put(number, prices)
        self._unwritten[minute.asset, hour] = bars

    def _take_alert(self, decided: AlertDecided) -> None:
        told = told_of(decided.alert, decided_ms=decided.decided_ms, awaited=decided.awaited, held=decided.held)
        if told is None or told.alert_id in self._open or self._do(partial(_find, told.alert_id)) is not None:
            return
        told = msgspec.structs.replace(
            told,
            chance=self._selection.chance(told.kind, told.ratio),
            chosen=self._selection.chooses(told.kind, told.severity, told.ratio),
        )
        self._open[told.alert_id] = told, set()
        self._do(partial(_put_told, told))

    def _take_delivery(self, made: DeliveryMade) -> None:
        told, done = self._open.get(made.alert_id, (None, set()))
        if told is None or told.delivered_ms is not None or done:
            return
        delivered = msgspec.structs.replace(told, delivered_ms=made.delivered_ms)
        self._open[told.alert_id] = delivered, done
        self._do(lambda book: book.put_told(delivered))

    # -- judging ------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._write_bars()
        worked = 0
        for told, done in list(self._open.values()):
            if worked >= BATCH:
                self.timer.once("more", 0.0, _Tick())
                break
            worked += self._judge_due(told, done)
        if worked:
            self._tell()
        self._write_note()
        self.progress()

    def _judge_due(self, told: Told, done: set[int]) -> int:
        """Judge what is due of one alert and say how many outcomes that gave."""
        if told.from_ms is None:
            if self.now_ms - told.decided_ms > AWAITED_MS:
                self._end(told)
            return 0
        found = 0
        for minutes in HORIZONS:
            over_ms = (first_minute(told.from_ms) + minutes) * MINUTE_MS
            if minutes in done or self.now_ms < over_ms + SETTLE_MS:
                continue
            late = self.now_ms >= over_ms + GIVE_UP_MS
            outcome = self._do(partial(self._measure, told, minutes, late=late))
            if outcome is None:
                break  # the file does not serve now, or minutes are missing that may still come
            done.add(minutes)
            found += 1
            if minutes == told.horizon:
                self._judged.append(Judged(told=told, outcome=outcome))
        if len(done) == len(HORIZONS):
            self._end(told)
        return found

    def _measure(self, told: Told, minutes: int, book: OutcomeBook, *, late: bool) -> Outcome | None:
        """Judge one horizon and store what was found. None while its minutes may still come; not any more when it is `late`."""
        at, by = number_of(told.started_ms), self._rules.controls
        first = first_minute(told.from_ms or told.decided_ms)
        starts_ms = book.starts_ms(told.asset, told.started_ms - (by.days + 1) * DAY_MS)
        known_from = number_of(book.bars_from_ms(told.asset) or told.started_ms)
        past = control_minutes(at, [number_of(one) for one in starts_ms], known_from, by)
        before = min(at, first - HOUR - 1)
        hours = set(hours_of(before, first + LONGEST - before))
        for minute in past:
            hours.update(hours_of(minute - HOUR - 1, minutes + HOUR + 1))
        outcome = judge(told, minutes, Bars(book.bars(told.asset, hours)), past, self._rules)
        if outcome.span is None and not late:
            return None
        book.put_outcome(outcome)
        self.log.debug(
            "outcome_measured",
            alert_id=told.alert_id,
            minutes=minutes,
            span=outcome.span,
            consequential=outcome.consequential,
        )
        return outcome

    def _end(self, told: Told) -> None:
        self._open.pop(told.alert_id, None)
        self._do(lambda book: book.end(told.alert_id))

    # -- telling ------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        since_ms = self.now_ms - self._kept_ms
        self._judged = [one for one in self._judged if one.at_ms >= since_ms]
        now_ms = self.now_ms
        told = ScoresTold(scores=scores(self._judged, now_ms, self._rules))
        self._select(told.scores)
        for path in HEARERS:
            if self.system.find(path) is not None:
                self.send(path, told, lane=Lane.DATA, merge="scores")
        self._do(lambda book: book.forget(now_ms - self._kept_ms))

    def _select(self, told: Scores) -> None:
        """Fit anew once an hour, look for families that do badly, and tell the dispatcher."""
        rule, today = self._rules.selection, told.at_ms // DAY_MS
        if told.at_ms - self._fitted_ms >= FIT_MS:
            self._fitted_ms = told.at_ms
            self._selection = fit(self._judged, told.at_ms, rule)
            for family in told.families:
                if family.measurable and not family.shadow:
                    self._do(partial(_put_low, family.kind, today, family.share.lower))
        lows = self._do(lambda book: book.lows(today - rule.demote_days)) or []
        demoted = demotions(lows, today, rule)
        if demoted != self._selection.demoted:
            names = [one.kind for one in demoted]
            self.log.info("families_demoted", families=names, before=[one.kind for one in self._selection.demoted])
        self._selection = msgspec.structs.replace(
            self._selection, demoted=demoted, valid_until_ms=told.at_ms + VALID_MS
        )
        if self.system.find(paths.DISPATCHER) is not None:
            self.send(paths.DISPATCHER, SelectionSet(selection=self._selection), lane=Lane.DATA, merge="selection")

    @property
    def _kept_ms(self) -> int:
        """How far back alerts, outcomes and prices are needed."""
        return (max(self._rules.controls.days, self._rules.score_days) + 1) * DAY_MS

    def _state(self) -> LedgerState:
        return LedgerState(
            scores=scores(self._judged, self.now_ms, self._rules),
            selection=self._selection,
            selected=selected(self._judged, self.now_ms, self._rules.score_days),
            waiting=len(self._open),
            bars_from_ms=self._do(lambda book: book.bars_from_ms()),
        )

    def _write_note(self) -> None:
        if not self._failures:
            self.note(f"{len(self._judged)} alerts judged, {len(self._open)} wait")

    # -- the file -----------------------------------------------------------------------------------------------------

    def _write_bars(self) -> None:
        self._do(self._put_bars)

    def _put_bars(self, book: OutcomeBook) -> None:
        if self._unwritten:
            book.put_bars(self._unwritten)
            self._unwritten = {}

    def _do(self, work: Callable[[OutcomeBook], T]) -> T | None:
        """The result of `work`, or None when the file does not serve now."""
        try:
            if self._book is None:
                self._book = self._opened()
            result = work(self._book)
        except StorageError as error:
            self._failures += 1
            if self._book is not None:
                self._book.close()
                self._book = None
            if self._failures & (self._failures - 1) == 0:
                self.log.warning("outcomes_not_written", reason=str(error)[:300], n=self._failures)
            self.note(f"not written: {error}"[:200])
            return None
        self._failures = 0
        return result

    def _opened(self) -> OutcomeBook:
        """Open the file and take over what is in it."""
        book = OutcomeBook(self._file, self._busy_s)
        if self._fresh:
            book.forget(2**62)
            self._fresh = False
        waiting = self._open
        self._open = book.open()
        for alert_id, one in waiting.items():  # what came while the file did not serve
            book.put_told(one[0])
            self._open[alert_id] = one
        self._judged = book.judged(self.now_ms - self._kept_ms, OWN_HORIZON)
        self._catch_up(book)
        return book

    def _catch_up(self, book: OutcomeBook) -> None:
        """Once: take what was told while nobody was here from the outbox, if that can be read now."""
        outbox, self._outbox = self._outbox, None
        if outbox is None or not outbox.exists():
            return
        try:
            missed = list(missed_alerts(outbox, self._busy_s, self.now_ms - AWAITED_MS))
        except StorageError as error:
            self.log.warning("outbox_unavailable", reason=str(error), marks_waiting=0)
            return
        for told in missed:
            known = book.told(told.alert_id)
            if known is None:
                self._adopt(told, book)
            elif known.from_ms is None and told.delivered_ms is not None and told.alert_id in self._open:
                self._adopt(msgspec.structs.replace(known, delivered_ms=told.delivered_ms), book)

    def _adopt(self, told: Told, book: OutcomeBook) -> None:
        book.put_told(told)
        self._open[told.alert_id] = told, set()


def _put_low(kind: AlertKind, day: int, lower: float, book: OutcomeBook) -> None:
    book.put_low(kind, day, lower)


def _find(alert_id: str, book: OutcomeBook) -> Told | None:
    return book.told(alert_id)


def _put_told(told: Told, book: OutcomeBook) -> None:
    book.put_told(told)
