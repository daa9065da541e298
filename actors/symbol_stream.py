"""One asset over all venues: takes what the feeds bring and lets the detectors judge it. Hosted on a shared worker."""

from dataclasses import dataclass
from typing import Any

from actors import paths
from actors.messages import (
    AlertRaised,
    AskMarket,
    LiquidationsSeen,
    MarksSeen,
    MinuteClosed,
    OpenInterestSeen,
    RetireIfIdle,
    TradesSeen,
)
from actors.supervised import Supervised
from intelligence.alerts import Alert
from intelligence.asset_market import AssetMarket, MarketView
from intelligence.detectors.asset import MAX_AHEAD_MS, MAX_DELIVERY_MS, AssetDetection, DetectionRules
from intelligence.detectors.flow import LONG_MS
from intelligence.minute import CLOSES_AFTER_MS, ENDS_QUIET_MS
from intelligence.volatility import VolatilityState

MINUTE_S = 60.0  # market seconds
TICK_S = 1.0  # market seconds; only while an incident is open
NEEDED_MS = LONG_MS + MAX_DELIVERY_MS  # a stream that ended sooner would forget what detection still looks at
MARK_KEPT_EVERY_MS = 5_000  # of each instrument, for a successor: prices to within 5 s at a fifth of the memory


@dataclass(frozen=True, slots=True)
class _Tick:
    """Market time has reached `at_ms`, and whatever was received until then has been handled: it lay before this."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class _MinuteDue:
    """Market time for the minutes that no trade tells to be over."""


@dataclass(frozen=True, slots=True)
class _Complete:
    """Retained before everything else: nothing since that event time has been dropped (0: nothing at all)."""

    from_ms: int


@dataclass(frozen=True, slots=True)
class _Learned:
    """How much the price moves, after each minute: an estimate over hours cannot be rebuilt from minutes of marks."""

    state: VolatilityState


class SymbolStream(Supervised):
    """Owns the detection of one asset. What it has seen lately is retained in its mailbox, so a successor starts where
    it ended and raises the same alerts under the same ids. Liquidations are retained whole, marks thinned out: prices
    in what a successor says may be 5 s older than in what the lost one would have said.

    `followers`: paths below which each asset has somebody who wants its closed minutes.

    Trades and open interest stand beside detection: they raise nothing, and a failure of theirs costs their window alone.
    A successor begins without trades, and says from when on it has them.
    """

    def init(self, *, child_id: str, rules: DetectionRules, followers: tuple[str, ...] = ()) -> None:
        self._followers = tuple(f"{parent}/{child_id}" for parent in followers)
        self.asset = paths.asset_of(child_id)
        self._rules = rules
        self._detection = AssetDetection(self.asset, rules)
        self._market = AssetMarket(self.asset)
        self._market.begin_minutes(self.now_ms)
        self.timer.every("minute", MINUTE_S, _MinuteDue(), market=True)
        self._trade_failures = 0
        self._needed_ms = self.now_ms  # when a liquidation or a question came last
        self._trouble = ""  # with trades, the last one
        self._ticking = False
        self._kept_ms: dict[tuple[str, str], int] = {}
        self._closed_minute: int | None = None
        self.log = self.log.bind(asset=self.asset)
        if not self.retained:
            self.retained.append(_Complete(0))

    def recover(self, retained: tuple[Any, ...]) -> None:
        learned = [message.state for message in retained if isinstance(message, _Learned)]
        self._detection = AssetDetection(
            self.asset,
            self._rules,
            volatility=learned[-1] if learned else None,
            refed_from_ms=_complete_from(retained),
        )
        for message in retained:
            if isinstance(message, LiquidationsSeen):
                self._observe(message)
            elif isinstance(message, MarksSeen):
                self._detection.mark(message.mark)
                self._market.mark(message.mark)
        self._market.liquidations(self._detection.take_accepted())
        self._market.begin_minutes(self.now_ms)
        # What is open now may have ended meanwhile, or may go on with letters that still wait: a tick behind them tells.
        # Should its end have been told before, telling it again changes nothing.
        self._tick_while_open()

    def handle(self, message: Any) -> MarketView | None:
        match message:
            case TradesSeen():
                self._take_trades(message)
                return None
            case OpenInterestSeen(record=record):
                self._market.open_interest(record)
                return None
            case _MinuteDue():
                self._close_minutes(self.now_ms - ENDS_QUIET_MS + CLOSES_AFTER_MS)
                return None
            case AskMarket():
                self._needed_ms = self.now_ms
                return self._market.view(self.now_ms)
            case RetireIfIdle(idle_s=idle_s):
                self._retire_if_idle(int(idle_s * 1000))
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
            case _Tick(at_ms=at_ms):
                self._ticking = False
                self._raise(self._detection.tick(at_ms))
            case _:
                super().handle(message)
        self._tick_while_open()
        return None

    def _retire_if_idle(self, idle_ms: int) -> None:
        quiet_ms = self.now_ms - self._needed_ms
        if quiet_ms >= max(idle_ms, NEEDED_MS) and not self._detection.open_incidents:
            self.log.info("stream_retired", idle_s=quiet_ms // 1000)
            self.finish()

    def _take_trades(self, seen: TradesSeen) -> None:
        try:
            self._market.trades(seen.times_ms, seen.prices, seen.coins, received_ms=seen.received_ms)
            if self._market.newest_trade_ms >= self._market.minute_due_ms:
                self._close_minutes(self._market.newest_trade_ms)
        except Exception as error:
            # Whatever is wrong with trades must not take detection down with it.
            self._market.forget_trades()
            self._trade_failures += 1
            what = f"{type(error).__name__}: {error}"
            self._trouble = f"trades of {seen.venue} failed, time {self._trade_failures}: {what}"[:200]
            self._write_note()

    def _close_minutes(self, at_ms: int) -> None:
        for minute in self._market.close_minutes(at_ms, self._detection.reference_price()):
            for path in self._followers:
                self.send(path, MinuteClosed(minute=minute))

    def _observe(self, seen: LiquidationsSeen) -> tuple[Alert, ...]:
        alerts = self._detection.liquidations(
            seen.events,
            able=seen.able,
            configured=seen.configured,
            now_ms=self.now_ms,
            after_reconnect=seen.after_reconnect,
        )
        if any(event.uncertain for event in seen.events):
            self._write_note()
        return alerts

    def _write_note(self) -> None:
        uncertain = self._detection.counters.uncertain
        set_aside = f"{uncertain} uncertain liquidations not used" if uncertain else ""
        self.note(", ".join(part for part in (set_aside, self._trouble) if part))

    def _raise(self, alerts: tuple[Alert, ...]) -> None:
        for alert in alerts:
            self.send(paths.DISPATCHER, AlertRaised(alert=alert), redeliver=True)

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
            self.retained.append(_Learned(state))
        self._forget()

    def _forget(self) -> None:
        """Drop what lies wholly before what a successor would need, and note from when on it is complete."""
        oldest_ms, retained = self._detection.oldest_needed_ms, self.retained
        if not retained:
            return
        complete = retained.popleft() if isinstance(retained[0], _Complete) else None
        while retained and _last_ms(retained[0]) < oldest_ms:
            retained.popleft()
            complete = _Complete(oldest_ms)
        if complete is not None:
            retained.appendleft(complete)


def _complete_from(retained: tuple[Any, ...]) -> int | None:
    """The event time from which on everything has been retained; None when it is all there ever was."""
    if isinstance(retained[0], _Complete):
        return retained[0].from_ms or None
    seen = (message for message in retained if isinstance(message, LiquidationsSeen))  # the mailbox was full
    return min((event.exchange_ms for message in seen for event in message.events), default=None)


def _last_ms(message: LiquidationsSeen | MarksSeen | _Learned) -> int:
    """The newest event time in a retained message; of a broken one that lies far ahead, when it came."""
    match message:
        case LiquidationsSeen(events=events):
            return max(min(event.exchange_ms, event.received_ms + MAX_AHEAD_MS) for event in events)
        case MarksSeen(mark=mark):
            return min(mark.exchange_ms, mark.received_ms + MAX_AHEAD_MS)
        case _Learned(state=state):
            return state.closes[-1][0]
