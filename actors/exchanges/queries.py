"""What a venue is asked by REST beside its list of instruments, and what its answers come to. No I/O, no clock.

A `Query` is a call and the function that reads its answer. Whoever sends the calls keeps to the venue's budget by their
`weight`, asks `refusal` first, and goes on with `following` while there is one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.wire import RowReader, problem_in
from intelligence.history import INTERVAL_MS, Interval
from intelligence.margin_tiers import MarginTier, MarginTiers
from intelligence.market import Kline, Liquidation, OpenInterest

MINUTE_MS = 60_000

Answer = TypeVar("Answer")
Row = TypeVar("Row")
Instruments = Mapping[str, Instrument]


class Turnover(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was traded in 24 hours, in US dollars, and the last (or mark) price in US dollars a coin of `asset`."""

    venue: str
    instrument: str
    asset: str
    received_ms: int
    usd_24h: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[Answer]):
    """What one answer came to; rows of other contracts are left out, bad ones told in `problems`."""

    rows: tuple[Answer, ...]
    problems: tuple[FrameError, ...] = ()
    following: "Query[Answer] | None" = None


@dataclass(frozen=True, slots=True)
class Query(Generic[Answer]):
    """`read(body, received_ms)` raises FrameError when the answer as a whole cannot be understood."""

    call: RestCall
    read: Callable[[bytes, int], Reading[Answer]]


class MarketData(Protocol):
    """The same questions to every venue; an empty tuple where a venue has no answer (docs/venues.md)."""

    def open_interest(self, instruments: Instruments) -> tuple[Query[OpenInterest], ...]:
        """Ask for the open interest of all, in one call where the venue allows it."""
        ...

    def open_interest_history(
        self, instrument: Instrument, since_ms: int, until_ms: int
    ) -> tuple[Query[OpenInterest], ...]:
        """Ask for points 5 minutes apart."""
        ...

    def klines(
        self, instrument: Instrument, since_ms: int, until_ms: int, interval: Interval = "1m"
    ) -> tuple[Query[Kline], ...]:
        """Ask for the bars that open from `since_ms` on and before `until_ms`, oldest call first.

        A bar is told as closed when it was over at the time of receipt. Days are those of UTC where the venue offers a
        choice (docs/venues.md).
        """
        ...

    def turnover(self, instruments: Instruments) -> tuple[Query[Turnover], ...]: ...

    def margin_tiers(self, instruments: Instruments) -> tuple[Query[MarginTiers], ...]: ...

    def liquidations(self, instruments: Instruments, since_ms: int, until_ms: int) -> tuple[Query[Liquidation], ...]:
        """Ask for recent liquidations, to settle how the socket's are to be read (verdicts.py) and to fill gaps."""
        ...


def read_rows(
    reader: RowReader[Row], raw: bytes | msgspec.Raw, take: Callable[[Row], Answer | None]
) -> Reading[Answer]:
    """Read a list of rows. `take` returns None for a row of another contract, and raises FrameError for a bad one."""
    problems: list[FrameError] = []
    taken: list[Answer] = []
    for row in reader.read(list_in(raw), problems):
        try:
            if (one := take(row)) is not None:
                taken.append(one)
        except FrameError as error:
            problems.append(error)
    return Reading(rows=tuple(taken), problems=tuple(problems))


def list_in(raw: bytes | msgspec.Raw) -> bytes:
    """Refuse what is no list: errors come as objects, and proxies answer in HTML."""
    body = bytes(raw)
    if body.lstrip()[:1] != b"[":
        raise problem_in(body, ValueError("expected a list"))
    return body


def windows(since_ms: int, until_ms: int, bars: int, bar_ms: int = MINUTE_MS) -> list[tuple[int, int]]:
    """Cut a span into windows of so many bars, oldest first; the ends are those of bars and belong to the next."""
    first = since_ms - since_ms % bar_ms
    step = bars * bar_ms
    return [(start, min(start + step, until_ms)) for start in range(first, until_ms, step)]


def is_over(open_ms: int, received_ms: int, interval: Interval) -> bool:
    return open_ms + INTERVAL_MS[interval] <= received_ms


def turnover(instrument: Instrument, received_ms: int, *, usd_24h: float, price: float) -> Turnover:
    """`price` as the venue writes it."""
    return Turnover(
        venue=instrument.venue,
        instrument=instrument.instrument,
        asset=instrument.asset,
        received_ms=received_ms,
        usd_24h=usd_24h,
        price=price / instrument.multiplier,
    )


def tiers_by_name(
    rows: Iterable[tuple[str, MarginTier]], instruments: Instruments, unit: Literal["usd", "coins"] = "usd"
) -> tuple[MarginTiers, ...]:
    """Gather the tiers of each contract, smallest first; those of other contracts are left out."""
    found: dict[str, list[MarginTier]] = {}
    for name, tier in rows:
        if name in instruments:
            found.setdefault(name, []).append(tier)
    return tuple(
        MarginTiers(
            venue=instruments[name].venue,
            instrument=name,
            asset=instruments[name].asset,
            unit=unit,
            tiers=tuple(sorted(tiers, key=lambda tier: tier.cap)),
        )
        for name, tiers in found.items()
    )
