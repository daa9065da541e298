"""What every venue's file offers: routes, frames to send, and the decoding of frames. No I/O, no clock, no thread.

A venue is described by one object that satisfies `Exchange`. The catalogue actor asks it which REST calls list its
instruments and turns the answers into `Instrument`s; then it asks which sockets to open (`SocketPlan`s). A connection
actor opens one socket, sends the plan's frames, keeps it alive the way the plan says, and hands every frame to a
`Decoder` made by `decoder(...)`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, Protocol

import msgspec

from intelligence.market import Decoded


class Feed(StrEnum):
    """What a socket can be asked for. FUNDING is of its own only where mark prices do not carry it (OKX)."""

    LIQUIDATIONS = "liquidations"
    MARK_PRICES = "mark_prices"
    FUNDING = "funding"
    OPEN_INTEREST = "open_interest"
    TRADES = "trades"
    KLINES = "klines"


CORE_FEEDS = frozenset({Feed.LIQUIDATIONS, Feed.MARK_PRICES})
MARKET_FEEDS = CORE_FEEDS | {
    Feed.FUNDING,
    Feed.OPEN_INTEREST,
    Feed.TRADES,
}  # what the daemon lives on; bars come by REST
NOTHING_SETTLED: Mapping[str, str] = MappingProxyType({})


class FrameError(Exception):
    """A frame, or some rows of it, could not be understood; the text says which field and what was found.

    `decoded` holds what the other rows of the same frame came to, so that one bad row never costs a good one: whoever
    catches the error counts it and goes on with `decoded`.
    """

    def __init__(self, message: str, decoded: tuple[Decoded, ...] = ()) -> None:
        super().__init__(message)
        self.decoded = decoded


class UnknownInstrument(FrameError):  # noqa: N818  # a name from the market, caught by itself
    """A frame names an instrument that the venue's list does not hold, so its unit is unknown."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue's error answer means (exchanges.md 1.4).

    `permanent`: a geo block, not to be retried. `retry_after_s`: wait at least that long.
    `advice` is a sentence for the operator.
    """

    reason: str
    permanent: bool
    retry_after_s: float
    advice: str


class Instrument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One tradable contract and its units.

    `contract_size`: units of the venue's base per unit of the venue's size field (OKX: `ctVal * ctMult`; Binance, Bybit: 1).
    `multiplier`: coins of `asset` in one unit of the venue's base (1000 for 1000PEPE).
    So coins = size * contract_size * multiplier, USD per coin = price / multiplier, notional = size * contract_size * price.
    `inverse`: the size field counts US dollars (Deribit's coin-margined perpetuals), so coins = size / price.
    `place`: where pushes name a contract by its place in the venue's list only (Hyperliquid), that place.
    `listed_ms`: since when it is traded, None where the venue does not say.
    """

    venue: str
    instrument: str
    asset: str
    contract_size: float = 1.0
    multiplier: float = 1.0
    inverse: bool = False
    place: int | None = None
    listed_ms: int | None = None


class RestCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request below the venue's REST base; a POST sends `body` as JSON (Hyperliquid has nothing else).

    `weight` is what the call costs of the venue's budget in the venue's own unit: weight a minute at Binance and
    Hyperliquid, requests elsewhere. `base_url`: where the call goes to another host than the venue's.
    """

    path: str
    params: tuple[tuple[str, str], ...] = ()
    weight: int = 1
    method: Literal["GET", "POST"] = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    base_url: str = ""


class InstrumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """The usable instruments of one REST reply, how many rows were left out by reason, and the next call if there is one."""

    instruments: tuple[Instrument, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    following: RestCall | None = None


class SocketPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One socket: where to connect and what to say.

    `path` is appended to the venue's WebSocket base URL. `acks`: how many positive subscribe replies are expected.
    `data_within_s`: a market event must come within that time after the last reply, else the route counts as dead;
    None where silence is normal (then pongs prove the connection). `brings_liquidations`: this socket carries part
    of the venue's liquidation feed. `feeds`: all it carries. A plan with trades and nothing else is for a
    `trades_decoder`. `headers` are sent with the handshake.
    """

    name: str
    path: str
    subscribe: tuple[bytes, ...]
    acks: int
    data_within_s: float | None
    brings_liquidations: bool
    feeds: frozenset[Feed] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()


class Keepalive(msgspec.Struct, frozen=True, kw_only=True):
    """`ping`: a text frame to send every `every_s`, None where the server pings. `silent_s`: without any byte for that
    long the connection is dead. `max_age_s`: renew before that age.
    """

    ping: bytes | None
    every_s: float
    silent_s: float
    max_age_s: float


class Decoder(Protocol):
    """Turns frames into records. May keep state of one connection (merged tickers), so make one per connection."""

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        """Read one text frame. Raises FrameError, and nothing else, for whatever it cannot understand.

        Rows that are deliberately not events are told once a frame and reason: `other_market` (another product or
        quote), `not_listed` (left out of the list), `not_filled`, `not_used`, `retired_protocol`, `snapshot_dropped`, `unchanged`
        (a ticker), `funding_kept` (told with the next mark price), `block_trade`, `not_a_market_trade`, `no_instrument`
        (rows that do not name theirs), `no_event_time`, `not_from_venue`, `empty`.

        Acks come as `Control(reason="subscribed")`, refusals of a subscription as `Control(reason="subscribe_refused",
        detail=the venue's words)`, pongs as `Control(reason="pong")`, a planned close as `Control(reason="closing_soon")`.
        """
        ...


TradeColumns = tuple[list[int], list[float], list[float]]
"""The trades of one instrument in one read, in the order they came: times in ms, prices in USD a coin, and coins of the
asset, positive where the taker bought, negative where he sold. A bare tuple, because a read holds few trades of each
instrument and anything with a name costs a tenth of the whole decoding.
"""


class TradesRead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one read of a trades socket came to. `others`: controls and whatever is no trade; `problems`: bad frames."""

    columns: dict[str, TradeColumns]
    others: tuple[Decoded, ...] = ()
    problems: tuple[FrameError, ...] = ()


class TradesDecoder(Protocol):
    """Reads many trade frames at once, at a fraction of the cost of one by one. One for each connection."""

    def decode_many(self, lines: bytes | bytearray | memoryview, received_ms: int) -> TradesRead:
        """Read frames that are separated by newlines (blanks between them do no harm). Never raises."""
        ...


class Exchange(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def keepalive(self) -> Keepalive: ...

    def instruments_call(self) -> RestCall: ...

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:
        """Read one reply to `instruments_call` or to a `following` call. Raises FrameError.

        `call` is the call it answers, None for the first one; a venue that pages by offset (Gate) goes on from it.
        """
        ...

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        """Plan the sockets: liquidations of every instrument, the other feeds at least of `assets`.

        Trades, and so do klines, have sockets of their own, so that no flood of theirs delays a liquidation; only
        Deribit, which tells liquidations as a mark on trades, cannot part them. A feed a venue does not push is left
        out (docs/venues.md), to be polled by REST.
        """
        ...

    def decoder(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED) -> Decoder:
        """`settled`: what the self-tests found out about this venue (verdicts.py), by the name of the conflict."""
        ...

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> TradesDecoder: ...

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        """What an HTTP answer (REST or WebSocket handshake) means, None when it is not a refusal."""
        ...
