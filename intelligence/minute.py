"""One closed minute of an asset over all venues: the value that enhancements live on, and the bars it is made of."""

from collections.abc import Mapping, Sequence

import msgspec

from intelligence.market import Liquidation, OpenInterest
from intelligence.trade_window import LATE_S, VolumeSums

MINUTE_MS = 60_000
CLOSES_AFTER_MS = LATE_S * 1_000  # behind its end, in event time: by then no trade is taken into it any more
ENDS_QUIET_MS = 15_000  # behind its end, in market time, where no trade tells that it is over (ours)


class Minute(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The minute of event time that begins at `from_ms`. Prices in USD a coin, sums in USD of takers' trades.

    `mark_low`, `mark_high`: of mark prices, which is what venues liquidate by: medians over the contracts, None where none
    came.
    `open` to `close`: of the trades of all venues in the order of receipt, None without any. `reference_price`: the median
    of the venues' mark prices when the minute closed. `complete`: trades were received over the whole of it.
    `liquidations`: those that detection judged, by event time, of minutes before too if they came late. `open_interest`:
    the newest figure of every contract when the minute closed, each with its own time: never to be added over venues.
    `funding_8h`: median over venues as a fraction in eight hours, positive when longs pay. `divergence`: `bearish` or `bullish`
    where this minute confirmed that CVD did not follow the price (detection.md 8), else "". `venues`: whose trades came then, or
    since.
    """

    asset: str
    from_ms: int
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    reference_price: float | None
    buy_usd: float
    sell_usd: float
    trades: int
    largest_usd: float
    complete: bool
    liquidations: tuple[Liquidation, ...] = ()
    open_interest: tuple[OpenInterest, ...] = ()
    funding_8h: float | None = None
    divergence: str = ""
    mark_low: float | None = None
    mark_high: float | None = None
    venues: tuple[str, ...] = ()

    @property
    def beside(self) -> tuple[tuple[str, float | str], ...]:
        """Facts for the context of an alert about this minute, where there are any."""
        funding = () if self.funding_8h is None else (("funding_8h", self.funding_8h),)
        return (*funding, *((("divergence", self.divergence),) if self.divergence else ()))

    @property
    def to_ms(self) -> int:
        return self.from_ms + MINUTE_MS

    @property
    def total_usd(self) -> float:
        return self.buy_usd + self.sell_usd


class _Bar:
    __slots__ = ("close", "high", "low", "open")

    def __init__(self, price: float) -> None:
        self.open = self.high = self.low = self.close = price

    def take(self, low: float, high: float, close: float) -> None:
        self.high = max(self.high, high)
        self.low = min(self.low, low)
        self.close = close


class Minutes:
    """The prices of the minutes that are open. Feed it the batches that the trade window is fed, after `begin`."""

    def __init__(self) -> None:
        self._bars: dict[int, _Bar] = {}
        self._heard_ms: dict[str, int] = {}  # the newest trade of each venue
        self._next = 0  # the minute to be closed next
        self._newest = (0, 0)  # the minute that was written last: from and to
        self._bar: _Bar | None = None

    @property
    def heard_ms(self) -> Mapping[str, int]:
        """The time of each venue's newest batch of trades."""
        return self._heard_ms

    @property
    def next_from_ms(self) -> int:
        """The minute that is closed next."""
        return self._next

    def begin(self, at_ms: int) -> None:
        """Let minutes follow one another from that of `at_ms` on."""
        self._next = at_ms - at_ms % MINUTE_MS
        self.forget()

    def forget(self) -> None:
        """Forget the prices of the minutes that are open."""
        self._bars.clear()
        self._bar = None

    def open_prices(self) -> list[tuple[int, tuple[float, float, float, float]]]:
        """The minutes that are open, oldest first: beginning, and open, high, low and close so far."""
        return [(at_ms, (bar.open, bar.high, bar.low, bar.close)) for at_ms, bar in sorted(self._bars.items())]

    def skip_to(self, at_ms: int) -> None:
        """Leave out the minutes before that of `at_ms`."""
        if self._next + MINUTE_MS <= at_ms:
            self.begin(at_ms)

    def add(self, times_ms: Sequence[int], prices: Sequence[float], venue: str = "") -> None:
        """Take one batch of one venue's trades."""
        if venue:
            self._heard_ms[venue] = times_ms[-1]
        begin_ms, end_ms = self._newest
        bar = self._bar
        if bar is not None and begin_ms <= min(times_ms) and max(times_ms) < end_ms:
            bar.take(min(prices), max(prices), prices[-1])
            return
        for at_ms, price in zip(times_ms, prices, strict=True):
            self._add_one(at_ms - at_ms % MINUTE_MS, price)

    def _add_one(self, from_ms: int, price: float) -> None:
        if from_ms < self._next:
            return
        bar = self._bars.get(from_ms)
        if bar is None:
            bar = self._bars[from_ms] = _Bar(price)
        bar.take(price, price, price)
        self._newest, self._bar = (from_ms, from_ms + MINUTE_MS), bar

    def close(
        self,
        asset: str,
        sums: VolumeSums,
        *,
        complete: bool,
        reference_price: float | None,
        liquidations: tuple[Liquidation, ...],
        open_interest: tuple[OpenInterest, ...],
        marks: tuple[float, float] | None = None,
    ) -> Minute:
        """End the next minute; `sums` are those of its trades, `marks` the lowest and highest mark price."""
        from_ms = self._next
        self._next += MINUTE_MS
        bar = self._bars.pop(from_ms, None)
        if self._bar is bar:
            self._bar = None
        return Minute(
            asset=asset,
            from_ms=from_ms,
            open=bar.open if bar else None,
            high=bar.high if bar else None,
            low=bar.low if bar else None,
            close=bar.close if bar else None,
            reference_price=reference_price,
            buy_usd=sums.buy_usd,
            sell_usd=sums.sell_usd,
            trades=sums.trades,
            largest_usd=sums.largest_usd,
            complete=complete,
            liquidations=liquidations,
            open_interest=open_interest,
            mark_low=marks[0] if marks else None,
            mark_high=marks[1] if marks else None,
            venues=tuple(sorted(venue for venue, at_ms in self._heard_ms.items() if at_ms >= from_ms)),
        )
