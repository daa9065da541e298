"""What stands beside an asset's detection: trades, open interest, closed minutes, the past, and questions about them.

It raises nothing, and whatever fails here costs its own part alone.
"""

from collections.abc import Callable

from actors import paths
from actors.failures import Fenced
from actors.mailbox import Lane
from actors.messages.alerts import NearMissesSeen
from actors.messages.history import (
    AskHistory,
    HistoryMissing,
    HistorySeen,
    HistoryTold,
    HistoryWanted,
    MissingHistoryWanted,
)
from actors.messages.market import AskLiquidations, AskMarket, FeedsHealth, MinuteClosed, OpenInterestSeen, TradesSeen
from actors.messages.pictures import TapeTold, TapeWanted
from actors.supervised import Supervised
from intelligence.alerts import Alert
from intelligence.asset_market import AssetMarket, MarketView
from intelligence.detectors.asset import AssetDetection
from intelligence.history import BarSpan, History, KeptHistory
from intelligence.liquidation_sums import LiquidationSums
from intelligence.tape import PackedTape

MarketAnswer = MarketView | PackedTape | History | tuple[LiquidationSums, ...] | None
Question = AskMarket | AskHistory | AskLiquidations
HistoryLetter = HistorySeen | MissingHistoryWanted | HistoryWanted


class StreamMarket:
    """Speaks for its `owner`, a symbol stream, on the owner's thread; methods take the owner's detection of now.

    `followers` and `listeners`: paths of those who want the closed minutes, the latter where they exist. `on_trouble` is
    called when `trouble` says something new.
    """

    def __init__(
        self,
        owner: Supervised,
        asset: str,
        *,
        followers: tuple[str, ...],
        listeners: tuple[str, ...],
        open_interest_stale_ms: float,
        on_trouble: Callable[[], None],
    ) -> None:
        self._owner, self._asset = owner, asset
        self._followers, self._listeners = followers, listeners
        self._on_trouble = on_trouble
        self._trade_failures = self._history_failures = 0
        self._left_out_told = (0, 0)  # binary digits of the two counts
        self.trouble = ""  # the last one
        self.known = AssetMarket(asset, open_interest_stale_ms)
        self.known.begin_minutes(owner.now_ms)
        self.known.liquidations_from_ms = owner.now_ms

    def take(self, seen: OpenInterestSeen | FeedsHealth) -> None:
        match seen:
            case OpenInterestSeen(record=record):
                self.known.open_interest(record)
            case FeedsHealth(feeds=feeds):
                self.known.feeds(feeds)

    def _say(self, trouble: str) -> None:
        self.trouble = trouble[:200]
        self._on_trouble()

    # -- trades and minutes -------------------------------------------------------------------------------------------

    def take_trades(self, seen: TradesSeen, detection: AssetDetection) -> None:
        try:
            self.known.trades(seen.times_ms, seen.prices, seen.coins, received_ms=seen.received_ms, venue=seen.venue)
            self._tell_left_out()
            if self.known.newest_trade_ms >= self.known.minute_due_ms:
                self.close_minutes(self.known.newest_trade_ms, detection)
        except Exception as error:
            # Whatever is wrong with trades must not take detection down with it.
            self.known.forget_trades()
            self._left_out_told = (0, 0)
            self._trade_failures += 1
            what = f"{type(error).__name__}: {error}"
            self._say(f"trades of {seen.venue} failed, time {self._trade_failures}: {what}")

    def _tell_left_out(self) -> None:
        """Say that trades were too late or of an impossible time, at the 1st, 2nd, 4th, 8th ... in each of the two ways."""
        late, broken = self.known.left_out
        if (late.bit_length(), broken.bit_length()) != self._left_out_told:
            self._left_out_told = (late.bit_length(), broken.bit_length())
            self._owner.log.info("trades_left_out", late=late, broken=broken)
            self._say(f"{late} trades too late, {broken} of an impossible time")

    def close_minutes(self, at_ms: int, detection: AssetDetection) -> None:
        """Tell of every minute that is over at that event time."""
        for minute in self.known.close_minutes(at_ms, detection.reference_price()):
            closed = MinuteClosed(minute=minute)
            for path in self._followers:
                self._owner.send(path, closed, lane=Lane.DATA)
            for path in self._listeners:
                if self._owner.system.find(path) is not None:
                    self._owner.send(path, closed, lane=Lane.DATA)
            if found := detection.near_misses(minute):
                self._owner.send(paths.NEAR_MISSES, NearMissesSeen(found=found), lane=Lane.DATA)

    # -- questions ----------------------------------------------------------------------------------------------------

    def answer(self, question: Question) -> MarketAnswer:
        """A question that fails costs its answer and nothing else."""
        try:
            match question:
                case AskMarket():
                    return self.known.view(self._owner.now_ms)
                case AskHistory():
                    return self.known.history.all()
                case AskLiquidations():
                    return self.known.liquidation_sums(self._owner.now_ms)
        except Exception as error:
            self._say(f"{type(question).__name__} failed: {type(error).__name__}: {error}")
            return None

    def tape(self, wanted: TapeWanted) -> PackedTape | None:
        """Tell what pictures are drawn from; None when that fails, which costs the picture alone."""
        try:
            tape = self.known.tape(self._owner.now_ms, wanted.period_s)
        except Exception as error:
            self._owner.log.warning("tape_failed", caused_by=repr(error)[:200])
            return None
        if wanted.path:
            self._owner.send(wanted.path, TapeTold(tape=tape, key=wanted.key))
        return tape

    def completed(self, ended: Alert) -> Alert:
        """The end of an incident with what stands beside detection; without it where that fails."""
        try:
            return self.known.completed(ended, self._owner.now_ms)
        except Exception as error:
            self._lose_history(error)
            return ended

    # -- the past -----------------------------------------------------------------------------------------------------

    def take_history(self, letter: HistoryLetter, detection: AssetDetection) -> None:
        """Take what was asked for by REST, or tell of it; a failure costs what was known of the past."""
        try:
            match letter:
                case HistorySeen(span=span):
                    self.known.take_history(span)
                    if isinstance(span, BarSpan) and span.interval == "1m":
                        self.begin_volatility(detection)
                case MissingHistoryWanted(path=path):
                    missing = self.known.history.missing(self._owner.now_ms)
                    self._owner.send(path, HistoryMissing(asset=self._asset, missing=missing))
                case HistoryWanted(path=path):
                    self._owner.send(path, HistoryTold(asset=self._asset, history=self.known.history.all()))
        except Fenced:
            raise
        except Exception as error:
            self._lose_history(error)

    def restore_history(self, kept: KeptHistory, detection: AssetDetection) -> None:
        try:
            self.known.history.restore(kept)
            self.begin_volatility(detection)
        except Exception as error:
            self._lose_history(error)

    def begin_volatility(self, detection: AssetDetection) -> None:
        """Let bars say how much the price moved before the first mark, so that nobody waits half an hour for it."""
        detection.begin_with(self.known.minute_closes(self._owner.now_ms))

    def _lose_history(self, error: Exception) -> None:
        self.known.forget_history()
        self._history_failures += 1
        self._say(f"history failed, time {self._history_failures}: {type(error).__name__}: {error}")
