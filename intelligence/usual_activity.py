"""How much an asset usually trades and moves, and how much wider its price ranges are now."""

from collections.abc import Iterable, Mapping
from math import exp, log, nan
from typing import NamedTuple

from intelligence.minute import MINUTE_MS, Minute
from intelligence.minute_series import MinuteSeries
from intelligence.quarter_hours import QUARTER_MS, QuarterHours, QuarterHoursState

RANGES_MIN = (5, 15, 60, 240)
DAYS = (7, 7, 28, 7, 7)  # what is kept of the volume of 15 minutes and of these ranges
VOLUME, FIRST_RANGE, RANGE_15 = 0, 1, 2  # columns
LEAST_RANGE = 1e-6  # stands for no move at all, of which there is no logarithm
PRESENT = 0.8  # of the minutes that a range must be made of


class Usual(NamedTuple):
    """`volume_15m_usd`: median of seven days of quarters of an hour, of which there are `samples`. `log_range`: mean logarithm
    of the usual ranges, corrected for the time of day.
    """

    volume_15m_usd: float
    log_range: float
    samples: int


class UsualActivity:
    """Looks at the owner's minutes, and remembers something of every quarter of an hour."""

    def __init__(self, minutes: MinuteSeries, least_samples: int, state: QuarterHoursState | None = None) -> None:
        self._minutes, self._least_samples = minutes, least_samples
        self._quarters = QuarterHours(DAYS, state)
        self._known: tuple[int, Usual | None] = (-1, None)  # of one quarter

    @property
    def state(self) -> QuarterHoursState:
        return self._quarters.state

    def note(self, at_ms: int) -> None:
        """The series has just taken the minute that ends at `at_ms`."""
        if at_ms % QUARTER_MS == 0:
            self._quarters.add(at_ms, _figures(self._minutes))

    def begin_with(self, past: Iterable[Minute], hours_usd: Mapping[int, float]) -> None:
        """Let quarters that nobody watched be known from elsewhere: minutes, oldest first, and further back the turnover of
        whole hours by their start (ms), which says nothing of ranges.
        """
        series = MinuteSeries()
        for minute in past:
            series.add(minute)
            if minute.to_ms % QUARTER_MS == 0:
                self._quarters.fill(minute.to_ms, _figures(series))
        nothing = [nan] * len(RANGES_MIN)
        for start_ms, usd in hours_usd.items():
            for place in range(1, 5):
                self._quarters.fill(start_ms + place * QUARTER_MS, (usd / 4, *nothing))
        self._known = (-1, None)

    def samples(self, at_ms: int) -> int:
        """How many quarters of the volume are known, as far as they count at that time."""
        known = self._quarters.recent(VOLUME, at_ms - QUARTER_MS)
        return known.samples if known is not None else 0

    def usual(self, at_ms: int) -> Usual | None:
        """From quarters that had ended before the windows that end at `at_ms` began; None while too few are known."""
        quarter = at_ms // QUARTER_MS
        if self._known[0] != quarter:
            self._known = (quarter, self._learned(quarter * QUARTER_MS))
        return self._known[1]

    def range_lift(self, at_ms: int) -> float | None:
        """How much wider the price ranges of the last 5, 15, 60 and 240 minutes are than those of seven days, in the
        geometric mean, corrected for how wide they usually are at this time of day. None while too little is known.
        """
        usual = self.usual(at_ms)
        now = [found for minutes in RANGES_MIN if (found := _log_range(self._minutes, minutes)) is not None]
        if usual is None or len(now) < len(RANGES_MIN):
            return None
        return exp(sum(now) / len(now) - usual.log_range)

    def _learned(self, at_ms: int) -> Usual | None:
        volume = self._quarters.recent(VOLUME, at_ms - QUARTER_MS)
        if volume is None or volume.samples < self._least_samples:
            return None
        ranges = [
            self._quarters.recent(FIRST_RANGE + place, at_ms - max(minutes * MINUTE_MS, QUARTER_MS))
            for place, minutes in enumerate(RANGES_MIN)
        ]
        of_day = self._quarters.at_time_of_day(RANGE_15, at_ms, at_ms - QUARTER_MS)
        of_week = ranges[RANGE_15 - FIRST_RANGE]
        known = [one.value for one in ranges if one is not None]
        if of_day is None or of_week is None or len(known) < len(ranges):
            return None
        return Usual(volume.value, sum(known) / len(known) + of_day.value - of_week.value, volume.samples)


def _figures(series: MinuteSeries) -> list[float]:
    """The volume and the ranges of a series at the end of a quarter, NaN for what is missing."""
    volume = series.flow(15)
    ranges = (_log_range(series, minutes) for minutes in RANGES_MIN)
    return [nan if volume is None else volume.total_usd, *(nan if one is None else one for one in ranges)]


def _log_range(series: MinuteSeries, minutes: int) -> float | None:
    flow = series.flow(minutes, present=PRESENT)
    return None if flow is None else log(flow.span + LEAST_RANGE)
