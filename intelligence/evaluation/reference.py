"""What really happened, by rules unlike the detectors', fixed before any tuning (detection.md 12.2).

Truth may use the whole recording, the time after an event too: it is never shown to a detector.
"""

import numpy as np

from intelligence.evaluation.bars import DAY_MIN, Bars, Flags, Floats, Ints, rolling_sum
from intelligence.evaluation.matching import Event
from intelligence.minute import MINUTE_MS

QUANTILE = 0.995
JOINED_MIN = 15  # runs so near to one another are one event (ours)
BURST_MS = 60_000
LEAST_ORDERS = 5
LEAST_SHARE = 0.8
LEAST_SIGMAS = 1.5
BUCKET_MIN = 60  # of the day


def volume_events(bars: Bars, quantile: float = QUANTILE) -> tuple[Event, ...]:
    """Where the volume of five minutes is at or above the quantile of its hour of the day."""
    sums = rolling_sum(bars.usd, bars.bars_in(5))
    bucket = bars.from_ms // MINUTE_MS % DAY_MIN // BUCKET_MIN
    limits = np.array(
        [np.quantile(sums[bucket == one], quantile) if np.any(bucket == one) else np.inf for one in range(24)]
    )
    return _runs(bars, sums >= limits[bucket])


def open_interest_events(bars: Bars, coins: Floats, quantile: float = QUANTILE) -> tuple[Event, ...]:
    """Where |ln change| over 15 minutes is at or above its quantile. On one venue, where only one was recorded."""
    change = open_interest_change(bars, coins)
    return _runs(bars, change >= np.quantile(change, quantile))


def open_interest_change(bars: Bars, coins: Floats) -> Floats:
    """|g| over 15 minutes; 0 at the beginning."""
    steps = bars.bars_in(15)
    change = np.zeros(len(coins))
    change[steps:] = np.abs(np.log(coins[steps:] / coins[:-steps]))
    return change


def cascade_events(
    times_ms: Ints, usd: Floats, is_long: Flags, bars: Bars, *, long: bool, quantile: float = QUANTILE
) -> tuple[Event, ...]:
    """Runs of one side whose sum of 60 s is at or above the quantile of its own orders' sums, with at least five orders,
    four fifths of all that was liquidated, and a move of 1.5 deviations. Orders in the order of time.
    """
    side = is_long if long else ~is_long
    mine = np.where(side, usd, 0.0)
    begin = np.searchsorted(times_ms, times_ms - BURST_MS, side="right")
    sums = _window(mine, begin)
    share = sums / np.maximum(_window(usd, begin), 1e-9)
    orders = _window(side.astype(np.float64), begin)
    limit = np.quantile(sums[side], quantile) if np.any(side) else np.inf
    hot = (sums >= limit) & (orders >= LEAST_ORDERS) & (share >= LEAST_SHARE) & _moved(times_ms, bars)
    events: list[Event] = []
    for at_ms, first_ms in zip(times_ms[hot], times_ms[begin[hot]], strict=True):
        if events and first_ms - events[-1].end_ms <= BURST_MS:
            events[-1] = Event(events[-1].start_ms, int(at_ms))
        else:
            events.append(Event(int(first_ms), int(at_ms)))
    return tuple(events)


def _window(values: Floats, begin: Ints) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(sums[1:] - sums[begin], dtype=np.float64)


def _moved(times_ms: Ints, bars: Bars) -> Flags:
    """Whether the bar of each order moved by 1.5 deviations of those of the hour before; true outside of the bars."""
    returns = np.abs(np.diff(np.log(bars.close), prepend=np.log(bars.close[0])))
    count = bars.bars_in(60)
    sigma = np.sqrt(rolling_sum(returns**2, count) / count)
    place = bars.place_of(times_ms) + 1
    inside = (place >= 1) & (place < len(bars))
    at = np.clip(place, 1, len(bars) - 1)
    return np.asarray(~inside | (returns[at] >= LEAST_SIGMAS * sigma[at - 1]))


def _runs(bars: Bars, hot: Flags) -> tuple[Event, ...]:
    events: list[Event] = []
    for place in np.flatnonzero(hot):
        end_ms = int(bars.from_ms[place]) + bars.step_ms
        if events and end_ms - events[-1].end_ms <= JOINED_MIN * MINUTE_MS:
            events[-1] = Event(events[-1].start_ms, end_ms)
        else:
            events.append(Event(end_ms, end_ms))
    return tuple(events)
