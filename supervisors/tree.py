"""Our tree as data; the only file that names concrete actors. docs/architecture.md draws it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from actors import paths
from actors.backfill import Backfill
from actors.backoff import Backoff
from actors.catalogue import Catalogue
from actors.checkpoints import Checkpoints
from actors.connection import Connection, ConnectionRules
from actors.dispatcher import Dispatcher
from actors.exchanges.exchange import MARKET_FEEDS, Feed
from actors.exchanges.registry import EXCHANGES, SELF_TESTS
from actors.exchanges.trial import TrialTimes
from actors.feed_watch import FeedWatch
from actors.mailbox import MailboxSpec
from actors.near_miss_book import NEAR_MISSES
from actors.near_miss_keeper import NearMissKeeper
from actors.notifiers.terminal import TerminalNotifier
from actors.oi_poller import OpenInterestPoller
from actors.open_interest_watch import OpenInterestWatch
from actors.recording.recorder import Recorder
from actors.rest import RestLimits
from actors.self_test import SelfTestRules, VenueSelfTest
from actors.socket_reader import SocketRules
from actors.stream_memory import Keeping
from actors.symbol_stream import SymbolStream
from actors.universe import Universe
from actors.venue_monitor import VenueMonitor
from config.settings import Settings, Venue
from intelligence.alerts import Alert
from intelligence.minute_series import KEPT_MINUTES
from supervisors.features import features, followers
from supervisors.spec import BULKHEAD, CORE, IO, SUBTREE, ChildSpec, Restart, SupervisorSpec
from supervisors.supervisor import Supervisor

WORKERS = ("symbols", "open-interest", "thresholds")
MAX_SYMBOLS = 2_000
MAX_SOCKETS = 128  # 500 assets on seven venues take about 60, most of them Bitget's
RETAINED = 20_000  # liquidation letters an asset may keep for its successor: five minutes of the worst day
DATABASE = "foreshock.db"
STATE = "state.db"  # checkpoints: apart from alerts, which must not wait behind them
RECORDINGS = "recordings"  # the folder below the data directory
RECORDER_READS = 1_000  # that may wait to be written; of some 10 to 60 KB each

# The venues whose liquidations are judged as they come and that can therefore be able to report; Gate and Bitget join them
# once their self-tests have settled how its side and its amount are to be read (docs/venues.md). Hyperliquid has no public
# feed of them, Deribit marks a few trades. All bring prices and open interest.
REPORTING = ("binance", "bybit", "okx")
ONCE_SETTLED = ("gate", "bitget")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How this run shows itself. `simulation`, `replay`: every text says so. `telegram`: use it if a token is set. `console`: people
    read the terminal; `write` then takes a block of text without waiting, `colors` whether it may be coloured.
    `journal` gets every alert when it is raised, on the dispatcher's thread.
    """

    simulation: bool = False
    replay: bool = False
    telegram: bool = True
    console: bool = False
    colors: bool = False
    write: Callable[[str], bool] | None = None
    journal: Callable[[Alert], None] | None = None

    @property
    def market(self) -> str:
        """Whose data this run makes: alerts of one kind never meet those of another."""
        return "simulated" if self.simulation else "replayed" if self.replay else "live"

    @property
    def heading(self) -> str:
        return {"simulated": "SIMULATION", "replayed": "REPLAY"}.get(self.market, "")


def our_tree(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    """Consumers before producers: started in this order, stopped in reverse, so that alerts go out last."""
    telegram = presentation.telegram and bool(settings.telegram.token)
    children = [
        _subtree("notify", _notify(settings, presentation, telegram=telegram)),
        *(
            (_bulkhead("recording", _recording(settings, presentation), final_s=0.2),)
            if settings.recording.enabled
            else ()
        ),
        _subtree("core", _core(settings, presentation)),
    ]
    if optional := features(settings, limits=_rest_limits(settings), backoff=_backoff(settings)):
        children.append(_bulkhead("features", SupervisorSpec(children=optional)))
    if telegram:
        children.append(_bulkhead("edge", _edge(settings, presentation)))
    return SupervisorSpec(children=tuple(children), ordered=True)


def _subtree(child_id: str, spec: SupervisorSpec) -> ChildSpec:
    return ChildSpec(
        id=child_id, actor=Supervisor, args=_args(spec=spec), profile=SUBTREE, mailbox=MailboxSpec(retain_max=64)
    )


def _bulkhead(child_id: str, spec: SupervisorSpec, final_s: float = 0.5) -> ChildSpec:
    return ChildSpec(
        id=child_id, actor=Supervisor, args=_args(spec=spec), profile=BULKHEAD, required=False, final_s=final_s
    )


def _args(**values: Any) -> Mapping[str, Any]:
    return MappingProxyType(values)


# -- notify -----------------------------------------------------------------------------------------------------------


def _notify(settings: Settings, presentation: Presentation, *, telegram: bool) -> SupervisorSpec:
    outbox = settings.outbox
    storage = {"database": settings.data_dir / DATABASE, "heading": presentation.heading}
    terminal = ChildSpec(
        id="terminal",
        actor=TerminalNotifier,
        args=_args(
            **storage,
            busy_s=outbox.busy_s,
            reread_s=outbox.reread_s,
            console=presentation.console,
            colors=presentation.colors,
            write=presentation.write,
        ),
        profile=IO,
        drain=True,
        final_s=0.4,
    )
    dispatcher = ChildSpec(
        id="dispatcher",
        actor=Dispatcher,
        args=_args(
            **storage,
            outbox=outbox,
            chats=settings.telegram.authorized_users if telegram else (),
            notifiers=(paths.TERMINAL, paths.TELEGRAM) if telegram else (paths.TERMINAL,),
            brief_log=presentation.console,
            journal=presentation.journal,
            market_wide=settings.market_wide,
            watched=settings.assets.auto or len(settings.assets),
        ),
        profile=CORE,
        mailbox=MailboxSpec(retain_max=1),
        drain=True,
        final_s=0.5,
    )
    sender = (_telegram_sender(settings, storage),) if telegram else ()
    return SupervisorSpec(children=(terminal, *sender, dispatcher), ordered=True)


def _telegram_sender(settings: Settings, storage: Mapping[str, Any]) -> ChildSpec:
    from actors.notifiers.telegram import TelegramNotifier  # noqa: PLC0415 - only with a token

    args = _args(**storage, telegram=settings.telegram, outbox=settings.outbox, instance=settings.instance)
    return ChildSpec(id="telegram", actor=TelegramNotifier, args=args, profile=IO, stop_s=15.0, drain=True, final_s=2.5)


# -- recording --------------------------------------------------------------------------------------------------------


def _recording(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    recorder = ChildSpec(
        id="recorder",
        actor=Recorder,
        args=_args(
            folder=settings.data_dir / RECORDINGS,
            rules=settings.recording,
            market=presentation.market,
            venues=tuple(enabled_venues(settings)),
        ),
        profile=IO,
        required=False,
        drain=True,
        final_s=0.2,
        mailbox=MailboxSpec(data_max=RECORDER_READS, retain_max=1_000),
    )
    return SupervisorSpec(children=(recorder,))


# -- core -------------------------------------------------------------------------------------------------------------


def _core(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    venues = enabled_venues(settings)
    symbols = SupervisorSpec(
        template=ChildSpec(
            id="symbol",
            actor=SymbolStream,
            args=_args(
                keeping=Keeping(
                    every_s=settings.checkpoints.every_s, history_every_s=settings.checkpoints.history_every_s
                ),
                rules=settings.detection,
                followers=(paths.EXPLOSIONS, *followers(settings)),
                open_interest_stale_s=settings.health.open_interest_stale_s,
            ),
            profile=CORE,
            restart=Restart.TRANSIENT,
            worker="symbols",
            mailbox=MailboxSpec(retain_max=RETAINED),
            drain=True,
            final_s=0.7,
        ),
        on_demand=True,
        max_children=MAX_SYMBOLS,
        starts_per_s=500.0,
        quorum=0.8,
    )
    feeds = SupervisorSpec(
        template=ChildSpec(id="feed", actor=Connection, profile=IO, final_s=0.6),
        max_children=MAX_SOCKETS,
        starts_per_s=5.0,
        quorum=0.8,
    )
    catalogues = SupervisorSpec(
        children=tuple(_catalogue(name, venue, settings) for name, venue in venues.items()), quorum=0.5
    )
    monitor = ChildSpec(
        id="venues",
        actor=VenueMonitor,
        args=_args(
            configured=tuple(name for name in venues if name in REPORTING),
            watched=tuple(name for name in venues if name not in REPORTING),
            once_settled=frozenset(name for name in venues if name in ONCE_SETTLED),
            lost_after_s=settings.feeds.venue_lost_s,
        ),
        profile=CORE,
        final_s=0.1,
        mailbox=MailboxSpec(retain_max=1_000),
    )
    watch = ChildSpec(
        id="watch",
        actor=FeedWatch,
        args=_args(rules=settings.health),
        profile=IO,
        required=False,
        final_s=0.05,
    )
    pollers = SupervisorSpec(children=tuple(_poller(name, venue, settings) for name, venue in venues.items()))
    backfills = SupervisorSpec(children=tuple(_backfill(name, venue, settings) for name, venue in venues.items()))
    tested = {name: venue for name, venue in venues.items() if name in SELF_TESTS}
    self_tests = SupervisorSpec(children=tuple(_self_test(name, venue, settings) for name, venue in tested.items()))
    explosions = SupervisorSpec(
        template=ChildSpec(
            id="asset",
            actor=OpenInterestWatch,
            args=_args(rule=settings.oi.explosion, static=settings.detection.thresholds),
            profile=CORE,
            restart=Restart.TRANSIENT,
            worker="open-interest",
            mailbox=MailboxSpec(retain_max=KEPT_MINUTES),
            final_s=0.05,
        ),
        on_demand=True,
        max_children=MAX_SYMBOLS,
        starts_per_s=500.0,
        quorum=0.8,
    )
    children = (
        _checkpoints(settings, presentation),
        _near_misses(settings),
        _subtree("symbols", symbols),
        monitor,
        _bulkhead("explosions", explosions, final_s=0.05),
        watch,
        _bulkhead("self-tests", self_tests, final_s=0.1),
        _subtree("feeds", feeds),
        _bulkhead("oi", pollers, final_s=0.1),
        _bulkhead("backfill", backfills, final_s=0.05),
        _subtree("catalogues", catalogues),
        _universe(venues, settings),
    )
    return SupervisorSpec(children=children, ordered=True)


def _checkpoints(settings: Settings, presentation: Presentation) -> ChildSpec:
    """First, so that it ends last: at a stop the others hand in what they know."""
    chosen = settings.checkpoints
    args = _args(
        file=settings.data_dir / STATE,
        busy_s=chosen.busy_s,
        trial_s=chosen.trial_s,
        fresh=presentation.market != "live",
    )
    return ChildSpec(
        id="checkpoints",
        actor=Checkpoints,
        args=args,
        profile=IO,
        required=False,
        drain=True,
        final_s=0.5,
        mailbox=MailboxSpec(max_age_s=3600.0),
    )


def _near_misses(settings: Settings) -> ChildSpec:
    """Explains silences; of no use to any alert."""
    args = _args(
        file=settings.data_dir / NEAR_MISSES, busy_s=settings.outbox.busy_s, keep_days=settings.outbox.keep_days
    )
    return ChildSpec(
        id="near-misses",
        actor=NearMissKeeper,
        args=args,
        profile=IO,
        required=False,
        drain=True,
        final_s=0.05,
    )


def enabled_venues(settings: Settings) -> dict[str, Venue]:
    return {name: venue for name in EXCHANGES if (venue := getattr(settings.venues, name)).enabled}


def _backoff(settings: Settings) -> Backoff:
    feeds = settings.feeds
    return Backoff(base_s=feeds.reconnect_base_s, factor=feeds.reconnect_factor, cap_s=feeds.reconnect_cap_s)


def _rest_limits(settings: Settings) -> RestLimits:
    rest = settings.rest
    return RestLimits(
        connect_s=rest.connect_timeout_s,
        read_s=rest.read_timeout_s,
        total_s=rest.total_timeout_s,
        max_bytes=rest.max_bytes,
    )


def _universe(venues: Mapping[str, Venue], settings: Settings) -> ChildSpec:
    """What it said last stays in force while it is down."""
    args = _args(
        size=settings.assets.auto,
        always=tuple(settings.assets),
        venues={name: venue.rest_url for name, venue in venues.items()},
        limits=_rest_limits(settings),
        backoff=_backoff(settings),
        rerank_s=settings.universe.rerank_s,
        check_s=settings.universe.check_s,
        settle_s=settings.universe.settle_s,
        idle_s=settings.universe.idle_s,
    )
    return ChildSpec(
        id="universe",
        actor=Universe,
        args=args,
        profile=IO,
        required=False,
        stop_s=30.0,
        final_s=0.1,
        mailbox=MailboxSpec(retain_max=2),
    )


def _backfill(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    args = _args(
        venue=name,
        rest_url=venue.rest_url,
        limits=_rest_limits(settings),
        backoff=_backoff(settings),
        assets=tuple(settings.assets),
        refresh_s=settings.backfill.refresh_s,
        settle_s=settings.backfill.settle_s,
        stand_in_s=settings.backfill.stand_in_s,
    )
    return ChildSpec(
        id=name,
        actor=Backfill,
        args=args,
        profile=IO,
        required=False,
        stop_s=15.0,
        final_s=0.05,
        mailbox=MailboxSpec(retain_max=64),
    )


def _poller(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    args = _args(
        venue=name,
        rest_url=venue.rest_url,
        limits=_rest_limits(settings),
        backoff=_backoff(settings),
        assets=frozenset(settings.assets),
        poll_s=settings.oi.poll_s,
    )
    return ChildSpec(
        id=name,
        actor=OpenInterestPoller,
        args=args,
        profile=IO,
        required=False,
        stop_s=15.0,
        final_s=0.1,
        mailbox=MailboxSpec(retain_max=2),
    )


def _self_test(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    tests = settings.self_tests
    times = TrialTimes(
        evidence_ms=int(1000 * tests.evidence_s),
        verify_ms=int(1000 * tests.verify_s),
        lapse_ms=int(1000 * tests.lapse_s),
    )
    args = _args(
        venue=name,
        rest_url=venue.rest_url,
        limits=_rest_limits(settings),
        backoff=_backoff(settings),
        assets=frozenset(settings.assets),
        rules=SelfTestRules(look_s=tests.look_s, units_s=tests.units_s, times=times),
    )
    return ChildSpec(
        id=name,
        actor=VenueSelfTest,
        args=args,
        profile=IO,
        required=False,
        stop_s=15.0,
        final_s=0.05,
        mailbox=MailboxSpec(max_age_s=60.0),
    )


def _catalogue(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    feeds, backoff = settings.feeds, _backoff(settings)
    socket = SocketRules(
        connect_timeout_s=feeds.connect_timeout_s,
        subscribe_ack_s=feeds.subscribe_ack_s,
        max_frame_bytes=feeds.max_frame_bytes,
        gather_s=feeds.gather_s,
    )
    keepalive = msgspec.structs.replace(
        EXCHANGES[name].keepalive, every_s=venue.ping_every_s, silent_s=venue.silence_s, max_age_s=venue.max_age_s
    )
    return ChildSpec(
        id=name,
        actor=Catalogue,
        args=_args(
            venue=name,
            ws_url=venue.ws_url,
            rest_url=venue.rest_url,
            assets=frozenset(settings.assets),
            feeds=MARKET_FEEDS if feeds.trades else MARKET_FEEDS - {Feed.TRADES},
            keepalive=keepalive,
            limits=_rest_limits(settings),
            backoff=backoff,
            refresh_s=feeds.instruments_refresh_s,
            rules=ConnectionRules(
                socket=socket, backoff=backoff, dedup_s=feeds.dedup_s, clock_jump_ms=settings.health.clock_jump_ms
            ),
            apart=bool(settings.assets.auto),
        ),
        profile=IO,
        stop_s=30.0,
        final_s=0.25,
        mailbox=MailboxSpec(retain_max=2),
    )


# -- edge -------------------------------------------------------------------------------------------------------------


def _edge(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    from actors.telegram.commands import TelegramCommands  # noqa: PLC0415 - only with a token: it costs 17 MB

    commands = ChildSpec(
        id="commands",
        actor=TelegramCommands,
        args=_args(telegram=settings.telegram, status_dir=str(settings.data_dir), heading=presentation.heading),
        profile=IO,
        required=False,
        final_s=0.5,
    )
    return SupervisorSpec(children=(commands,))
