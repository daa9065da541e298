"""What the server asks of a venue's protocol: replies to clients, answers to REST calls, and frames that are due.

Protocols do no I/O and read no clock: `now_s` is monotonic real seconds (connection rules), `now_ms` market time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from simulator.book import TrueLiquidation
from simulator.candles import Candle
from simulator.flow import Print
from simulator.listings import Listing
from simulator.sent import Batch


@dataclass(frozen=True, slots=True)
class Ping:
    """A WebSocket ping frame; the client must return the payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    code: int
    reason: str


Reply = str | Ping | Close


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a topic; each connection wraps `payload` its own way. `trades`: which ones it brings."""

    topic: str
    payload: str
    trades: Batch | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks for: an HTTP request, or the beginning of a WebSocket. Header names are in lower case."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A contract's figures now. Prices are USD per coin, `open_coins` counts one side, `day_ago` is the price then."""

    listing: Listing
    last: float
    mark: float
    index: float
    funding_rate: float
    next_funding_ms: int
    open_coins: float
    turnover_usd: float
    day_ago: float


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of one period each: at most `limit`, the latest that begin at or after `from_ms` and at or before `to_ms`."""

    period_ms: int
    limit: int
    from_ms: int = 0
    to_ms: int | None = None


class OpenPoint(NamedTuple):
    """Open interest then: coins of one side, and the mark price."""

    time_ms: int
    coins: float
    price: float


class Source(Protocol):
    """Where a venue's figures come from: the market, or a tape, which knows no quotes."""

    @property
    def now_ms(self) -> int: ...

    def quotes(self, venue: str) -> Sequence[Quote]: ...

    def quote(self, venue: str, symbol: str) -> Quote | None: ...

    def earlier(self, venue: str) -> Sequence[TrueLiquidation]:
        """The latest liquidations that already happened, oldest first."""
        ...

    def liquidations(self, venue: str, from_ms: int, to_ms: int) -> Sequence[TrueLiquidation]:
        """Oldest first, both ends included; those before the start too."""
        ...

    def prints(self, venue: str) -> Mapping[str, Sequence[Print]]:
        """The trades of the latest step by symbol."""
        ...

    def recent(self, venue: str, symbol: str) -> Sequence[Print]:
        """The latest trades, oldest first."""
        ...

    def minutes(self, venue: str, symbol: str, from_ms: int) -> Sequence[Candle]:
        """The run's own minutes from `from_ms` on, oldest first; the last one is open, and always there."""
        ...

    def candles(self, venue: str, symbol: str, span: Span) -> Sequence[Candle]:
        """Oldest first, the open one included."""
        ...

    def open_interest(self, venue: str, symbol: str, span: Span) -> Sequence[OpenPoint]:
        """Oldest first, at whole periods."""
        ...


class Connection(Protocol):
    """One client's side of a venue's WebSocket protocol. `topics` are those that really deliver to it."""

    topics: set[str]

    def receive(self, text: str, now_s: float) -> Iterable[Reply]: ...

    def receive_control(self, now_s: float, *, pong: bytes | None) -> Iterable[Reply]:
        """A ping (None) or pong frame of the client arrived; the server itself returns pongs."""
        ...

    def sent(self, now_s: float) -> None:
        """Something was sent to the client."""
        ...

    def tick(self, now_s: float) -> Iterable[Reply]: ...

    def wrap(self, frame: Frame) -> str: ...


class Venue(Protocol):
    @property
    def name(self) -> str: ...

    shown: set[int]  # position ids of the liquidations its feed showed
    rest_method: str  # the only HTTP method its REST takes
    most_connections: int | None  # open at a time; None where no limit is documented

    def connect(self, call: Call, now_s: float) -> "Connection | HttpReply": ...

    def rest(self, call: Call, now_s: float) -> HttpReply: ...

    def refusal(self, status: int) -> HttpReply:
        """The venue's own words for an HTTP status that a fault asks for."""
        ...

    def due(self, happened: Sequence[TrueLiquidation], wanted: Callable[[str], bool]) -> Iterable[Frame]:
        """Take in what happened since the last call and return the frames due now, of wanted topics only."""
        ...


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def json_reply(value: Any, status: int = 200, **headers: str) -> HttpReply:
    return HttpReply(status, compact(value), headers={name.replace("_", "-"): text for name, text in headers.items()})


class Cadence:
    """True once per period of market time."""

    def __init__(self, period_ms: int) -> None:
        self._period_ms = period_ms
        self._last = -1

    def due(self, now_ms: int) -> bool:
        period = now_ms // self._period_ms
        if period == self._last:
            return False
        self._last = period
        return True
