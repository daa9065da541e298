"""Words for the ticks of axes."""

from math import floor, log10

from intelligence.amounts import compact_usd


def number_label(value: float, step: float) -> str:
    """A price with as many decimals as the step between ticks has."""
    decimals = max(0, -floor(log10(step))) if step > 0 else 2
    return f"{value:,.{min(decimals, 12)}f}"


def percent_label(value: float, step: float) -> str:
    return f"{number_label(value, step)} %"


def usd_label(value: float, _: float) -> str:
    return compact_usd(value)
