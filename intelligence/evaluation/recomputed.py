"""A1 of detection.md 11: what alerts said, recomputed from the whole recording by other code than the detectors'.

An alert is true when the figure that it told comes out again (to a hundredth: the units are right), still fulfils its rule,
rests on feeds that were there, and is no second alert of an incident that was open.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from intelligence.alerts import AlertKind, Stage
from intelligence.detectors.cascade import CascadeRule
from intelligence.evaluation.bars import Bars, Flags, Floats
from intelligence.evaluation.played import Told
from intelligence.market import Liquidation, PositionSide

AGREES = 0.01  # part of the figure told (ours)
ROUNDING = 1e-6  # of sums in another order
ENTRY_MS = 60_000

Reasons = Mapping[str, str]  # by alert_id, why it is not true
Recompute = Callable[
    [Told], float | None
]  # the figure, 0 where the rule no longer holds; None where feeds were not there


def untrue(told: Sequence[Told], kind: AlertKind, recompute: Recompute) -> dict[str, str]:
    """Why raised alerts of that kind are not true; those that are true are not in it."""
    found = {}
    for one in told:
        if one.kind is kind and one.stage is Stage.RAISED and (reason := _doubt(one, recompute(one))):
            found[one.alert_id] = reason
    return found | dict.fromkeys(_duplicates(told, kind), "duplicate")


def _doubt(told: Told, figure: float | None) -> str:
    if figure is None:
        return "feed"
    if figure < told.threshold * (1 - ROUNDING):
        return "rule"
    return "" if abs(figure / told.value - 1) <= AGREES else "figure"


def _duplicates(told: Sequence[Told], kind: AlertKind) -> list[str]:
    """Raised while another incident of the same side was open, or a second time."""
    open_ids: dict[PositionSide | None, str] = {}
    raised: set[str] = set()
    found = []
    for one in (one for one in told if one.kind is kind):
        if one.stage is Stage.RAISED:
            if one.alert_id in raised or (open_ids.get(one.side) and kind is not AlertKind.LIQUIDATION):
                found.append(one.alert_id)
            raised.add(one.alert_id)
            open_ids[one.side] = one.alert_id
        elif one.stage is Stage.ENDED:
            open_ids.pop(one.side, None)
    return found


def of_volume(bars: Bars, whole: Flags) -> Recompute:
    """`whole`: the bars in which trades were received all the time."""

    def figure(told: Told) -> float | None:
        window = _window(told, bars)
        return float(bars.usd[window].sum()) if window is not None and whole[window].all() else None

    return figure


def of_open_interest(bars: Bars, coins: Floats) -> Recompute:
    """`coins`: open at the end of each bar, nan where no figure came."""

    def figure(told: Told) -> float | None:
        window = _window(told, bars)
        if window is None or not window.start:
            return None
        change = float(coins[window.stop - 1] / coins[window.start - 1] - 1)
        return None if np.isnan(change) else 100 * abs(change)

    return figure


def of_orders(tape: Sequence[Liquidation]) -> Recompute:
    """Of single liquidations: the largest order of that side and moment."""

    def figure(told: Told) -> float | None:
        same = [one for one in tape if one.exchange_ms == told.started_ms and one.position_side is told.side]
        return max((one.notional_usd for one in same), default=None)

    return figure


def of_cascades(tape: Sequence[Liquidation], rule: CascadeRule) -> Recompute:
    """The sum of the incident's side from its first order to its last; 0 without so many orders, or that share of the minute."""

    def figure(told: Told) -> float | None:
        mine = [one for one in tape if one.position_side is told.side]
        counted = [one.notional_usd for one in mine if told.started_ms <= one.exchange_ms <= told.latest_ms]
        minute = [one for one in tape if told.latest_ms - ENTRY_MS < one.exchange_ms <= told.latest_ms]
        of_side = sum(one.notional_usd for one in minute if one.position_side is told.side)
        holds = len(counted) >= rule.enter_orders and of_side >= rule.enter_share * sum(
            one.notional_usd for one in minute
        )
        return sum(counted) if holds else 0.0

    return figure


def _window(told: Told, bars: Bars) -> slice | None:
    """The bars by which it was found; None where the recording does not have them all."""
    last = int(bars.place_of(np.array([told.latest_ms]))[0])
    first = last + 1 - told.window_ms // bars.step_ms
    return slice(first, last + 1) if 0 <= first <= last < len(bars) else None
