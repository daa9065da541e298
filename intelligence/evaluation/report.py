"""A report as values: text, JSON and the page are three views of it."""

from math import isfinite

import msgspec

from intelligence.evaluation.intervals import Interval, Share

NOT_MEASURABLE = "not measurable"


class Figure(msgspec.Struct, frozen=True):
    """A number with the interval and the sample it rests on; None is not measurable."""

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None


Cell = str | int | Figure


class Table(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`low`, `high`: the ends of the interval of each point, empty without."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    dashed: bool = False


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`variants`: how many settings were tried on the data that is shown, so that the best of them is read as such (12.7)."""

    title: str
    data: str
    variants: int
    seconds: float
    sections: tuple[Section, ...]


def figure(value: float | Interval | Share, count: int | None = None) -> Figure:
    """Of a share: its one-sided lower bound as the low end."""
    if isinstance(value, Interval):
        return Figure(_finite(value.value), _finite(value.low), _finite(value.high), count)
    if isinstance(value, Share):
        return Figure(_finite(value.value), _finite(value.lower), None, value.of)
    return Figure(_finite(value), count=count)


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
