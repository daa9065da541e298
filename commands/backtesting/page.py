"""A report as one HTML page that needs nothing else: tables, and plots as inline SVG."""

from collections.abc import Iterator, Sequence
from html import escape
from math import floor, isfinite, log10

from commands.backtesting.text import cell_text
from intelligence.evaluation.report import Line, Plot, Report, Section, Table

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 44
COLOURS = ("#0b62a4", "#d1495b", "#66a182", "#edae49", "#8d6a9f", "#5c6b73", "#00798c", "#a05a2c")
TICKS = 5
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
table{border-collapse:collapse;margin:.5rem 0;font-size:13px;display:block;overflow-x:auto}
td,th{border:1px solid #cfd6df;padding:.25rem .5rem;text-align:left;font-variant-numeric:tabular-nums}
th{background:#eef2f6}p.note{font-size:13px;color:#566173}figure{margin:1rem 0}figcaption{font-weight:600}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}
@media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181d}th{background:#222a33}td,th{border-color:#39434f}}
"""


def report_page(report: Report) -> str:
    return "".join(_page(report))


def _page(report: Report) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
    yield f"<h1>{escape(report.title)}</h1><p>Data: {escape(report.data)}. "
    yield f"{report.variants} variants were tried on it in all. Took {report.seconds:.0f} s.</p>"
    for section in report.sections:
        yield from _section(section)
    yield "</body></html>\n"


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    for paragraph in section.text:
        yield f"<p>{escape(paragraph)}</p>"
    for plot in section.plots:
        yield f"<figure><figcaption>{escape(plot.title)}</figcaption>{svg(plot)}</figure>"
    for table in section.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"<h3>{escape(table.title)}</h3><table><thead><tr>"
    yield "".join(f"<th>{escape(column)}</th>" for column in table.columns) + "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{escape(cell_text(cell))}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"
    if table.note:
        yield f'<p class="note">{escape(table.note)}</p>'


class _Scale:
    """From figures to places on the picture."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self.low, self.high = min(values), max(values)
        if self.high <= self.low:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self._first, self._last = first, last

    def __call__(self, value: float) -> float:
        return self._first + (value - self.low) / (self.high - self.low) * (self._last - self._first)

    def ticks(self) -> list[float]:
        """Round figures, about five."""
        raw = (self.high - self.low) / TICKS
        power = 10.0 ** floor(log10(raw))
        step = next(power * part for part in (1, 2, 5, 10) if power * part >= raw)
        count = int(self.high / step + 1e-9) - int(-(-self.low // step)) + 1
        begin = -(-self.low // step)
        return [(begin + place) * step for place in range(max(0, count))]


def svg(plot: Plot) -> str:
    points = [(x, y) for line in plot.lines for x, y in _points(line)]
    if not points:
        return "<p>nothing to plot</p>"
    ends = [value for line in plot.lines for value in (*line.low, *line.high) if isfinite(value)]
    across = _Scale([0.0, *(x for x, _ in points)], LEFT, WIDTH - RIGHT)
    up = _Scale([0.0, *(y for _, y in points), *ends], HEIGHT - BOTTOM, TOP)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="{escape(plot.title)}">']
    parts += _axes(plot, across, up)
    for place, line in enumerate(plot.lines):
        parts += _drawn(line, COLOURS[place % len(COLOURS)], across, up)
        parts.append(_key(line, COLOURS[place % len(COLOURS)], place))
    return "".join((*parts, "</svg>"))


def _axes(plot: Plot, across: _Scale, up: _Scale) -> Iterator[str]:
    for value in up.ticks():
        y = up(value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8894a3" stroke-opacity=".3"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'
    for value in across.ticks():
        yield f'<text x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:.3g}</text>'
    yield f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(plot.x_label)}</text>'
    yield f'<text x="12" y="{HEIGHT / 2:.0f}" transform="rotate(-90 12 {HEIGHT / 2:.0f})" text-anchor="middle">'
    yield f"{escape(plot.y_label)}</text>"


def _drawn(line: Line, colour: str, across: _Scale, up: _Scale) -> Iterator[str]:
    if line.low and all(map(isfinite, (*line.low, *line.high))):
        there = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(line.x, line.low, strict=True)]
        back = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(line.x, line.high, strict=True)][::-1]
        yield f'<polygon points="{" ".join(there + back)}" fill="{colour}" fill-opacity=".15"/>'
    path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in _points(line))
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def _key(line: Line, colour: str, place: int) -> str:
    y = TOP + 12 + 15 * place
    return f'<text x="{WIDTH - RIGHT - 8}" y="{y}" text-anchor="end" style="fill:{colour}">{escape(line.name)}</text>'


def _points(line: Line) -> list[tuple[float, float]]:
    return [(x, y) for x, y in zip(line.x, line.y, strict=True) if isfinite(x) and isfinite(y)]
