"""What one venue is to be asked of an asset's past, and in which order. No I/O, no clock."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.exchanges.exchange import Instrument
from actors.exchanges.queries import MarketData, Query
from intelligence.history import INTERVAL_MS, BarSpan, Interval, Missing, OpenInterestSpan
from intelligence.market import Kline, OpenInterest

FIRST = ("BTC", "ETH", "SOL", "ADA", "DOT")  # given: the most important ones


@dataclass(slots=True, kw_only=True)
class Job:
    """Calls that together bring one span of one contract; `interval` None: open interest."""

    asset: str
    instrument: Instrument
    interval: Interval | None
    from_ms: int
    until_ms: int
    queries: deque[Query[Any]]  # of Kline, or of OpenInterest
    bars: list[Kline] = field(default_factory=list)
    points: list[OpenInterest] = field(default_factory=list)

    @property
    def is_urgent(self) -> bool:
        """An asset is ready with its minutes and its open interest; hours and days are for thresholds."""
        return self.interval in (None, "1m")

    def is_same(self, other: "Job") -> bool:
        return (self.instrument.instrument, self.interval) == (other.instrument.instrument, other.interval)

    def take(self, rows: Iterable[Kline | OpenInterest]) -> None:
        for row in rows:
            if isinstance(row, Kline):
                self.bars.append(row)
            else:
                self.points.append(row)

    def span(self, received_ms: int) -> BarSpan | OpenInterestSpan:
        """What the answers came to."""
        venue, name = self.instrument.venue, self.instrument.instrument
        if self.interval is None:
            return OpenInterestSpan(
                venue=venue,
                instrument=name,
                from_ms=self.from_ms,
                until_ms=self.until_ms,
                received_ms=received_ms,
                rows=tuple(self.points),
            )
        return BarSpan(
            venue=venue,
            instrument=name,
            interval=self.interval,
            from_ms=self.from_ms,
            until_ms=self.until_ms,
            received_ms=received_ms,
            rows=tuple(self.bars),
        )


def jobs_for(
    asset: str, contracts: Sequence[Instrument], missing: Missing, data: MarketData, now_ms: int, *, bars: bool
) -> tuple[Job, ...]:
    """What is missing of an asset and can be asked of this venue, most urgent first. `bars`: it is the reference."""
    jobs: list[Job] = []
    if bars:
        reference = reference_contract(contracts)
        for interval in INTERVAL_MS:
            since_ms = missing.bars_from((reference.venue, reference.instrument), interval, now_ms)
            if since_ms is not None:
                queries = data.klines(reference, since_ms, now_ms, interval)
                jobs.append(_job(asset, reference, interval, (since_ms, now_ms), queries))
    for one in contracts:
        since_ms = missing.open_interest_from((one.venue, one.instrument), now_ms)
        if since_ms is not None:
            points = data.open_interest_history(one, since_ms, now_ms)
            jobs.append(_job(asset, one, None, (since_ms, now_ms), points))
    return tuple(sorted((job for job in jobs if job.queries), key=lambda job: not job.is_urgent))


def _job(
    asset: str,
    instrument: Instrument,
    interval: Interval | None,
    span: tuple[int, int],
    queries: Sequence[Query[Any]],
) -> Job:
    return Job(
        asset=asset,
        instrument=instrument,
        interval=interval,
        from_ms=span[0],
        until_ms=span[1],
        queries=deque(queries),
    )


def reference_contract(contracts: Iterable[Instrument]) -> Instrument:
    """Of several contracts of an asset on one venue the one whose bars stand for it: margined in USDT where there is one."""
    return min(contracts, key=lambda one: ("USDT" not in one.instrument, one.inverse, one.instrument))


def in_order(assets: Iterable[str], ranking: Sequence[str]) -> tuple[str, ...]:
    """The most important first, then as ranked, then the others by name."""
    places = {asset: place for place, asset in reversed(tuple(enumerate((*FIRST, *ranking))))}
    return tuple(sorted(assets, key=lambda asset: (places.get(asset, len(places) + len(FIRST)), asset)))
