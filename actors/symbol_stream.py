"""One asset over all venues: takes what the feeds bring and lets the detectors judge it. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

from actors import checkpoints, paths
from actors.mailbox import Lane
from actors.messages import (
    AlertRaised,
    AskHistory,
    AskLiquidations,
    AskMarket,
    CheckpointRestored,
    FeedsHealth,
    HistoryMissing,
    HistorySeen,
    HistoryTold,
    HistoryWanted,
    LiquidationsSeen,
    MarksSeen,
    MinuteClosed,
    MissingHistoryWanted,
    NearMissesSeen,
    OpenInterestSeen,
    RetireIfIdle,
    TapeTold,
    TapeWanted,
    ThresholdsSet,
    TradesSeen,
)
from actors.stream_memory import (
    DETECTION,
    DETECTION_HORIZON_S,
    DETECTION_SCHEMA,
    HISTORY,
    HISTORY_HORIZON_S,
    HISTORY_SCHEMA,
    VOLATILITY_HORIZON_MS,
    Complete,
    Keeping,
    KeptDetection,
    Learned,
    complete_from,
    first_ms,
    forget_before,
    kept_detection,
    retained_of,
)
from actors.supervised import Fenced, Supervised
from intelligence.alerts import Alert, Stage
from intelligence.asset_market import AssetMarket, MarketView
from intelligence.detectors.asset import MAX_DELIVERY_MS, AssetDetection, DetectionRules
from intelligence.detectors.flow import LONG_MS
from intelligence.history import BarSpan, History, KeptHistory
from intelligence.liquidation_sums import LiquidationSums
from intelligence.minute import CLOSES_AFTER_MS, ENDS_QUIET_MS
from intelligence.tape import MarketTape

MINUTE_S = 60.0  # market seconds
TICK_S = 1.0  # market seconds; only while an incident is open
NEEDED_MS = LONG_MS + MAX_DELIVERY_MS  # a stream that ended sooner would forget what detection still looks at
MARK_KEPT_EVERY_MS = 5_000  # of each instrument, for a successor: prices to within 5 s at a fifth of the memory

StreamAnswer = MarketView | MarketTape | History | tuple[LiquidationSums, ...] | None


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
        self._followers = tuple(f"{parent}/{child_id}" for parent in followers)
        self._listeners = listeners
        self.asset = paths.asset_of(child_id)
        self._rules = rules
        self._detection = AssetDetection(self.asset, rules)
        self._market = AssetMarket(self.asset, open_interest_stale_s * 1000)
        self._market.begin_minutes(self.now_ms)
        self._market.liquidations_from_ms = self.now_ms
        self.timer.every("minute", MINUTE_S, _MinuteDue(), market=True)
        self._trade_failures = self._history_failures = 0
        self._left_out_told = (0, 0)  # binary digits of the two counts
        self._needed_ms = self.now_ms  # when a liquidation or a question came last
        self._trouble = ""  # with trades or the past, the last one
        self._kept_incidents: tuple[str, ...] = ()
        self._ticking = False
        self._kept_ms: dict[tuple[str, str], int] = {}
        self._closed_minute: int | None = None
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
        self._begin_volatility()
        # What is open now may have ended meanwhile, or may go on with letters that still wait: a tick behind them tells.
        # Should its end have been told before, telling it again changes nothing.
        self._tick_while_open()

    def handle(self, message: Any) -> StreamAnswer:
        match message:
            case TradesSeen():
                self._take_trades(message)
                return None
            case LiquidationsSeen():
                self._needed_ms = self.now_ms
                self._raise(self._observe(message))
                self._market.liquidations(self._detection.take_accepted())
                self._forget()
                self.progress()
            case MarksSeen(mark=mark):
                self._raise(self._detection.mark(mark))
                self._market.mark(mark)
                self._keep(message)
            case ThresholdsSet(thresholds=thresholds):
                self._detection.judge_by(thresholds)
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
            self.timer.once("keep-changed", 0.0, _KeepDetection())  # behind this letter, so that it is retained by then
        return None

    def _handle_beside(self, message: Any) -> StreamAnswer:
        """Whatever detection does not hang on."""
        match message:
            case OpenInterestSeen(record=record):
                self._market.open_interest(record)
            case _MinuteDue():
                self._close_minutes(self.now_ms - ENDS_QUIET_MS + CLOSES_AFTER_MS)
            case FeedsHealth(feeds=feeds):
                self._market.feeds(feeds)
            case HistorySeen() | MissingHistoryWanted() | HistoryWanted():
                self._handle_history(message)
            case AskMarket() | AskHistory() | AskLiquidations():
                return self._answer(message)
            case TapeWanted():
                return self._tape(message)
            case RetireIfIdle(idle_s=idle_s):
                self._retire_if_idle(int(idle_s * 1000))
            case _KeepDetection():
                self._keep_detection()
            case _KeepHistory():
                self._keep_history()
            case _:
                super().handle(message)
        return None

    def _tape(self, wanted: TapeWanted) -> MarketTape | None:
        """Tell what pictures are drawn from; None when that fails, which costs the picture alone."""
        self._needed_ms = self.now_ms
        try:
            tape = self._market.tape(self.now_ms, wanted.period_s)
        except Exception as error:
            self.log.warning("tape_failed", caused_by=repr(error)[:200])
            return None
        if wanted.path:
            self.send(wanted.path, TapeTold(tape=tape, key=wanted.key))
        return tape

    def _answer(self, message: AskMarket | AskHistory | AskLiquidations) -> StreamAnswer:
        """A question that fails costs its answer and nothing else."""
        if not isinstance(message, AskLiquidations):
            self._needed_ms = self.now_ms
        try:
            match message:
                case AskMarket():
                    return self._market.view(self.now_ms)
                case AskHistory():
                    return self._market.history.all()
                case AskLiquidations():
                    return self._market.liquidation_sums(self.now_ms)
        except Exception as error:
            self._trouble = f"{type(message).__name__} failed: {type(error).__name__}: {error}"[:200]
            self._write_note()
            return None

    def _retire_if_idle(self, idle_ms: int) -> None:
        quiet_ms = self.now_ms - self._needed_ms
        if quiet_ms >= max(idle_ms, NEEDED_MS) and not self._detection.open_incidents:
            self.log.info("stream_retired", idle_s=quiet_ms // 1000)
            self.finish()

    def terminate(self, reason: str) -> None:
        if reason != "failed" and not self.fenced and hasattr(self, "_market"):
            self._keep_detection()

    def _take_trades(self, seen: TradesSeen) -> None:
        try:
            self._market.trades(seen.times_ms, seen.prices, seen.coins, received_ms=seen.received_ms)
            self._tell_left_out()
            if self._market.newest_trade_ms >= self._market.minute_due_ms:
                self._close_minutes(self._market.newest_trade_ms)
        except Exception as error:
            # Whatever is wrong with trades must not take detection down with it.
            self._market.forget_trades()
            self._left_out_told = (0, 0)
            self._trade_failures += 1
            what = f"{type(error).__name__}: {error}"
            self._trouble = f"trades of {seen.venue} failed, time {self._trade_failures}: {what}"[:200]
            self._write_note()

    def _tell_left_out(self) -> None:
        """Say that trades were too late or of an impossible time, at the 1st, 2nd, 4th, 8th ... in each of the two ways."""
        late, broken = self._market.left_out
        if (late.bit_length(), broken.bit_length()) != self._left_out_told:
            self._left_out_told = (late.bit_length(), broken.bit_length())
            self.log.info("trades_left_out", late=late, broken=broken)
            self._trouble = f"{late} trades too late, {broken} of an impossible time"
            self._write_note()

    def _close_minutes(self, at_ms: int) -> None:
        for minute in self._market.close_minutes(at_ms, self._detection.reference_price()):
            for path in self._followers:
                self.send(path, MinuteClosed(minute=minute), lane=Lane.DATA)
            for path in self._listeners:
                if self.system.find(path) is not None:
                    self.send(path, MinuteClosed(minute=minute), lane=Lane.DATA)
            if found := self._detection.near_misses(minute):
                self.send(paths.NEAR_MISSES, NearMissesSeen(found=found), lane=Lane.DATA)

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
        self.note(", ".join(part for part in (set_aside, self._trouble) if part))

    def _raise(self, alerts: tuple[Alert, ...]) -> None:
        for alert in alerts:
            told = self._closed(alert) if alert.stage is Stage.ENDED else alert
            self.send(paths.DISPATCHER, AlertRaised(alert=told), redeliver=True)

    def _closed(self, ended: Alert) -> Alert:
        """The end of an incident with what stands beside detection; without it where that fails."""
        try:
            return self._market.completed(ended, self.now_ms)
        except Exception as error:
            self._lose_history(error)
            return ended

    def _tick_while_open(self) -> None:
        if self._detection.open_incidents and not self._ticking:
            self._ticking = True
            self.timer.once("tick", TICK_S, _Tick(self.now_ms + int(TICK_S * 1000)), market=True)

    # -- for a successor ----------------------------------------------------------------------------------------------

    def _keep(self, seen: MarksSeen) -> None:
        """Retain a mark now and then, and what is learned of the price each minute."""
        mark = seen.mark
        instrument = (mark.venue, mark.instrument)
        if mark.received_ms < self._kept_ms.get(instrument, 0) + MARK_KEPT_EVERY_MS:
            return
        self._kept_ms[instrument] = mark.received_ms
        self.retained.append(seen)
        state = self._detection.volatility_state
        if state is not None and state.closed_minute != self._closed_minute:
            self._closed_minute = state.closed_minute
            self.retained.append(Learned(state))
        self._forget()

    def _forget(self) -> None:
        forget_before(self._detection.oldest_needed_ms, self.retained)

    # -- the past -----------------------------------------------------------------------------------------------------

    def _handle_history(self, message: HistorySeen | MissingHistoryWanted | HistoryWanted) -> None:
        """Take what was asked for by REST, or tell of it; a failure costs what was known of the past and nothing else."""
        try:
            match message:
                case HistorySeen(span=span):
                    self._market.take_history(span)
                    if isinstance(span, BarSpan) and span.interval == "1m":
                        self._begin_volatility()
                case MissingHistoryWanted(path=path):
                    missing = self._market.history.missing(self.now_ms)
                    self.send(path, HistoryMissing(asset=self.asset, missing=missing))
                case HistoryWanted(path=path):
                    self.send(path, HistoryTold(asset=self.asset, history=self._market.history.all()))
        except Fenced:
            raise
        except Exception as error:
            self._lose_history(error)

    def _lose_history(self, error: Exception) -> None:
        self._market.forget_history()
        self._history_failures += 1
        self._trouble = f"history failed, time {self._history_failures}: {type(error).__name__}: {error}"[:200]
        self._write_note()

    def _begin_volatility(self) -> None:
        """Let bars say how much the price moved before the first mark, so that nobody waits half an hour for it."""
        self._detection.begin_with(self._market.minute_closes(self.now_ms))

    # -- for another process ------------------------------------------------------------------------------------------

    def _keep_detection(self) -> None:
        state = kept_detection(
            self.retained, self._detection.volatility_state, is_open=bool(self._detection.open_incidents)
        )
        checkpoints.keep(self, DETECTION, state, schema=DETECTION_SCHEMA, horizon_s=DETECTION_HORIZON_S)

    def _keep_history(self) -> None:
        kept = self._market.history.kept()
        checkpoints.keep(self, HISTORY, kept, schema=HISTORY_SCHEMA, horizon_s=HISTORY_HORIZON_S)

    def _restore_history(self, restored: CheckpointRestored) -> None:
        kept = checkpoints.read(self, restored, KeptHistory, schema=HISTORY_SCHEMA)
        if kept is None:
            return
        try:
            self._market.history.restore(kept)
            self._begin_volatility()
        except Exception as error:
            self._lose_history(error)

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
