"""What a recording holds, in the order in which it came. The same values travel as letters, to the recorder and out of a
replay; on disk they are MessagePack arrays, so a field is only ever added at the end, with a default.

`at_ms` is market time of the receipt; raw bytes are as the venue sent them.
"""

import msgspec

from actors.exchanges.exchange import Feed, Instrument, RestCall
from intelligence.history import BarSpan, OpenInterestSpan
from intelligence.market import MarketEvent

SCHEMA = 1


class _Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    at_ms: int
    venue: str


class FramesRead(_Entry, frozen=True, kw_only=True, array_like=True, tag="frames"):
    """The text frames of one read of one socket. `reader`: which socket of the connection, when one replaces another.

    `frames`: one text each; of a connection that brings trades and nothing else, texts of many frames, one a line.
    `settled`: pairs of conflict and verdict by which they were decoded; `excluded`: contracts of which only prices were used.
    """

    connection: str
    reader: int
    frames: tuple[bytes, ...]
    settled: tuple[tuple[str, str], ...] = ()
    excluded: tuple[str, ...] = ()


class SocketMarked(_Entry, frozen=True, kw_only=True, array_like=True, tag="socket"):
    """A connection changed its state (`ConnectionChanged`), or may bring repeats until `repeats_s` from now.

    `assets` are those that were watched. `again`: said already, for a file that begins here.
    """

    connection: str
    state: str
    feeds: frozenset[Feed]
    brings_liquidations: bool
    assets: tuple[str, ...]
    repeats_s: float = 0.0
    reason: str = ""
    again: bool = False


class VenuePlanned(_Entry, frozen=True, kw_only=True, array_like=True, tag="planned"):
    """The connections of a venue that bring its liquidations, and its further ones (`SocketsPlanned`)."""

    connections: tuple[str, ...]
    others: tuple[str, ...] = ()


class ReplyRead(_Entry, frozen=True, kw_only=True, array_like=True, tag="reply"):
    """A good answer to a REST call. `purpose`: instruments or open_interest."""

    purpose: str
    call: RestCall
    body: bytes


class InstrumentsKnown(_Entry, frozen=True, kw_only=True, array_like=True, tag="instruments"):
    """What a venue lists, where it is known without the venue's own answer: in converted data."""

    instruments: tuple[Instrument, ...]


class RecordsKept(_Entry, frozen=True, kw_only=True, array_like=True, tag="records"):
    """Events that somebody else has decoded: converted data."""

    records: tuple[MarketEvent, ...]


class TradesKept(_Entry, frozen=True, kw_only=True, array_like=True, tag="trades"):
    """Trades of one instrument that somebody else has decoded; columns as in `TradeColumns`."""

    instrument: str
    times_ms: list[int]
    prices: list[float]
    coins: list[float]


class HistoryKept(_Entry, frozen=True, kw_only=True, array_like=True, tag="history"):
    """A span of an asset's past as a venue's REST side told it, decoded: either `bars` or `points`."""

    asset: str
    bars: BarSpan | None = None
    points: OpenInterestSpan | None = None


class Finished(_Entry, frozen=True, kw_only=True, array_like=True, tag="finished"):
    """The last entry of a file that was closed in order."""


Entry = (
    FramesRead
    | SocketMarked
    | VenuePlanned
    | ReplyRead
    | InstrumentsKnown
    | RecordsKept
    | TradesKept
    | HistoryKept
    | Finished
)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the start of a file, uncompressed. `market`: live, simulated or converted. `venues`: those that may
    occur in it; `silent`: those of them of which it holds no connection, so that they do not count as lost.
    """

    schema: int = SCHEMA
    market: str
    created_ms: int
    venues: tuple[str, ...]
    silent: tuple[str, ...] = ()
