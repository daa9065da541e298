"""From a request to a picture: one look for all kinds. Loaded by the drawing process alone."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from charts.canvas import Box, Canvas
from charts.heat import draw_heat
from charts.labels import number_label, percent_label, usd_label
from charts.palette import PALETTES
from charts.panel import DASHES, Panel, padded, spread
from charts.profile import draw_profile
from charts.requests import ChartKind, ChartRequest, Line
from charts.zones import draw_rates, draw_zones
from intelligence.amounts import compact_usd
from intelligence.answers.layout import venue

WIDTH = 1080  # Telegram shows up to 1280; a phone of 390 points shows every fourth pixel in each direction
HEIGHT = 1080
INCIDENT_HEIGHT = 1280
MEASURED_HEIGHT = 1560  # with a panel more
LEFT, RIGHT = 24, 190  # margins; the axis of values stands on the right
LABELS = 330  # margin for names at the ends of lines
TOP, BOTTOM = 182, 108
GAP = 78  # between panels, with the caption of the lower one
INCIDENT_LINES = 4


def draw(request: ChartRequest) -> bytes:
    """A PNG. Raises whatever a request without sense leads to."""
    return draw_on_canvas(request).png()


def draw_on_canvas(request: ChartRequest) -> Canvas:
    height = HEIGHT
    if request.kind is ChartKind.INCIDENT:
        height = INCIDENT_HEIGHT if request.measure is None else MEASURED_HEIGHT
    canvas = Canvas(WIDTH, height, PALETTES[request.theme])
    _words_around(canvas, request)
    _DRAWERS[request.kind](canvas, request)
    return canvas


def _words_around(canvas: Canvas, request: ChartRequest) -> None:
    colors, within = canvas.palette, WIDTH - 2 * LEFT
    canvas.text((LEFT, 24), request.title, 46, colors.text, within=within)
    canvas.text((LEFT, 88), request.subtitle, 30, colors.muted, within=within)
    when = datetime.fromtimestamp(request.until_ms / 1000, UTC).astimezone(ZoneInfo(request.zone))
    stamp = f"{when:%d %b %H:%M:%S} {'UTC' if request.zone == 'UTC' else when.tzname() or request.zone}"
    at = canvas.text((WIDTH - LEFT, canvas.height - 22), stamp, 28, colors.muted, anchor="rs")
    notes = "; ".join(request.notes)
    canvas.text((LEFT, canvas.height - 22), notes, 28, colors.muted, anchor="ls", within=at.left - LEFT - 24)


# -- kinds ------------------------------------------------------------------------------------------------------------


def _candles(canvas: Canvas, request: ChartRequest) -> None:
    price, bars = _stacked(canvas, (0.68, 0.32), RIGHT)
    _price(canvas, request, price)
    _bursts(canvas, request, bars, labels=True)


def _open_interest(canvas: Canvas, request: ChartRequest) -> None:
    (box,) = _stacked(canvas, (1.0,), LABELS)
    _lines(canvas, request, box, request.lines, "change since the beginning")


def _cvd(canvas: Canvas, request: ChartRequest) -> None:
    price, flow = _stacked(canvas, (0.5, 0.5), RIGHT)
    _price(canvas, request, price)
    if not request.lines:
        _missing(canvas, flow, "no trades with a taker side yet")
        return
    points = request.lines[0].points
    low, high = padded((0.0, *(value for _, value in points)))
    panel = Panel(canvas=canvas, box=flow, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    panel.frame(f"CVD, USD: {request.lines[0].label}", usd_label)
    panel.time_axis(request.zone)
    colors, zero = canvas.palette, panel.y(0.0)
    for (at_ms, value), (next_ms, _) in zip(points, (*points[1:], (request.until_ms, 0.0)), strict=True):
        if next_ms > at_ms >= request.from_ms:
            left, right, y = panel.x(at_ms), panel.x(next_ms), panel.y(value)
            canvas.rect(Box(left, min(y, zero), right, max(y, zero)), colors.grid)
    canvas.line([(flow.left, zero), (flow.right, zero)], colors.muted, 2)
    panel.curve(points, colors.accent)


def _incident(canvas: Canvas, request: ChartRequest) -> None:
    parts = (0.42, 0.31, 0.27) if request.measure is None else (0.34, 0.22, 0.23, 0.21)
    price, *measure, bars, interest = _stacked(canvas, parts, LABELS - 20)
    panel = _price(canvas, request, price)
    if panel is not None and request.threshold is not None:
        x = panel.x(request.threshold.at_ms)
        canvas.line([(x, price.top), (x, price.bottom)], canvas.palette.accent, 3, (6, 6))
        canvas.triangle(x, price.top + 14, 14, canvas.palette.accent, up=False)
    if measure:
        _measure(canvas, request, measure[0])
    _bursts(canvas, request, bars, labels=False)
    shown = request.lines[:INCIDENT_LINES]
    which = f", largest {len(shown)} of {len(request.lines)} venues" if len(shown) < len(request.lines) else ""
    _lines(canvas, request, interest, shown, f"change of open interest{which}")


def _measure(canvas: Canvas, request: ChartRequest, box: Box) -> None:
    """What the incident is judged by, and the line that it passed."""
    line, threshold = request.measure, request.threshold
    assert line is not None
    level = threshold.measure if threshold is not None else None
    _, high = padded([*(value for _, value in line.points), *(() if level is None else (level,))], part=0.12)
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=0.0, high=high)
    label = usd_label if request.measure_unit == "USD" else number_label
    panel.frame(line.name, label, ticks=5)
    panel.time_axis(request.zone, labels=False)
    panel.curve(line.points, canvas.palette.text)
    if level is not None and threshold is not None:
        panel.level(level, threshold.label, canvas.palette.accent)


def _profile(canvas: Canvas, request: ChartRequest) -> None:
    (box,) = _stacked(canvas, (1.0,), LABELS - 40)
    if request.profile is None or not request.profile.rows:
        _missing(canvas, box, "no trades yet")
        return
    draw_profile(canvas, request, box, number_label)


def _liquidations(canvas: Canvas, request: ChartRequest) -> None:
    (box,) = _stacked(canvas, (1.0,), RIGHT)
    if not request.cells and not request.candles:
        _missing(canvas, box, "no liquidations and no prices yet")
        return
    draw_heat(canvas, request, Box(box.left, box.top, box.right, box.bottom - 62), number_label)


def _zones(canvas: Canvas, request: ChartRequest) -> None:
    price, rates = _stacked(canvas, (0.72, 0.28), LABELS - 20)
    if request.candles or request.zones:
        draw_zones(canvas, request, price)
    else:
        _missing(canvas, price, "no prices and no zones yet")
    whole = Box(rates.left, rates.top + 18, WIDTH - LEFT, rates.bottom)
    if request.rates:
        draw_rates(canvas, request.rates, whole)
    else:
        _missing(canvas, whole, "no prediction has been judged yet: that takes a day", "reached, of those predicted")


_DRAWERS: Mapping[ChartKind, Callable[[Canvas, ChartRequest], None]] = {
    ChartKind.CANDLES: _candles,
    ChartKind.OPEN_INTEREST: _open_interest,
    ChartKind.CVD: _cvd,
    ChartKind.PROFILE: _profile,
    ChartKind.LIQUIDATIONS: _liquidations,
    ChartKind.ZONES: _zones,
    ChartKind.INCIDENT: _incident,
}

# -- panels -----------------------------------------------------------------------------------------------------------


def _stacked(canvas: Canvas, parts: tuple[float, ...], right: float) -> list[Box]:
    room = canvas.height - TOP - BOTTOM - GAP * (len(parts) - 1)
    boxes, top = [], float(TOP)
    for part in parts:
        boxes.append(Box(LEFT, top, WIDTH - right, top + part * room))
        top += part * room + GAP
    return boxes


def _price(canvas: Canvas, request: ChartRequest, box: Box) -> Panel | None:
    candles = request.candles
    if not candles:
        _missing(canvas, box, "no prices yet")
        return None
    low, high = padded(value for candle in candles for value in (candle.low, candle.high))
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    panel.frame("price, USD; hollow up, filled down", number_label, tagged=candles[-1].close)
    panel.time_axis(request.zone, labels=False)
    panel.candles(candles, request.step_ms)
    last = candles[-1].close
    canvas.tag(
        (box.right + 4, panel.y(last)),
        number_label(last, last / 10_000),
        28,
        canvas.palette.text,
        within=WIDTH - box.right - 8,
    )
    return panel


def _bursts(canvas: Canvas, request: ChartRequest, box: Box, *, labels: bool) -> None:
    """Liquidated shorts upwards and hatched, longs downwards and filled; on one scale."""
    bursts, threshold = request.bursts, request.threshold
    level = threshold.burst_usd if threshold is not None else None
    largest = max((usd for burst in bursts for usd in burst[1:]), default=0.0)
    if largest <= 0:
        _missing(canvas, box, "no liquidations seen", "liquidated, USD")
        return
    reach = 1.12 * max(largest, abs(level or 0.0) if abs(level or 0.0) < 3 * largest else 0.0)
    shorts, longs = (max(burst[side] for burst in bursts) for side in (2, 1))
    up = max(1.12 * shorts, 0.25 * reach) if (level or 0) <= 0 else reach
    down = max(1.12 * longs, 0.25 * reach) if (level or 0) >= 0 else reach
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=-down, high=up)
    panel.frame("liquidated, USD: hatched shorts, filled longs", lambda value, _: compact_usd(abs(value)), ticks=5)
    panel.time_axis(request.zone, labels=labels)
    colors, zero = canvas.palette, panel.y(0.0)
    half = max(3.0, 0.4 * (panel.x(request.from_ms + request.step_ms) - panel.x(request.from_ms)))
    for burst in bursts:
        middle = panel.x(burst.from_ms + request.step_ms / 2)
        if burst.short_usd > 0:
            canvas.hatch(Box(middle - half, min(panel.y(burst.short_usd), zero - 3), middle + half, zero), colors.up)
        if burst.long_usd > 0:
            canvas.rect(Box(middle - half, zero, middle + half, max(panel.y(-burst.long_usd), zero + 3)), colors.down)
    canvas.line([(box.left, zero), (box.right, zero)], colors.muted, 2)
    if level is not None and threshold is not None and -down <= level <= up:
        panel.level(level, threshold.label, colors.accent)


def _lines(canvas: Canvas, request: ChartRequest, box: Box, lines: tuple[Line, ...], caption: str) -> None:
    """Each with its own strokes, its name and value at its end."""
    if not lines:
        _missing(canvas, box, "no open interest known yet", caption)
        return
    threshold = request.threshold
    level = threshold.open_interest_pct if threshold is not None else None
    values = [value for line in lines for at_ms, value in line.points]
    low, high = padded([*values, 0.0, *(() if level is None else (level,))])
    panel = Panel(canvas=canvas, box=box, from_ms=request.from_ms, until_ms=request.until_ms, low=low, high=high)
    panel.frame(caption, percent_label, inside=True)
    panel.time_axis(request.zone)
    colors = canvas.palette
    canvas.line([(box.left, panel.y(0.0)), (box.right, panel.y(0.0))], colors.muted, 2)
    ends = []
    for line, color, dash in zip(lines, colors.lines, DASHES, strict=False):
        ends.append((panel.curve(line.points, color, dash) or (box.left, panel.y(0.0)), line, color))
    if level is not None and threshold is not None:
        panel.level(level, threshold.label, colors.accent)
    panel.ticks_inside(percent_label)
    places = spread([end[1] for end, _, _ in ends], 34, box.top + 12, box.bottom - 4)
    for (end, line, color), y in zip(ends, places, strict=True):
        canvas.line([end, (box.right + 12, y)], color, 1)
        canvas.text(
            (box.right + 16, y),
            f"{venue(line.name)} {line.label}",
            28,
            color,
            anchor="lm",
            within=WIDTH - box.right - 22,
        )


def _missing(canvas: Canvas, box: Box, words: str, caption: str = "") -> None:
    """A field that says what it lacks."""
    colors = canvas.palette
    canvas.rect(box, colors.panel)
    canvas.text((box.left + 2, box.top - 8), caption, 28, colors.muted, anchor="ls", within=WIDTH - 60)
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    canvas.text(middle, words, 32, colors.muted, anchor="mm", within=box.right - box.left - 20)
