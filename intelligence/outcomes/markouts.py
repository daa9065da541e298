"""Where the price went after alerts, signed by the way their events had pushed it (detection.md 11): told, never promised."""

from collections.abc import Iterable
from math import exp
from statistics import fmean

import msgspec

from intelligence.alerts import Alert
from intelligence.market import PositionSide
from intelligence.outcomes.shares import Share, share_by_day

BPS = 10_000


class Markout(msgspec.Struct, frozen=True, kw_only=True):
    """After so many `minutes`. `mean_bps`: after costs, positive when the price went on; `paid`: how many moves paid their costs."""

    minutes: int
    mean_bps: float
    paid: Share


def direction_of(alert: Alert) -> int:
    """1 when the event pushed the price up, -1 down, 0 where that is not known. Liquidated longs are sold; volume and open
    interest tell by the move of their window.
    """
    if alert.position_side is not None:
        return -1 if alert.position_side is PositionSide.LONG else 1
    move = dict(alert.context).get("price_move", 0.0)
    return 0 if isinstance(move, str) or not move else 1 if move > 0 else -1


def markout(minutes: int, moves: Iterable[tuple[int, float]], costs: float) -> Markout | None:
    """`moves`: the day of each alert and ln(last / first) in its direction. `costs`: as a fraction of the price."""
    earned = [(day, exp(move) - 1 - costs) for day, move in moves]
    if not earned:
        return None
    return Markout(
        minutes=minutes,
        mean_bps=BPS * fmean(gain for _, gain in earned),
        paid=share_by_day((day, gain > 0) for day, gain in earned),
    )
