"""Core detection: one stream an asset, and what keeps, watches and explains it."""

from actors import paths
from actors.checkpoints import Checkpoints
from actors.feed_watch import FeedWatch
from actors.mailbox import MailboxSpec
from actors.near_miss_book import NEAR_MISSES
from actors.near_miss_keeper import NearMissKeeper
from actors.open_interest_watch import OpenInterestWatch
from actors.stream_memory import Keeping
from actors.symbol_stream import SymbolStream
from actors.venue_monitor import VenueMonitor
from config.settings import Settings
from intelligence.minute_series import KEPT_MINUTES
from supervisors.features import followers, listeners
from supervisors.spec import CORE, IO, ChildSpec, Restart, SupervisorSpec
from supervisors.trees import sources
from supervisors.trees.pieces import arguments, bulkhead, enabled_venues, subtree
from supervisors.trees.presentation import STATE, Presentation

MAX_SYMBOLS = 2_000
POLLS_FINAL_S = 0.5
WATCHES_FINAL_S = 0.3
RETAINED = 20_000  # liquidation letters an asset may keep for its successor: five minutes of the worst day

# The venues whose liquidations are judged as they come and that can therefore be able to report; Gate and Bitget join them
# once their self-tests have settled how its side and its amount are to be read (docs/venues.md). Hyperliquid has no public
# feed of them, Deribit marks a few trades. All bring prices and open interest.
REPORTING = ("binance", "bybit", "okx")
ONCE_SETTLED = ("gate", "bitget")


def core(settings: Settings, presentation: Presentation) -> SupervisorSpec:
    venues = enabled_venues(settings)
    polls = SupervisorSpec(
        children=(
            subtree("catalogues", sources.catalogues(venues, settings)),
            bulkhead("oi", sources.pollers(venues, settings), final_s=POLLS_FINAL_S),
            bulkhead("backfill", sources.backfills(venues, settings), final_s=POLLS_FINAL_S),
            bulkhead("self-tests", sources.self_tests(venues, settings), final_s=POLLS_FINAL_S),
            sources.universe(venues, settings),
        ),
        quorum=0.5,
    )
    watches = SupervisorSpec(
        children=(
            bulkhead("explosions", _explosions(settings), final_s=WATCHES_FINAL_S),
            _watch(settings),
        )
    )
    children = (
        _checkpoints(settings, presentation),
        _near_misses(settings),
        subtree("symbols", _symbols(settings)),
        _monitor(settings, tuple(venues)),
        bulkhead("watches", watches, final_s=WATCHES_FINAL_S + 0.05),
        subtree("feeds", sources.feeds()),
        subtree("polls", polls),
    )
    return SupervisorSpec(children=children, ordered=True)


def _symbols(settings: Settings) -> SupervisorSpec:
    checkpoints = settings.checkpoints
    stream = ChildSpec(
        id="symbol",
        actor=SymbolStream,
        args=arguments(
            keeping=Keeping(every_s=checkpoints.every_s, history_every_s=checkpoints.history_every_s),
            rules=settings.detection,
            followers=(paths.EXPLOSIONS, *followers(settings)),
            listeners=listeners(settings),
            open_interest_stale_s=settings.health.open_interest_stale_s,
        ),
        profile=CORE,
        restart=Restart.TRANSIENT,
        worker="symbols",
        mailbox=MailboxSpec(retain_max=RETAINED),
        drain=True,
        final_s=0.7,
    )
    return _one_an_asset(stream)


def _explosions(settings: Settings) -> SupervisorSpec:
    watch = ChildSpec(
        id="asset",
        actor=OpenInterestWatch,
        args=arguments(rule=settings.oi.explosion, static=settings.detection.thresholds),
        profile=CORE,
        restart=Restart.TRANSIENT,
        worker="open-interest",
        mailbox=MailboxSpec(retain_max=KEPT_MINUTES),
        final_s=WATCHES_FINAL_S - 0.05,
    )
    return _one_an_asset(watch)


def _one_an_asset(template: ChildSpec) -> SupervisorSpec:
    return SupervisorSpec(template=template, on_demand=True, max_children=MAX_SYMBOLS, starts_per_s=500.0, quorum=0.8)


def _monitor(settings: Settings, venues: tuple[str, ...]) -> ChildSpec:
    return ChildSpec(
        id="venues",
        actor=VenueMonitor,
        args=arguments(
            configured=tuple(name for name in venues if name in REPORTING),
            watched=tuple(name for name in venues if name not in REPORTING),
            once_settled=frozenset(name for name in venues if name in ONCE_SETTLED),
            lost_after_s=settings.feeds.venue_lost_s,
        ),
        profile=CORE,
        final_s=0.1,
        mailbox=MailboxSpec(retain_max=1_000),
    )


def _watch(settings: Settings) -> ChildSpec:
    return ChildSpec(
        id="feeds",
        actor=FeedWatch,
        args=arguments(rules=settings.health),
        profile=IO,
        required=False,
        final_s=WATCHES_FINAL_S,
    )


def _checkpoints(settings: Settings, presentation: Presentation) -> ChildSpec:
    """First, so that it ends last: at a stop the others hand in what they know."""
    chosen = settings.checkpoints
    args = arguments(
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
    args = arguments(
        file=settings.data_dir / NEAR_MISSES, busy_s=settings.outbox.busy_s, keep_days=settings.outbox.keep_days
    )
    return ChildSpec(
        id="near-misses",
        actor=NearMissKeeper,
        args=args,
        profile=IO,
        required=False,
        drain=True,
        final_s=0.1,
    )
