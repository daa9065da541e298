"""Daily volume and volatility out of the venues' own daily candles."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log
from statistics import stdev

from intelligence.market import Kline
from intelligence.thresholds.tiered import VOLATILITY_DAYS, VOLUME_DAYS

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def daily_volume_usd(days: Iterable[Kline], at_ms: int) -> tuple[float, int] | None:
    """Mean USD turnover of the last 7 whole days over all venues together, and how many days there were."""
    first_ms = at_ms // DAY_MS * DAY_MS - VOLUME_DAYS * DAY_MS
    turnovers: dict[int, list[float]] = {}
    for bar in days:
        if bar.closed and first_ms <= bar.exchange_ms and bar.exchange_ms + DAY_MS <= at_ms:
            turnovers.setdefault(bar.exchange_ms, []).append(turnover_usd(bar))
    if not turnovers:
        return None
    return sum(sum(sorted(venues)) for venues in turnovers.values()) / len(turnovers), len(turnovers)


def daily_volatility(days: Iterable[Kline], at_ms: int) -> tuple[float, int] | None:
    """Standard deviation of daily log returns over 30 days, a fraction, and how many returns there were.

    Of one venue: the one with the most days, then with the largest turnover. None with fewer than two returns.
    """
    series: dict[str, list[Kline]] = {}
    first_ms = at_ms // DAY_MS * DAY_MS - (VOLATILITY_DAYS + 1) * DAY_MS
    for bar in days:
        if bar.closed and first_ms <= bar.exchange_ms and bar.exchange_ms + DAY_MS <= at_ms and bar.close > 0:
            series.setdefault(f"{bar.venue} {bar.instrument}", []).append(bar)
    if not series:
        return None
    best = max(sorted(series), key=lambda name: (len(series[name]), sum(map(turnover_usd, series[name]))))
    returns = _returns(sorted(series[best], key=lambda bar: bar.exchange_ms))
    return (stdev(returns), len(returns)) if len(returns) >= 2 else None


def hourly_turnovers(hours: Iterable[Kline], at_ms: int) -> list[tuple[int, float]]:
    """USD turnover of whole hours over all venues together: (start in ms, USD), oldest first."""
    turnovers: dict[int, list[float]] = {}
    for bar in hours:
        if bar.closed and bar.exchange_ms + HOUR_MS <= at_ms:
            turnovers.setdefault(bar.exchange_ms, []).append(turnover_usd(bar))
    return [(start_ms, sum(sorted(turnovers[start_ms]))) for start_ms in sorted(turnovers)]


def turnover_usd(bar: Kline) -> float:
    """What the venue says, else coins at the middle of the candle."""
    return bar.notional_usd if bar.notional_usd is not None else bar.quantity * (bar.high + bar.low) / 2


def _returns(bars: Sequence[Kline]) -> list[float]:
    """Log returns from day to day; over a gap there is none."""
    return [
        log(later.close / earlier.close)
        for earlier, later in pairwise(bars)
        if later.exchange_ms - earlier.exchange_ms == DAY_MS
    ]
