"""Daily volume and volatility: what we watched, and where we did not the daily candles of a reference contract."""

from collections.abc import Iterable, Mapping
from math import log
from statistics import stdev

from intelligence.history import Bar
from intelligence.thresholds.tiered import VOLATILITY_DAYS, VOLUME_DAYS

DAY_MS = 86_400_000

Watched = Mapping[
    int, tuple[float, float]
]  # whole days that we watched: turnover in USD and last price, by start in ms


def daily_volume_usd(days: Iterable[Bar], factor: float, watched: Watched, at_ms: int) -> tuple[float, int] | None:
    """Mean USD turnover of the last 7 whole days over all venues together, and how many days there were.

    `factor`: turnover of all venues in that of the reference.
    """
    first_ms = at_ms // DAY_MS * DAY_MS - VOLUME_DAYS * DAY_MS
    turnovers = {bar.open_ms: factor * turnover_usd(bar) for bar in days}
    turnovers |= {start_ms: usd for start_ms, (usd, _) in watched.items()}
    known = [usd for start_ms, usd in turnovers.items() if first_ms <= start_ms <= at_ms - DAY_MS]
    return (sum(known) / len(known), len(known)) if known else None


def daily_volatility(days: Iterable[Bar], watched: Watched, at_ms: int) -> tuple[float, int] | None:
    """Standard deviation of daily log returns over 30 days, a fraction, and how many returns there were.

    None with fewer than two. Over a missing day there is no return.
    """
    first_ms = at_ms // DAY_MS * DAY_MS - (VOLATILITY_DAYS + 1) * DAY_MS
    closes = {start_ms: price for start_ms, (_, price) in watched.items()}
    closes |= {bar.open_ms: bar.close for bar in days}
    closes = {start_ms: price for start_ms, price in closes.items() if first_ms <= start_ms <= at_ms - DAY_MS}
    later = ((closes.get(start_ms + DAY_MS), price) for start_ms, price in sorted(closes.items()))
    returns = [log(after / before) for after, before in later if after is not None]
    return (stdev(returns), len(returns)) if len(returns) >= 2 else None


def turnover_usd(bar: Bar) -> float:
    """What the venue says, else coins at the last price."""
    return bar.usd if bar.usd is not None else bar.coins * bar.close
