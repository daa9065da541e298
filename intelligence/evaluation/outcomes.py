"""What followed an alert: A2 of detection.md 11, plain and strict, measured from delivery on.

The control times of an alert lie before it, at the same time of day, and without an alert of ours beside them, so that a
judgement never uses what came later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intelligence.evaluation.bars import (
    DAY_MIN,
    Bars,
    Flags,
    Floats,
    Ints,
    range_after,
    range_between,
    trailing_volatility,
)
from intelligence.outcomes.consequence import exceeds, leaves_room
from intelligence.outcomes.rules import ConsequenceRule


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule(ConsequenceRule):
    """What makes an alert consequential, as the daemon's own ledger has it, and how it is found on recorded bars: of
    detection.md 11, except `strict_controls` (ours). Times in minutes.

    `least_controls`, `least_bars` of the horizon: with fewer an alert is not measurable.
    """

    horizon_min: int = 15
    controls: int = 200
    strict_controls: int = 50
    least_controls: int = 20
    least_bars: int = 3
    control_days: int = 60
    around_min: int = 30
    apart_min: int = 60


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Of the alerts that could be measured: `places` of their bars, and whether each was consequential.

    `percentile`: of what followed among the controls. `with_room`: plain, and enough of the move was left.
    """

    places: Ints
    plain: Flags
    strict: Flags
    with_room: Flags
    percentile: Floats
    followed: Floats
    not_measurable: int


class Outcomes:
    """Of one asset's bars. An alert is given by the place of the bar at whose end it was delivered."""

    def __init__(self, bars: Bars, rule: OutcomeRule) -> None:
        self.bars, self.rule = bars, rule
        self._horizon = bars.bars_in(rule.horizon_min)
        self.ranges = range_after(bars, self._horizon)
        self.volatility = trailing_volatility(bars)
        day, around = DAY_MIN // bars.step_min, rule.around_min // bars.step_min
        days = np.arange(1, rule.control_days + 1) * day
        self._before = np.sort((days[:, None] + np.arange(-around, around + 1)[None, :]).ravel())

    def judge(self, places: Sequence[int] | Ints, starts: Sequence[int] | Ints | None = None) -> Judged:
        """`starts`: the bar in which the event of each alert began, for the room that is left; without, its own."""
        at = np.asarray(places, dtype=np.int64)
        begun = at if starts is None else np.asarray(starts, dtype=np.int64)
        near = self._near(at)
        rows = [(place, self._one(int(place), int(start), near)) for place, start in zip(at, begun, strict=True)]
        measured = [(place, row) for place, row in rows if row is not None]
        columns = list(zip(*(row for _, row in measured), strict=True)) or [()] * 5
        return Judged(
            places=np.array([place for place, _ in measured], dtype=np.int64),
            plain=np.array(columns[0], dtype=bool),
            strict=np.array(columns[1], dtype=bool),
            with_room=np.array(columns[2], dtype=bool),
            percentile=np.array(columns[3], dtype=np.float64),
            followed=np.array(columns[4], dtype=np.float64),
            not_measurable=len(rows) - len(measured),
        )

    def _near(self, places: Ints) -> Flags:
        """Bars that no control may be: an alert lies within an hour."""
        apart = self.rule.apart_min // self.bars.step_min
        edges = np.zeros(len(self.bars) + 1, dtype=np.int64)
        np.add.at(edges, np.maximum(0, places - apart), 1)
        np.add.at(edges, np.minimum(len(self.bars), places + apart + 1), -1)
        return np.asarray(np.cumsum(edges[:-1]) > 0)

    def _one(self, place: int, start: int, near: Flags) -> tuple[bool, bool, bool, float, float] | None:
        rule = self.rule
        if self._horizon < rule.least_bars or not 0 <= place < len(self.bars) or np.isnan(self.ranges[place]):
            return None
        past = place - self._before
        past = past[(past >= rule.apart_min // self.bars.step_min) & (past < place - self._horizon)]
        past = past[~near[past]][::-1]
        if len(past) < rule.least_controls:
            return None
        follows = float(self.ranges[place])
        distance = np.abs(np.log(self.volatility[past] / self.volatility[place]))
        alike = past[np.argsort(distance, kind="stable")[: rule.strict_controls]]
        if len(past) > rule.controls:
            past = past[np.arange(rule.controls) * (len(past) - 1) // (rule.controls - 1)]
        percentile = self._percentile(past, follows)
        plain = exceeds(percentile, follows, rule)
        strict = exceeds(self._percentile(alike, follows), follows, rule)
        whole = range_between(self.bars, min(start, place + 1), place + self._horizon)
        return plain, strict, plain and leaves_room(follows, whole, rule), percentile, follows

    def _percentile(self, controls: Ints, follows: float) -> float:
        return float((1 + np.count_nonzero(self.ranges[controls] < follows)) / (1 + len(controls)))
