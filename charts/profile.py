"""The volume profile: how much was traded at which price."""

from collections.abc import Callable

from charts.canvas import Box, Canvas
from charts.panel import Panel, padded, spread
from charts.requests import ChartRequest, Profile
from intelligence.amounts import compact_usd

MOST_ROWS = 80  # ours: ten pixels each; finer ones are joined
BAR_PART = 0.97  # of the width, for the longest bar


def draw_profile(canvas: Canvas, request: ChartRequest, box: Box, label: Callable[[float, float], str]) -> None:
    """Rows of the value area filled, others hatched."""
    profile = request.profile
    assert profile is not None
    rows, width = _joined(profile)
    low, high = padded((rows[0][0], rows[-1][0] + width), 0.03)
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    total, largest = sum(usd for _, usd in rows), max(usd for _, usd in rows)
    panel.frame(f"USD traded by price: {compact_usd(total)} in all; filled: value area", lambda *_: "")
    colors = canvas.palette
    for edge, usd in rows:
        if usd <= 0:
            continue
        right = box.left + BAR_PART * (box.right - box.left) * usd / largest
        bar = Box(box.left, panel.y(edge + width) + 1, max(right, box.left + 3), panel.y(edge) - 1)
        if profile.value_area_low <= edge + width / 2 <= profile.value_area_high:
            canvas.rect(bar, colors.up)
        else:
            canvas.hatch(bar, colors.muted)
    _marks(canvas, request, profile, panel, lambda value: label(value, profile.row_width / 10))


def _marks(
    canvas: Canvas, request: ChartRequest, profile: Profile, panel: Panel, label: Callable[[float], str]
) -> None:
    colors, box = canvas.palette, panel.box
    marks = [
        ("VAH", profile.value_area_high, colors.text, (14.0, 9.0)),
        ("POC", profile.poc, colors.accent, ()),
        ("VAL", profile.value_area_low, colors.text, (14.0, 9.0)),
    ]
    if request.candles:
        marks.append(("last", request.candles[-1].close, colors.down, (3.0, 6.0)))
    places = spread([panel.y(value) for _, value, _, _ in marks], 38, box.top + 14, box.bottom - 10)
    for (name, value, color, dash), y in zip(marks, places, strict=True):
        at = panel.y(value)
        canvas.line([(box.left, at), (box.right, at), (box.right + 14, y)], color, 4 if name == "POC" else 3, dash)
        canvas.text(
            (box.right + 18, y), f"{name} {label(value)}", 30, color, anchor="lm", within=canvas.width - box.right - 24
        )


def _joined(profile: Profile) -> tuple[list[tuple[float, float]], float]:
    """Rows from the lowest, in as many as can be seen, and their width."""
    base = profile.rows[0][0]
    count = round((profile.rows[-1][0] - base) / profile.row_width) + 1
    together = -(-count // MOST_ROWS)
    width = together * profile.row_width
    found: dict[int, float] = {}
    for edge, usd in profile.rows:
        number = round((edge - base) / profile.row_width) // together
        found[number] = found.get(number, 0.0) + usd
    return [(base + number * width, usd) for number, usd in sorted(found.items())], width
