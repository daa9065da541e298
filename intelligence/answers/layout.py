"""How answers look: Telegram HTML of a bold first line, a narrow table and a few plain lines. Every inserted value is escaped.

Tables keep to the width of a phone (telegram.md 4: about 34 characters).
"""

from collections.abc import Sequence
from html import escape as html_escape

from intelligence.amounts import compact_usd
from intelligence.asset_market import MarketView
from intelligence.feed_health import FeedHealth, Health
from intelligence.time_of_day import clock_stamp

HEALTH_MARKS = {Health.HEALTHY: "", Health.DEGRADED: "~", Health.STALE: "!", Health.DOWN: "!"}
MAX_WHYS = 4
_WORDS_OF_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def escape(text: str) -> str:
    return html_escape(text, quote=False)


def bold(text: str) -> str:
    return f"<b>{escape(text)}</b>"


def page(*parts: str) -> str:
    """The parts that say something, one below the other. Each is HTML already."""
    return "\n".join(part for part in parts if part)


def table(rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right; empty without rows."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        " ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def venue(name: str) -> str:
    return name.upper() if len(name) <= 3 else name[:1].upper() + name[1:]


def span(seconds: int) -> str:
    """15 min, 4 h, 1 d: whole units as people ask for them."""
    size, unit = next((size, unit) for size, unit in _WORDS_OF_SPANS if seconds % size == 0)
    return f"{seconds // size} {unit}"


def age(age_ms: int) -> str:
    """In one unit, so that a column of them stays narrow."""
    seconds = max(age_ms, 0) // 1_000
    size, unit = next(((size, unit) for size, unit in _WORDS_OF_SPANS if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit}"


def signed_usd(usd: float) -> str:
    return f"{'+' if usd >= 0 else ''}{compact_usd(usd)}"


def signed_percent(fraction: float) -> str:
    return f"{100 * fraction:+.2f} %"


def updated(at_ms: int, clock: str) -> str:
    """`clock`: a name of the tz database."""
    return f"Updated {clock_stamp(at_ms, clock)}"


def trades_of(view: MarketView) -> str:
    """Whose trades they are, and how old the newest of each is."""
    heard = view.trades_heard_ms
    told = [
        f"{venue(name)} {age(view.at_ms - heard[name])}" if name in heard else f"{venue(name)} none yet"
        for name in sorted({*view.trade_health, *heard})
    ]
    return f"Trades, age of the newest: {', '.join(told)}" if told else ""


def whys(sources: Sequence[tuple[str, FeedHealth]]) -> str:
    """Which sources are not healthy, and why, a line each; HTML."""
    sick = list(dict.fromkeys((name, health) for name, health in sources if health.state is not Health.HEALTHY))
    told = [f"{HEALTH_MARKS[one.state]} {venue(name)} {one.state}: {one.why}" for name, one in sick[:MAX_WHYS]]
    if len(sick) > MAX_WHYS:
        told.append(f"and {len(sick) - MAX_WHYS} more")
    return escape("\n".join(told))
