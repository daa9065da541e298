"""Which assets are watched: those named, or the N with the largest turnover over all venues, ranked daily."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import checkpoints, paths
from actors.asking import Asker, Refused
from actors.backoff import Backoff
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.queries import Query, Turnover
from actors.exchanges.registry import EXCHANGES, MARKET_DATA
from actors.mailbox import Lane
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.feeds import AssetsWatched, InstrumentsListed, InstrumentsWanted
from actors.messages.market import RetireIfIdle
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised
from intelligence.assets import Quote, Rejection, judge_mappings
from intelligence.mappings import Contract, Mappings

CHOSEN = "chosen"
CHOSEN_SCHEMA = 1
CHOSEN_HORIZON_S = 7 * 86_400.0  # an older universe says little about today's
ONE_MOMENT_S = 60.0  # prices read further apart say nothing about each other
SWEEP_SHARE = 0.1  # of the time after which a stream is idle: how often idle ones are looked for


@dataclass(frozen=True, slots=True)
class _Measure:
    """Ask the venues, one after the other, for the turnover of all they list; `again`: only those that did not answer."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class _Ask:
    """Ask what is next in line; with nothing left, judge and rank."""


@dataclass(frozen=True, slots=True)
class _Sweep:
    """Ask the streams outside the universe to end if they are idle."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The universe in force, and what is kept out. Retained for a successor, so that a crash changes nothing, and kept in
    the checkpoints, so that another process begins with it.
    """

    assets: tuple[str, ...]
    rejected: tuple[Rejection, ...]


class Universe(Supervised):
    """Ranks assets, judges by their prices whether contracts are what they are called, and tells catalogues and pollers.

    `always` are part of it whatever their turnover, with `size` 0 nothing else is. A venue that cannot be asked counts
    with what was last known of it in the ranking, and is not judged.
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
        check_s: float,
        settle_s: float,
        idle_s: float,
    ) -> None:
        self._size, self._always, self._backoff = size, always, backoff
        self._rerank_s, self._check_s, self._settle_s, self._idle_s = rerank_s, check_s, settle_s, idle_s
        self._askers = {name: Asker(EXCHANGES[name], url, limits) for name, url in venues.items()}
        self._random = Random(f"{self.path}#{self.epoch}")
        self._listed: dict[str, dict[str, Instrument]] = {}
        self._measured: dict[str, dict[str, Turnover]] = {}
        self._waiting: deque[tuple[str, Query[Turnover]]] = deque()
        self._begun: set[str] = set()  # venues whose new figures replace the old ones in this measurement
        self._began_s = self._due_s = 0.0  # machine time of the measurement, and of the next ranking
        self._heard_s: dict[str, float] = {}
        self._unheard: set[str] = set()  # venues of which an answer failed in this measurement
        self._ranked_by: set[str] = set()
        self._mappings = Mappings()
        self._chosen: tuple[str, ...] = () if size else always
        self._failures = 0
        for venue in venues:
            catalogue = f"{paths.CATALOGUES}/{venue}"
            if self.system.find(catalogue) is not None:
                self.send(catalogue, InstrumentsWanted(path=self.path))
        self.note("waiting for the venues' lists")
        if self.epoch == 1:
            checkpoints.ask_for(self, CHOSEN)
        self.timer.every("sweep", idle_s * SWEEP_SHARE, _Sweep(), market=True)

    def recover(self, retained: tuple[Any, ...]) -> None:
        told: _Chosen = retained[-1]
        self._chosen, self._mappings = told.assets, Mappings(told.rejected)

    def handle(self, message: Any) -> None:
        match message:
            case InstrumentsListed(venue=venue, instruments=instruments):
                self._take_list(venue, instruments)
            case _Measure(again=again):
                self._measure(again=again)
            case _Ask():
                self._ask()
            case CheckpointRestored():
                self._restore(message)
            case _Sweep():
                self._sweep()
            case _:
                super().handle(message)

    def _restore(self, restored: CheckpointRestored) -> None:
        """Begin with what another process chose, unless the ranking was faster."""
        kept = checkpoints.read(self, restored, _Chosen, schema=CHOSEN_SCHEMA)
        if kept is None or self._ranked_by or self._mappings.rejected:
            return
        if self._size:
            others = [asset for asset in kept.assets if asset not in self._always]
            self._chosen = (*self._always, *others[: max(0, self._size - len(self._always))])
        self._mappings = Mappings(kept.rejected)
        self.log.info("universe_restored", n=len(self._chosen), rejected=len(kept.rejected))
        self._tell()

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        for asker in self._askers.values():
            asker.close()

    # -- measuring ----------------------------------------------------------------------------------------------------

    def _take_list(self, venue: str, instruments: Iterable[Instrument]) -> None:
        """A new list, hourly: what joined or left it is ranked soon, together with the lists of other venues."""
        before = self._assets_listed()
        self._listed[venue] = {one.instrument: one for one in instruments}
        if self._assets_listed() != before or venue not in self._measured:
            self._due_s = 0.0
            self.timer.once("measure", self._settle_s, _Measure())

    def _assets_listed(self) -> set[str]:
        return {one.asset for listed in self._listed.values() for one in listed.values()}

    def _measure(self, *, again: bool) -> None:
        if not again:
            self._begun.clear()
            self._began_s = self.system.clock.monotonic()
        self._waiting = deque(
            (venue, query)
            for venue, instruments in self._listed.items()
            if venue not in self._begun
            for query in MARKET_DATA[venue].turnover(instruments)
        )
        self._heard_s = {venue: at_s for venue, at_s in self._heard_s.items() if venue in self._begun}
        self._unheard.clear()
        self.timer.once("ask", 0.0, _Ask())

    def _ask(self) -> None:
        """One call a letter, so that no handler waits longer than one answer takes."""
        if not self._waiting:
            self._conclude()
            return
        venue, query = self._waiting.popleft()
        try:
            reading = self._askers[venue].read(query, lambda: self.now_ms)
        except (Refused, RestError, FrameError) as error:
            self._unheard.add(venue)
            self.log.warning("turnover_failed", venue=venue, reason=str(error)[:300])
        else:
            if venue not in self._begun:
                self._begun.add(venue)
                self._measured[venue] = {}
            self._heard_s[venue] = self.system.clock.monotonic()
            self._measured[venue].update((row.instrument, row) for row in reading.rows)
            if reading.following is not None:
                self._waiting.appendleft((venue, reading.following))
        self.timer.once("ask", 0.0, _Ask())

    def _conclude(self) -> None:
        """Judge the prices, rank if it is time, or a venue answers that the last ranking lacked; arm the next look."""
        changed = self._judge()
        if self._size and self._measured and (self._is_due() or not self._begun <= self._ranked_by):
            self._choose()
            self._ranked_by, self._due_s = set(self._begun), self.system.clock.monotonic() + self._rerank_s
            changed = True
        if changed:
            self._tell()
        left_out = len(self._mappings.rejected)
        self.note(f"{len(self._chosen)} of {len(self._assets_listed())} assets, {left_out} contracts left out")
        self._arm()

    def _is_due(self) -> bool:
        return self.system.clock.monotonic() >= self._due_s

    def _arm(self) -> None:
        """The next look, sooner where venues did not answer, to hear them at last; then only they are asked."""
        now_s = self.system.clock.monotonic()
        if self._listed.keys() <= self._begun:
            self._failures = 0
            wait_s = min(self._check_s, max(0.0, self._due_s - now_s)) if self._size else self._check_s
            self.timer.once("measure", wait_s, _Measure())
            return
        self._failures += 1
        wait_s = min(self._backoff.delay_s(self._failures, self._random.random()), self._check_s)
        self.timer.once("measure", wait_s, _Measure(again=now_s + wait_s < self._began_s + self._check_s))

    # -- judging and ranking ------------------------------------------------------------------------------------------

    def _judge(self) -> bool:
        """Judge every contract by the prices of now; whether that lets a contract in or out."""
        oldest_s = self.system.clock.monotonic() - ONE_MOMENT_S
        heard = {venue for venue, at_s in self._heard_s.items() if at_s >= oldest_s} - self._unheard
        contracts = {Contract(venue, name) for venue, listed in self._listed.items() for name in listed}
        unheard = {one.asset for venue in self._listed.keys() - heard for one in self._listed[venue].values()}
        judged = self._mappings.judge(self._quotes(heard), contracts, unheard)
        for venue, n in judged.out_of_line.items():
            self.log.warning("prices_out_of_line", venue=venue, n=n)
        for quote, reason in judged.rejected:
            self.log.warning(
                "mapping_rejected",
                venue=quote.venue,
                instrument=quote.instrument,
                asset=quote.asset,
                reason=reason,
                price=quote.price,
            )
        for venue, instrument in judged.accepted:
            self.log.info("mapping_accepted", venue=venue, instrument=instrument)
        return bool(judged.rejected or judged.accepted)

    def _quotes(self, venues: Iterable[str]) -> list[Quote]:
        """What these venues said of the contracts that are listed now."""
        return [
            Quote(venue, name, one.asset, one.multiplier, row.price, row.usd_24h)
            for venue in venues
            for name, one in self._listed[venue].items()
            if (row := self._measured.get(venue, {}).get(name)) is not None
        ]

    def _choose(self) -> None:
        turnovers, listed = self._turnovers(), self._assets_listed()
        ranking = sorted(turnovers.keys() - set(self._always), key=lambda asset: (-turnovers[asset], asset))
        chosen = (*self._always, *ranking[: max(0, self._size - len(self._always))])
        self.log.info("universe_ranked", n=len(chosen), listed=len(listed), venues=sorted(self._measured))
        before = set(self._chosen)
        for rank, asset in enumerate(sorted(chosen, key=lambda one: -turnovers.get(one, 0.0)), start=1):
            if asset not in before:
                self.log.info("asset_joined", asset=asset, rank=rank, turnover_usd=round(turnovers.get(asset, 0.0)))
        for asset in sorted(before - set(chosen)):
            self.log.info("asset_left", asset=asset, reason="rank" if asset in listed else "delisted")
        self._chosen = chosen

    def _turnovers(self) -> dict[str, float]:
        """The 24 h turnover of each asset in USD, over contracts that are listed now and that are what they are called."""
        out = self._mappings.rejected
        quotes = [one for one in self._quotes(self._listed) if Contract(one.venue, one.instrument) not in out]
        turnovers: dict[str, float] = {}
        for quote in judge_mappings(quotes)[0]:
            turnovers[quote.asset] = turnovers.get(quote.asset, 0.0) + quote.turnover_usd
        return turnovers

    def _tell(self) -> None:
        rejected = self._mappings.rejected
        chosen = _Chosen(self._chosen, tuple(rejected.values()))
        self.retained.append(chosen)
        checkpoints.keep(self, CHOSEN, chosen, schema=CHOSEN_SCHEMA, horizon_s=CHOSEN_HORIZON_S)
        everywhere = AssetsWatched(assets=frozenset(self._chosen), ranking=self._chosen)
        self.send(paths.DISPATCHER, everywhere, redeliver=True, retain=True)
        for venue in self._askers:
            left_out = frozenset(contract.instrument for contract in rejected if contract.venue == venue)
            watched = AssetsWatched(assets=frozenset(self._chosen), ranking=self._chosen, rejected=left_out)
            for path in (f"{base}/{venue}" for base in (paths.CATALOGUES, paths.OPEN_INTEREST, paths.BACKFILL)):
                if self.system.find(path) is not None:
                    self.send(path, watched, redeliver=True, retain=True)

    # -- streams outside the universe ---------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Streams of other assets were started by a liquidation, or have left: they end when nobody needs them."""
        if self._chosen:
            stay = {paths.SYMBOLS, *map(paths.symbol_path, self._chosen)}
            for place in self.system.places_below(paths.SYMBOLS):
                if place.path not in stay:
                    self.send(place.path, RetireIfIdle(idle_s=self._idle_s), lane=Lane.DATA, merge="retire")
