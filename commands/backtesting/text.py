"""A report as text: tables in the form that docs/evaluation.md quotes."""

from collections.abc import Iterator

from intelligence.evaluation.report import Cell, Figure, Report, Table


def report_text(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {report.title}"
    yield f"\nData: {report.data}. {report.variants} variants were tried on it in all. Took {report.seconds:.0f} s."
    for section in report.sections:
        yield f"\n## {section.title}"
        for paragraph in section.text:
            yield f"\n{paragraph}"
        for table in section.tables:
            yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"\n**{table.title}**\n"
    yield "| " + " | ".join(table.columns) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(map(cell_text, row)) + " |"
    if table.note:
        yield f"\n{table.note}"


def cell_text(cell: Cell) -> str:
    if not isinstance(cell, Figure):
        return str(cell)
    if cell.value is None:
        return "-"
    text = _number(cell.value)
    if cell.low is not None and cell.high is not None:
        text += f" [{_number(cell.low)}, {_number(cell.high)}]"
    elif cell.low is not None:
        text += f" above {_number(cell.low)}"
    return text if cell.count is None else f"{text} (n {cell.count})"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
