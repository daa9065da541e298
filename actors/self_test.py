"""One venue's self-tests: settles at run time what its documents leave open, and checks the sizes of its contracts."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from actors import checkpoints, paths
from actors.asking import Asker, CallRejected, Refused
from actors.backoff import Backoff
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.queries import Query
from actors.exchanges.registry import EXCHANGES, SELF_TESTS, UNIT_FIGURES
from actors.exchanges.trial import Held, Trial, TrialTimes
from actors.exchanges.units import UnitsBook
from actors.failures import NeedsOperator
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.feeds import (
    ConflictsSettled,
    InstrumentsListed,
    InstrumentsWanted,
    LiquidationsTold,
    WatchConflicts,
)
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised
from intelligence.market import Liquidation

GAP_S = 0.5  # machine seconds between two calls: far below what any venue allows
MAX_PAGES = 10  # that follow one another in a round, the newest first
REPEAT_S = 60.0  # what holds is told to the venue monitor again so often
VERDICT = "verdict"  # the part of the state that survives the process
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestRules:
    """`look_s`: market time between two rounds of questions while something is open; `units_s`: between two looks at the
    sizes of contracts.
    """

    look_s: float
    units_s: float
    times: TrialTimes


class Kept(msgspec.Struct, frozen=True):
    """`held`: None where a verdict was withdrawn."""

    held: Held | None


@dataclass(frozen=True, slots=True)
class _Look:
    pass


@dataclass(frozen=True, slots=True)
class _Ask:
    pass


@dataclass(frozen=True, slots=True)
class _Repeat:
    pass


class VenueSelfTest(Supervised):
    """Hears of liquidations from the venue's connections, asks REST for the same ones, seldom, and tells connections,
    poller and venue monitor what is settled.

    A verdict outlives the process; it is tested again every day and withdrawn when something speaks against it.
    """

    def init(
        self,
        *,
        venue: str,
        rest_url: str,
        limits: RestLimits,
        backoff: Backoff,
        assets: frozenset[str],
        rules: SelfTestRules,
    ) -> None:
        self._venue, self._assets, self._rules, self._backoff = venue, assets, rules, backoff
        self._asker = Asker(EXCHANGES[venue], rest_url, limits)
        self._random = Random(f"{self.path}#{self.epoch}")
        self.log = self.log.bind(venue=venue)
        self._trial = Trial(SELF_TESTS[venue], rules.times)
        self._units = UnitsBook()
        self._units_due_ms = 0
        self._instruments: Mapping[str, Instrument] = {}
        self._comparing: deque[Query[Any]] = deque()  # questions about the conflict; they go first
        self._measuring: deque[Query[Any]] = deque()  # about the sizes of contracts, of which there may be hundreds
        self._pages = self._attempts = self._problems = 0
        self._asking = False
        self._watchers: set[str] = set()
        catalogue = f"{paths.CATALOGUES}/{venue}"
        if self.system.find(catalogue) is not None:  # else it is yet to start, and tells its list by itself
            self.send(catalogue, InstrumentsWanted(path=self.path))
        self._knows_past = not checkpoints.ask_for(self, VERDICT)  # until then nobody is told that all is open
        self.timer.every("repeat", REPEAT_S, _Repeat())
        self.timer.once("look", rules.look_s, _Look(), market=True)

    def handle(self, message: Any) -> None:
        match message:
            case LiquidationsTold(rows=rows, read_by=read_by):
                self._trial.hear(self._comparable(rows), dict(read_by))
            case WatchConflicts(path=path):
                self._watchers.add(path)
                if self._knows_past:
                    self.send(path, self._settled())
            case InstrumentsListed(instruments=instruments):
                self._instruments = {one.instrument: one for one in instruments}
            case CheckpointRestored():
                self._remember(message)
            case _Look():
                self._look()
            case _Ask():
                self._asking = False
                self._ask()
            case _Repeat():
                self._knows_past = True
                self._tell_monitor()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._asker.close()

    def _comparable(self, rows: Iterable[Liquidation]) -> Iterable[Liquidation]:
        """Rows of contracts that count single coins: with others a unit of the venue's is not one of ours."""
        for row in rows:
            listed = self._instruments.get(row.instrument)
            if listed is not None and listed.multiplier == 1:
                yield row

    # -- asking -------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Ask what there is to ask now, unless that is under way; judge at once where nothing need be asked."""
        if not self._comparing:
            self._pages = 0
            self._comparing.extend(self._trial.questions(self._instruments, self.now_ms))
            if not self._comparing:
                self._conclude(self._judge_conflict)
        if self._venue in UNIT_FIGURES and not self._measuring and self.now_ms >= self._units_due_ms:
            self._measuring.extend(UNIT_FIGURES[self._venue](self._watched()))
        self._ask_after(GAP_S)
        self.timer.once("look", self._rules.look_s, _Look(), market=True)

    def _watched(self) -> dict[str, Instrument]:
        return {
            name: one
            for name, one in self._instruments.items()
            if one.asset in self._assets or self.system.find(paths.symbol_path(one.asset)) is not None
        }

    def _ask_after(self, wait_s: float) -> None:
        if not self._asking and (self._comparing or self._measuring):
            self._asking = True
            self.timer.once("ask", wait_s, _Ask())

    def _ask(self) -> None:
        queue, book = (self._comparing, self._trial) if self._comparing else (self._measuring, self._units)
        query = queue.popleft()
        try:
            reading = self._asker.read(query, lambda: self.now_ms)
        except Refused as error:
            if error.refusal.permanent:
                raise NeedsOperator(f"{self._venue}: {error.refusal.reason}. {error.refusal.advice}") from None
            queue.appendleft(query)
            self._retry(error.refusal.reason, at_least_s=error.refusal.retry_after_s)
            return
        except (CallRejected, FrameError) as error:
            self._on_problem(error)
        except RestError as error:
            queue.appendleft(query)
            self._retry(str(error), at_least_s=0.0)
            return
        else:
            for problem in reading.problems:
                self._on_problem(problem)
            book.learn(reading.rows)
            if reading.following is not None and self._pages < MAX_PAGES:
                self._pages += 1
                queue.appendleft(reading.following)
            self.transport_progress()
        self._attempts = 0
        if not queue:
            self._conclude(self._judge_conflict if queue is self._comparing else self._judge_units)
        self._ask_after(GAP_S)

    def _retry(self, reason: str, *, at_least_s: float) -> None:
        self._attempts += 1
        wait_s = self._backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self.log.warning("self_test_failed", reason=reason, attempt=self._attempts, wait_s=round(wait_s, 2))
        self._ask_after(wait_s)

    def _on_problem(self, error: Exception) -> None:
        """Count what was not understood. Told at the 1st, 2nd, 4th, 8th ..."""
        self._problems += 1
        if self._problems & (self._problems - 1) == 0:
            self.log.warning("self_test_malformed", n=self._problems, reason=str(error)[:300])

    # -- judging ------------------------------------------------------------------------------------------------------

    def _conclude(self, judge: Callable[[], None]) -> None:
        told = self._settled()
        judge()
        if self._settled() != told:
            self._tell()
        self._write_note()

    def _judge_conflict(self) -> None:
        before, outcome = self._trial.held, self._trial.judge(self.now_ms)
        if outcome == "settled" and (held := self._trial.held) is not None:
            self.log.info("conflict_settled", conflict=held.conflict, verdict=held.verdict, evidence=held.evidence)
            self.progress()
        elif outcome == "withdrawn" and before is not None:
            self.log.warning(
                "conflict_withdrawn", conflict=before.conflict, verdict=before.verdict, reason=self._trial.why
            )
        if outcome:
            self._keep()

    def _judge_units(self) -> None:
        """A contract that has just begun to disagree is looked at again in the next round, the others in their time."""
        before = self._units.excluded
        for name, problem in self._units.conclude().items():
            self.log.warning("contract_excluded", instrument=name, reason=problem)
        for name in sorted(before - self._units.excluded):
            self.log.info("contract_included", instrument=name)
        if not self._units.suspects:
            self._units_due_ms = self.now_ms + int(1000 * self._rules.units_s)

    # -- remembering and telling ----------------------------------------------------------------------------------------

    def _remember(self, restored: CheckpointRestored) -> None:
        """Take up what an earlier incarnation or process has settled."""
        kept = checkpoints.read(self, restored, Kept, schema=SCHEMA)
        held = kept.held if kept is not None else None
        if held is not None and self._trial.remember(held):
            self.log.info("conflict_remembered", conflict=held.conflict, verdict=held.verdict, evidence=held.evidence)
        self._knows_past = True
        self._tell()

    def _keep(self) -> None:
        horizon_s = self._rules.times.lapse_ms / 1000
        checkpoints.keep(self, VERDICT, Kept(held=self._trial.held), schema=SCHEMA, horizon_s=horizon_s)

    def _settled(self) -> ConflictsSettled:
        settled = tuple(self._trial.settled.items())
        return ConflictsSettled(venue=self._venue, settled=settled, excluded=self._units.excluded)

    def _tell(self) -> None:
        """Tell the monitor first: before a liquidation counts alone, its venue has to count as able to report."""
        self._tell_monitor()
        for path in self._watchers:
            self.send(path, self._settled())
        self._write_note()

    def _tell_monitor(self) -> None:
        self.send(paths.VENUES, self._settled(), redeliver=True, retain=True)

    def _write_note(self) -> None:
        held = self._trial.held
        verdict = f"{held.verdict}, from {held.evidence} observations" if held else "open"
        heard = f", {self._trial.heard} liquidations to compare" if self._trial.heard else ""
        excluded = f", {len(self._units.excluded)} contracts excluded" if self._units.excluded else ""
        self.note(f"{self._trial.conflict}: {verdict}{heard}{excluded}")
