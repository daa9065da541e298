"""What came near to an alert in a minute and what kept it from being one: the stuff that a silence is explained with.

By the minute of the clock, while detectors judge rolling windows: close enough to say why nobody was told.
"""

from collections.abc import Iterable
from math import fsum, log

import msgspec

from intelligence.alerts import AlertKind
from intelligence.detectors.cascade import CascadeRule
from intelligence.detectors.flow import OTHER_SIDE
from intelligence.market import PositionSide
from intelligence.minute import Minute
from intelligence.thresholds.records import AssetThresholds, Threshold

KEPT_PART = 0.25  # of the threshold: what stays below that nobody asks about (ours)


class NearMiss(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`value` and `threshold` in the unit of the kind's alerts; `from_ms`: the minute. `missing`: every condition that did
    not hold, with what was found and what is asked for.
    """

    asset: str
    kind: AlertKind
    from_ms: int
    value: float
    threshold: float
    source: str
    missing: tuple[str, ...]
    position_side: PositionSide | None = None


def of_liquidations(
    minute: Minute, thresholds: AssetThresholds, rule: CascadeRule, sigma: float | None
) -> tuple[NearMiss, ...]:
    """`sigma`: standard deviation of a minute's return, None while it is unknown."""
    found = [
        _single(minute, thresholds.single),
        *(_cascade(minute, side, thresholds, rule, sigma) for side in PositionSide),
    ]
    return tuple(near for near in found if near is not None)


def near(
    minute: Minute,
    kind: AlertKind,
    value: float,
    threshold: Threshold,
    missing: Iterable[str],
    *,
    part: float = KEPT_PART,
) -> NearMiss | None:
    """A near miss if it is one: at least `part` of the threshold, and with something missing."""
    lacking = tuple(missing)
    if not lacking or value < part * threshold.value:
        return None
    return NearMiss(
        asset=minute.asset,
        kind=kind,
        from_ms=minute.from_ms,
        value=value,
        threshold=threshold.value,
        source=threshold.source,
        missing=lacking,
    )


def below(value: float, threshold: Threshold) -> Iterable[str]:
    if value < threshold.value:
        yield f"threshold {value:.6g} of {threshold.value:.6g}"


def _single(minute: Minute, threshold: Threshold) -> NearMiss | None:
    largest = max(minute.liquidations, key=lambda one: one.notional_usd, default=None)
    if largest is None:
        return None
    found = near(minute, AlertKind.LIQUIDATION, largest.notional_usd, threshold, below(largest.notional_usd, threshold))
    return found and msgspec.structs.replace(found, position_side=largest.position_side)


def _cascade(
    minute: Minute, side: PositionSide, thresholds: AssetThresholds, rule: CascadeRule, sigma: float | None
) -> NearMiss | None:
    orders = [one.notional_usd for one in minute.liquidations if one.position_side is side]
    others = [one.notional_usd for one in minute.liquidations if one.position_side is OTHER_SIDE[side]]
    total, against = fsum(orders), fsum(others)
    if not total:
        return None
    missing = list(below(total, thresholds.cascade))
    if len(orders) < rule.enter_orders:
        missing.append(f"orders {len(orders)} of {rule.enter_orders}")
    if (share := total / (total + against)) < rule.enter_share:
        missing.append(f"share of the side {share:.2f} of {rule.enter_share:g}")
    if minute.open and minute.close:
        moved = abs(log(minute.close / minute.open)) / (sigma or rule.unknown_sigma)
        if moved < rule.enter_sigmas:
            missing.append(f"move {moved:.1f} of {rule.enter_sigmas:g} sigma")
    found = near(minute, AlertKind.CASCADE, total, thresholds.cascade, missing)
    return found and msgspec.structs.replace(found, position_side=side)
