"""A venue's margin tiers, read seldom and kept with their date; told to whoever asks for those of an asset."""

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import checkpoints, paths
from actors.asking import Asker, CallRejected, Refused
from actors.backoff import Backoff
from actors.budget import Pace, Use
from actors.exchanges.exchange import NOTHING_SETTLED, FrameError, Instrument
from actors.exchanges.queries import Query
from actors.exchanges.registry import EXCHANGES, market_data
from actors.failures import NeedsOperator
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import MarginTiersTold, MarginTiersWanted
from actors.messages.feeds import InstrumentsListed, InstrumentsWanted
from actors.rest import RestError, RestLimits
from actors.supervised import Supervised
from intelligence.margin_tiers import MarginTiers

PART, SCHEMA = "tiers", 1
OLD_DAYS = 90.0  # detection.md 2.3: warn when what is known is older
LIST_S = 10.0  # how soon a list of instruments is asked for again (ours)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Refresh:
    """Read all tiers anew."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """Make the next call."""


class MarginReader(Supervised):
    """Reads the tiers of watched assets, and of every other that has a stream, once in `refresh_s` market seconds. What was
    read last counts until it is read anew, for `keep_s` at most.
    """

    def init(
        self,
        *,
        venue: str,
        rest_url: str,
        limits: RestLimits,
        backoff: Backoff,
        assets: frozenset[str],
        refresh_s: float,
        keep_s: float,
    ) -> None:
        self._venue, self._assets, self._backoff = venue, assets, backoff
        self._refresh_s, self._keep_s = refresh_s, keep_s
        self._asker = Asker(EXCHANGES[venue], rest_url, limits)
        self._pace = Pace(venue, Use.TIERS, self.system.clock.monotonic)
        self._random = Random(f"{self.path}#{self.epoch}")
        self._listed: tuple[Instrument, ...] = ()
        self._waiting: deque[Query[MarginTiers]] = deque()
        self._reading: dict[str, MarginTiers] = {}  # by instrument, of the round that is under way
        self._known: dict[str, MarginTiers] = {}  # by asset
        self._at_ms = 0
        self._attempts = self._problems = 0
        self.log = self.log.bind(venue=venue)
        checkpoints.ask_for(self, PART)
        self.timer.once("refresh", LIST_S, _Refresh())

    def handle(self, message: Any) -> None:
        match message:
            case MarginTiersWanted(asset=asset, path=path):
                if asset in self._known and self.now_ms - self._at_ms <= self._keep_s * 1000:
                    self.send(path, MarginTiersTold(tiers=self._known[asset], at_ms=self._at_ms))
            case InstrumentsListed(instruments=instruments):
                self._listed = instruments
                self._begin()
            case CheckpointRestored(at_ms=at_ms):
                self._restore(checkpoints.read(self, message, tuple[MarginTiers, ...], schema=SCHEMA), at_ms)
            case _Refresh():
                self._refresh()
            case _Ask():
                self._ask()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._asker.close()

    # -- rounds -------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Ask for the list, which begins a round; and again until it comes."""
        due_s = self._refresh_s - (self.now_ms - self._at_ms) / 1000 if self._at_ms else 0.0
        if due_s > 0:
            self.timer.once("refresh", due_s, _Refresh(), market=True)
            return
        catalogue = f"{paths.CATALOGUES}/{self._venue}"
        if self.system.find(catalogue) is not None:
            self.send(catalogue, InstrumentsWanted(path=self.path))
        self.timer.once("refresh", LIST_S, _Refresh())

    def _begin(self) -> None:
        if self._waiting:
            return
        wanted = {one.instrument: one for one in self._listed if self._is_watched(one.asset)}
        self._waiting.extend(market_data(self._venue, NOTHING_SETTLED).margin_tiers(wanted))
        if self._waiting:
            self._reading = {}
            self.timer.cancel("refresh")
            self.timer.once("ask", 0.0, _Ask())

    def _is_watched(self, asset: str) -> bool:
        return asset in self._assets or self.system.find(paths.symbol_path(asset)) is not None

    def _ask(self) -> None:
        early_s = self._pace.wait_s()
        if early_s > 0:
            self.timer.once("ask", early_s, _Ask())
            return
        try:
            self._read(self._waiting[0])
        except Refused as error:
            if error.refusal.permanent:
                raise NeedsOperator(f"{self._venue}: {error.refusal.reason}. {error.refusal.advice}") from error
            self._retry(error.refusal.reason, at_least_s=error.refusal.retry_after_s)
            return
        except (CallRejected, FrameError) as error:
            self._on_problem(error)
            self._waiting.popleft()
        except RestError as error:
            self._retry(str(error), at_least_s=0.0)
            return
        self._attempts = 0
        if self._waiting:
            self.timer.once("ask", max(0.0, self._pace.wait_s()), _Ask())
        else:
            self._take()

    def _read(self, query: Query[MarginTiers]) -> None:
        """Make one call; what it asks for next is the next one."""
        reading = self._asker.read(query, lambda: self.now_ms)
        self._pace.spend(query.call.weight)
        self._waiting.popleft()
        for problem in reading.problems:
            self._on_problem(problem)
        for one in reading.rows:
            self._reading[one.instrument] = _joined(self._reading.get(one.instrument), one)
        if reading.following is not None:
            self._waiting.appendleft(reading.following)

    def _retry(self, reason: str, *, at_least_s: float) -> None:
        self._attempts += 1
        wait_s = self._backoff.delay_s(self._attempts, self._random.random(), at_least_s=at_least_s)
        self.log.warning("margin_tiers_failed", reason=reason[:300], attempt=self._attempts, wait_s=round(wait_s, 2))
        self.timer.once("ask", wait_s, _Ask())

    def _on_problem(self, error: Exception) -> None:
        """Count what was not understood. Told at the 1st, 2nd, 4th, 8th ..."""
        self._problems += 1
        if self._problems & (self._problems - 1) == 0:
            self.log.warning("margin_tiers_malformed", n=self._problems, reason=str(error)[:300])

    # -- what is known ------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        if self._reading:
            self._known, self._at_ms = _by_asset(self._reading.values()), self.now_ms
            checkpoints.keep(self, PART, tuple(self._known.values()), schema=SCHEMA, horizon_s=self._keep_s)
            self.log.info("margin_tiers_read", n=len(self._known))
            self.progress()
        self._say()
        self.timer.once("refresh", self._refresh_s, _Refresh(), market=True)

    def _restore(self, kept: tuple[MarginTiers, ...] | None, at_ms: int) -> None:
        if kept and not self._known:
            self._known, self._at_ms = {one.asset: one for one in kept}, at_ms
            if self.now_ms - at_ms > OLD_DAYS * DAY_S * 1000:
                self.log.warning("margin_tiers_old", days=round((self.now_ms - at_ms) / DAY_S / 1000))
            self._say()
            self.timer.once("refresh", 0.0, _Refresh())

    def _say(self) -> None:
        age_h = (self.now_ms - self._at_ms) / 3_600_000 if self._at_ms else 0.0
        self.note(f"tiers of {len(self._known)} assets, {age_h:.0f} h old" if self._at_ms else "no tiers known")


def _joined(before: MarginTiers | None, more: MarginTiers) -> MarginTiers:
    """Tiers of one contract that came on several pages."""
    if before is None:
        return more
    tiers = {one.cap: one for one in (*before.tiers, *more.tiers)}
    return MarginTiers(
        venue=more.venue,
        instrument=more.instrument,
        asset=more.asset,
        unit=more.unit,
        tiers=tuple(tiers[cap] for cap in sorted(tiers)),
    )


def _by_asset(found: Any) -> dict[str, MarginTiers]:
    """Of several contracts of an asset the one that asks least, which is the main one."""
    chosen: dict[str, MarginTiers] = {}
    for one in sorted(found, key=lambda one: (-one.tiers[0].maintenance_rate, one.instrument)):
        chosen[one.asset] = one
    return chosen
