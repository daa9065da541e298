"""A picture to draw on, in pixels of the finished one: drawn at twice its size and reduced, so that edges are smooth."""

import io
import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from charts.palette import Color, Palette

SCALE = 2
COLORS = 128  # of the finished file: a third of the bytes of true colour, and no difference to see
SAMPLE = 2  # they are chosen from every second pixel of every second row: at a third of the cost of all, and no difference to see
ELLIPSIS = ".."

Point = tuple[float, float]


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * SCALE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: no text can be drawn")  # noqa: TRY004
    return font


class Canvas:
    """`written`: the box and the words of every text, in the order of drawing."""

    def __init__(self, width: int, height: int, palette: Palette) -> None:
        self.width, self.height, self.palette = width, height, palette
        self.written: list[tuple[Box, str]] = []
        self._image = Image.new("RGB", (width * SCALE, height * SCALE), palette.ground)
        self._draw = ImageDraw.Draw(self._image)

    def png(self) -> bytes:
        out = io.BytesIO()
        small = self._image.reduce(SCALE)
        sampled = small.resize((self.width // SAMPLE, self.height // SAMPLE), Image.Resampling.NEAREST)
        colors = sampled.quantize(COLORS, method=Image.Quantize.MEDIANCUT)
        small.quantize(palette=colors, dither=Image.Dither.NONE).save(out, "PNG", compress_level=6)
        return out.getvalue()

    # -- shapes -------------------------------------------------------------------------------------------------------

    def line(self, points: Sequence[Point], color: Color, width: float = 3, dash: Sequence[float] = ()) -> None:
        """`dash`: lengths of strokes and gaps in turn; none for a solid line."""
        strokes = _dashed(points, dash) if dash else [points]
        for stroke in strokes:
            if len(stroke) > 1:
                self._draw.line([_big(point) for point in stroke], color, round(width * SCALE), joint="curve")

    def rect(self, box: Box, fill: Color | None = None, outline: Color | None = None, width: float = 2) -> None:
        corners = (*_big((box.left, box.top)), *_big((max(box.right, box.left), max(box.bottom, box.top))))
        self._draw.rectangle(corners, fill, outline, round(width * SCALE))

    def hatch(self, box: Box, color: Color, gap: float = 9) -> None:
        """A box with an outline, ruled from lower left to upper right."""
        self.rect(box, self.palette.panel, color)
        tall = box.bottom - box.top
        at = box.left - tall
        while at < box.right:
            begin, end = max(at, box.left), min(at + tall, box.right)
            if end > begin:
                self.line([(begin, box.bottom - (begin - at)), (end, box.bottom - (end - at))], color, 2)
            at += gap

    def polygon(self, points: Sequence[Point], fill: Color) -> None:
        self._draw.polygon([_big(point) for point in points], fill)

    def triangle(self, x: float, y: float, size: float, color: Color, *, up: bool) -> None:
        """Around `x`, `y`."""
        tip = -size if up else size
        self.polygon([(x - size, y - tip * 0.7), (x + size, y - tip * 0.7), (x, y + tip * 0.8)], color)

    # -- text ---------------------------------------------------------------------------------------------------------

    def text_width(self, text: str, size: int) -> float:
        return float(_font(size).getlength(text)) / SCALE

    def text(
        self, at: Point, text: str, size: int, color: Color, *, anchor: str = "la", within: float | None = None
    ) -> Box:
        """Write one line at a point (anchor as in Pillow), cut to `within` pixels. Returns where it stands."""
        if within is not None:
            text = self._cut(text, size, within)
        box = self._draw.textbbox(_big(at), text, font=_font(size), anchor=anchor)
        self._draw.text(_big(at), text, color, _font(size), anchor=anchor)
        found = Box(*(edge / SCALE for edge in box))
        if text:
            self.written.append((found, text))
        return found

    def tag(self, at: Point, text: str, size: int, fill: Color, *, within: float) -> None:
        """Text on a filled box whose left edge is centred at `at`."""
        text = self._cut(text, size, within - 16)
        wide = self.text_width(text, size)
        self.rect(Box(at[0], at[1] - size * 0.68, at[0] + wide + 16, at[1] + size * 0.68), fill)
        self.text((at[0] + 8, at[1]), text, size, self.palette.ground, anchor="lm")

    def _cut(self, text: str, size: int, within: float) -> str:
        if self.text_width(text, size) <= within:
            return text
        while text and self.text_width(text + ELLIPSIS, size) > within:
            text = text[:-1]
        return text.rstrip(" ,:") + ELLIPSIS if text else ""


def _big(point: Point) -> tuple[float, float]:
    return point[0] * SCALE, point[1] * SCALE


def _dashed(points: Sequence[Point], dash: Sequence[float]) -> list[list[Point]]:
    """A path cut into strokes; strokes go round corners."""
    strokes: list[list[Point]] = [[points[0]]]
    turn, left = 0, dash[0]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if turn % 2 == 0:
                strokes[-1].append(at)
            else:
                strokes.append([at])
            turn += 1
            left = dash[turn % len(dash)]
        left -= length - done
        if turn % 2 == 0:
            strokes[-1].append((x1, y1))
    return strokes
