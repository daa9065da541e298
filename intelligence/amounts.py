"""Figures as people read them: short, and never rounded into a claim."""

from math import floor, isfinite, log10

USD_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def compact_usd(value: float, *, down: bool = False) -> str:
    """Three significant digits: $950, $1.25M, $100K. `down`: never more than the value, for lower bounds."""
    if not isfinite(value):
        return "$?"
    sign, value = ("-", -value) if value < 0 else ("", value)
    figure = _three_digits(value, down=down)
    for size, unit in USD_UNITS:
        if figure >= size:
            return f"{sign}${_trimmed(figure / size)}{unit}"
    return f"{sign}${_trimmed(figure)}"


def at_least_usd(value: float) -> str:
    return f"at least {compact_usd(value, down=True)}"


def compact_price(price: float) -> str:
    """Dollars and cents above one dollar, four significant digits below: $59,697.40, $0.06231."""
    if not isfinite(price):
        return "$?"
    if abs(price) >= 1 or price == 0:
        return f"${price:,.2f}"
    return f"${price:.{3 - floor(log10(abs(price)))}f}"


def compact_percent(fraction: float) -> str:
    """0.0042 -> 0.42 %."""
    return f"{100 * fraction:.2f} %"


def compact_ratio(ratio: float) -> str:
    """1.3x, 12x; rounded down, so that what crossed a threshold by little is not said to be more."""
    return f"{floor(ratio)}x" if ratio >= 10 else f"{floor(10 * ratio + 1e-9) / 10:g}x"


def compact_duration(duration_ms: int) -> str:
    """45 s, 3 min, 3 min 20 s, 2 h 5 min: two units at most, rounded down."""
    seconds = max(duration_ms, 0) // 1_000
    for size, name, smaller, smaller_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {name} {rest} {smaller_name}" if rest else f"{seconds // size} {name}"
    return f"{seconds} s"


def _three_digits(value: float, *, down: bool) -> float:
    if value == 0:
        return 0.0
    step = 10.0 ** (floor(log10(value)) - 2)
    digits = floor(value / step + 1e-9) if down else round(value / step)
    return digits * step


def _trimmed(figure: float) -> str:
    return f"{figure:.3g}" if figure < 999.5 else f"{figure:.0f}"
