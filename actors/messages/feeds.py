"""How feeds and venues are, what they list, and what their self-tests found."""

from dataclasses import dataclass

from actors.exchanges.exchange import Instrument
from actors.feed_tally import Heard
from intelligence.clock_offset import ClockSeen
from intelligence.feed_health import FeedHealth, FeedKind
from intelligence.market import Liquidation
from intelligence.silent_feeds import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHeard:
    """What one connection has heard since it said so last, and how its clocks are.

    `subscription`: None while no socket of it has subscribed. `now_ms`: market time of the report.
    """

    venue: str
    connection: str
    kinds: frozenset[FeedKind]
    subscription: Subscription | None
    heard: tuple[Heard, ...]
    clocks: tuple[ClockSeen, ...]
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedJudged:
    """How a connection's feeds are, apart from its transport. `mute`: the kinds of which nothing comes that should."""

    venue: str
    connection: str
    health: FeedHealth
    mute: tuple[FeedKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFoundSilent:
    """To a connection: a subscription that was accepted brings nothing, so connect and subscribe anew."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChanged:
    """A connection (or a catalogue: `connection="catalogue"`) changed its state.

    `state`: connecting, up, down, or refused (permanent, e.g. a geo block). `advice`: what the operator can do.
    """

    venue: str
    connection: str
    state: str
    brings_liquidations: bool
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsListed:
    """What a venue lists now, from its catalogue to its connections, which go on with their sockets."""

    venue: str
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsWanted:
    """Ask a catalogue for `InstrumentsListed`, if it has a list."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsDoubted:
    """The venue refused a subscription, so a contract may be gone: the catalogue reads the list again before its time."""

    venue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsWatched:
    """The assets of the universe from now on, to catalogues, which hand it on to their connections, to pollers and backfills.

    `rejected`: instruments of that venue that are not what their name says: whatever they bring is left out.
    `ranking`: the same assets, the most important first, for whoever takes them one after the other.
    """

    assets: frozenset[str]
    ranking: tuple[str, ...] = ()
    rejected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketsPlanned:
    """The connections that together bring a venue's liquidations: it is able to report when all of them are up.

    `others`: its further connections, which bring prices only.
    """

    venue: str
    connections: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchVenues:
    """Ask the venue monitor for `VenuesAble`, now and at every change."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuesAble:
    able: tuple[str, ...]
    configured: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationsTold:
    """What a venue's self-test looks at: liquidations of one read of one socket, as they were told.

    `read_by`: what the decoder that read them took for settled, pairs of conflict and verdict.
    """

    rows: tuple[Liquidation, ...]
    read_by: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConflicts:
    """Ask a venue's self-test for `ConflictsSettled`, now and at every change."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictsSettled:
    """What holds of a venue from now on. `settled`: pairs of conflict and verdict, none where all is open or open again.

    `excluded`: contracts whose size is in doubt, so that nothing counted in coins may be used.
    """

    venue: str
    settled: tuple[tuple[str, str], ...]
    excluded: frozenset[str] = frozenset()
