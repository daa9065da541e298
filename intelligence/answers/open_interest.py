"""What /oi says: open interest of each contract apart. Venues count differently, so there is no sum over them."""

from bisect import bisect_right
from statistics import median

from intelligence.amounts import compact_usd
from intelligence.answers.layout import HEALTH_MARKS, age, bold, escape, page, span, table, updated, venue, whys
from intelligence.answers.price import reference_price
from intelligence.asset_market import FigureHealth, MarketView
from intelligence.history import Contract, History
from intelligence.market import OpenInterest

USUAL_S = 900
MAX_ROWS = 16
NEAR_SHARE = 0.5  # a point so much of the span (at least two polls) before its beginning still stands for it
NEAR_MS = 150_000


def open_interest_text(view: MarketView, history: History | None, span_s: int | None = None, clock: str = "UTC") -> str:
    """Changes are counted in coins, so that a price that moved is none."""
    if not view.open_interest:
        return page(bold(f"{view.asset}: no open interest is known yet"), updated(view.at_ms, clock))
    span_s = span_s or USUAL_S
    price = reference_price(view)
    told = list(zip(view.open_interest, view.open_interest_health, strict=True))
    told.sort(key=lambda one: -(_usd(one[0], price) or 0.0))
    changes = {_contract(record): _change(record, history, view.at_ms, span_s) for record, _ in told}
    known = [change for change in changes.values() if change is not None]
    headline = f"{100 * median(known):+.1f} % in {span(span_s)}" if known else f"no change known over {span(span_s)}"
    rows = [("", "USD", span(span_s), "age")]
    rows += [_row(record, figure, changes[_contract(record)], price) for record, figure in told[:MAX_ROWS]]
    left = len(told) - MAX_ROWS
    unclear = sorted({venue(record.venue) for record, _ in told if record.uncertain == "sides"})
    return page(
        bold(f"{view.asset} open interest {headline}"),
        escape(f"Median of {len(known)} contracts, counted in coins") if known else "",
        table(rows),
        f"and {left} smaller ones" if left > 0 else "",
        escape(f"* {', '.join(unclear)}: it is not known whether both sides are counted") if unclear else "",
        "Venues count differently: never to be added",
        whys([(record.venue, figure.health) for record, figure in told]),
        updated(view.at_ms, clock),
    )


def _row(
    record: OpenInterest, figure: FigureHealth, change: float | None, price: float | None
) -> tuple[str, str, str, str]:
    usd = _usd(record, price)
    return (
        f"{venue(record.venue)}{'*' if record.uncertain == 'sides' else ''}",
        "?" if usd is None else compact_usd(usd),
        "?" if change is None else f"{100 * change:+.1f} %",
        f"{age(figure.age_ms)}{HEALTH_MARKS[figure.health.state]}",
    )


def _usd(record: OpenInterest, price: float | None) -> float | None:
    if record.notional_usd is not None:
        return record.notional_usd
    return None if price is None else record.quantity * price


def _contract(record: OpenInterest) -> Contract:
    return record.venue, record.instrument


def _change(record: OpenInterest, history: History | None, now_ms: int, span_s: int) -> float | None:
    """A fraction, from the newest point at the beginning of the span or shortly before; None where there is none."""
    points = history.open_interest.get(_contract(record), ()) if history else ()
    from_ms = now_ms - span_s * 1_000
    before = bisect_right(points, (from_ms, float("inf"))) - 1
    if before < 0:
        return None
    at_ms, coins = points[before]
    if coins <= 0 or from_ms - at_ms > max(NEAR_MS, NEAR_SHARE * span_s * 1_000):
        return None
    return record.quantity / coins - 1
