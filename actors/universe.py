"""Which assets are watched when nobody names them: the N with the largest turnover over all venues, ranked daily."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.asking import Asker, Refused
from actors.backoff import Backoff
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.queries import Query, Turnover
from actors.exchanges.registry import EXCHANGES, MARKET_DATA
from actors.messages import AssetsWatched, InstrumentsListed, InstrumentsWanted
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised
from intelligence.assets import Quote, judge_mappings


@dataclass(frozen=True, slots=True)
class _Measure:
    """Ask the venues, one after the other, for the turnover of all they list; `again`: only those that did not answer."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class _Ask:
    """Ask what is next in line; with nothing left, rank."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The universe in force. Retained for a successor, so that a crash changes nothing."""

    assets: tuple[str, ...]


class Universe(Supervised):
    """Ranks assets and tells catalogues and pollers of changes.

    `always` are part of it whatever their turnover. A venue that cannot be asked counts with what was last known of it.
    Contracts whose price says that they are another coin than their name does not count.
    """

    def init(
        self,
        *,
        size: int,
        always: tuple[str, ...],
        venues: Mapping[str, str],
        limits: RestLimits,
        backoff: Backoff,
        rerank_s: float,
        settle_s: float,
    ) -> None:
        self._size, self._always, self._backoff = size, always, backoff
        self._rerank_s, self._settle_s = rerank_s, settle_s
        self._askers = {name: Asker(EXCHANGES[name], url, limits) for name, url in venues.items()}
        self._random = Random(f"{self.path}#{self.epoch}")
        self._listed: dict[str, dict[str, Instrument]] = {}
        self._measured: dict[str, dict[str, Turnover]] = {}
        self._waiting: deque[tuple[str, Query[Turnover]]] = deque()
        self._begun: set[str] = set()  # venues whose new figures replace the old ones in this measurement
        self._chosen: tuple[str, ...] = ()
        self._failures = 0
        for venue in venues:
            catalogue = f"{paths.CATALOGUES}/{venue}"
            if self.system.find(catalogue) is not None:
                self.send(catalogue, InstrumentsWanted(path=self.path))
        self.note("waiting for the venues' lists")

    def recover(self, retained: tuple[Any, ...]) -> None:
        self._chosen = next((told.assets for told in reversed(retained)), self._chosen)

    def handle(self, message: Any) -> None:
        match message:
            case InstrumentsListed(venue=venue, instruments=instruments):
                self._take_list(venue, instruments)
            case _Measure(again=again):
                self._measure(again=again)
            case _Ask():
                self._ask()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        for asker in self._askers.values():
            asker.close()

    # -- measuring ----------------------------------------------------------------------------------------------------

    def _take_list(self, venue: str, instruments: Iterable[Instrument]) -> None:
        """A new list, hourly: what joined or left it is ranked soon, together with the lists of other venues."""
        before = self._assets_listed()
        self._listed[venue] = {one.instrument: one for one in instruments}
        if self._assets_listed() != before or venue not in self._measured:
            self.timer.once("measure", self._settle_s, _Measure())

    def _assets_listed(self) -> set[str]:
        return {one.asset for listed in self._listed.values() for one in listed.values()}

    def _measure(self, *, again: bool) -> None:
        if not again:
            self._begun.clear()
        self._waiting = deque(
            (venue, query)
            for venue, instruments in self._listed.items()
            if venue not in self._begun
            for query in MARKET_DATA[venue].turnover(instruments)
        )
        self.timer.once("ask", 0.0, _Ask())

    def _ask(self) -> None:
        """One call a letter, so that no handler waits longer than one answer takes."""
        if not self._waiting:
            self._rank()
            return
        venue, query = self._waiting.popleft()
        try:
            reading = self._askers[venue].read(query, lambda: self.now_ms)
        except (Refused, RestError, FrameError) as error:
            self.log.warning("turnover_failed", venue=venue, reason=str(error)[:300])
        else:
            if venue not in self._begun:
                self._begun.add(venue)
                self._measured[venue] = {}
            self._measured[venue].update((row.instrument, row) for row in reading.rows)
            if reading.following is not None:
                self._waiting.appendleft((venue, reading.following))
        self.timer.once("ask", 0.0, _Ask())

    # -- ranking ------------------------------------------------------------------------------------------------------

    def _rank(self) -> None:
        """Choose, and arm the next ranking in `rerank_s`; sooner, to hear them at last, if venues did not answer."""
        if self._measured:
            self._choose()
        if self._listed.keys() <= self._begun:
            self._failures = 0
            self.timer.once("measure", self._rerank_s, _Measure())
            return
        self._failures += 1
        wait_s = self._backoff.delay_s(self._failures, self._random.random())
        self.timer.once("measure", min(wait_s, self._rerank_s), _Measure(again=True))

    def _choose(self) -> None:
        turnovers, listed = self._turnovers(), len(self._assets_listed())
        ranking = sorted(turnovers.keys() - set(self._always), key=lambda asset: (-turnovers[asset], asset))
        chosen = (*self._always, *ranking[: max(0, self._size - len(self._always))])
        self.log.info("universe_ranked", n=len(chosen), listed=listed, venues=sorted(self._measured))
        self._take(chosen, turnovers)

    def _turnovers(self) -> dict[str, float]:
        """The 24 h turnover of each asset in USD, over contracts that are listed now and that are what they are called."""
        quotes = [
            Quote(venue, name, one.asset, one.multiplier, row.price, row.usd_24h)
            for venue, listed in self._listed.items()
            for name, one in listed.items()
            if (row := self._measured.get(venue, {}).get(name)) is not None
        ]
        turnovers: dict[str, float] = {}
        for quote in judge_mappings(quotes)[0]:
            turnovers[quote.asset] = turnovers.get(quote.asset, 0.0) + quote.turnover_usd
        return turnovers

    def _take(self, chosen: tuple[str, ...], turnovers: Mapping[str, float]) -> None:
        before, listed = set(self._chosen), self._assets_listed()
        for rank, asset in enumerate(sorted(chosen, key=lambda one: -turnovers.get(one, 0.0)), start=1):
            if asset not in before:
                self.log.info("asset_joined", asset=asset, rank=rank, turnover_usd=round(turnovers.get(asset, 0.0)))
        for asset in sorted(before - set(chosen)):
            self.log.info("asset_left", asset=asset, reason="rank" if asset in listed else "delisted")
        self._chosen = chosen
        self.note(f"{len(chosen)} of {len(listed)} assets, by the turnover of {len(self._measured)} venues")
        self.retained.append(_Chosen(chosen))
        for venue in self._askers:
            for path in (f"{paths.CATALOGUES}/{venue}", f"{paths.OPEN_INTEREST}/{venue}"):
                if self.system.find(path) is not None:
                    self.send(path, AssetsWatched(assets=frozenset(chosen)), redeliver=True, retain=True)
