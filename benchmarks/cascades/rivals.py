"""Simpler detectors for the same pushes (detection.md 12.5): one sum in USD for every asset, and the price alone."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import NamedTuple

from benchmarks.cascades.reference import Told
from intelligence.market import Liquidation, MarkPrice, PositionSide
from intelligence.volatility import Volatility, VolatilityRule

MINUTE_MS = 60_000
QUIET_MS = 60_000  # it may fire again when its score was below the limit for so long, as ours ends
LEAST_SIGMAS = 1.5  # smaller moves are never an alert and not kept


class Point(NamedTuple):
    """How strongly a detector felt something at a time."""

    at_ms: int
    asset: str
    side: PositionSide
    score: float


class FixedDollars:
    """USD of the liquidations of one side that were seen in the last minute."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._recent: dict[tuple[str, PositionSide], deque[Liquidation]] = {}

    def take(self, order: Liquidation) -> None:
        recent = self._recent.setdefault((order.asset, order.position_side), deque())
        recent.append(order)
        while recent[0].exchange_ms <= order.exchange_ms - MINUTE_MS:
            recent.popleft()
        score = sum(one.notional_usd for one in recent)
        self.points.append(Point(order.received_ms, order.asset, order.position_side, score))


class PriceOnly:
    """The return of the last minute in sigmas of a minute, from before it; a fall is held to be one of longs."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._recent: dict[str, deque[tuple[int, float]]] = {}
        self._volatility: dict[str, Volatility] = {}

    def take(self, mark: MarkPrice) -> None:
        recent = self._recent.setdefault(mark.asset, deque())
        volatility = self._volatility.setdefault(mark.asset, Volatility(VolatilityRule()))
        volatility.observe(mark.exchange_ms, mark.price)
        recent.append((mark.exchange_ms, mark.price))
        while len(recent) > 1 and recent[1][0] <= mark.exchange_ms - MINUTE_MS:
            recent.popleft()
        before_ms, before = recent[0]
        sigma = volatility.sigma_before(mark.exchange_ms - MINUTE_MS)
        if sigma is None or before_ms > mark.exchange_ms - MINUTE_MS:
            return
        sigmas = log(mark.price / before) / sigma
        if abs(sigmas) >= LEAST_SIGMAS:
            side = PositionSide.LONG if sigmas < 0 else PositionSide.SHORT
            self.points.append(Point(mark.received_ms, mark.asset, side, abs(sigmas)))


def above(points: Iterable[Point], limit: float) -> list[Told]:
    """What is told with that limit. Points come in order of time."""
    felt_ms: dict[tuple[str, PositionSide], int] = {}
    told = []
    for at_ms, asset, side, score in points:
        if score < limit:
            continue
        if at_ms - felt_ms.get((asset, side), -QUIET_MS - 1) > QUIET_MS:
            told.append(Told(asset=asset, side=side, at_ms=at_ms))
        felt_ms[asset, side] = at_ms
    return told


def limit_for(count: int, runs: Sequence[Sequence[Point]], counts: Callable[[Told], bool]) -> float:
    """The lowest limit, one for all runs, with which no more than `count` alerts are told of those that count."""
    scores = sorted({point.score for points in runs for point in points})

    def too_many(score: float) -> bool:
        return sum(counts(alert) for points in runs for alert in above(points, score)) > count

    place = bisect_left(scores, True, key=lambda score: not too_many(score))
    return scores[place] if place < len(scores) else float("inf")
