"""The heat map: where on the price, and when, positions were liquidated."""

from collections.abc import Callable

from charts.canvas import Box, Canvas
from charts.panel import Panel, nice_step, padded
from charts.requests import Cell, ChartRequest
from intelligence.amounts import compact_usd

PARTS = (1 / 64, 1 / 16, 1 / 4)  # of the largest cell: about there each further shade of the palette begins
LEGEND_SIZE = 28


def draw_heat(canvas: Canvas, request: ChartRequest, box: Box, label: Callable[[float, float], str]) -> None:
    """The line is the price. A triangle says which side most of a large cell was: longs down, shorts up."""
    cells, colors = request.cells, canvas.palette
    edges = [edge for cell in cells for edge in (cell.low, cell.low * (1 + request.band))]
    low, high = padded([*edges, *(value for candle in request.candles for value in (candle.low, candle.high))])
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    last = request.candles[-1].close if request.candles else None
    panel.frame("price, USD", label, ticks=6, tagged=last)
    panel.time_axis(request.zone)
    largest = max((_usd(cell) for cell in cells), default=0.0)
    levels = tuple(nice_step(part * largest) for part in PARTS) if largest else ()
    for cell in cells:
        _cell(canvas, request, panel, cell, sum(_usd(cell) >= level for level in levels))
    closes = [(candle.from_ms + request.step_ms // 2, candle.close) for candle in request.candles]
    panel.curve(closes, colors.ground, width=7)
    panel.curve(closes, colors.text, width=3)
    if last is not None:
        words = label(last, last / 10_000)
        canvas.tag((box.right + 4, panel.y(last)), words, 28, colors.text, within=canvas.width - box.right - 8)
    _legend(canvas, box, levels)


def _usd(cell: Cell) -> float:
    return cell.long_usd + cell.short_usd


def _cell(canvas: Canvas, request: ChartRequest, panel: Panel, cell: Cell, shade: int) -> None:
    left, right = panel.x(cell.from_ms), panel.x(cell.from_ms + request.step_ms)
    top, bottom = panel.y(cell.low * (1 + request.band)), panel.y(cell.low)
    middle = (top + bottom) / 2
    tall = max(bottom - top, 12)
    canvas.rect(Box(left, middle - tall / 2, max(right, left + 5) - 1, middle + tall / 2), canvas.palette.heat[shade])
    if shade == len(PARTS):
        canvas.triangle((left + right) / 2, middle, 7, canvas.palette.ground, up=cell.short_usd > cell.long_usd)


def _legend(canvas: Canvas, box: Box, levels: tuple[float, ...]) -> None:
    """`levels`: USD, from which on each shade but the faintest holds."""
    colors, y = canvas.palette, box.bottom + 78
    if not levels:
        canvas.text((box.left, y), "no liquidations seen", LEGEND_SIZE, colors.muted, anchor="lm")
        return
    x = box.left
    for level, color in zip((0.0, *levels), colors.heat, strict=True):
        canvas.rect(Box(x, y - 13, x + 26, y + 13), color)
        words = f"from {compact_usd(level)}" if level else "less"
        x = canvas.text((x + 34, y), words, LEGEND_SIZE, colors.muted, anchor="lm").right + 22
    for words, up in (("longs", False), ("shorts", True)):
        canvas.rect(Box(x, y - 13, x + 26, y + 13), colors.heat[-1])
        canvas.triangle(x + 13, y, 8, colors.ground, up=up)
        x = canvas.text((x + 34, y), words, LEGEND_SIZE, colors.muted, anchor="lm").right + 22
