"""Everything one actor says to another. Facts are past participles, requests imperatives; all are immutable values.

Which lane a message travels on is said where it is sent; liquidations and alerts are always urgent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from actors.exchanges.exchange import Instrument
from actors.feed_tally import Heard
from charts.requests import ChartRequest
from intelligence.alerts import Alert, AlertKind, Severity
from intelligence.clock_offset import ClockSeen
from intelligence.feed_health import FeedHealth, FeedKind
from intelligence.gates import Preferences
from intelligence.history import BarSpan, History, Missing, OpenInterestSpan
from intelligence.margin_tiers import MarginTiers
from intelligence.market import Liquidation, MarkPrice, OpenInterest
from intelligence.market_cap import CoinCap
from intelligence.minute import Minute
from intelligence.near_misses import NearMiss
from intelligence.outcomes.scores import Scores
from intelligence.outcomes.selection import Selected, Selection
from intelligence.preferences import Change
from intelligence.silent_feeds import Subscription
from intelligence.tape import PackedTape
from intelligence.thresholds.records import AssetThresholds
from intelligence.zones.view import ZonesView

# -- feeds to symbol streams ----------------------------------------------------------------------------------------


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
class ThresholdsSet:
    """What an asset is judged by from now on, to its symbol stream; sent with `retain`, for a successor."""

    thresholds: AssetThresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCapWanted:
    """Ask for `MarketCapKnown`, if anything is known of that asset."""

    asset: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCapKnown:
    """Coins that are called like an asset, the largest first; which of them it is the price tells."""

    asset: str
    coins: tuple[CoinCap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTiersWanted:
    """Ask a venue's reader for `MarginTiersTold`, if anything is known of that asset."""

    asset: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTiersTold:
    """What a venue asked of positions in an asset at `at_ms`."""

    tiers: MarginTiers
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesWanted:
    """Ask an asset's zone watch for `ZonesTold`. Only at a path that exists: a letter to another one starts a watch."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesTold:
    """`view` is None before the first minute."""

    view: ZonesView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMarket:
    """Ask a symbol stream for `MarketView`. Only at a path that exists: a letter to another one starts a stream."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeWanted:
    """Ask a symbol stream for `PackedTape`, for pictures: the answer, or told to `path` as `TapeTold`. Only at a path that
    exists, like `AskMarket`.
    """

    period_s: int
    path: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTold:
    """`key` is the asker's own."""

    tape: PackedTape
    key: str


# -- pictures -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartWanted:
    """Ask for a picture: `ChartDrawn` or `ChartNotDrawn` is the answer, and told to `path` if there is one. Nobody wants it
    any more after `until_s` (machine seconds).
    """

    request: ChartRequest
    until_s: float
    path: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDrawn:
    """`key` is the asker's own."""

    png: bytes
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartNotDrawn:
    """`reason` is for people."""

    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHistory:
    """Ask a symbol stream for all it knows of its asset's past, answered with `History`; only at a path that exists."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLiquidations:
    """Ask a symbol stream for its `LiquidationSums`. Asked of all streams at once, so it keeps no idle one alive."""


# -- the past, asked for by REST --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySeen:
    """What one venue answered for a span of one asset's past, from its backfill to the symbol stream."""

    asset: str
    span: BarSpan | OpenInterestSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingHistoryWanted:
    """Ask a symbol stream for `HistoryMissing`, told to `path`."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMissing:
    """What a symbol stream's history lacks now."""

    asset: str
    missing: Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWanted:
    """Ask a symbol stream for `HistoryTold`, told to `path`: for those who follow an asset outside of its stream."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTold:
    """All that a symbol stream knows of its asset's past, as one immutable value."""

    asset: str
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsOffered:
    """The assets whose bars a venue's backfill can bring, none while it cannot ask; to the backfills of the others."""

    venue: str
    assets: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsHealth:
    """How the feeds of one asset are, by venue and kind; a later word supersedes it in the mailbox."""

    asset: str
    feeds: Mapping[tuple[str, FeedKind], FeedHealth]


# -- the feed watch -----------------------------------------------------------------------------------------------------


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


# -- feeds, catalogues and the venue monitor --------------------------------------------------------------------------


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
class RetireIfIdle:
    """To a stream outside the universe: end if nobody has needed it for `idle_s` market seconds."""

    idle_s: float


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


# -- self-tests ---------------------------------------------------------------------------------------------------------


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


# -- detection to delivery --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """A detector's word to the dispatcher; `alert.stage` says whether it is new, grown or over."""

    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesQueued:
    """There is something in the outbox for this notifier. It reads the rows itself; repeats are harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNow:
    """The outbox cannot be written: deliver this alert from memory, once, best effort."""

    alert: Alert
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMissesSeen:
    """What came near to an alert of one asset in a minute."""

    found: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivered:
    """An alert's start has just arrived in a Telegram chat, as `message_id`. `send_to`: the id the chat has now."""

    alert: Alert
    chat_id: int
    send_to: int
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCharged:
    """Somebody other than the notifier has sent a message to this chat. `wait_s`: what Telegram asked to wait then."""

    chat_id: int
    wait_s: float = 0.0


# -- what followed an alert ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDecided:
    """A new alert, and who is told of it, from the dispatcher to the outcome ledger. `held`: the gates, where it is held
    back; `awaited`: somebody is to be told.
    """

    alert: Alert
    decided_ms: int
    awaited: bool
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMade:
    """The start of an alert has reached a target, from its notifier to the outcome ledger."""

    alert_id: str
    target: str
    delivered_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresTold:
    """How the families of alerts have done, from the outcome ledger to notifiers; a later word replaces it."""

    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionSet:
    """What decides from now on which alerts are pushed, from the outcome ledger to the dispatcher; a later word replaces it."""

    selection: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class AskScores:
    """Ask the outcome ledger for `LedgerState`; only at a path that exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """`waiting`: alerts whose outcomes are not all there yet. `bars_from_ms`: since when prices are kept, None without any."""

    scores: Scores
    selection: Selection
    selected: Selected | None
    waiting: int
    bars_from_ms: int | None


# -- the command edge ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAlerts:
    """Switch the alerts of one chat on or off (stored); answered with `AlertsState`."""

    chat_id: int
    on: bool
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAlerts:
    """Ask for the alert state of one chat; answered with `AlertsState`."""

    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreferences:
    """Change one thing of what a chat has chosen (stored); answered with `AlertsState`."""

    chat_id: int
    change: Change
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """Store what `by` thinks of an alert; answered with `VotesState`. Replaces an earlier vote of the same user and chat."""

    alert_id: str
    chat_id: int
    by: int
    useful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesState:
    alert_id: str
    useful: int
    useless: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Let a family of alerts out of its trial, or back to it (stored); answered with `TrialsState`."""

    kind: AlertKind
    on: bool
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTrials:
    """Ask the dispatcher for `TrialsState`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsState:
    """The families that are on trial now, and those that were promoted."""

    on_trial: tuple[AlertKind, ...]
    promoted: tuple[AlertKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTest:
    """Send a chat a test alert of that severity, by the ways of real ones; answered with `TestPlanned`."""

    chat_id: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlanned:
    """`held`: the gate that keeps it from the chat, "" when it goes out; `silent` then says how."""

    __test__ = False

    held: str
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsState:
    """`since_ms`: when it was last changed by a person, None if never. `sent_24h`, `waiting`: this chat's deliveries."""

    chat_id: int
    on: bool
    since_ms: int | None
    sent_24h: int
    waiting: int
    preferences: Preferences


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSeen:
    """An authorised chat has written to us, so Telegram delivers to it again if it had refused to."""

    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer to an ask that cannot be granted now; `reason` is for people."""

    reason: str


# -- what survives a restart of the process ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointTaken:
    """What `owner` (a path) would need of one `part` of its state to go on in another process; replaces what was kept.

    `state`: an immutable value that msgspec can write, `schema` its version, `at_ms` when it was true (market time). After
    `horizon_s` it is worth nothing any more. `checkpoints.keep` sends it.
    """

    owner: str
    part: str
    schema: int
    at_ms: int
    horizon_s: float
    state: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWanted:
    """Ask for `CheckpointRestored`: what is kept of a `part` of `owner`, which is also where the answer goes."""

    owner: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRestored:
    """The answer to `CheckpointWanted`, always one: `state` is None where nothing is kept that can be trusted.

    `state` is msgpack of a value of that `schema`: `checkpoints.read` gives the value.
    """

    part: str
    schema: int = 0
    at_ms: int = 0
    state: bytes | None = None


# -- to supervisors -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutDown:
    """Stop everything below, by `deadline_s` (machine seconds), then end."""

    deadline_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenWanted:
    """The children that `owner` wants a dynamic supervisor to have: id and arguments. Replaces its earlier word."""

    owner: str
    children: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommand:
    """`restart`, `pause` or `resume` one child."""

    child_id: str
    command: str
    by: str
