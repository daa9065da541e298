"""What /funding says: what longs pay shorts at each venue, as the rate of eight hours, so that venues compare."""

from statistics import median

from intelligence.answers.layout import HEALTH_MARKS, age, bold, escape, page, table, updated, venue, whys
from intelligence.asset_market import FigureHealth, MarketView
from intelligence.funding import EIGHT_HOURS, PAID_EVERY_H, FundingRule
from intelligence.market import MarkPrice


def funding_text(view: MarketView, clock: str = "UTC") -> str:
    told = [
        (mark, figure, rate)
        for mark, figure in zip(view.marks, view.mark_health, strict=True)
        if (rate := rate_8h(mark)) is not None
    ]
    if not told:
        return page(bold(f"{view.asset}: no funding rate is known yet"), updated(view.at_ms, clock))
    fresh = [rate for _, figure, rate in told if figure.age_ms <= FundingRule().stale_ms]
    middle = median(fresh or [rate for _, _, rate in told])
    payer = "longs pay" if middle > 0 else "shorts pay" if middle < 0 else "nobody pays"
    usual = view.funding
    extreme = ", extreme" if (usual and usual.extreme) or abs(middle) >= FundingRule().high_8h else ""
    against = f"Against the days before: z {usual.z:+.1f}" if usual and usual.z is not None else ""
    rows = [("", "8 h", "next in", "age")] + [_row(mark, figure, rate, view.at_ms) for mark, figure, rate in told]
    return page(
        bold(f"{view.asset} funding {_percent(middle)} in 8 h, {payer}{extreme}"),
        f"About {100 * middle * 3 * 365:+.1f} % a year at this rate",
        against,
        table(rows),
        escape("Median over contracts. Taken for eight hours' rates but at Hyperliquid, where it is hourly"),
        whys([(mark.venue, figure.health) for mark, figure, _ in told]),
        updated(view.at_ms, clock),
    )


def rate_8h(mark: MarkPrice) -> float | None:
    """A fraction in eight hours; positive means longs pay."""
    if mark.funding_rate is None:
        return None
    return mark.funding_rate * EIGHT_HOURS / PAID_EVERY_H.get(mark.venue, EIGHT_HOURS)


def _row(mark: MarkPrice, figure: FigureHealth, rate: float, now_ms: int) -> tuple[str, str, str, str]:
    left_ms = (mark.next_funding_ms or 0) - now_ms
    return (
        venue(mark.venue),
        _percent(rate),
        age(left_ms) if left_ms > 0 else "",
        f"{age(figure.age_ms)}{HEALTH_MARKS[figure.health.state]}",
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:+.4f} %"
