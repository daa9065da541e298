"""What followed alerts on recorded bars: A2 of detection.md 11 by the rules of the daemon's own ledger, whatever the bars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from intelligence.evaluation.bars import Bars, Flags, Floats, Ints, range_after, range_between, trailing_volatility
from intelligence.minute import MINUTE_MS
from intelligence.outcomes.consequence import Controls, Followed, Verdict, verdict
from intelligence.outcomes.controls import DAY, daily_minutes
from intelligence.outcomes.rules import ControlRule, OutcomeRules
from intelligence.outcomes.volatility import HOUR

LEAST_BARS = 3  # of the horizon: with fewer nothing can be said of the range within it (ours)
RECORDED = OutcomeRules(controls=ControlRule(least_days=2))  # of days, not weeks: recordings are short
ControlTimes = Callable[[int, Sequence[int], int, ControlRule], list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Of the alerts that could be measured: `places` of their bars, and whether each was consequential.

    `rank`: of what followed among the controls; `base`: how often those pass themselves. `with_room`: plain, and enough of
    the move was left.
    """

    places: Ints
    plain: Flags
    strict: Flags
    with_room: Flags
    rank: Floats
    base: Floats
    followed: Floats
    not_measurable: int


class Outcomes:
    """Of one asset's bars. An alert is given by the place of the bar at whose end it was delivered."""

    def __init__(
        self,
        bars: Bars,
        horizon_min: int,
        rules: OutcomeRules = RECORDED,
        control_times: ControlTimes = daily_minutes,
    ) -> None:
        self.bars, self.horizon_min, self.rules, self.control_times = bars, horizon_min, rules, control_times
        self._horizon = bars.bars_in(horizon_min)
        self.ranges = range_after(bars, self._horizon)
        self.volatility = trailing_volatility(bars)
        self._first = int(bars.from_ms[0]) // MINUTE_MS

    def judge(self, places: Sequence[int] | Ints, starts: Sequence[int] | Ints | None = None) -> Judged:
        """`starts`: the bar in which the event of each alert began; without, that of its delivery."""
        at = np.asarray(places, dtype=np.int64)
        begun = at if starts is None else np.asarray(starts, dtype=np.int64)
        minutes = (self._first + begun * self.bars.step_min).tolist()
        alerts_at = sorted(minutes)
        rows = [
            (place, self._one(place, start, minute, alerts_at))
            for place, start, minute in zip(at.tolist(), begun.tolist(), minutes, strict=True)
        ]
        measured = [(place, found) for place, found in rows if found is not None]
        found = [one for _, one in measured]
        there = np.array([place for place, _ in measured], dtype=np.int64)
        return Judged(
            places=there,
            plain=np.array([one.exceeds for one in found], dtype=bool),
            strict=np.array([bool(one.exceeds_alike) for one in found], dtype=bool),
            with_room=np.array([one.consequential for one in found], dtype=bool),
            rank=np.array([one.rank for one in found], dtype=np.float64),
            base=np.array([one.base for one in found], dtype=np.float64),
            followed=self.ranges[there],
            not_measurable=len(rows) - len(measured),
        )

    def _one(self, place: int, start: int, minute: int, alerts_at: Sequence[int]) -> Verdict | None:
        inside = 0 <= place < len(self.bars)
        if self._horizon < LEAST_BARS or not inside or np.isnan(self.ranges[place]):
            return None
        past, days = self._past(minute, alerts_at)
        if days < self.rules.controls.least_days:
            return None
        followed = Followed(
            span=float(self.ranges[place]),
            whole=range_between(self.bars, min(start, place + 1), place + self._horizon),
            volatility=float(self.volatility[place]),
        )
        controls = Controls(self.ranges[past].tolist(), self.volatility[past].tolist())
        return verdict(followed, controls, self.rules)

    def _past(self, minute: int, alerts_at: Sequence[int]) -> tuple[Ints, int]:
        """Bars at whose end a control time lies, with an hour before it and its horizon behind it; and on how many days."""
        known_from = self._first + HOUR + self.bars.step_min
        found = self.control_times(minute, alerts_at, known_from, self.rules.controls)
        minutes = np.array(found, dtype=np.int64)
        whole, part = np.divmod(minutes - self._first, self.bars.step_min)
        usable = part == 0
        places, minutes = whole[usable] - 1, minutes[usable]
        known = ~np.isnan(self.ranges[places])
        return places[known], len(np.unique(minutes[known] // DAY))
