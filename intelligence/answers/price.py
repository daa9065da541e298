"""What /price says: each venue's mark price with its age, and what the price did."""

from collections.abc import Iterable
from statistics import median

from intelligence.amounts import compact_percent, compact_price
from intelligence.answers.layout import (
    HEALTH_MARKS,
    age,
    bold,
    escape,
    page,
    signed_percent,
    span,
    table,
    updated,
    venue,
    whys,
)
from intelligence.asset_market import FigureHealth, MarketView
from intelligence.feed_health import Health
from intelligence.history import INTERVAL_MS, Bar, History, Interval
from intelligence.market import MarkPrice

USUAL_SPANS_S = (3_600, 86_400, 604_800)
_STEPS: tuple[tuple[int, Interval], ...] = ((86_400, "1m"), (14 * 86_400, "1h"), (30 * 86_400, "1d"))


def price_text(view: MarketView, history: History | None, span_s: int | None = None, clock: str = "UTC") -> str:
    """`span_s`: the period asked for, None for the usual ones."""
    marks = list(zip(view.marks, view.mark_health, strict=True))
    sound = [mark.price for mark, figure in marks if figure.health.state in {Health.HEALTHY, Health.DEGRADED}]
    middle = reference_price(view)
    if middle is None:
        return page(bold(f"{view.asset}: no price is known yet"), updated(view.at_ms, clock))
    spread = f"Venues lie {compact_percent((max(sound) - min(sound)) / middle)} apart" if len(sound) > 1 else ""
    last = f"Last trade {compact_price(view.last_price)}" if view.last_price is not None else ""
    spans = USUAL_SPANS_S if span_s is None else (span_s,)
    return page(
        bold(f"{view.asset} {compact_price(middle)}"),
        escape(_changes(history, middle, view.at_ms, spans)),
        table([_row(mark, figure) for mark, figure in marks]),
        escape(". ".join(filter(None, (spread, last)))),
        whys([(mark.venue, figure.health) for mark, figure in marks]),
        updated(view.at_ms, clock),
    )


def reference_price(view: MarketView) -> float | None:
    """USD a coin: median of the mark prices that come, else of all that came, else the last trade."""
    marks = list(zip(view.marks, view.mark_health, strict=True))
    sound = [mark.price for mark, figure in marks if figure.health.state in {Health.HEALTHY, Health.DEGRADED}]
    told = sound or [mark.price for mark, _ in marks]
    return median(told) if told else view.last_price


def closes(history: History, span_s: int) -> tuple[int, tuple[Bar, ...]]:
    """The finest bars that reach so far back, and their length in ms."""
    interval: Interval = next((name for reach_s, name in _STEPS if span_s <= reach_s), "1d")
    return INTERVAL_MS[interval], history.bars.get(interval, ())


def _row(mark: MarkPrice, figure: FigureHealth) -> tuple[str, str, str]:
    return venue(mark.venue), compact_price(mark.price), f"{age(figure.age_ms)}{HEALTH_MARKS[figure.health.state]}"


def _changes(history: History | None, price: float, now_ms: int, spans_s: Iterable[int]) -> str:
    told = [
        f"{span(span_s)} {signed_percent(price / before - 1)}"
        for span_s in spans_s
        if (before := _price_before(history, now_ms, span_s)) is not None
    ]
    return ", ".join(told) or "What it did before is not known yet"


def _price_before(history: History | None, now_ms: int, span_s: int) -> float | None:
    """The close of the bar that was over when the span began; None where there is a gap."""
    if history is None:
        return None
    step_ms, bars = closes(history, span_s)
    from_ms = now_ms - span_s * 1_000
    known = [bar for bar in bars if bar.open_ms + step_ms <= from_ms]
    return known[-1].close if known and from_ms - known[-1].open_ms < 3 * step_ms else None
