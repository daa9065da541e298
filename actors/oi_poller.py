"""Open interest of one venue: asked for by REST round after round, spread evenly, and told to the symbol streams.

Each venue counts in its own way (docs/venues.md), so figures stay apart by venue and contract, in coins. What a venue
pushes on its sockets besides is not used yet.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.asking import Asker, CallRejected, Refused
from actors.backoff import Backoff
from actors.budget import Pace, Use
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument, Refusal
from actors.exchanges.queries import Query, Reading
from actors.exchanges.registry import EXCHANGES, market_data
from actors.failures import NeedsOperator
from actors.mailbox import Lane
from actors.messages.feeds import AssetsWatched, ConflictsSettled, InstrumentsListed, InstrumentsWanted, WatchConflicts
from actors.messages.market import OpenInterestSeen
from actors.recording.taps import reply_tap
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised
from intelligence.market import OpenInterest


@dataclass(frozen=True, slots=True)
class _Poll:
    pass


class OpenInterestPoller(Supervised):
    """Polls the contracts of watched assets, and of every other asset that has a stream, once in `poll_s` market seconds.

    It slows down rather than exceed the venue's budget, which counts in machine time. Refusals and failures are waited
    for here; only a refusal for good needs an operator.
    """

    def init(
        self,
        *,
        venue: str,
        rest_url: str,
        limits: RestLimits,
        backoff: Backoff,
        assets: frozenset[str],
        poll_s: float,
    ) -> None:
        self._venue, self._poll_s, self._backoff = venue, poll_s, backoff
        self._watched = AssetsWatched(assets=assets)
        self._asker = Asker(EXCHANGES[venue], rest_url, limits, reply_tap(self, venue, "open_interest", lane=Lane.DATA))
        self._pace = Pace(venue, Use.POLLING, self.system.clock.monotonic)
        self._random = Random(f"{self.path}#{self.epoch}")
        self._listed: tuple[Instrument, ...] = ()
        self._round: deque[Query[OpenInterest]] = deque()
        self._gap_ms = 0.0
        self._due_ms = 0.0  # market time of the next call
        self._newest_ms: dict[str, int] = {}
        self._unmoved: set[str] = set()
        self._attempts = 0
        self._problems = 0
        self._data = market_data(venue, NOTHING_SETTLED)
        self._excluded: frozenset[str] = frozenset()
        self.log = self.log.bind(venue=venue)
        catalogue = f"{paths.CATALOGUES}/{venue}"
        if self.system.find(catalogue) is not None:  # else it is yet to start, and tells its list by itself
            self.send(catalogue, InstrumentsWanted(path=self.path))

    def recover(self, retained: tuple[Any, ...]) -> None:
        self._watched = next(reversed(retained), self._watched)

    def handle(self, message: Any) -> None:
        match message:
            case _Poll():
                self._poll()
            case InstrumentsListed(instruments=instruments):
                first = not self._listed
                self._listed = instruments
                self._forget_delisted()
                if first:
                    self.timer.once("poll", 0.0, _Poll())
            case AssetsWatched():
                self._watched = message
            case ConflictsSettled(settled=settled, excluded=excluded):
                self._data, self._excluded = market_data(self._venue, dict(settled)), excluded
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._asker.close()

    # -- the pace -----------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        early_s = self._pace.wait_s()
        if early_s > 0:
            self.timer.once("poll", early_s, _Poll())
        elif self._round or self._begin_round():
            self._ask(self._round.popleft())
        else:
            self.timer.once("poll", self._poll_s, _Poll(), market=True)

    def _begin_round(self) -> bool:
        """Line up the calls of the next round; False when there is nothing to ask for."""
        self_test = f"{paths.SELF_TESTS}/{self._venue}"
        if self.system.find(self_test) is not None:
            self.send(self_test, WatchConflicts(path=self.path))
        self._round.extend(self._data.open_interest(self._instruments()))
        self._gap_ms = 1000 * self._poll_s / max(1, len(self._round))
        return bool(self._round)

    def _instruments(self) -> dict[str, Instrument]:
        return {one.instrument: one for one in self._listed if self._is_watched(one.asset, one.instrument)}

    def _is_watched(self, asset: str, instrument: str) -> bool:
        if instrument in self._watched.rejected or instrument in self._excluded:
            return False
        return asset in self._watched.assets or self.system.find(paths.symbol_path(asset)) is not None

    def _arm(self, weight: int) -> None:
        """Arm the next call: a gap after this one was due, a late one at once, and never above the budget."""
        self._pace.spend(weight)
        self._due_ms = max(self._due_ms + self._gap_ms, self.now_ms)
        self.timer.once("poll", (self._due_ms - self.now_ms) / 1000, _Poll(), market=True)

    # -- asking -------------------------------------------------------------------------------------------------------

    def _ask(self, query: Query[OpenInterest]) -> None:
        self._due_ms = self._due_ms or self.now_ms
        try:
            reading = self._asker.read(query, lambda: self.now_ms)
        except Refused as error:
            self._on_refused(error.refusal)
            return
        except (CallRejected, FrameError) as error:
            self._on_problem(error)
        except RestError as error:
            self._retry(str(error), at_least_s=0.0)
            return
        else:
            self._take(reading)
        self._attempts = 0
        self._arm(query.call.weight)

    def _take(self, reading: Reading[OpenInterest]) -> None:
        for problem in reading.problems:
            self._on_problem(problem)
        self._publish(reading.rows)
        if reading.following is not None:
            self._round.appendleft(reading.following)
        self.transport_progress()

    def _on_refused(self, refusal: Refusal) -> None:
        if refusal.permanent:
            raise NeedsOperator(f"{self._venue}: {refusal.reason}. {refusal.advice}")
        self._retry(refusal.reason, at_least_s=refusal.retry_after_s)

    def _retry(self, reason: str, *, at_least_s: float) -> None:
        """Go on with the next call after a wait; what this one would have brought comes with the next round."""
        self._attempts += 1
        wait_s = self._backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self.log.warning("poll_failed", reason=reason, attempt=self._attempts, wait_s=round(wait_s, 2))
        self.note(f"open interest not read: {reason}"[:160])
        self._due_ms = 0.0
        self.timer.once("poll", wait_s, _Poll())

    def _on_problem(self, error: Exception) -> None:
        """Count what was not understood. Told at the 1st, 2nd, 4th, 8th ..."""
        self._problems += 1
        if self._problems & (self._problems - 1) == 0:
            self.log.warning("poll_malformed", n=self._problems, reason=str(error)[:300])

    # -- telling ------------------------------------------------------------------------------------------------------

    def _publish(self, rows: Iterable[OpenInterest]) -> None:
        """Tell what is new. A figure whose time did not move is no observation, whatever it says."""
        for row in rows:
            if not self._is_watched(row.asset, row.instrument):
                continue  # any longer: a figure that was on its way starts no stream
            if row.exchange_ms <= self._newest_ms.get(row.instrument, 0):
                self._unmoved.add(row.instrument)
                continue
            self._newest_ms[row.instrument] = row.exchange_ms
            self._unmoved.discard(row.instrument)
            merge = ("oi", row.venue, row.instrument)
            self.send(paths.symbol_path(row.asset), OpenInterestSeen(record=row), lane=Lane.DATA, merge=merge)
            self.progress()
        unmoved = f", {len(self._unmoved)} did not move" if self._unmoved else ""
        problems = f", {self._problems} not understood" if self._problems else ""
        self.note(f"open interest of {len(self._newest_ms)} contracts{unmoved}{problems}")

    def _forget_delisted(self) -> None:
        names = {one.instrument for one in self._listed}
        self._newest_ms = {name: at_ms for name, at_ms in self._newest_ms.items() if name in names}
        self._unmoved &= names
