"""Alarms to beat, each at the same number of pushes as ours (detection.md 12.5): at most one an hour, past data only."""

import numpy as np

from intelligence.evaluation.bars import DAY_MIN, Bars, Floats, Ints, rolling_sum

HOUR = 60
WEEK_DAYS = 7
RENEWED_MIN = 30
REPEATS = 3  # of "always on": hourly after each alarm


def naive_volume(bars: Bars) -> Floats:
    """Robust z of the 5-minute volume against the trailing week (12.10); 0 in the first day."""
    values = np.log1p(rolling_sum(bars.usd, bars.bars_in(5)))
    day, week, step = DAY_MIN // bars.step_min, WEEK_DAYS * DAY_MIN // bars.step_min, bars.bars_in(RENEWED_MIN)
    scores = np.zeros(len(bars))
    for place in range(day, len(bars), step):
        past = values[max(0, place - week) : place]
        centre = np.median(past)
        spread = float(np.median(np.abs(past - centre)))
        if spread > 0:
            scores[place : place + step] = 0.6745 * (values[place : place + step] - centre) / spread
    return scores


def price_only(bars: Bars) -> Floats:
    """|return of a bar| in deviations of the hour before it: the alarm that most products fail to beat."""
    squares = np.diff(np.log(bars.close), prepend=np.log(bars.close[0])) ** 2
    count = bars.bars_in(HOUR)
    mean = np.concatenate(([0.0], rolling_sum(squares, count)[:-1])) / count
    return np.asarray(np.sqrt(squares / np.maximum(mean, 1e-10)), dtype=np.float64)


def fixed_usd(bars: Bars) -> Floats:
    """Turnover of five minutes in dollars, the same limit at every hour and for every asset."""
    return rolling_sum(bars.usd, bars.bars_in(5))


def strongest(scores: Floats, count: int, bars: Bars, first: int = 0) -> Ints:
    """The places above the lowest limit that raises no more than `count` alarms, an hour apart, from `first` on."""
    limits = np.unique(scores[first:])
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if len(above(scores, limits[middle], bars, first)) > count:
            low = middle + 1
        else:
            high = middle
    return above(scores, limits[low], bars, first)[: max(count, 0)]


def above(scores: Floats, limit: float, bars: Bars, first: int = 0) -> Ints:
    """Alarms at that limit, an hour apart."""
    apart = bars.bars_in(HOUR)
    found: list[int] = []
    for place in np.flatnonzero(scores[first:] >= limit) + first:
        if not found or place - found[-1] >= apart:
            found.append(int(place))
    return np.array(found, dtype=np.int64)


def at_random(bars: Bars, count: int, seed: int, first: int = 0) -> Ints:
    """So many times, more often at hours of the day at which more is traded: seasonal, and knowing nothing else."""
    minute = bars.from_ms // 60_000 % DAY_MIN // HOUR
    usual = np.array([bars.usd[minute == hour].mean() if np.any(minute == hour) else 0.0 for hour in range(24)])
    weights = usual[minute[first:]]
    weights = weights if weights.sum() > 0 else np.ones(len(weights))
    picked = np.random.default_rng(seed).choice(
        len(weights), size=min(count, len(weights)), replace=False, p=weights / weights.sum()
    )
    return np.asarray(np.sort(picked) + first, dtype=np.int64)


def always_on(bars: Bars, count: int, first: int = 0) -> Ints:
    """After each of fewer price alarms three more, hourly: what one gets by alarming on after any alarm."""
    alarms = strongest(price_only(bars), max(1, count // (1 + REPEATS)), bars, first)
    hourly = np.arange(1 + REPEATS) * bars.bars_in(HOUR)
    places = np.unique((alarms[:, None] + hourly[None, :]).ravel())
    return np.asarray(places[places < len(bars)][:count], dtype=np.int64)
