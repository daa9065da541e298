"""One field of a picture: time to the right, a quantity upwards; its grid, its ticks, and what can be drawn in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from charts.canvas import Box, Canvas, Point
from charts.palette import Color
from charts.requests import Candle

TICK_SIZE = 30
CAPTION_SIZE = 30
LEVEL_SIZE = 28
MINUTE_MS = 60_000
TIME_STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720)
DASHES: tuple[tuple[float, ...], ...] = ((), (18, 10), (5, 9), (26, 8, 5, 8), (10, 6), (30, 14), (3, 5, 12, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`low` and `high` are the values at its lower and upper edge."""

    canvas: Canvas
    box: Box
    from_ms: int
    until_ms: int
    low: float
    high: float

    def x(self, at_ms: float) -> float:
        part = (at_ms - self.from_ms) / max(self.until_ms - self.from_ms, 1)
        return self.box.left + min(max(part, 0.0), 1.0) * (self.box.right - self.box.left)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.box.bottom - min(max(part, 0.0), 1.0) * (self.box.bottom - self.box.top)

    # -- its frame ----------------------------------------------------------------------------------------------------

    def frame(
        self,
        caption: str,
        label: Callable[[float, float], str],
        *,
        ticks: int = 4,
        inside: bool = False,
        tagged: float | None = None,
    ) -> None:
        """Draw the ground, value ticks by `label(value, step)`, and a caption above. Ticks stand on the right, unless they shall
        be written `inside` later; none where the value `tagged` has a tag of its own.
        """
        canvas, box = self.canvas, self.box
        colors = canvas.palette
        canvas.rect(box, colors.panel)
        canvas.text(
            (box.left + 2, box.top - 8), caption, CAPTION_SIZE, colors.muted, anchor="ls", within=canvas.width - 60
        )
        for value, step in self._ticks(ticks):
            y = self.y(value)
            canvas.line([(box.left, y), (box.right, y)], colors.grid, 1)
            covered = tagged is not None and abs(y - self.y(tagged)) < 1.4 * TICK_SIZE
            if not inside and not covered and box.top + TICK_SIZE / 2 < y < box.bottom - TICK_SIZE / 2:
                at, room = (box.right + 12, y), canvas.width - box.right - 20
                canvas.text(at, label(value, step), TICK_SIZE, colors.muted, anchor="lm", within=room)

    def ticks_inside(self, label: Callable[[float, float], str], *, ticks: int = 4) -> None:
        """Write the ticks of a `frame` on the left, over what is drawn there."""
        canvas, box = self.canvas, self.box
        for value, step in self._ticks(ticks):
            y, words = self.y(value), label(value, step)
            if box.top + 0.7 * TICK_SIZE < y < box.bottom - 0.7 * TICK_SIZE:
                wide, half = canvas.text_width(words, TICK_SIZE), 0.55 * TICK_SIZE
                canvas.rect(Box(box.left - 3, y - half, box.left + wide + 14, y + half), canvas.palette.panel)
                canvas.text((box.left + 6, y), words, TICK_SIZE, canvas.palette.muted, anchor="lm")

    def _ticks(self, about: int) -> Iterator[tuple[float, float]]:
        """About so many round values, and the step between them."""
        step = nice_step((self.high - self.low) / about)
        number = ceil(self.low / step)
        while number * step <= self.high:
            yield number * step, step
            number += 1

    def time_axis(self, zone: str, *, labels: bool = True) -> None:
        canvas, box = self.canvas, self.box
        for at_ms, words in time_ticks(self.from_ms, self.until_ms, zone):
            x = self.x(at_ms)
            canvas.line([(x, box.top), (x, box.bottom)], canvas.palette.grid, 1)
            half = canvas.text_width(words, TICK_SIZE) / 2
            if labels and x - half > 8 and x + half < canvas.width - 8:
                canvas.text((x, box.bottom + 12), words, TICK_SIZE, canvas.palette.muted, anchor="ma")

    # -- what is drawn in it ------------------------------------------------------------------------------------------

    def curve(
        self, points: Iterable[tuple[int, float]], color: Color, dash: Sequence[float] = (), width: float = 4
    ) -> Point | None:
        """Returns where it ends."""
        path = [(self.x(at_ms), self.y(value)) for at_ms, value in points if at_ms >= self.from_ms]
        if not path:
            return None
        self.canvas.line(path, color, width, dash)
        return path[-1]

    def candles(self, candles: Sequence[Candle], step_ms: int) -> None:
        """Hollow where the price rose, filled where it fell."""
        colors = self.canvas.palette
        half = max(2.0, 0.36 * (self.x(self.from_ms + step_ms) - self.x(self.from_ms)))
        for candle in candles:
            middle = self.x(candle.from_ms + step_ms / 2)
            rose = candle.close >= candle.open
            color = colors.up if rose else colors.down
            top, bottom = self.y(max(candle.open, candle.close)), self.y(min(candle.open, candle.close))
            self.canvas.line([(middle, self.y(candle.high)), (middle, self.y(candle.low))], color, 2)
            body = Box(middle - half, top, middle + half, max(bottom, top + 2))
            self.canvas.rect(body, colors.panel if rose else color, color)

    def level(self, value: float, words: str, color: Color, dash: Sequence[float] = (16, 9)) -> None:
        """A line across with its words upon it, on a ground of their own."""
        canvas, y = self.canvas, self.y(value)
        canvas.line([(self.box.left, y), (self.box.right, y)], color, 3, dash)
        wide = canvas.text_width(words, LEVEL_SIZE)
        below = (value < 0 and self.box.bottom - y > 44) or y - self.box.top < 44
        left, top = self.box.left + 110, y + 5 if below else y - 38
        canvas.rect(Box(left - 8, top, left + wide + 8, top + 33), canvas.palette.panel)
        canvas.text((left, top + 16), words, LEVEL_SIZE, color, anchor="lm", within=self.box.right - left)


def nice_step(rough: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below `rough`."""
    if rough <= 0:
        return 1.0
    size = 10.0 ** floor(log10(rough))
    return next(size * digit for digit in (1, 2, 5, 10) if size * digit >= rough * 0.999999)


def time_ticks(from_ms: int, until_ms: int, zone: str, most: int = 6) -> list[tuple[int, str]]:
    """Full times of the zone's clock, at most so many."""
    span_min = (until_ms - from_ms) / MINUTE_MS
    step_ms = MINUTE_MS * next((step for step in TIME_STEPS_MIN if span_min / step <= most), 1_440)
    offset = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    offset_ms = 0 if offset is None else int(offset.total_seconds() * 1000)
    first = -(-(from_ms + offset_ms) // step_ms) * step_ms - offset_ms
    return [
        (at_ms, datetime.fromtimestamp((at_ms + offset_ms) / 1000, UTC).strftime("%H:%M"))
        for at_ms in range(first, until_ms + 1, step_ms)
    ]


def padded(values: Iterable[float], part: float = 0.06) -> tuple[float, float]:
    """Lowest and highest with some air, never equal."""
    found = list(values)
    low, high = min(found), max(found)
    air = part * (high - low) or abs(high) * 0.001 or 1.0
    return low - air, high + air


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places for labels as near as possible to where they are wanted, `gap` apart and within bounds if there is room."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [0.0] * len(wanted)
    at = low
    for index in order:
        places[index] = at = max(wanted[index], at)
        at += gap
    limit = high
    for index in reversed(order):
        places[index] = limit = min(places[index], limit)
        limit -= gap
    return places
