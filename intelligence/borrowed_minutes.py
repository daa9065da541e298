"""Minutes that nobody watched: one reference contract's bars, raised to the level of what all venues together show.

One venue's bars are no sum over venues, and closes know nothing of the highs and lows between them. How the two compare is
measured on minutes that are known both ways; without any, nothing is borrowed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, fsum, log
from statistics import median

import msgspec

from intelligence.history import Bar, Contract, History
from intelligence.minute import MINUTE_MS, Minute
from intelligence.thresholds.bars import turnover_usd

LEAST_MINUTES = 3  # known both ways (ours: their turnover together is then right to about a quarter)


class Level(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`factor`: turnover of all venues in that of the reference. `width`: by how much a watched minute's range is wider than
    the move from one close of the reference to the next, as a logarithm. `minutes`: how many were compared.
    """

    contract: Contract
    factor: float
    width: float
    minutes: int


def level_of(history: History, watched: Iterable[Minute]) -> Level | None:
    """Compare the reference's bars of a minute with watched minutes; None while too few are known both ways."""
    known = {bar.open_ms: bar for bar in history.bars["1m"]}
    pairs = [(known[minute.from_ms], minute) for minute in watched if minute.complete and minute.from_ms in known]
    theirs = fsum(turnover_usd(bar) for bar, _ in pairs)
    if history.reference is None or len(pairs) < LEAST_MINUTES or theirs <= 0:
        return None
    widths = [
        log(minute.high / minute.low) - abs(log(bar.close / before.close))
        for bar, minute in pairs
        if minute.high and minute.low and (before := known.get(bar.open_ms - MINUTE_MS))
    ]
    factor = fsum(minute.total_usd for _, minute in pairs) / theirs
    width = max(0.0, median(widths)) if widths else 0.0
    return Level(contract=history.reference, factor=factor, width=width, minutes=len(pairs))


def borrowed(asset: str, bars: Sequence[Bar], level: Level) -> Iterator[Minute]:
    """A minute for each bar, in the same order. Where the contract's takers are not told, half of it is bought."""
    half = exp(level.width / 2)
    before: Bar | None = None
    for bar in bars:
        opened = before.close if before is not None and before.open_ms + MINUTE_MS == bar.open_ms else bar.close
        usd = level.factor * turnover_usd(bar)
        bought = 0.5 if bar.taker_buy_coins is None or not bar.coins else bar.taker_buy_coins / bar.coins
        before = bar
        yield Minute(
            asset=asset,
            from_ms=bar.open_ms,
            open=opened,
            high=max(opened, bar.close) * half,
            low=min(opened, bar.close) / half,
            close=bar.close,
            reference_price=bar.close,
            buy_usd=usd * bought,
            sell_usd=usd * (1 - bought),
            trades=0,
            largest_usd=0.0,
            complete=True,
        )


def hours_usd(bars: Iterable[Bar], level: Level) -> Mapping[int, float]:
    """The turnover over all venues of each bar of an hour, by its start in ms."""
    return {bar.open_ms: level.factor * turnover_usd(bar) for bar in bars}
