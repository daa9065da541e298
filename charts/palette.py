"""The colours of both themes. Lightness alone tells apart whatever must be told apart, so a grey picture says the same."""

from collections.abc import Mapping
from typing import NamedTuple

from charts.requests import Theme

Color = tuple[int, int, int]


class Palette(NamedTuple):
    """`heat`: the fainter first, each further from the ground than the one before. `lines`: of venues, the largest first."""

    ground: Color
    panel: Color
    grid: Color
    text: Color
    muted: Color
    up: Color
    down: Color
    accent: Color
    heat: tuple[Color, ...]
    lines: tuple[Color, ...]


PALETTES: Mapping[Theme, Palette] = {
    Theme.DARK: Palette(
        ground=(18, 22, 29),
        panel=(25, 31, 40),
        grid=(52, 61, 74),
        text=(236, 240, 245),
        muted=(163, 174, 188),
        up=(88, 196, 221),
        down=(240, 128, 72),
        accent=(250, 204, 92),
        heat=((58, 60, 92), (118, 68, 128), (206, 96, 98), (250, 214, 120)),
        lines=(
            (88, 196, 221),
            (250, 204, 92),
            (240, 128, 72),
            (160, 210, 130),
            (196, 160, 240),
            (236, 240, 245),
            (240, 150, 180),
        ),
    ),
    Theme.LIGHT: Palette(
        ground=(255, 255, 255),
        panel=(240, 243, 247),
        grid=(214, 220, 228),
        text=(22, 27, 34),
        muted=(92, 102, 116),
        up=(0, 108, 150),
        down=(200, 76, 16),
        accent=(140, 84, 0),
        heat=((236, 214, 160), (232, 150, 96), (186, 62, 88), (80, 20, 92)),
        lines=(
            (0, 108, 150),
            (140, 84, 0),
            (200, 76, 16),
            (40, 120, 50),
            (110, 60, 170),
            (22, 27, 34),
            (176, 36, 96),
        ),
    ),
}
