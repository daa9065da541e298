"""What is known of one asset's market over all venues: trades, marks, funding, open interest and liquidations, beside detection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from intelligence.alerts import Alert
from intelligence.day_flow import DayFlow, FlowMinutes
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.flushed import open_interest_flushed
from intelligence.funding import FundingView
from intelligence.history import AssetHistory, BarSpan, OpenInterestSpan
from intelligence.liquidation_sums import LiquidationSums, RollingLiquidations
from intelligence.mark_ranges import MarkRanges
from intelligence.market import Liquidation, MarkPrice, OpenInterest
from intelligence.market_context import MarketContext
from intelligence.minute import CLOSES_AFTER_MS, MINUTE_MS, Minute, Minutes
from intelligence.tape import PackedTape, Tape, TapeMinute
from intelligence.trade_window import WINDOW_S, TradeWindow, VolumeProfile, VolumeSums, with_clock

VOLUME_SPANS_S = (60, 300, WINDOW_S)  # detection.md 7
OPEN_INTEREST_STALE_MS = 180_000  # ours: three polls
NOT_JUDGED = FeedHealth(Health.DEGRADED, "not judged yet")


@dataclass(frozen=True, slots=True)
class FigureHealth:
    """What one figure is worth: its feed's health and its age, by the time of its event."""

    health: FeedHealth
    age_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """One asset at `at_ms` (market time). Prices in USD a coin, sums in USD.

    `marks` and `open_interest`: the newest of every instrument by venue and name; `mark_health` and `open_interest_health`
    say of each, in the same order, what it is worth. `trade_health`: of every venue that trades of the asset are asked of,
    so of the sums and the profile, `trades_heard_ms` when each brought some last; `liquidation_health` likewise. `trades_from_ms`: sums and profile hold everything from
    there on, None without any trade; `late_trades` and `broken_trades` were left out of them, by age and by an impossible
    time. `cvd_day_usd` and `volume_day_usd` begin at 00:00 UTC, or at `trades_day_from_ms` if that is later. `liquidations`
    are complete from `liquidations_from_ms` on. `divergence`: see `Minute`. `day_flow`: takers' trades of a day by the minute.
    """

    asset: str
    at_ms: int
    last_price: float | None
    marks: tuple[MarkPrice, ...]
    mark_health: tuple[FigureHealth, ...]
    open_interest: tuple[OpenInterest, ...]
    open_interest_health: tuple[FigureHealth, ...]
    trade_health: Mapping[str, FeedHealth]
    trades_heard_ms: Mapping[str, int]
    liquidation_health: Mapping[str, FeedHealth]
    volumes: tuple[VolumeSums, ...]
    cvd_day_usd: float
    volume_day_usd: float
    day_flow: DayFlow
    trades_day_from_ms: int | None
    liquidations: tuple[LiquidationSums, ...]
    liquidations_from_ms: int
    profile: VolumeProfile | None
    funding: FundingView | None
    divergence: str
    trades_from_ms: int | None
    late_trades: int
    broken_trades: int


class AssetMarket:
    """The rolling state behind `MarketView`. Forgets all by its windows; instruments are few.

    `history`: days and hours of bars and open interest, which came by REST for the most part.
    """

    def __init__(self, asset: str, open_interest_stale_ms: float = OPEN_INTEREST_STALE_MS) -> None:
        self._asset = asset
        self.history = AssetHistory()
        self._open_interest_stale_ms = open_interest_stale_ms
        self._feeds: Mapping[tuple[str, FeedKind], FeedHealth] = {}
        self._trades = TradeWindow()
        self._minutes = Minutes()
        self._context = MarketContext()
        self._tape = Tape()
        self._flow = FlowMinutes()
        self._liquidations: list[Liquidation] = []  # not in a closed minute yet
        self._liquidated = RollingLiquidations()
        self.liquidations_from_ms = 0  # event time
        self._marks: dict[tuple[str, str], MarkPrice] = {}
        self._mark_ranges = MarkRanges()
        self._open_interest: dict[tuple[str, str], OpenInterest] = {}

    def trades(
        self,
        times_ms: Sequence[int],
        prices: Sequence[float],
        coins: Sequence[float],
        *,
        received_ms: int,
        venue: str = "",
    ) -> None:
        """Take one batch of one venue; see `TradeWindow.add` and `with_clock`."""
        times_ms = with_clock(times_ms, received_ms)
        self._trades.add(times_ms, prices, coins, now_ms=received_ms)
        self._minutes.add(times_ms, prices, venue)

    def forget_trades(self) -> None:
        self._trades = TradeWindow()
        self._minutes.forget()

    def liquidations(self, accepted: Iterable[Liquidation]) -> None:
        """Take what detection judged, once each."""
        accepted = tuple(accepted)
        self._liquidations += accepted
        self._liquidated.add(accepted)
        self._context.liquidations(accepted)

    def forget_liquidations(self) -> None:
        self._liquidations = []
        self._liquidated = RollingLiquidations()

    def doubtful_liquidations(self, events: Iterable[Liquidation], *, after_reconnect: bool) -> None:
        """Take those that detection leaves out; see `RollingLiquidations.add_doubtful`."""
        self._liquidated.add_doubtful(events, after_reconnect=after_reconnect)

    def mark(self, mark: MarkPrice) -> None:
        self._context.mark(mark)
        known = self._marks.get((mark.venue, mark.instrument))
        if known is None or mark.exchange_ms >= known.exchange_ms:  # a second socket may lag behind the first
            self._marks[mark.venue, mark.instrument] = mark
            self._mark_ranges.take(mark)

    def open_interest(self, record: OpenInterest) -> None:
        known = self._open_interest.get((record.venue, record.instrument))
        if known is None or record.exchange_ms >= known.exchange_ms:  # a poll may come in behind a push
            self._open_interest[record.venue, record.instrument] = record
        self.history.take_open_interest(record)

    def completed(self, alert: Alert, now_ms: int) -> Alert:
        """The end of an incident with what became of open interest meanwhile, over contracts that count one side, and with
        an estimate of what capped feeds left out.
        """
        points = {
            contract: self.history.open_interest(*contract)
            for contract, record in self._open_interest.items()
            if record.uncertain != "sides"
        }
        found = open_interest_flushed(points, alert.started_ms or alert.exchange_ms, now_ms)
        return self._context.estimated(replace(alert, context=(*alert.context, *found)))

    # -- the past -----------------------------------------------------------------------------------------------------

    def take_history(self, span: BarSpan | OpenInterestSpan) -> None:
        if isinstance(span, BarSpan):
            self.history.take_bars(span)
        else:
            self.history.take_open_interest_span(span)

    def forget_history(self) -> None:
        self.history = AssetHistory()

    def minute_closes(self, now_ms: int) -> tuple[tuple[int, float], ...]:
        """Opening time and close of the reference contract's minutes, oldest first."""
        return tuple((bar.open_ms, bar.close) for bar in self.history.bars("1m", 0, now_ms))

    def feeds(self, feeds: Mapping[tuple[str, FeedKind], FeedHealth]) -> None:
        """Take in how the feeds are, by venue and kind; replaces what was said before."""
        self._feeds = feeds

    # -- closed minutes -----------------------------------------------------------------------------------------------

    def begin_minutes(self, now_ms: int) -> None:
        """Let minutes follow one another from that of `now_ms` on; what was before is told by nobody."""
        self._minutes.begin(now_ms)
        self._liquidations = [one for one in self._liquidations if one.exchange_ms >= self._minutes.next_from_ms]

    @property
    def left_out(self) -> tuple[int, int]:
        """How many trades came too late, and how many had an impossible time."""
        return self._trades.late, self._trades.ahead

    @property
    def newest_trade_ms(self) -> int:
        """The second of the newest trade, 0 without any."""
        return self._trades.newest_ms

    @property
    def minute_due_ms(self) -> int:
        """The event time from which on the oldest open minute is over."""
        return self._minutes.next_from_ms + MINUTE_MS + CLOSES_AFTER_MS

    def close_minutes(self, at_ms: int, reference_price: float | None) -> tuple[Minute, ...]:
        """The minutes that are over at the event time `at_ms`, oldest first. After a pause longer than the trade window
        the minutes whose trades it has forgotten are left out.
        """
        self._minutes.skip_to(at_ms - WINDOW_S * 1_000)
        closed = []
        while self.minute_due_ms <= at_ms:
            closed.append(self._close_minute(reference_price))
        return tuple(closed)

    def _close_minute(self, reference_price: float | None) -> Minute:
        from_ms = self._minutes.next_from_ms
        to_ms = from_ms + MINUTE_MS
        complete_from_ms = self._trades.complete_from_ms
        within = tuple(one for one in self._liquidations if one.exchange_ms < to_ms)
        self._liquidations = [one for one in self._liquidations if one.exchange_ms >= to_ms]
        minute = self._minutes.close(
            self._asset,
            self._trades.sums_between(from_ms, to_ms),
            complete=complete_from_ms is not None and complete_from_ms <= from_ms,
            reference_price=reference_price,
            liquidations=within,
            open_interest=tuple(self._open_interest[key] for key in sorted(self._open_interest)),
            marks=self._mark_ranges.close(from_ms),
        )
        minute = self._context.minute(minute)
        self._tape.take(minute)
        self._flow.take(minute)
        return minute

    def tape(self, now_ms: int, period_s: int) -> PackedTape:
        """The last `period_s` seconds, for a picture."""
        from_ms = now_ms - period_s * 1_000
        from_ms -= from_ms % MINUTE_MS
        return PackedTape(
            asset=self._asset,
            from_ms=from_ms,
            at_ms=now_ms,
            closed_minutes=self._tape.minutes(),
            open_minutes=tuple(
                TapeMinute(at_ms, *prices, sums.buy_usd, sums.sell_usd)
                for at_ms, prices in self._minutes.open_prices()
                for sums in (self._trades.sums_between(at_ms, at_ms + MINUTE_MS),)
            ),
            past=self.history.kept(),
            cells=self._tape.cells(from_ms, self._liquidations),
            day_flow=self._day_flow(now_ms),
            liquidations_from_ms=self.liquidations_from_ms,
            profile=self._trades.profile(now_ms),
            venues=tuple(sorted(self._of_kind(FeedKind.TRADES))),
        )

    def liquidation_sums(self, now_ms: int) -> tuple[LiquidationSums, ...]:
        return self._liquidated.sums(now_ms)

    def view(self, now_ms: int) -> MarketView:
        trades = self._trades
        marks = tuple(self._marks[key] for key in sorted(self._marks))
        interests = tuple(self._open_interest[key] for key in sorted(self._open_interest))
        return MarketView(
            asset=self._asset,
            at_ms=now_ms,
            last_price=trades.last_price or None,
            marks=marks,
            mark_health=tuple(self._of_mark(mark, now_ms) for mark in marks),
            open_interest=interests,
            open_interest_health=tuple(self._of_open_interest(record, now_ms) for record in interests),
            trade_health=self._of_kind(FeedKind.TRADES),
            trades_heard_ms=dict(self._minutes.heard_ms),
            liquidation_health=self._of_kind(FeedKind.LIQUIDATIONS),
            volumes=tuple(trades.sums(seconds, now_ms) for seconds in VOLUME_SPANS_S),
            cvd_day_usd=trades.cvd_usd(now_ms),
            volume_day_usd=trades.volume_day_usd(now_ms),
            day_flow=self._day_flow(now_ms),
            trades_day_from_ms=trades.day_from_ms(now_ms),
            liquidations=self.liquidation_sums(now_ms),
            liquidations_from_ms=self.liquidations_from_ms,
            profile=trades.profile(now_ms),
            funding=self._context.funding(now_ms),
            divergence=self._context.divergence,
            trades_from_ms=trades.complete_from_ms,
            late_trades=trades.late,
            broken_trades=trades.ahead,
        )

    def _day_flow(self, now_ms: int) -> DayFlow:
        open_from_ms = self._minutes.next_from_ms
        since = self._trades.sums_between(open_from_ms, now_ms + 1_000)
        return DayFlow(
            minutes=self._flow.kept(),
            open_from_ms=open_from_ms,
            open_buy_usd=since.buy_usd,
            open_sell_usd=since.sell_usd,
        )

    def _of_mark(self, mark: MarkPrice, now_ms: int) -> FigureHealth:
        health = self._feeds.get((mark.venue, FeedKind.MARK_PRICES), NOT_JUDGED)
        return FigureHealth(health, max(0, now_ms - mark.exchange_ms))

    def _of_open_interest(self, record: OpenInterest, now_ms: int) -> FigureHealth:
        age_ms = max(0, now_ms - record.exchange_ms)
        if age_ms > self._open_interest_stale_ms:
            return FigureHealth(
                FeedHealth(Health.STALE, f"older than {self._open_interest_stale_ms / 1000:g} s"), age_ms
            )
        return FigureHealth(FeedHealth(Health.HEALTHY), age_ms)

    def _of_kind(self, kind: FeedKind) -> Mapping[str, FeedHealth]:
        return {venue: health for (venue, one), health in self._feeds.items() if one is kind}
