"""Each venue's list of instruments: fetched by REST at start and refreshed; from it follow the sockets to open."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.asking import Asker, Refused
from actors.backoff import Backoff
from actors.connection import ConnectionRules
from actors.exchanges.exchange import Feed, FrameError, Instrument, Keepalive, Refusal, RestCall, SocketPlan
from actors.exchanges.registry import EXCHANGES
from actors.failures import NeedsOperator
from actors.mailbox import Lane
from actors.messages.feeds import (
    AssetsWatched,
    ConnectionChanged,
    InstrumentsDoubted,
    InstrumentsListed,
    InstrumentsWanted,
    SocketsPlanned,
)
from actors.messages.supervision import ChildrenWanted
from actors.recording.entries import VenuePlanned
from actors.recording.taps import records, reply_tap
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised

CATALOGUE = "catalogue"
MAX_PAGES = 50
DOUBTED_S = 60.0  # between two readings of a list that a connection doubts
REPEAT_S = 60.0  # the plan is told again so often, so that whoever missed it learns it


@dataclass(frozen=True, slots=True)
class _Load:
    pass


@dataclass(frozen=True, slots=True)
class _Repeat:
    pass


class Catalogue(Supervised):
    """Knows what one venue lists, and tells the feeds' supervisor which connections that asks for.

    `assets` are those watched from the start, until `AssetsWatched` names others; `feeds` is what is wanted of them, where
    the venue pushes it. `apart`: liquidations have sockets of their own, so that other assets, whose prices are subscribed
    by name, interrupt none of them.
    """

    def init(
        self,
        *,
        venue: str,
        ws_url: str,
        rest_url: str,
        assets: frozenset[str],
        feeds: frozenset[Feed],
        keepalive: Keepalive,
        limits: RestLimits,
        backoff: Backoff,
        refresh_s: float,
        rules: ConnectionRules,
        apart: bool = False,
    ) -> None:
        self._venue, self._ws_url, self._feeds = venue, ws_url, feeds
        self._watched = AssetsWatched(assets=assets)
        self._exchange, self._apart = EXCHANGES[venue], apart
        self._keepalive, self._backoff, self._refresh_s, self._rules = keepalive, backoff, refresh_s, rules
        self._asker = Asker(self._exchange, rest_url, limits, reply_tap(self, venue, "instruments", lane=Lane.URGENT))
        self._random = Random(f"{self.path}#{self.epoch}")
        self._attempts = 0
        self._known: tuple[Instrument, ...] = ()
        self._loaded_s = 0.0
        self._planned = SocketsPlanned(venue=venue, connections=())
        self._wanted: dict[str, Mapping[str, Any]] = {}
        self.log = self.log.bind(venue=venue)
        self.timer.once("load", 0.0, _Load())
        self.timer.every("repeat", REPEAT_S, _Repeat())

    def recover(self, retained: tuple[Any, ...]) -> None:
        self._watched = next(reversed(retained), self._watched)

    def handle(self, message: Any) -> None:
        match message:
            case _Load():
                self._load()
            case AssetsWatched():
                self._watch(message)
            case InstrumentsWanted(path=path):
                if self._known:
                    self.send(path, InstrumentsListed(venue=self._venue, instruments=self._known))
                if path.startswith(paths.FEEDS):
                    self.send(path, self._watched)
            case InstrumentsDoubted():
                self._reload_soon()
            case _Repeat():
                if self._known:
                    self._tell_planned()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._asker.close()

    def _load(self) -> None:
        try:
            instruments, left_out = self._fetch()
        except Refused as error:
            self._on_refused(error.refusal)
        except (RestError, FrameError) as error:
            self._retry(str(error), advice="", at_least_s=0.0)
        else:
            self._attempts = 0
            self._take(instruments, left_out)
            self.timer.once("load", self._refresh_s, _Load())

    def _fetch(self) -> tuple[tuple[Instrument, ...], Counter[str]]:
        """Every page of the venue's list, by name. Raises Refused, RestError, FrameError."""
        instruments: dict[str, Instrument] = {}
        left_out: Counter[str] = Counter()
        call: RestCall | None = self._exchange.instruments_call()
        for _ in range(MAX_PAGES):
            if call is None:
                break
            page = self._exchange.read_instruments(self._asker.body(call), call)
            instruments.update((one.instrument, one) for one in page.instruments)
            left_out.update(dict(page.left_out))
            call = page.following
        if call is not None:
            raise RestError(f"{call.path}: more than {MAX_PAGES} pages")
        if not instruments:
            raise RestError("the venue lists no usable instrument")
        return tuple(instruments[name] for name in sorted(instruments)), left_out

    def _take(self, instruments: tuple[Instrument, ...], left_out: Counter[str]) -> None:
        self._loaded_s = self.system.clock.monotonic()
        if instruments == self._known:
            return
        self._known = instruments
        self.log.info("instruments_loaded", n=len(instruments), left_out=dict(left_out))
        listed = InstrumentsListed(venue=self._venue, instruments=instruments)
        self._tell_connections(self._plan(), listed)
        for path in (
            *(f"{base}/{self._venue}" for base in (paths.OPEN_INTEREST, paths.BACKFILL, paths.SELF_TESTS)),
            paths.UNIVERSE,
        ):
            if self.system.find(path) is not None:
                self.send(path, listed)

    def _watch(self, watched: AssetsWatched) -> None:
        """Go on with other assets: only sockets that now subscribe differently start anew, the others are told."""
        before, self._watched = self._watched, watched
        if watched != before and self._known:
            self._tell_connections(self._plan(), watched)

    def _tell_connections(self, names: Iterable[str], message: Any) -> None:
        for path in (f"{paths.FEEDS}/{name}" for name in names):
            if self.system.find(path) is not None:
                self.send(path, message)

    def _plan(self) -> tuple[str, ...]:
        """Tell which sockets there are to be, and have them; returns their names."""
        plans = self._plans()
        self.note(f"{len(self._known)} instruments, {len(plans)} sockets")
        bringing = tuple(name for name, plan in plans.items() if plan.brings_liquidations)
        others = tuple(name for name in plans if name not in bringing)
        self._planned = SocketsPlanned(venue=self._venue, connections=bringing, others=others)
        self._tell_planned()
        self._want({name: self._arguments(name, plan) for name, plan in plans.items()})
        return tuple(plans)

    def _plans(self) -> dict[str, SocketPlan]:
        if not self._apart:
            return self._sockets(self._feeds)
        liquidations = self._sockets(self._feeds & {Feed.LIQUIDATIONS})
        carried = frozenset[Feed]().union(*(plan.feeds for plan in liquidations.values()))
        return liquidations | self._sockets(self._feeds - carried, "prices-")

    def _sockets(self, feeds: frozenset[Feed], prefix: str = "") -> dict[str, SocketPlan]:
        plans = self._exchange.sockets(self._known, self._watched.assets, feeds)
        return {f"{self._venue}-{prefix}{plan.name}": plan for plan in plans}

    def _arguments(self, name: str, plan: SocketPlan) -> Mapping[str, Any]:
        """Those of before while the plan is the same: a changed list is told to the socket that runs, and only what
        subscribes differently starts anew.
        """
        before = self._wanted.get(name)
        if before is not None and before["plan"] == plan:
            return before
        return {
            "venue": self._venue,
            "ws_url": self._ws_url,
            "plan": plan,
            "keepalive": self._keepalive,
            "instruments": self._known,
            "assets": self._watched.assets,
            "rules": self._rules,
        }

    def _want(self, wanted: dict[str, Mapping[str, Any]]) -> None:
        if wanted != self._wanted:
            self._wanted = wanted
            children = ChildrenWanted(owner=self._venue, children=tuple(wanted.items()))
            self.send(paths.FEEDS, children, redeliver=True, retain=True)

    def _tell_planned(self) -> None:
        planned = self._planned
        self.send(paths.VENUES, planned, redeliver=True, retain=True)
        if records(self):
            kept = VenuePlanned(
                at_ms=self.now_ms, venue=self._venue, connections=planned.connections, others=planned.others
            )
            self.send(paths.RECORDER, kept, redeliver=True)

    def _reload_soon(self) -> None:
        """Read the list again, at most every `DOUBTED_S`; after a failure the next try is due anyway."""
        if self._known and not self._attempts:
            wait_s = self._loaded_s + DOUBTED_S - self.system.clock.monotonic()
            self.timer.once("load", max(0.0, min(wait_s, self._refresh_s)), _Load())

    def _on_refused(self, refusal: Refusal) -> None:
        if refusal.permanent:
            self._tell("refused", refusal.reason, refusal.advice)
            raise NeedsOperator(f"{self._venue}: {refusal.reason}. {refusal.advice}")
        self._retry(refusal.reason, advice=refusal.advice, at_least_s=refusal.retry_after_s)

    def _retry(self, reason: str, *, advice: str, at_least_s: float) -> None:
        self._attempts += 1
        wait_s = self._backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self.log.warning("catalogue_failed", reason=reason, attempt=self._attempts, wait_s=round(wait_s, 2))
        self.note(f"instruments not loaded: {reason}"[:160])
        if not self._known:
            self._tell("down", reason, advice)
        self.timer.once("load", wait_s, _Load())

    def _tell(self, state: str, reason: str, advice: str) -> None:
        changed = ConnectionChanged(
            venue=self._venue,
            connection=CATALOGUE,
            state=state,
            brings_liquidations=False,
            reason=reason,
            advice=advice,
        )
        self.send(paths.VENUES, changed, redeliver=True, retain=True)
