"""Which pages have a picture, and the button that leads there. Pure."""

from collections.abc import Mapping

from actors.telegram.answer import Button
from charts.requests import ChartKind
from intelligence.answers.layout import span
from intelligence.history import DAY_MS
from intelligence.trade_window import WINDOW_S

KINDS: Mapping[str, ChartKind] = {
    "price": ChartKind.CANDLES,
    "cvd": ChartKind.CVD,
    "oi": ChartKind.OPEN_INTEREST,
    "profile": ChartKind.PROFILE,
    "liquidations": ChartKind.LIQUIDATIONS,
    "zones": ChartKind.ZONES,
}
SHORTEST_S = WINDOW_S  # fifteen candles
LONGEST_S = DAY_MS // 1_000  # how far back minutes are known


def drawn_s(span_s: int) -> int:
    """The period nearest to that one that a picture can show."""
    return min(max(span_s, SHORTEST_S), LONGEST_S)


def chart_button(page: str, asset: str, span_s: int | None) -> tuple[Button, ...]:
    """From a page to its picture; none where there is no picture."""
    if page not in KINDS or not asset:
        return ()
    period = "" if span_s is None else f" {period_word(drawn_s(span_s))}"
    return (Button("Chart", f"chart {page} {asset}{period}"),)


def period_word(span_s: int) -> str:
    """As people write it: 15m, 4h, 1d."""
    return span(span_s).replace(" ", "").replace("min", "m")
