"""Prices of an asset as equal bars without a gap, and what can be said of all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from intelligence.minute import MINUTE_MS, Minute
from intelligence.outcomes.volatility import LEAST_SIGMA

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY_MIN = 1_440
HOUR_MIN = 60


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """`from_ms` when each opens, `step_min` its length; prices USD a coin, `usd` turnover, 0 where it is not recorded."""

    asset: str
    step_min: int
    from_ms: Ints
    high: Floats
    low: Floats
    close: Floats
    usd: Floats

    def __len__(self) -> int:
        return len(self.close)

    @property
    def step_ms(self) -> int:
        return self.step_min * MINUTE_MS

    @property
    def days(self) -> float:
        return len(self) * self.step_min / DAY_MIN

    def bars_in(self, minutes: int) -> int:
        return max(1, minutes // self.step_min)

    def day_of(self, places: Ints) -> Ints:
        """UTC days since 1970, the blocks of the bootstrap."""
        return np.asarray(self.from_ms[places] // (DAY_MIN * MINUTE_MS), dtype=np.int64)

    def end_ms(self, places: Ints) -> Ints:
        return np.asarray(self.from_ms[places] + self.step_ms, dtype=np.int64)

    def place_of(self, at_ms: Ints) -> Ints:
        """The bar that is the last to end at or before each time; may lie outside of the recording."""
        return np.asarray((at_ms - self.from_ms[0]) // self.step_ms - 1, dtype=np.int64)


def bars_of(minutes: Sequence[Minute], step_min: int = 1) -> Bars:
    """Minutes that follow one another by `step_min`; one without trades repeats the price before it."""
    low: list[float] = []
    high: list[float] = []
    close: list[float] = []
    price = next(one.close or one.reference_price or 0.0 for one in minutes if one.close or one.reference_price)
    for one in minutes:
        before, price = price, one.close or one.reference_price or price
        high.append(max(one.high or price, price) if one.high else max(before, price))
        low.append(min(one.low or price, price) if one.low else min(before, price))
        close.append(price)
    return Bars(
        asset=minutes[0].asset,
        step_min=step_min,
        from_ms=np.array([one.to_ms - step_min * MINUTE_MS for one in minutes], dtype=np.int64),
        high=np.array(high),
        low=np.array(low),
        close=np.array(close),
        usd=np.array([one.total_usd for one in minutes]),
    )


def range_after(bars: Bars, horizon: int) -> Floats:
    """R(t, h) = ln(highest / lowest) of the `horizon` bars after each; nan where the recording ends before."""
    found = np.full(len(bars), np.nan)
    if len(bars) > horizon:
        window = np.lib.stride_tricks.sliding_window_view
        highest = window(bars.high[1:], horizon).max(axis=1)
        lowest = window(bars.low[1:], horizon).min(axis=1)
        found[: len(highest)] = np.log(highest / lowest)
    return found


def range_between(bars: Bars, first: int, last: int) -> float:
    """Of the bars from `first` to `last`, both counted."""
    return float(np.log(bars.high[first : last + 1].max() / bars.low[first : last + 1].min()))


def trailing_volatility(bars: Bars, minutes: int = HOUR_MIN) -> Floats:
    """Root of the sum of squared returns of the last minutes up to the close of each bar; never 0."""
    returns = np.diff(np.log(bars.close), prepend=np.log(bars.close[0]))
    sums = np.concatenate(([0.0], np.cumsum(returns**2)))
    count = bars.bars_in(minutes)
    begin = np.maximum(0, np.arange(1, len(bars) + 1) - count)
    total = sums[1:] - sums[begin]
    return np.asarray(np.sqrt(np.maximum(total, LEAST_SIGMA**2 * minutes)), dtype=np.float64)


def rolling_sum(values: Floats, count: int) -> Floats:
    """Of the last `count` up to each; shorter at the beginning."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    end = np.arange(1, len(values) + 1)
    return np.asarray(sums[end] - sums[np.maximum(0, end - count)], dtype=np.float64)
