"""One asset's thresholds, worked out from its own minutes and told to those who judge by them. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

import msgspec

from actors import checkpoints, paths
from actors.mailbox import Lane
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import MarketCapKnown, MarketCapWanted, ThresholdsSet
from actors.messages.history import HistoryTold, HistoryWanted
from actors.messages.market import MinuteClosed
from actors.supervised import Supervised
from intelligence.history import History as Past
from intelligence.market_cap import CoinCap, ours
from intelligence.minute import Minute
from intelligence.thresholds.bars import daily_volatility, daily_volume_usd, turnover_usd
from intelligence.thresholds.engine import ThresholdEngine
from intelligence.thresholds.history import Day, History, Progress
from intelligence.thresholds.records import AssetThresholds
from intelligence.thresholds.rules import ThresholdRules
from intelligence.thresholds.static import StaticThresholds
from intelligence.thresholds.tiered import VOLUME_DAYS, MarketFacts

SCHEMA = 1
ASK_S = 60.0  # how often the past is asked for until some of it is there, in event time (ours)
RESTORE_S = 10.0  # how long an answer about checkpoints is waited for
PAST, TODAY = "past", "today"  # the parts of a checkpoint: whole days, written daily, and what a quarter hour changes
QUARTERS_A_DAY = 96


class PastDays(msgspec.Struct, frozen=True):
    days: tuple[Day, ...]


class Today(msgspec.Struct, frozen=True):
    day: Day | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Begin:
    """Nobody has answered about checkpoints: begin without."""


@dataclass(frozen=True, slots=True)
class _Idle:
    """Look whether any minute has come lately."""


class ThresholdCalculator(Supervised):
    """Computes when the hour is over, and sooner when session, season or volatility have moved (requirements.md 6).

    Event time alone decides: it is moved by the minutes that the stream hands on. Minutes that come before the answer about
    checkpoints wait for it. Without a minute for as long as a result is valid it ends; the next minute starts it again.
    `consumers`: paths below which the asset has somebody who judges by thresholds.
    """

    def init(
        self, *, child_id: str, rules: ThresholdRules, static: StaticThresholds, consumers: tuple[str, ...]
    ) -> None:
        self.asset = paths.asset_of(child_id)
        self.log = self.log.bind(asset=self.asset)
        self._consumers = tuple(f"{parent}/{child_id}" for parent in consumers)
        self._rules = rules
        self._engine = ThresholdEngine(rules, static)
        self._history: History | None = None
        self._restored: dict[str, CheckpointRestored] = {}
        self._waiting: list[Minute] = []
        self._past: Past | None = None
        self._asked_ms = 0
        self._news = False  # something has come that thresholds are made of
        self._coins: tuple[CoinCap, ...] = ()
        self._cap: CoinCap | None = None
        self._thresholds: AssetThresholds | None = None
        self._scale = 1.0
        self._heard_ms = self.now_ms
        self.timer.every("idle", rules.valid_s, _Idle(), market=True)
        if self.system.find(paths.CHECKPOINTS) is None:
            self._begin((), Progress())
            return
        for part in (PAST, TODAY):
            checkpoints.ask_for(self, part)
        self.timer.once("begin", RESTORE_S, _Begin())

    def handle(self, message: Any) -> None:
        match message:
            case MinuteClosed(minute=minute):
                self._heard_ms = self.now_ms
                self._waiting.append(minute)
                self._take_waiting()
            case HistoryTold(history=past):
                self._news = self._news or self._past is None or not self._past.bars["1d"]
                self._past = past
                self._backfill()
            case CheckpointRestored(part=part):
                self._restored[part] = message
                self._begin_restored(late=False)
            case _Begin():
                self._begin_restored(late=True)
            case MarketCapKnown(coins=coins):
                self._coins = coins
            case _Idle():
                if self.now_ms - self._heard_ms >= self._rules.valid_s * 1000:
                    self.finish()
            case _:
                super().handle(message)

    def terminate(self, reason: str) -> None:
        if reason != "failed" and self._history is not None:
            self._keep(self._history)

    # -- beginning ----------------------------------------------------------------------------------------------------

    def _begin_restored(self, *, late: bool) -> None:
        """Begin once both parts have been told, or without what is not there when it is late. What comes after that joins
        what has been seen meanwhile.
        """
        if len(self._restored) < 2 and not late:
            return
        past = self._read(PAST, PastDays)
        today = self._read(TODAY, Today)
        days = {day.number: day for day in (past.days if past else ())}
        if today and today.day:
            days[today.day.number] = today.day
        if self._history is None:
            self._begin(tuple(days.values()), today.progress if today else Progress())
        else:
            self._history.join(days.values())
        self._restored.clear()

    def _read(self, part: str, kind: type[Any]) -> Any:
        restored = self._restored.get(part)
        return checkpoints.read(self, restored, kind, schema=SCHEMA) if restored else None

    def _begin(self, days: tuple[Day, ...], progress: Progress) -> None:
        self._history = History(self._rules.history, days=days, progress=progress)
        self._backfill()
        self._take_waiting()

    def _take_waiting(self) -> None:
        if self._history is None:
            return
        waiting, self._waiting = self._waiting, []
        for minute in waiting:
            self._take(self._history, minute)

    def _backfill(self) -> None:
        """Give the history what the stream knows of the hours before."""
        if self._past is not None and self._history is not None:
            hours = {bar.open_ms: turnover_usd(bar) for bar in self._past.bars["1h"]}
            self._history.backfill_hours(hours)

    # -- working ------------------------------------------------------------------------------------------------------

    def _take(self, history: History, minute: Minute) -> None:
        before = max(history.days, default=None)
        changed = history.take(minute)
        if changed is not None:
            if before is not None and changed > before:
                self._keep_past(history)
            self._keep(history)
        price = minute.reference_price or minute.close
        if price is not None and self._coins:
            cap = ours(self._coins, price)
            self._news = self._news or (cap is None) != (self._cap is None)
            self._cap = cap
        self._ask(minute.to_ms)
        if self._due(history, minute.to_ms):
            self._compute(history, minute.to_ms)
        self.progress()

    def _due(self, history: History, at_ms: int) -> bool:
        held = self._thresholds
        if (
            self._news
            or held is None
            or held.computed_ms is None
            or at_ms >= held.computed_ms + self._rules.review_s * 1000
        ):
            return True
        sessions = self._rules.sessions
        if sessions.at(at_ms) is not sessions.at(held.computed_ms):
            return True
        scale, step = self._scale_at(history, at_ms), 1.0 + self._rules.regime_step
        return not self._scale / step <= scale <= self._scale * step

    @staticmethod
    def _scale_at(history: History, at_ms: int) -> float:
        """What learned thresholds are proportional to: season x volatility."""
        season = history.season(at_ms)
        return (season.index if season else 1.0) * history.volatility(at_ms).multiplier

    def _compute(self, history: History, at_ms: int) -> None:
        before, self._news = self._thresholds, False
        now = self._engine.compute(self.asset, self._facts(history, at_ms), history, at_ms)
        self._thresholds, self._scale = now, self._scale_at(history, at_ms)
        for consumer in self._consumers:
            if self.system.find(consumer) is not None:  # a letter to one that has ended would start it again
                self.send(consumer, ThresholdsSet(thresholds=now), retain=True)
        if before is None or before.single.source != now.single.source:
            self.log.info(
                "threshold_policy_changed",
                policy=str(now.single.source),
                single_usd=round(now.single.value),
                confidence=now.single.confidence,
                days=round(history.observed_days, 1),
            )
        quantiles = {name: value for name, (value, _) in history.progress.in_force.items()}
        self.log.debug("thresholds_computed", single=now.single.value, cascade=now.cascade.value, quantiles=quantiles)
        self.note(f"{now.single.source} since {history.observed_days:.1f} days, single {now.single.value:.0f} USD")

    def _ask(self, at_ms: int) -> None:
        """Ask for the past and the market cap as often as is computed, and more often until there is a past."""
        again_s = self._rules.review_s if self._past is not None and self._past.bars["1d"] else ASK_S
        if at_ms < self._asked_ms + again_s * 1000:
            return
        self._asked_ms = at_ms
        stream = paths.symbol_path(self.asset)
        if self.system.find(stream) is not None:
            self.send(stream, HistoryWanted(path=self.path), lane=Lane.DATA)
        if self.system.find(paths.MARKET_CAPS) is not None:
            self.send(paths.MARKET_CAPS, MarketCapWanted(asset=self.asset, path=self.path))

    def _facts(self, history: History, at_ms: int) -> MarketFacts | None:
        watched = history.whole_days()
        days = self._past.bars["1d"] if self._past is not None else ()
        volume = daily_volume_usd(days, history.reference_factor or 1.0, watched, at_ms)
        if volume is None:
            return None
        usd, volume_days = volume
        volatility, returns = daily_volatility(days, watched, at_ms) or (None, 0)
        own = history.mean_15m_usd(at_ms, VOLUME_DAYS)
        return MarketFacts(
            daily_volume_usd=usd,
            volume_days=volume_days,
            volatility=volatility,
            volatility_days=returns,
            market_cap_usd=self._cap.cap_usd if self._cap else None,
            mean_15m_usd=own[0] if own and own[1] >= QUARTERS_A_DAY else usd / QUARTERS_A_DAY,
        )

    # -- for a successor ----------------------------------------------------------------------------------------------

    def _keep(self, history: History) -> None:
        newest = history.days[max(history.days)] if history.days else None
        self._hand_in(TODAY, Today(newest, history.progress))

    def _keep_past(self, history: History) -> None:
        newest = max(history.days)
        self._hand_in(PAST, PastDays(tuple(day for day in history.days.values() if day.number < newest)))

    def _hand_in(self, part: str, state: PastDays | Today) -> None:
        """As bytes: what is handed in must not change any more while it waits to be written."""
        horizon_s = self._rules.history.days * 86_400.0
        checkpoints.keep(self, part, msgspec.Raw(msgspec.msgpack.encode(state)), schema=SCHEMA, horizon_s=horizon_s)
