"""Predicted zones over the price, and how often price came to such ones beside what chance alone does."""

from collections.abc import Sequence

from charts.canvas import Box, Canvas
from charts.labels import number_label
from charts.palette import Color
from charts.panel import Panel, padded, spread
from charts.requests import ChartRequest, Rate, ZoneBand

SIZE = 28
ROW = 84  # from one bar to the next


def draw_zones(canvas: Canvas, request: ChartRequest, box: Box) -> None:
    """Bands from their birth to the right edge: shorts hatched, longs filled; their words beside them."""
    values = [value for candle in request.candles for value in (candle.low, candle.high)]
    values += [edge for band in request.zones for edge in (band.low, band.high)]
    low, high = padded(values, 0.04)
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    panel.frame("price, USD; zones: hatched shorts, filled longs", number_label, inside=True)
    panel.time_axis(request.zone)
    for band in request.zones:
        _band(canvas, panel, band)
    panel.candles(request.candles, request.step_ms)
    panel.ticks_inside(number_label)
    words = [(panel.y((band.low + band.high) / 2), band.label, _color(canvas, band)) for band in request.zones]
    if request.candles:
        last = request.candles[-1].close
        words.append((panel.y(last), number_label(last, last / 10_000), canvas.palette.text))
    _words_beside(canvas, box, words)


def _band(canvas: Canvas, panel: Panel, band: ZoneBand) -> None:
    """At least three pixels high."""
    middle = (panel.y(band.low) + panel.y(band.high)) / 2
    half = max(1.5, (panel.y(band.low) - panel.y(band.high)) / 2)
    area = Box(panel.x(band.from_ms), middle - half, panel.box.right, middle + half)
    if band.longs:
        canvas.rect(area, _color(canvas, band))
    else:
        canvas.hatch(area, _color(canvas, band))


def _color(canvas: Canvas, band: ZoneBand) -> Color:
    return canvas.palette.down if band.longs else canvas.palette.up


def _words_beside(canvas: Canvas, box: Box, words: Sequence[tuple[float, str, Color]]) -> None:
    places = spread([at for at, _, _ in words], 36, box.top + 14, box.bottom - 8)
    for (at, text, color), y in zip(words, places, strict=True):
        canvas.line([(box.right, at), (box.right + 12, y)], color, 2)
        canvas.text((box.right + 16, y), text, SIZE, color, anchor="lm", within=canvas.width - box.right - 22)


def draw_rates(canvas: Canvas, rates: Sequence[Rate], box: Box) -> None:
    """A bar for how many were reached, a mark for what chance gives them."""
    colors, within = canvas.palette, canvas.width - 2 * box.left
    canvas.rect(box, colors.panel)
    caption = "reached, of those predicted; the mark: by chance"
    canvas.text((box.left + 2, box.top - 8), caption, 30, colors.muted, anchor="ls", within=within)
    for row, rate in enumerate(rates):
        top = box.top + 16 + row * ROW
        text = f"{rate.name}: {rate.reached} of {rate.predicted}, by chance {rate.by_chance * rate.predicted:.0f}"
        canvas.text((box.left + 12, top + 18), text, SIZE, colors.text, anchor="lm", within=within - 24)
        left, wide = box.left + 12, box.right - box.left - 24
        bar = Box(left, top + 40, left + wide, top + 68)
        canvas.rect(bar, None, colors.muted)
        canvas.rect(Box(left, bar.top, left + wide * rate.reached / rate.predicted, bar.bottom), colors.up)
        at = left + wide * rate.by_chance
        canvas.line([(at, bar.top - 6), (at, bar.bottom + 6)], colors.accent, 6)
