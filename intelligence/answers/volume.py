"""What /volume and /cvd say: takers' trades over all venues, beyond a quarter of an hour those of one contract by its bars."""

import math
from collections.abc import Callable
from typing import NamedTuple

from intelligence.amounts import compact_usd
from intelligence.answers.layout import (
    bold,
    clock,
    escape,
    page,
    signed_usd,
    span,
    table,
    updated,
    venue,
    whys,
)
from intelligence.answers.price import closes
from intelligence.asset_market import MarketView
from intelligence.history import History
from intelligence.trade_window import WINDOW_S

BAR_SPANS_S = (3_600, 86_400)
DAY_S = 86_400
BARS_LATE_MS = 1_200_000  # ours: they are asked for every quarter of an hour; what ended earlier is no answer about now
BARS_SHARE = 0.98  # of the bars of a span that must be there


class _Flow(NamedTuple):
    """Takers' volume and net buying of a span, USD; `net_usd` None where the venue does not tell the taker. `until_ms`: its
    end where that is not now.
    """

    name: str
    usd: float
    net_usd: float | None
    until_ms: int | None = None


def volume_text(view: MarketView, history: History | None, span_s: int | None = None) -> str:
    return _text(view, history, span_s, "volume", lambda flow: f"{compact_usd(flow.usd)}{_lean(flow)}")


def cvd_text(view: MarketView, history: History | None, span_s: int | None = None) -> str:
    """CVD: what takers bought less what they sold, USD (detection.md 8)."""
    return _text(view, history, span_s, "CVD", lambda flow: f"{signed_usd(flow.net_usd or 0.0)}{_lean(flow)}")


def _text(
    view: MarketView, history: History | None, span_s: int | None, what: str, headline: Callable[[_Flow], str]
) -> str:
    here = _of_trades(view)
    wanted = span_s or WINDOW_S
    asked = _of_bars(view, history, wanted)
    apart = [flow for one in dict.fromkeys((*BAR_SPANS_S, wanted)) if (flow := _of_bars(view, history, one))]
    first = next((flow for flow in (*here, *apart) if flow.name == span(wanted)), asked)
    if not here and not apart:
        return page(bold(f"{view.asset}: no trades are known yet"), _feeds(view), updated(view.at_ms))
    title = f"{headline(first)} in {first.name}" if first else f"not known over {span(wanted)}"
    largest = max((sums.largest_usd for sums in view.volumes), default=0.0)
    rows = [("", "volume", "net")] + [_row(flow) for flow in (*here, *apart)]
    contract = history.reference if history else None
    return page(
        bold(f"{view.asset} {what} {title}"),
        table(rows),
        f"Swing: {view.divergence} divergence, CVD did not follow the price" if view.divergence else "",
        escape(f"Largest trade in 15 min {compact_usd(largest)}") if largest else "",
        escape(_complete(view)),
        escape(f"From 1 h on {venue(contract[0])} {contract[1]} alone, until {clock(apart[0].until_ms or 0)}")
        if apart and contract
        else "",
        _feeds(view),
        updated(view.at_ms),
    )


def _of_trades(view: MarketView) -> list[_Flow]:
    """Over all venues whose trades are read."""
    if view.trades_from_ms is None:
        return []
    spans = [_Flow(span(sums.seconds), sums.total_usd, sums.delta_usd) for sums in view.volumes]
    return [*spans, _Flow("since 0:00", view.volume_day_usd, view.cvd_day_usd)]


def _of_bars(view: MarketView, history: History | None, span_s: int) -> _Flow | None:
    """Over the newest bars of the reference contract; None where some are missing, or the span is one of trades."""
    if history is None or span_s <= WINDOW_S:
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
    return _Flow(span(span_s), usd, net, until_ms)


def _row(flow: _Flow) -> tuple[str, str, str]:
    return flow.name, compact_usd(flow.usd), "?" if flow.net_usd is None else signed_usd(flow.net_usd)


def _lean(flow: _Flow) -> str:
    if flow.net_usd is None or not flow.usd:
        return ""
    return f", takers {'bought' if flow.net_usd >= 0 else 'sold'} {100 * abs(flow.net_usd) / flow.usd:.0f} % net"


def _complete(view: MarketView) -> str:
    """Said where a sum of trades does not reach back as far as it is called."""
    from_ms = view.trades_from_ms
    if from_ms is None:
        return ""
    if from_ms > view.at_ms - (WINDOW_S - 60) * 1_000:
        return f"Trades are known since {clock(from_ms)}: longer sums are lower bounds"
    day_from_ms = view.trades_day_from_ms or from_ms
    begins_ms = view.at_ms - view.at_ms % (DAY_S * 1_000)
    return f"The day is known since {clock(day_from_ms)}: a lower bound" if day_from_ms > begins_ms + 60_000 else ""


def _feeds(view: MarketView) -> str:
    named = sorted(map(venue, view.trade_health))
    return page(escape(f"Trades of {', '.join(named)}") if named else "", whys(sorted(view.trade_health.items())))
