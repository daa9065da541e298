"""What /liquidations says: of one asset by venue and side, or which assets had the most. Capped feeds give lower bounds."""

import math
from collections.abc import Iterable, Mapping

from intelligence.amounts import compact_usd
from intelligence.answers.layout import age, bold, escape, page, span, table, updated, venue, whys
from intelligence.asset_market import MarketView
from intelligence.liquidation_sums import SPANS_S, LiquidationSum, LiquidationSums
from intelligence.market import Coverage, PositionSide
from intelligence.time_of_day import clock_stamp

USUAL_S = 3_600
USUAL_OF_MARKET_S = 86_400
MOST = 10
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def nearest_span_s(asked_s: int) -> int:
    """The shortest of the spans that are summed which holds what was asked for, else the longest."""
    return next((span_s for span_s in SPANS_S if span_s >= asked_s), SPANS_S[-1])


def liquidations_text(view: MarketView, span_s: int | None = None, clock: str = "UTC") -> str:
    sums = _of_span(view.liquidations, nearest_span_s(span_s or USUAL_S))
    counted = [row for row in sums.rows if row.counts]
    sides = f"longs {_usd(sums, LONG)}, shorts {_usd(sums, SHORT)}"
    largest = max((row.largest_usd for row in counted), default=0.0)
    late = view.liquidations_from_ms > view.at_ms - sums.seconds * 1_000
    return page(
        bold(f"{view.asset} liquidated in {span(sums.seconds)}: {sides if counted else 'nothing seen'}"),
        table(_by_venue(counted)),
        escape(f"Largest {compact_usd(largest)}. {_newest(counted, view.at_ms)}") if largest else "",
        "≥ a lower bound: the venue tells only some of its liquidations" if sums.lower_bound else "",
        escape(_doubtful(sums.rows)),
        escape(f"Known since {clock_stamp(view.liquidations_from_ms, clock)} only") if late else "",
        whys(sorted(view.liquidation_health.items())),
        updated(view.at_ms, clock),
    )


def most_liquidated(by_asset: Mapping[str, tuple[LiquidationSums, ...]], span_s: int | None = None) -> list[str]:
    """The assets of which something was, the most first."""
    span_s = nearest_span_s(span_s or USUAL_OF_MARKET_S)
    found = {asset: _of_span(sums, span_s) for asset, sums in by_asset.items()}
    totals = {asset: sums.usd(LONG) + sums.usd(SHORT) for asset, sums in found.items()}
    return [asset for asset in sorted(totals, key=lambda one: (-totals[one], one)) if totals[asset]]


def market_liquidations_text(
    by_asset: Mapping[str, tuple[LiquidationSums, ...]], at_ms: int, span_s: int | None = None, clock: str = "UTC"
) -> str:
    """The assets of which the most was liquidated, the largest first."""
    span_s = nearest_span_s(span_s or USUAL_OF_MARKET_S)
    found = {asset: _of_span(sums, span_s) for asset, sums in by_asset.items()}
    most = most_liquidated(by_asset, span_s)
    if not most:
        return page(bold(f"No liquidation seen in {span(span_s)}"), updated(at_ms, clock))
    bound = "≥" if any(sums.lower_bound for sums in found.values()) else ""
    rows = [("", "longs", "shorts", "largest")]
    rows += [
        (asset, compact_usd(found[asset].usd(LONG)), compact_usd(found[asset].usd(SHORT)), _largest(found[asset].rows))
        for asset in most[:MOST]
    ]
    total = f"{bound}{compact_usd(math.fsum(sums.usd(LONG) + sums.usd(SHORT) for sums in found.values()), down=bool(bound))}"
    left = len(most) - MOST
    return page(
        bold(f"Liquidated in {span(span_s)}: {total} in {len(most)} asset{'s' if len(most) > 1 else ''}"),
        table(rows),
        f"and {left} more assets" if left > 0 else "",
        "Lower bounds: some venues tell only some of their liquidations" if bound else "",
        updated(at_ms, clock),
    )


def _of_span(sums: Iterable[LiquidationSums], span_s: int) -> LiquidationSums:
    return next((one for one in sums if one.seconds == span_s), LiquidationSums(seconds=span_s, rows=()))


def _usd(sums: LiquidationSums, side: PositionSide) -> str:
    rows = [row for row in sums.rows if row.counts and row.position_side is side]
    bound = "≥" if any(row.coverage is Coverage.CAPPED for row in rows) else ""
    return f"{bound}{compact_usd(sums.usd(side), down=bool(bound))}"


def _by_venue(rows: list[LiquidationSum]) -> list[tuple[str, str, str, str]]:
    if not rows:
        return []
    told = [("", "longs", "shorts", "n")]
    for name in sorted({row.venue for row in rows}):
        own = [row for row in rows if row.venue == name]
        bound = "≥" if any(row.coverage is Coverage.CAPPED for row in own) else ""
        usd = {side: math.fsum(row.usd for row in own if row.position_side is side) for side in PositionSide}
        down = bool(bound)
        told.append(
            (
                f"{venue(name)}{bound}",
                compact_usd(usd[LONG], down=down),
                compact_usd(usd[SHORT], down=down),
                str(sum(row.count for row in own)),
            )
        )
    return told


def _newest(rows: list[LiquidationSum], now_ms: int) -> str:
    """How long ago each venue told its last one."""
    last = {name: max(row.newest_ms for row in rows if row.venue == name) for name in sorted({r.venue for r in rows})}
    return "Newest " + ", ".join(f"{venue(name)} {age(now_ms - at_ms)} ago" for name, at_ms in last.items())


def _doubtful(rows: Iterable[LiquidationSum]) -> str:
    """What is told and not counted, because its reading is in doubt."""
    told = [f"{venue(row.venue)} {compact_usd(row.usd)} ({row.uncertain})" for row in rows if row.uncertain]
    return f"Not counted, in doubt: {', '.join(told[:4])}" if told else ""


def _largest(rows: Iterable[LiquidationSum]) -> str:
    return compact_usd(max((row.largest_usd for row in rows if row.counts), default=0.0))
