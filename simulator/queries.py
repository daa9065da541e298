"""Reading a request's parameters."""

from collections.abc import Mapping

from simulator.venue import Span


def whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() else default


def row_count(query: Mapping[str, str], usual: int, most: int) -> int:
    return max(1, min(whole_number(query, "limit", usual), most))


def span_of(query: Mapping[str, str], period_ms: int, limit: int, names: tuple[str, str], unit_ms: int = 1) -> Span:
    """The rows asked for; `names` are the parameters of the first and last time, in units of `unit_ms`."""
    first, last = names
    to_ms = whole_number(query, last, -1) * unit_ms
    return Span(period_ms, limit, whole_number(query, first, 0) * unit_ms, None if to_ms < 0 else to_ms)
