"""Each venue's list of instruments: fetched by REST at start and refreshed; from it follow the sockets to open."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.connection import ConnectionRules
from actors.exchanges import EXCHANGES
from actors.exchanges.exchange import FrameError, Instrument, Keepalive, Refusal, RestCall
from actors.messages import ChildrenWanted, ConnectionChanged, SocketsPlanned
from actors.rest import Rest, RestError, RestLimits
from actors.supervised import NeedsOperator, Supervised

CATALOGUE = "catalogue"
MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class _Load:
    pass


class _Refused(Exception):  # noqa: N818 - carries the venue's word
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Catalogue(Supervised):
    """Knows what one venue lists, and tells the feeds' supervisor which connections that asks for."""

    def init(
        self,
        *,
        venue: str,
        ws_url: str,
        rest_url: str,
        assets: frozenset[str],
        keepalive: Keepalive,
        limits: RestLimits,
        backoff: Backoff,
        refresh_s: float,
        rules: ConnectionRules,
    ) -> None:
        self._venue, self._ws_url, self._assets = venue, ws_url, assets
        self._exchange = EXCHANGES[venue]
        self._keepalive, self._backoff, self._refresh_s, self._rules = keepalive, backoff, refresh_s, rules
        self._rest = Rest(rest_url, limits)
        self._random = Random(f"{self.path}#{self.epoch}")
        self._attempts = 0
        self._known: tuple[Instrument, ...] = ()
        self.log = self.log.bind(venue=venue)
        self.timer.once("load", 0.0, _Load())

    def handle(self, message: Any) -> None:
        match message:
            case _Load():
                self._load()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._rest.close()

    def _load(self) -> None:
        try:
            instruments, left_out = self._fetch()
        except _Refused as error:
            self._on_refused(error.refusal)
        except (RestError, FrameError) as error:
            self._retry(str(error), advice="", at_least_s=0.0)
        else:
            self._attempts = 0
            self._take(instruments, left_out)
            self.timer.once("load", self._refresh_s, _Load())

    def _fetch(self) -> tuple[tuple[Instrument, ...], Counter[str]]:
        """Every page of the venue's list. Raises _Refused, RestError, FrameError."""
        instruments: list[Instrument] = []
        left_out: Counter[str] = Counter()
        call: RestCall | None = self._exchange.instruments_call()
        for _ in range(MAX_PAGES):
            if call is None:
                break
            answer = self._rest.get(call.path, dict(call.params))
            refusal = self._exchange.refusal(answer.status, answer.headers, answer.body)
            if refusal is not None:
                raise _Refused(refusal)
            if answer.status != 200:
                raise RestError(f"{call.path}: HTTP {answer.status}")
            page = self._exchange.read_instruments(answer.body)
            instruments += page.instruments
            left_out.update(dict(page.left_out))
            call = page.following
        if not instruments:
            raise RestError("the venue lists no usable instrument")
        return tuple(instruments), left_out

    def _take(self, instruments: tuple[Instrument, ...], left_out: Counter[str]) -> None:
        if instruments != self._known:
            self._known = instruments
            self.log.info("instruments_loaded", n=len(instruments), left_out=dict(left_out))
        plans = self._exchange.sockets(instruments, self._assets)
        names = tuple(f"{self._venue}-{plan.name}" for plan in plans)
        bringing = tuple(name for name, plan in zip(names, plans, strict=True) if plan.brings_liquidations)
        self.send(paths.VENUES, SocketsPlanned(venue=self._venue, connections=bringing))
        children = tuple(
            (
                name,
                {
                    "venue": self._venue,
                    "ws_url": self._ws_url,
                    "plan": plan,
                    "keepalive": self._keepalive,
                    "instruments": instruments,
                    "assets": self._assets,
                    "rules": self._rules,
                },
            )
            for name, plan in zip(names, plans, strict=True)
        )
        self.send(paths.FEEDS, ChildrenWanted(owner=self._venue, children=children), retain=True)
        self.note(f"{len(instruments)} instruments, {len(plans)} sockets")

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
        self.send(paths.VENUES, changed)
