"""One asset over all venues: takes what the feeds bring and lets the detectors judge it. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

from actors import checkpoints, paths
from actors.messages.alerts import AlertRaised
from actors.messages.checkpoints import CheckpointRestored
from actors.messages.features import ThresholdsSet
from actors.messages.history import AskHistory, HistorySeen, HistoryWanted, MissingHistoryWanted
from actors.messages.market import (
    AskLiquidations,
    AskMarket,
    FeedsHealth,
    LiquidationsSeen,
    MarksSeen,
    OpenInterestSeen,
    RetireIfIdle,
    TradesSeen,
)
from actors.messages.pictures import TapeWanted
from actors.stream_keeping import StreamKeeping
from actors.stream_market import MarketAnswer, StreamMarket
from actors.stream_memory import (
    DETECTION,
    DETECTION_SCHEMA,
    HISTORY,
    HISTORY_SCHEMA,
    VOLATILITY_HORIZON_MS,
    Complete,
    Keeping,
    KeptDetection,
    Learned,
    complete_from,
    first_ms,
    retained_of,
)
from actors.supervised import Supervised
from intelligence.alerts import Alert, Stage
from intelligence.detectors.asset import MAX_DELIVERY_MS, AssetDetection, DetectionRules
from intelligence.detectors.flow import LONG_MS
from intelligence.history import KeptHistory
from intelligence.minute import CLOSES_AFTER_MS, ENDS_QUIET_MS

MINUTE_S = 60.0  # market seconds
TICK_S = 1.0  # market seconds; only while an incident is open
NEEDED_MS = LONG_MS + MAX_DELIVERY_MS  # a stream that ended sooner would forget what detection still looks at


@dataclass(frozen=True, slots=True)
class _Tick:
    """Market time has reached `at_ms`, and whatever was received until then has been handled: it lay before this."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class _MinuteDue:
    """Market time for the minutes that no trade tells to be over."""


@dataclass(frozen=True, slots=True)
class _KeepDetection:
    """Time to hand over what another process would need at once."""


@dataclass(frozen=True, slots=True)
class _KeepHistory:
    """Time to hand over what another process could ask for by REST, too."""


class SymbolStream(Supervised):
    """Owns the detection of one asset. What it has seen lately is retained in its mailbox, so a successor starts where
    it ended and raises the same alerts under the same ids. Liquidations are retained whole, marks thinned out: prices
    in what a successor says may be 5 s older than in what the lost one would have said.

    `followers`: paths below which each asset has somebody who wants its closed minutes; `listeners`: paths of those who want
    the minutes of every asset, where they exist.

    Trades, open interest and the past stand beside detection: they raise nothing, and a failure of theirs costs their
    window alone. A successor begins without trades, and says from when on it has them.

    Another process finds what was retained, and the past, in the checkpoints.
    """

    def init(
        self,
        *,
        child_id: str,
        rules: DetectionRules,
        followers: tuple[str, ...] = (),
        listeners: tuple[str, ...] = (),
        keeping: Keeping | None = None,
        open_interest_stale_s: float = 180.0,
    ) -> None:
        self.asset = paths.asset_of(child_id)
        self._rules = rules
        self._detection = AssetDetection(self.asset, rules)
        self._beside = StreamMarket(
            self,
            self.asset,
            followers=tuple(f"{parent}/{child_id}" for parent in followers),
            listeners=listeners,
            open_interest_stale_ms=open_interest_stale_s * 1000,
            on_trouble=self._write_note,
        )
        self._market = self._beside.known
        self.timer.every("minute", MINUTE_S, _MinuteDue(), market=True)
        self._needed_ms = self.now_ms  # when a liquidation or a question came last
        self._kept_incidents: tuple[str, ...] = ()
        self._ticking = False
        self._keeping = StreamKeeping(self)
        self.log = self.log.bind(asset=self.asset)
        if not self.retained:
            self.retained.append(Complete(0))
        if keeping is not None:
            self._begin_keeping(keeping)

    def _begin_keeping(self, keeping: Keeping) -> None:
        """Ask for what is kept: of the past always, for it is not retained; of detection in a new process only."""
        checkpoints.ask_for(self, HISTORY)
        if self.epoch == 1:
            checkpoints.ask_for(self, DETECTION)
        self.timer.every("keep", keeping.every_s, _KeepDetection())
        self.timer.every("keep-history", keeping.history_every_s, _KeepHistory())

    def recover(self, retained: tuple[Any, ...]) -> None:
        learned = [message.state for message in retained if isinstance(message, Learned)]
        self._detection = AssetDetection(
            self.asset,
            self._rules,
            volatility=learned[-1] if learned else None,
            refed_from_ms=complete_from(retained),
        )
        self._market.forget_liquidations()
        for message in retained:
            if isinstance(message, LiquidationsSeen):
                self._observe(message)
            elif isinstance(message, MarksSeen):
                self._detection.mark(message.mark)
                self._market.mark(message.mark)
            elif isinstance(message, Complete | ThresholdsSet) and message.thresholds is not None:
                self._detection.judge_by(message.thresholds)
        self._market.liquidations(self._detection.take_accepted())
        self._market.liquidations_from_ms = complete_from(retained) or first_ms(retained) or self.now_ms
        self._market.begin_minutes(self.now_ms)
        self._beside.begin_volatility(self._detection)
        # What is open now may have ended meanwhile, or may go on with letters that still wait: a tick behind them tells.
        # Should its end have been told before, telling it again changes nothing.
        self._tick_while_open()

    def handle(self, message: Any) -> MarketAnswer:
        match message:
            case TradesSeen():
                self._beside.take_trades(message, self._detection)
                return None
            case LiquidationsSeen():
                self._needed_ms = self.now_ms
                self._raise(self._observe(message))
                self._market.liquidations(self._detection.take_accepted())
                self._keeping.forget(self._detection)
                self._keeping.changed = True
                self.progress()
            case MarksSeen(mark=mark):
                self._raise(self._detection.mark(mark))
                self._market.mark(mark)
                self._keeping.retain_mark(message, self._detection)
            case ThresholdsSet(thresholds=thresholds):
                self._detection.judge_by(thresholds)
                self._keeping.changed = True
            case _Tick(at_ms=at_ms):
                self._ticking = False
                self._raise(self._detection.tick(at_ms))
            case CheckpointRestored(part=part):
                self._restore_detection(message) if part == DETECTION else self._restore_history(message)
            case _:
                return self._handle_beside(message)
        self._tick_while_open()
        if self._detection.open_incidents != self._kept_incidents:
            self._kept_incidents = self._detection.open_incidents
            self._keeping.changed = True
            self.timer.once("keep-changed", 0.0, _KeepDetection())  # behind this letter, so that it is retained by then
        return None

    def _handle_beside(self, message: Any) -> MarketAnswer:
        """Whatever detection does not hang on."""
        match message:
            case OpenInterestSeen() | FeedsHealth():
                self._beside.take(message)
            case _MinuteDue():
                self._beside.close_minutes(self.now_ms - ENDS_QUIET_MS + CLOSES_AFTER_MS, self._detection)
            case HistorySeen() | MissingHistoryWanted() | HistoryWanted():
                self._beside.take_history(message, self._detection)
            case AskMarket() | AskHistory():
                self._needed_ms = self.now_ms
                return self._beside.answer(message)
            case AskLiquidations():
                return self._beside.answer(message)
            case TapeWanted():
                self._needed_ms = self.now_ms
                return self._beside.tape(message)
            case RetireIfIdle(idle_s=idle_s):
                self._retire_if_idle(int(idle_s * 1000))
            case _KeepDetection():
                self._keeping.keep(self._detection)
            case _KeepHistory():
                self._keeping.keep_history(self._market.history)
            case _:
                super().handle(message)
        return None

    def _retire_if_idle(self, idle_ms: int) -> None:
        quiet_ms = self.now_ms - self._needed_ms
        if quiet_ms >= max(idle_ms, NEEDED_MS) and not self._detection.open_incidents:
            self.log.info("stream_retired", idle_s=quiet_ms // 1000)
            self.finish()

    def terminate(self, reason: str) -> None:
        if reason != "failed" and not self.fenced and hasattr(self, "_keeping"):
            self._keeping.keep_at_stop(self._detection)

    def _observe(self, seen: LiquidationsSeen) -> tuple[Alert, ...]:
        alerts = self._detection.liquidations(
            seen.events,
            able=seen.able,
            configured=seen.configured,
            now_ms=self.now_ms,
            after_reconnect=seen.after_reconnect,
        )
        self._market.doubtful_liquidations(seen.events, after_reconnect=seen.after_reconnect)
        if any(event.uncertain for event in seen.events):
            self._write_note()
        return alerts

    def _write_note(self) -> None:
        uncertain = self._detection.counters.uncertain
        set_aside = f"{uncertain} uncertain liquidations not used" if uncertain else ""
        self.note(", ".join(part for part in (set_aside, self._beside.trouble) if part))

    def _raise(self, alerts: tuple[Alert, ...]) -> None:
        for alert in alerts:
            told = self._beside.completed(alert) if alert.stage is Stage.ENDED else alert
            self.send(paths.DISPATCHER, AlertRaised(alert=told), redeliver=True)

    def _tick_while_open(self) -> None:
        if self._detection.open_incidents and not self._ticking:
            self._ticking = True
            self.timer.once("tick", TICK_S, _Tick(self.now_ms + int(TICK_S * 1000)), market=True)

    # -- for another process ------------------------------------------------------------------------------------------

    def _restore_history(self, restored: CheckpointRestored) -> None:
        kept = checkpoints.read(self, restored, KeptHistory, schema=HISTORY_SCHEMA)
        if kept is not None:
            self._beside.restore_history(kept, self._detection)

    def _restore_detection(self, restored: CheckpointRestored) -> None:
        """Go on as the process before would: its letters first, then again those that came here meanwhile."""
        kept = checkpoints.read(self, restored, KeptDetection, schema=DETECTION_SCHEMA)
        if kept is None:
            return
        self.on_trial()
        from_ms, meanwhile = self._market.liquidations_from_ms, tuple(self.retained)[1:]
        self.retained.clear()
        self.retained.extend(retained_of(kept, old=self.now_ms - restored.at_ms > VOLATILITY_HORIZON_MS))
        self.recover(tuple(self.retained))
        for message in meanwhile:
            self.retained.append(message)
            if isinstance(message, LiquidationsSeen):
                self._raise(self._observe(message))
            elif isinstance(message, MarksSeen):
                self._raise(self._detection.mark(message.mark))
            elif isinstance(message, ThresholdsSet):
                self._detection.judge_by(message.thresholds)
        self._market.liquidations(self._detection.take_accepted())
        self._market.liquidations_from_ms = from_ms  # nobody listened between the two processes
