"""One venue's past by REST: at the start, after a gap, and for assets that join, within that venue's budget.

Each symbol stream is asked what it lacks, so what a checkpoint brought, or what was polled live, is not asked for again.
"""

from collections import Counter, deque
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.asking import Asker, CallRejected, Refused
from actors.backfill_jobs import Job, in_order, jobs_for
from actors.backlog import Backlog
from actors.backoff import Backoff
from actors.bar_offers import Offers
from actors.budget import Pace, Use
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument, Refusal
from actors.exchanges.registry import EXCHANGES, market_data
from actors.failures import NeedsOperator
from actors.messages.feeds import (
    AssetsWatched,
    ConflictsSettled,
    ConnectionChanged,
    InstrumentsListed,
    InstrumentsWanted,
    WatchConflicts,
)
from actors.messages.history import BarsOffered, HistoryMissing, HistorySeen, MissingHistoryWanted
from actors.recording.taps import keep_history
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised

STREAMS_AT_ONCE, STREAMS_EVERY_S = 10, 0.1
TRIES = 3  # of one call; then its job waits for the next round, and other venues stand in for the bars


@dataclass(frozen=True, slots=True)
class _Round:
    """Ask the streams what they lack."""


@dataclass(frozen=True, slots=True)
class _AskStreams:
    """Ask the next few streams."""


@dataclass(frozen=True, slots=True)
class _StandIn:
    """The other venues have had their time to offer bars."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """Make the next call."""


class Backfill(Supervised):
    """Asks for what the watched assets lack of this venue, the most important first.

    Every venue brings its open interest; the bars of an asset come from one of those that offer them, which each tells
    the others (`Offers`); `stand_in_s` after the start those that have told nothing are waited for no longer. A round is due at the start, `refresh_s` market seconds after the last one, and
    `settle_s` after anything changed: the list, the universe, the offers, a socket that is back.
    """

    def init(
        self,
        *,
        venue: str,
        rest_url: str,
        limits: RestLimits,
        backoff: Backoff,
        assets: tuple[str, ...],
        refresh_s: float,
        settle_s: float,
        stand_in_s: float,
    ) -> None:
        self._venue, self._backoff, self._refresh_s, self._settle_s = venue, backoff, refresh_s, settle_s
        self._watched = AssetsWatched(assets=frozenset(assets), ranking=assets)
        self._asker = Asker(EXCHANGES[venue], rest_url, limits)
        self._pace = Pace(venue, Use.BACKFILL, self.system.clock.monotonic)
        self._random = Random(f"{self.path}#{self.epoch}")
        self._data, self._excluded = market_data(venue, NOTHING_SETTLED), frozenset[str]()
        self._listed: dict[str, list[Instrument]] = {}
        self._offers = Offers(venue)
        self._unasked: deque[str] = deque()  # streams of this round
        self._backlog = Backlog()
        self._asked = Counter[str]()  # calls for each asset
        self._down: set[str] = set()
        self._attempts = self._problems = 0
        self._blocked = False
        self._hold_until_s = 0.0
        self._stand_in_from_s = self.system.clock.monotonic() + stand_in_s
        self.timer.once("stand-in", stand_in_s, _StandIn())
        self.log = self.log.bind(venue=venue)
        catalogue = f"{paths.CATALOGUES}/{venue}"
        if self.system.find(catalogue) is not None:  # else it is yet to start, and tells its list by itself
            self.send(catalogue, InstrumentsWanted(path=self.path))

    def recover(self, retained: tuple[Any, ...]) -> None:
        for told in retained:
            self._learn(told)

    def handle(self, message: Any) -> None:
        match message:
            case _Ask():
                self._ask()
            case _Round():
                self._begin_round()
            case _AskStreams():
                self._ask_streams()
            case _StandIn():
                self._settle()
            case HistoryMissing():
                self._line_up(message)
            case InstrumentsListed() | AssetsWatched() | BarsOffered():
                self._learn(message)
                self._settle()
            case ConflictsSettled(settled=settled, excluded=excluded):
                self._data, self._excluded = market_data(self._venue, dict(settled)), excluded
            case ConnectionChanged(connection=connection, state=state):
                self._follow(connection, state)
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._asker.close()

    def _learn(self, message: InstrumentsListed | AssetsWatched | BarsOffered) -> None:
        match message:
            case InstrumentsListed(instruments=instruments):
                self._listed = {}
                for one in instruments:
                    self._listed.setdefault(one.asset, []).append(one)
            case AssetsWatched():
                self._watched = message
            case BarsOffered(venue=venue, assets=assets):
                self._offers.change(venue, assets)

    # -- rounds -------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        if self._listed:
            self.timer.once("round", self._settle_s, _Round())

    def _follow(self, connection: str, state: str) -> None:
        """A socket that is back leaves a gap behind it."""
        if state == "down":
            self._down.add(connection)
        elif state == "up" and connection in self._down:
            self._down.discard(connection)
            self._settle()

    def _begin_round(self) -> None:
        self._offer()
        self_test = f"{paths.SELF_TESTS}/{self._venue}"
        if self.system.find(self_test) is not None:
            self.send(self_test, WatchConflicts(path=self.path))
        self._backlog.follow(in_order(self._watched.assets & self._listed.keys(), self._watched.ranking))
        self._unasked = deque(self._backlog.order)
        self._ask_streams()
        self.timer.once("round", self._refresh_s, _Round(), market=True)

    def _ask_streams(self) -> None:
        """A few at a time: they share one thread, and looking for gaps takes each a quarter of a millisecond."""
        for _ in range(min(STREAMS_AT_ONCE, len(self._unasked))):
            self.send(paths.symbol_path(self._unasked.popleft()), MissingHistoryWanted(path=self.path))
        if self._unasked:
            self.timer.once("streams", STREAMS_EVERY_S, _AskStreams())

    def _offer(self) -> None:
        """Tell the other venues of which assets this one brings bars: none while it cannot ask."""
        offered = frozenset(asset for asset in self._listed if self._contracts(asset) and not self._blocked)
        if self._offers.change(self._venue, offered):
            for path in map(_path_of, self._offers.others):
                if self.system.find(path) is not None:
                    self.send(path, BarsOffered(venue=self._venue, assets=offered), retain=True)

    def _contracts(self, asset: str) -> list[Instrument]:
        out = self._watched.rejected | self._excluded
        return [one for one in self._listed.get(asset, []) if one.instrument not in out]

    def _is_undecided(self, asset: str) -> bool:
        """Whether another venue may yet offer the bars, and still has time to."""
        if self.system.clock.monotonic() >= self._stand_in_from_s:
            return False
        silent = [venue for venue in self._offers.silent if self.system.find(_path_of(venue)) is not None]
        return self._offers.may_be_taken(asset, silent)

    def _line_up(self, told: HistoryMissing) -> None:
        contracts = self._contracts(told.asset)
        if not contracts or told.asset not in self._backlog.order:
            return
        bars = not (self._offers.is_taken(told.asset) or self._is_undecided(told.asset))
        jobs = jobs_for(told.asset, contracts, told.missing, self._data, self.now_ms, bars=bars)
        self._backlog.line_up(told.asset, jobs)
        self._judge(told.asset)
        self._arm()

    def _judge(self, asset: str) -> None:
        """Tell once of an asset when this venue owes it nothing that is urgent any more."""
        backlog = self._backlog
        if asset not in backlog.ready and not self._is_undecided(asset) and not backlog.owes_urgent(asset):
            backlog.ready.add(asset)
            after_s = self.system.clock.monotonic() - self.system.started_s
            self.log.info(
                "asset_ready",
                asset=asset,
                after_s=round(after_s, 1),
                calls=self._asked[asset],
                n=len(backlog.ready),
                of=len(backlog.order),
            )
        self.note(f"{len(backlog.ready)} of {len(backlog.order)} assets ready, {backlog.waiting} spans to ask for")

    # -- asking -------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        wait_s = max(self._pace.wait_s(), self._hold_until_s - self.system.clock.monotonic(), 0.0)
        self.timer.once("ask", wait_s, _Ask())

    def _ask(self) -> None:
        job = self._backlog.take()
        if job is None:
            return
        query = job.queries.popleft()
        self._asked[job.asset] += 1
        self._pace.spend(query.call.weight)
        try:
            reading = self._asker.read(query, lambda: self.now_ms)
        except (CallRejected, FrameError) as error:
            self._give_up(job, error)
        except Refused as error:
            job.queries.appendleft(query)
            self._on_refused(error.refusal)
        except RestError as error:
            job.queries.appendleft(query)
            self._retry(str(error), at_least_s=0.0)
        else:
            self._attempts = 0
            for problem in reading.problems:
                self._on_problem(problem)
            job.take(reading.rows)
            if reading.following is not None:
                job.queries.appendleft(reading.following)
            self._on_answer(job)
        self._arm()

    def _on_answer(self, job: Job) -> None:
        self.transport_progress()
        if not job.queries:
            self._backlog.done()
            span = job.span(self.now_ms)
            self.send(paths.symbol_path(job.asset), HistorySeen(asset=job.asset, span=span))
            keep_history(self, job.asset, span)
            self._judge(job.asset)
        if self._blocked:
            self._blocked = False
            self._settle()

    def _give_up(self, job: Job, error: Exception) -> None:
        """Leave a span to the next round; the asset counts as ready without it, for the venue has been asked."""
        self._backlog.done()
        self._on_problem(error)
        self._judge(job.asset)

    def _on_refused(self, refusal: Refusal) -> None:
        if refusal.permanent:
            self._block()
            raise NeedsOperator(f"{self._venue}: {refusal.reason}. {refusal.advice}")
        self._retry(refusal.reason, at_least_s=refusal.retry_after_s)

    def _retry(self, reason: str, *, at_least_s: float) -> None:
        self._attempts += 1
        wait_s = self._backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self._hold_until_s = self.system.clock.monotonic() + wait_s
        self.log.warning("backfill_failed", reason=reason, attempt=self._attempts, wait_s=round(wait_s, 2))
        if self._attempts == TRIES:
            self._block()
        if self._attempts % TRIES == 0:  # a call that alone fails must not keep the others waiting
            self._backlog.put_off()

    def _block(self) -> None:
        """Offer no bars while nothing can be asked."""
        self._blocked = True
        self._offer()

    def _on_problem(self, error: Exception) -> None:
        """Count what was not understood. Told at the 1st, 2nd, 4th, 8th ..."""
        self._problems += 1
        if self._problems & (self._problems - 1) == 0:
            self.log.warning("backfill_malformed", reason=str(error)[:300], n=self._problems)


def _path_of(venue: str) -> str:
    return f"{paths.BACKFILL}/{venue}"
