"""Market capitalisation by asset, from outside sources and for as long as there is one; thresholds do without."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from actors import checkpoints
from actors.backoff import Backoff
from actors.exchanges.exchange import RestCall
from actors.market_cap_sources import Source, SourceError, by_symbol, read
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import MarketCapKnown, MarketCapWanted
from actors.rest import Rest, RestError, RestLimits
from actors.supervised import Supervised
from intelligence.market_cap import CoinCap

PART, SCHEMA = "coins", 1


@dataclass(frozen=True, slots=True)
class _Refresh:
    """Ask the sources anew, the first one first."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """Make the next call to the source that is asked now."""


class MarketCaps(Supervised):
    """Asks the first source and, when it does not answer, the next. What was read last counts until it is `keep_s` old."""

    def init(
        self,
        *,
        sources: tuple[Source, ...],
        limits: RestLimits,
        backoff: Backoff,
        refresh_s: float,
        gap_s: float,
        keep_s: float,
    ) -> None:
        self._sources, self._backoff = sources, backoff
        self._refresh_s, self._gap_s, self._keep_s = refresh_s, gap_s, keep_s
        self._rests = {source.name: Rest(source.url, limits) for source in sources}
        self._random = Random(f"{self.path}#{self.epoch}")
        self._waiting: deque[tuple[Source, deque[RestCall]]] = deque()
        self._read: list[CoinCap] = []  # of the source that is asked now
        self._coins: Mapping[str, tuple[CoinCap, ...]] = {}
        self._failures = 0
        checkpoints.ask_for(self, PART)
        self.timer.once("refresh", 0.0, _Refresh())

    def handle(self, message: Any) -> None:
        match message:
            case MarketCapWanted(asset=asset, path=path):
                oldest_ms = self.now_ms - self._keep_s * 1000
                coins = tuple(coin for coin in self._coins.get(asset, ()) if coin.at_ms >= oldest_ms)
                if coins:
                    self.send(path, MarketCapKnown(asset=asset, coins=coins))
            case CheckpointRestored():
                kept = checkpoints.read(self, message, tuple[CoinCap, ...], schema=SCHEMA)
                if kept and not self._coins:
                    self._coins = by_symbol(kept)
            case _Refresh():
                self._waiting = deque((source, deque(source.calls)) for source in self._sources)
                self._read = []
                self._ask()
            case _Ask():
                self._ask()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        for rest in self._rests.values():
            rest.close()

    def _ask(self) -> None:
        """One call a letter, `gap_s` apart: the keyless limits are low and not published."""
        if not self._waiting:
            self._try_later()
            return
        source, calls = self._waiting[0]
        try:
            self._read += self._answer(source, calls.popleft())
        except (RestError, SourceError) as error:
            self.log.warning("market_caps_failed", source=source.name, reason=str(error)[:300])
            calls.clear()
            if not self._read:
                self._waiting.popleft()
        if self._waiting and self._read and not calls:
            self._take(source)
        else:
            self.timer.once("ask", self._gap_s if self._read else 0.0, _Ask())

    def _answer(self, source: Source, call: RestCall) -> tuple[CoinCap, ...]:
        answer = self._rests[source.name].send(call)
        if answer.status != 200:
            raise SourceError(f"{source.name}: HTTP {answer.status} {answer.body[:80]!r}")
        return read(source.name, answer.body, self.now_ms)

    def _take(self, source: Source) -> None:
        coins, self._read, self._failures = tuple(self._read), [], 0
        self._waiting.clear()
        self._coins = by_symbol(coins)
        checkpoints.keep(self, PART, coins, schema=SCHEMA, horizon_s=self._keep_s)
        self.log.info("market_caps_read", source=source.name, n=len(coins))
        self.note(f"{len(coins)} coins from {source.name}")
        self.progress()
        self.timer.once("refresh", self._refresh_s, _Refresh())

    def _try_later(self) -> None:
        """No source has answered: tiers go by turnover meanwhile, or by what was read before."""
        self._failures += 1
        wait_s = min(self._backoff.delay_s(self._failures, self._random.random()), self._refresh_s)
        self.note(f"no source answers, {self._failures} times; {len(self._coins)} coins known from before")
        self.timer.once("refresh", wait_s, _Refresh())
