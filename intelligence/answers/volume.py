"""What /volume and /cvd say: takers' trades over all venues; where those are not known so far back, one contract's bars."""

import math
from collections.abc import Callable
from typing import NamedTuple

from intelligence.amounts import compact_usd
from intelligence.answers.layout import (
    bold,
    escape,
    page,
    signed_usd,
    span,
    table,
    trades_of,
    updated,
    venue,
    whys,
)
from intelligence.answers.price import closes
from intelligence.asset_market import MarketView
from intelligence.history import History
from intelligence.time_of_day import clock_stamp
from intelligence.trade_window import WINDOW_S

LONGER_SPANS_S = (3_600, 14_400, 86_400)
DAY_S = 86_400
BARS_LATE_MS = 1_200_000  # ours: they are asked for every quarter of an hour; what ended earlier is no answer about now
BARS_SHARE = 0.98  # of the bars of a span that must be there


class _Flow(NamedTuple):
    """Takers' volume and net buying of a span, USD; `net_usd` None where the venue does not tell the taker. `until_ms`: of
    bars of one contract, and their end; None over all venues. `partial`: not everything of the span is known.
    """

    seconds: int
    usd: float
    net_usd: float | None
    until_ms: int | None = None
    partial: bool = False


def volume_text(view: MarketView, history: History | None, span_s: int | None = None, clock: str = "UTC") -> str:
    return _text(view, history, span_s, clock, what="volume", headline=_of_volume)


def cvd_text(view: MarketView, history: History | None, span_s: int | None = None, clock: str = "UTC") -> str:
    """CVD: what takers bought less what they sold, USD (detection.md 8)."""
    return _text(view, history, span_s, clock, what="CVD", headline=_of_cvd)


def _text(
    view: MarketView,
    history: History | None,
    span_s: int | None,
    clock: str,
    *,
    what: str,
    headline: Callable[[_Flow], str],
) -> str:
    wanted_s = span_s or WINDOW_S
    spans_s = sorted({*LONGER_SPANS_S, *((wanted_s,) if wanted_s > WINDOW_S else ())})
    found = [
        *_of_trades(view),
        *(flow for one in spans_s if (flow := _longer(view, history, one, asked=one == wanted_s))),
    ]
    if not found:
        return page(bold(f"{view.asset}: no trades are known yet"), _feeds(view), updated(view.at_ms, clock))
    first = next((flow for flow in found if flow.seconds == wanted_s), None)
    contract = history.reference if history else None
    alone = f" on {venue(contract[0])} alone" if first and first.until_ms and contract else ""
    title = f"{headline(first)} in {span(wanted_s)}{alone}" if first else f"not known over {span(wanted_s)}"
    rows = [("", "volume", "net"), *map(_row, found)]
    if view.trades_day_from_ms is not None:
        usd = f"{'≥' * _day_is_partial(view)}{compact_usd(view.volume_day_usd, down=_day_is_partial(view))}"
        rows.append(("0:00 UTC", usd, signed_usd(view.cvd_day_usd)))
    largest = max((sums.largest_usd for sums in view.volumes), default=0.0)
    return page(
        bold(f"{view.asset} {what} {title}"),
        table(rows),
        f"Swing: {view.divergence} divergence, CVD did not follow the price" if view.divergence else "",
        escape(f"Largest trade in 15 min {compact_usd(largest)}") if largest else "",
        escape(_complete(view, found, clock)),
        escape(_apart(found, history, clock)),
        _feeds(view),
        updated(view.at_ms, clock),
    )


def _of_trades(view: MarketView) -> list[_Flow]:
    """Up to a quarter of an hour, by the second, over all venues whose trades are read."""
    from_ms = view.trades_from_ms
    if from_ms is None:
        return []
    return [
        _Flow(sums.seconds, sums.total_usd, sums.delta_usd, partial=from_ms > view.at_ms - (sums.seconds - 60) * 1_000)
        for sums in view.volumes
    ]


def _longer(view: MarketView, history: History | None, span_s: int, *, asked: bool) -> _Flow | None:
    """Over all venues where nearly every minute was received whole, else of one contract, else what is known if it was asked."""
    sums = view.day_flow.over(span_s, view.at_ms) if view.trades_from_ms is not None else None
    told = None if sums is None else _Flow(span_s, sums.buy_usd + sums.sell_usd, sums.buy_usd - sums.sell_usd)
    if told and sums and sums.is_whole and span_s <= DAY_S:
        return told
    if bars := _of_bars(view, history, span_s):
        return bars
    return told._replace(partial=True) if told and sums and sums.known > 1 and asked else None


def _of_bars(view: MarketView, history: History | None, span_s: int) -> _Flow | None:
    """Over the newest bars of the reference contract; None where some are missing."""
    if history is None:
        return None
    step_ms, bars = closes(history, span_s)
    until_ms = bars[-1].open_ms + step_ms if bars else 0
    if view.at_ms - until_ms > max(BARS_LATE_MS, 2 * step_ms):
        return None
    within = [bar for bar in bars if bar.open_ms >= until_ms - span_s * 1_000]
    if len(within) < span_s * 1_000 // step_ms * BARS_SHARE:
        return None
    usd = math.fsum(bar.close * bar.coins if bar.usd is None else bar.usd for bar in within)
    buys = [bar.taker_buy_coins for bar in within if bar.taker_buy_coins is not None]
    coins = math.fsum(bar.coins for bar in within)
    net = usd * (2 * math.fsum(buys) / coins - 1) if coins and len(buys) == len(within) else None
    return _Flow(span_s, usd, net, until_ms)


def _row(flow: _Flow) -> tuple[str, str, str]:
    mark, bound = "*" if flow.until_ms else "", "≥" if flow.partial else ""
    net = "?" if flow.net_usd is None else signed_usd(flow.net_usd)
    return f"{span(flow.seconds)}{mark}", f"{bound}{compact_usd(flow.usd, down=flow.partial)}", net


def _of_volume(flow: _Flow) -> str:
    return f"{'≥' if flow.partial else ''}{compact_usd(flow.usd, down=flow.partial)}{_lean(flow)}"


def _of_cvd(flow: _Flow) -> str:
    return f"{signed_usd(flow.net_usd or 0.0)}{_lean(flow)}"


def _lean(flow: _Flow) -> str:
    if flow.net_usd is None or not flow.usd:
        return ""
    share = f"{100 * abs(flow.net_usd) / flow.usd:.0f}"
    return ", takers even" if share == "0" else f", takers {'bought' if flow.net_usd > 0 else 'sold'} {share} % net"


def _complete(view: MarketView, found: list[_Flow], clock: str) -> str:
    """Said where a sum of trades does not reach back as far as it is called."""
    if view.trades_day_from_ms is None or not (_day_is_partial(view) or any(flow.partial for flow in found)):
        return ""
    return f"≥ a lower bound: trades are known since {clock_stamp(view.trades_day_from_ms, clock)}"


def _day_is_partial(view: MarketView) -> bool:
    begins_ms = view.at_ms - view.at_ms % (DAY_S * 1_000)
    return (view.trades_day_from_ms or 0) > begins_ms + 60_000


def _apart(found: list[_Flow], history: History | None, clock: str) -> str:
    """Whose the sums are that are not of all venues."""
    until_ms = max((flow.until_ms for flow in found if flow.until_ms), default=None)
    contract = history.reference if history else None
    if until_ms is None or contract is None:
        return ""
    return f"* {venue(contract[0])} {contract[1]} alone, until {clock_stamp(until_ms, clock)}"


def _feeds(view: MarketView) -> str:
    return page(escape(trades_of(view)), whys(sorted(view.trade_health.items())))
