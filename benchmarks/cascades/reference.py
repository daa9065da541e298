"""What really was a cascade, and which alerts meet it (detection.md 12.2, 12.3).

The rule looks at what no feed shows: every position that was liquidated, and how far the forced orders pushed the price by
the simulator's own depth. It knows no window, no threshold of ours and no share, and it was fixed before anything was scored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from intelligence.evaluation.matching import Event, match
from intelligence.market import PositionSide


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedOrder:
    """One position that was taken over."""

    asset: str
    side: PositionSide
    at_ms: int
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRule:
    """A run of one side in which each order follows the one before within `gap_ms` is a cascade with `least_orders` and a push
    of the price by `least_push` (a fraction: all their USD over the USD that would move the price by 100 %).
    """

    gap_ms: int = 15_000
    least_orders: int = 5
    least_push: float = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """`until_ms`: when it was over, so `gap_ms` after its last order. `fifth_ms`: time of its fifth order."""

    asset: str
    side: PositionSide
    from_ms: int
    until_ms: int
    fifth_ms: int
    orders: int
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert of any detector; `at_ms` is when it was told."""

    asset: str
    side: PositionSide
    at_ms: int


def cascades(orders: Iterable[ForcedOrder], depth_usd: Mapping[str, float], rule: ReferenceRule) -> list[Cascade]:
    """By time of their first order. `depth_usd`: by asset, the forced USD for a move of 100 %."""
    runs: dict[tuple[str, PositionSide], list[list[ForcedOrder]]] = {}
    for order in sorted(orders, key=lambda order: order.at_ms):
        of_side = runs.setdefault((order.asset, order.side), [])
        if of_side and order.at_ms - of_side[-1][-1].at_ms <= rule.gap_ms:
            of_side[-1].append(order)
        else:
            of_side.append([order])
    found = [
        _cascade(run, rule)
        for (asset, _), of_side in runs.items()
        for run in of_side
        if len(run) >= rule.least_orders and sum(one.usd for one in run) >= rule.least_push * depth_usd[asset]
    ]
    return sorted(found, key=lambda cascade: (cascade.from_ms, cascade.asset, cascade.side))


def _cascade(run: Sequence[ForcedOrder], rule: ReferenceRule) -> Cascade:
    return Cascade(
        asset=run[0].asset,
        side=run[0].side,
        from_ms=run[0].at_ms,
        until_ms=run[-1].at_ms + rule.gap_ms,
        fifth_ms=run[rule.least_orders - 1].at_ms,
        orders=len(run),
        usd=sum(one.usd for one in run),
    )


def matched(alerts: Iterable[Told], events: Iterable[Cascade]) -> dict[Told, Cascade]:
    """One to one, within an asset and side; a further alert on the same event has none (detection.md 12.3)."""
    told: dict[tuple[str, PositionSide], list[Told]] = {}
    for alert in alerts:
        told.setdefault((alert.asset, alert.side), []).append(alert)
    happened: dict[tuple[str, PositionSide], list[Cascade]] = {}
    for event in events:
        happened.setdefault((event.asset, event.side), []).append(event)
    pairs = {}
    for name, ours in told.items():
        theirs = happened.get(name, [])
        spans = [Event(event.from_ms, event.until_ms) for event in theirs]
        found = match([alert.at_ms for alert in ours], spans, whole=True)
        pairs |= {ours[alert]: theirs[event] for alert, event in found.pairs}
    return pairs
