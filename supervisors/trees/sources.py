"""Where the data comes from: sockets, polls, backfills, self-tests and the universe, each venue apart."""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.backfill import Backfill
from actors.catalogue import Catalogue
from actors.connection import Connection, ConnectionRules
from actors.exchanges.exchange import MARKET_FEEDS, Feed
from actors.exchanges.registry import EXCHANGES, SELF_TESTS
from actors.exchanges.trial import TrialTimes
from actors.mailbox import MailboxSpec
from actors.oi_poller import OpenInterestPoller
from actors.self_test import SelfTestRules, VenueSelfTest
from actors.socket_reader import SocketRules
from actors.supervised import Supervised
from actors.universe import Universe
from config.settings import Settings, Venue
from supervisors.spec import IO, ChildSpec, SupervisorSpec
from supervisors.trees.pieces import arguments, backoff_of, rest_limits

FINAL_S = 0.45  # of everything that asks by REST: they end beside one another, and a call may be under way
MAX_SOCKETS = 128  # 500 assets on seven venues take about 60, most of them Bitget's


def feeds() -> SupervisorSpec:
    """The catalogues say which."""
    return SupervisorSpec(
        template=ChildSpec(id="feed", actor=Connection, profile=IO, final_s=0.6),
        max_children=MAX_SOCKETS,
        starts_per_s=5.0,
        quorum=0.8,
    )


def catalogues(venues: Mapping[str, Venue], settings: Settings) -> SupervisorSpec:
    children = tuple(_catalogue(name, venue, settings) for name, venue in venues.items())
    return SupervisorSpec(children=children, quorum=0.5)


def pollers(venues: Mapping[str, Venue], settings: Settings) -> SupervisorSpec:
    return SupervisorSpec(children=tuple(_poller(name, venue, settings) for name, venue in venues.items()))


def backfills(venues: Mapping[str, Venue], settings: Settings) -> SupervisorSpec:
    return SupervisorSpec(children=tuple(_backfill(name, venue, settings) for name, venue in venues.items()))


def self_tests(venues: Mapping[str, Venue], settings: Settings) -> SupervisorSpec:
    tested = {name: venue for name, venue in venues.items() if name in SELF_TESTS}
    return SupervisorSpec(children=tuple(_self_test(name, venue, settings) for name, venue in tested.items()))


def universe(venues: Mapping[str, Venue], settings: Settings) -> ChildSpec:
    """What it said last stays in force while it is down."""
    args = arguments(
        size=settings.assets.auto,
        always=tuple(settings.assets),
        venues={name: venue.rest_url for name, venue in venues.items()},
        limits=rest_limits(settings),
        backoff=backoff_of(settings),
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
        final_s=FINAL_S,
        mailbox=MailboxSpec(retain_max=2),
    )


def _asking(
    actor: type[Supervised], name: str, venue: Venue, settings: Settings, mailbox: MailboxSpec, **own: Any
) -> ChildSpec:
    """Somebody who asks one venue by REST and is of no use to detection; `own`: what only this actor takes."""
    args = arguments(
        venue=name, rest_url=venue.rest_url, limits=rest_limits(settings), backoff=backoff_of(settings), **own
    )
    return ChildSpec(
        id=name,
        actor=actor,
        args=args,
        profile=IO,
        required=False,
        stop_s=15.0,
        final_s=FINAL_S,
        mailbox=mailbox,
    )


def _backfill(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    return _asking(
        Backfill,
        name,
        venue,
        settings,
        MailboxSpec(retain_max=64),
        assets=tuple(settings.assets),
        refresh_s=settings.backfill.refresh_s,
        settle_s=settings.backfill.settle_s,
        stand_in_s=settings.backfill.stand_in_s,
    )


def _poller(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    return _asking(
        OpenInterestPoller,
        name,
        venue,
        settings,
        MailboxSpec(retain_max=2),
        assets=frozenset(settings.assets),
        poll_s=settings.oi.poll_s,
    )


def _self_test(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    tests = settings.self_tests
    times = TrialTimes(
        evidence_ms=int(1000 * tests.evidence_s),
        verify_ms=int(1000 * tests.verify_s),
        lapse_ms=int(1000 * tests.lapse_s),
    )
    return _asking(
        VenueSelfTest,
        name,
        venue,
        settings,
        MailboxSpec(max_age_s=60.0),
        assets=frozenset(settings.assets),
        rules=SelfTestRules(look_s=tests.look_s, units_s=tests.units_s, times=times),
    )


def _catalogue(name: str, venue: Venue, settings: Settings) -> ChildSpec:
    feeds, backoff = settings.feeds, backoff_of(settings)
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
        args=arguments(
            venue=name,
            ws_url=venue.ws_url,
            rest_url=venue.rest_url,
            assets=frozenset(settings.assets),
            feeds=MARKET_FEEDS if feeds.trades else MARKET_FEEDS - {Feed.TRADES},
            keepalive=keepalive,
            limits=rest_limits(settings),
            backoff=backoff,
            refresh_s=feeds.instruments_refresh_s,
            rules=ConnectionRules(
                socket=socket, backoff=backoff, dedup_s=feeds.dedup_s, clock_jump_ms=settings.health.clock_jump_ms
            ),
            apart=bool(settings.assets.auto),
        ),
        profile=IO,
        stop_s=30.0,
        final_s=FINAL_S,
        mailbox=MailboxSpec(retain_max=2),
    )
