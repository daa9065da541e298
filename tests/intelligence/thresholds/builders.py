"""Weeks of closed minutes with a known shape."""

from random import Random

from intelligence.market import OpenInterest, PositionSide
from intelligence.minute import Minute
from intelligence.thresholds.history import History
from intelligence.thresholds.rules import HistoryRule
from tests.intelligence.builders import a_liquidation

MINUTE_MS = 60_000
DAY_MS = 86_400_000
MONDAY = 1_781_481_600_000  # 2026-06-15 00:00 UTC


def a_minute(number=0, usd=1_000.0, *, close=100.0, liquidations=(), oi=(), factor=1.0, complete=True):
    """Minute `number` after MONDAY; liquidations (USD) alternate between the sides, `oi` is coins by venue."""
    from_ms = MONDAY + number * MINUTE_MS
    return Minute(
        asset="SOL",
        from_ms=from_ms,
        open=close,
        high=close,
        low=close,
        close=close,
        reference_price=close,
        buy_usd=factor * usd,
        sell_usd=0.0,
        trades=10,
        largest_usd=factor * usd / 10,
        complete=complete,
        liquidations=tuple(
            a_liquidation(
                usd=factor * size,
                exchange_ms=from_ms + index,
                price=100.0 + index,
                position_side=PositionSide.SHORT if index % 2 else PositionSide.LONG,
            )
            for index, size in enumerate(liquidations)
        ),
        open_interest=tuple(
            OpenInterest(
                venue=venue,
                instrument="SOLUSDT",
                asset="SOL",
                exchange_ms=from_ms,
                received_ms=from_ms,
                quantity=coins,
                notional_usd=None,
            )
            for venue, coins in oi
        ),
    )


def minutes(days, *, seed=1, factor=1.0, venues=("binance", "bybit"), from_day=0):
    """A market that is three times as busy from 13:00 on and half as busy at weekends, with Pareto liquidations."""
    random, close, coins = Random(seed), 100.0, 1e6
    for number in range(int(from_day * 1440), int((from_day + days) * 1440)):
        busy = (3.0 if number % 1440 >= 13 * 60 else 1.0) * (0.5 if number // 1440 % 7 >= 5 else 1.0)
        close *= 1 + random.gauss(0, 0.0005)
        coins *= 1 + random.gauss(0, 0.0002)
        usd = busy * random.lognormvariate(10, 0.5)
        sizes = [busy * 1_000 * random.paretovariate(1.2) for _ in range(random.random() < 0.3)]
        yield a_minute(
            number, usd, close=close, liquidations=sizes, oi=[(venue, coins) for venue in venues], factor=factor
        )


def a_history(days, **shape):
    history = History(HistoryRule())
    for minute in minutes(days, **shape):
        history.take(minute)
    return history
