"""What followed every alert, measured from its delivery by the asset's minutes, and how the families of alerts do."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors import paths
from actors.database import StorageError
from actors.mailbox import Lane
from actors.messages.chats import VotesState
from actors.messages.market import MinuteClosed
from actors.messages.outcomes import AlertDecided, AskScores, DeliveryMade, LedgerState, ScoresTold, SelectionSet
from actors.missed_alerts import missed_alerts, new_to
from actors.outcome_book import OutcomeBook
from actors.outcome_file import OutcomeFile
from actors.supervised import Supervised
from intelligence.minute import MINUTE_MS, Minute
from intelligence.outcomes.bars import Bars, HourBars, hours_of, number_of, prices_of
from intelligence.outcomes.consequence import HORIZONS
from intelligence.outcomes.controls import control_minutes
from intelligence.outcomes.judging import LONGEST, Outcome, Told, first_minute, judge, told_of
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import DAY_MS, Scores, as_figures
from intelligence.outcomes.standing import Standing
from intelligence.outcomes.usefulness import Votes
from intelligence.outcomes.volatility import HOUR

TICK_S = 60.0  # market seconds: minutes are written, and what is due is judged
SETTLE_MS = 90_000  # behind a horizon: by then its last minute has been closed and told
GIVE_UP_MS = 600_000  # behind a horizon: minutes that are not there by then do not come
AWAITED_MS = 21_600_000  # a message that was not delivered for so long never is (outbox.p1_valid_s)
BATCH = 10  # outcomes in one turn, so that nobody takes this for a hang
TELL_S = 600.0
HEARERS = (paths.TERMINAL, paths.TELEGRAM, paths.HTTP)


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
        self._busy_s, self._rules = busy_s, rules
        self._fresh = fresh and self.epoch == 1
        self._open: dict[str, tuple[Told, dict[int, Outcome]]] = {}
        self._standing = Standing(rules, self.now_ms)
        self._bars: dict[str, tuple[int, HourBars]] = {}  # the newest hour of each asset
        self._unwritten: dict[tuple[str, int], HourBars] = {}
        self._file = OutcomeFile(file, busy_s, opened=self._take_over, failed=self._file_failed)
        self._file.do(lambda _: None)
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
            case VotesState():
                self._take_votes(message)
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
        if hasattr(self, "_file"):
            self._write_bars()
            self._file.close()

    # -- what comes ---------------------------------------------------------------------------------------------------

    def _take_minute(self, minute: Minute) -> None:
        prices = prices_of(minute)
        if prices is None:
            return
        number = number_of(minute.from_ms)
        hour, bars = self._bars.get(minute.asset, (0, None))
        if bars is None or hour != number // HOUR:
            hour = number // HOUR
            kept = self._file.do(lambda book: book.bars(minute.asset, (hour,)))
            bars = self._unwritten.get((minute.asset, hour)) or (kept or {}).get(hour) or HourBars()
            self._bars[minute.asset] = hour, bars
        bars.put(number, prices)
        self._unwritten[minute.asset, hour] = bars

    def _take_alert(self, decided: AlertDecided) -> None:
        told = told_of(decided.alert, decided_ms=decided.decided_ms, awaited=decided.awaited, held=decided.held)
        if told is None or told.alert_id in self._open or self._file.do(partial(_find, told.alert_id)) is not None:
            return
        told = msgspec.structs.replace(
            told,
            chance=self._standing.selection.chance(told.kind, told.strength),
            chosen=self._standing.selection.chooses(told.kind, told.severity, told.strength),
        )
        self._open[told.alert_id] = told, {}
        self._file.do(partial(_put_told, told))

    def _take_delivery(self, made: DeliveryMade) -> None:
        told, done = self._open.get(made.alert_id, (None, {}))
        if told is None or told.delivered_ms is not None or done:
            return
        delivered = msgspec.structs.replace(told, delivered_ms=made.delivered_ms)
        self._open[told.alert_id] = delivered, done
        self._file.do(partial(_put_told, delivered))

    def _take_votes(self, cast: VotesState) -> None:
        votes = Votes(useful=cast.useful, useless=cast.useless)
        self._standing.vote(cast.alert_id, votes)
        self._file.do(lambda book: book.put_votes(cast.alert_id, votes))

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

    def _judge_due(self, told: Told, done: dict[int, Outcome]) -> int:
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
            outcome = self._file.do(partial(self._measure, told, minutes, late=late))
            if outcome is None:
                break  # the file does not serve now, or minutes are missing that may still come
            done[minutes] = outcome
            found += 1
            self._standing.take(told, done)
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
            strict=outcome.strict,
        )
        return outcome

    def _end(self, told: Told) -> None:
        self._open.pop(told.alert_id, None)
        self._file.do(lambda book: book.end(told.alert_id))

    # -- telling ------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        now_ms = self.now_ms
        self._standing.forget(now_ms - self._kept_ms)
        told = self._standing.scores(now_ms)
        self._select(told)
        for path in HEARERS:
            if self.system.find(path) is not None:
                self.send(path, ScoresTold(scores=told), lane=Lane.DATA, merge="scores")
        self._file.do(lambda book: book.forget(now_ms - self._kept_ms))

    def _select(self, told: Scores) -> None:
        """Fit anew once an hour, look for families that do badly, and tell the dispatcher."""
        if self._standing.refit(told):
            self._file.do(lambda book: book.put_lows(self._standing.lows(told)))
            for family in told.families:
                self.log.info("family_scored", **as_figures(family))
        since_day = told.at_ms // DAY_MS - self._rules.selection.demote_days
        before = self._standing.demote(self._file.do(lambda book: book.lows(since_day)) or [], told.at_ms)
        selection = self._standing.selection
        if selection.demoted != before:
            names = [[one.kind for one in some] for some in (selection.demoted, before)]
            self.log.info("families_demoted", families=names[0], before=names[1])
        if self.system.find(paths.DISPATCHER) is not None:
            self.send(paths.DISPATCHER, SelectionSet(selection=selection), lane=Lane.DATA, merge="selection")

    @property
    def _kept_ms(self) -> int:
        """How far back alerts, outcomes and prices are needed."""
        return (max(self._rules.controls.days, self._rules.score_days) + 1) * DAY_MS

    def _state(self) -> LedgerState:
        return LedgerState(
            scores=self._standing.scores(self.now_ms),
            selection=self._standing.selection,
            selected=self._standing.selected(self.now_ms),
            waiting=len(self._open),
            bars_from_ms=self._file.do(lambda book: book.bars_from_ms()),
        )

    def _write_note(self) -> None:
        if not self._file.failures:
            self.note(f"{len(self._standing)} alerts judged, {len(self._open)} wait")

    # -- the file -----------------------------------------------------------------------------------------------------

    def _write_bars(self) -> None:
        self._file.do(self._put_bars)

    def _put_bars(self, book: OutcomeBook) -> None:
        if self._unwritten:
            book.put_bars(self._unwritten)
            self._unwritten = {}

    def _file_failed(self, error: StorageError, times: int) -> None:
        if times & (times - 1) == 0:
            self.log.warning("outcomes_not_written", reason=str(error)[:300], n=times)
        self.note(f"not written: {error}"[:200])

    def _take_over(self, book: OutcomeBook) -> None:
        """Take over what is in the file that was just opened."""
        if self._fresh:
            book.forget(2**62)
            self._fresh = False
        waiting = self._open
        self._open = book.open()
        for alert_id, one in waiting.items():  # what came while the file did not serve
            book.put_told(one[0])
            self._open[alert_id] = one
        self._standing.begin_with(book.judged(self.now_ms - self._kept_ms), book.votes())
        self._catch_up(book)

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
        for told in list(new_to(book, missed, self._open)):
            book.put_told(told)
            self._open[told.alert_id] = told, {}


def _find(alert_id: str, book: OutcomeBook) -> Told | None:
    return book.told(alert_id)


def _put_told(told: Told, book: OutcomeBook) -> None:
    book.put_told(told)
