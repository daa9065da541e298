"""What feeds bring of the market, to symbol streams and from them."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from intelligence.feed_health import FeedHealth, FeedKind
from intelligence.market import Liquidation, MarkPrice, OpenInterest
from intelligence.minute import Minute


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationsSeen:
    """The liquidations of one asset in one read of one socket, in the order of the wire.

    `able`, `configured`: venues that could report liquidations at that moment, and those that are switched on.
    `after_reconnect`: the socket is younger than the deduplication window, so repeats are possible.
    """

    asset: str
    events: tuple[Liquidation, ...]
    able: tuple[str, ...]
    configured: tuple[str, ...]
    after_reconnect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksSeen:
    """The newest mark price of one asset on one venue; a later one supersedes it in the mailbox."""

    mark: MarkPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterestSeen:
    """A new figure of one contract's open interest; a later one supersedes it in the mailbox."""

    record: OpenInterest


class TradesSeen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The trades of one asset in one read of one socket, in the order of the wire.

    Columns of one length: times in ms, prices in USD a coin, coins (positive where the taker bought, negative where he
    sold). They belong to the receiver: whoever sent them has let go of them. A struct, because it is made often.
    """

    asset: str
    venue: str
    received_ms: int
    times_ms: list[int]
    prices: list[float]
    coins: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteClosed:
    """A symbol stream's word to those who follow it, once a minute of event time."""

    minute: Minute


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsHealth:
    """How the feeds of one asset are, by venue and kind; a later word supersedes it in the mailbox."""

    asset: str
    feeds: Mapping[tuple[str, FeedKind], FeedHealth]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMarket:
    """Ask a symbol stream for `MarketView`. Only at a path that exists: a letter to another one starts a stream."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLiquidations:
    """Ask a symbol stream for its `LiquidationSums`. Asked of all streams at once, so it keeps no idle one alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireIfIdle:
    """To a stream outside the universe: end if nobody has needed it for `idle_s` market seconds."""

    idle_s: float
