"""From what is silent and how clocks go to how feeds are, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from intelligence.clock_offset import ClockSeen
from intelligence.feed_health import FeedHealth, FeedKind, Health, worst
from intelligence.silent_feeds import SENTINEL, Silent

HEALTHY = FeedHealth(Health.HEALTHY)
_NAMED = 3  # so many sources by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What is known of one connection beside what it is silent about."""

    venue: str
    connection: str
    kinds: frozenset[FeedKind]
    up: bool
    clocks: tuple[ClockSeen, ...] = ()


def words(silent: Silent) -> str:
    """Say what stays away since when."""
    source = silent.source
    of = f" of {source.instrument or source.asset}" if source.asset else ""
    never = "" if source.connection else " came"
    since = datetime.fromtimestamp(silent.since_ms / 1000, UTC)
    return f"no {source.kind.one}{of}{never} since {since:%H:%M:%S} UTC"


def concerns(silent: Silent, connection: Transport) -> bool:
    """Whether this connection brings it, or may have to."""
    source = silent.source
    if source.connection:
        return source.connection == connection.connection
    return source.venue == connection.venue and source.kind in connection.kinds


def is_mute(silent: Silent) -> bool:
    """Whether all of a kind stays away, or what stands for all of it."""
    source = silent.source
    return not source.asset or (source.kind is FeedKind.LIQUIDATIONS and source.asset == SENTINEL)


def of_connection(connection: Transport, silent: Iterable[Silent]) -> tuple[FeedHealth, tuple[FeedKind, ...]]:
    """How a connection that is up does, and the kinds that it does not bring."""
    found = [one for one in silent if concerns(one, connection)]
    mute = [one for one in found if is_mute(one)]
    if mute:
        kinds = tuple(sorted({one.source.kind for one in mute}))
        return FeedHealth(Health.STALE, "; ".join(words(one) for one in mute[:_NAMED])), kinds
    jumped = [_jump(clock) for clock in connection.clocks if clock.jumped]
    whys = [*(words(one) for one in found[:_NAMED]), *jumped]
    if len(found) > _NAMED:
        whys.append(f"{len(found) - _NAMED} more silent")
    return (FeedHealth(Health.DEGRADED, "; ".join(whys)) if whys else HEALTHY), ()


def of_feeds(
    connections: Iterable[Transport], silent: Iterable[Silent], asset: str
) -> Mapping[tuple[str, FeedKind], FeedHealth]:
    """How every venue's feeds are for one asset; a venue that plans no such feed has no entry."""
    bringing: dict[tuple[str, FeedKind], list[Transport]] = {}
    for connection in connections:
        for kind in connection.kinds:
            bringing.setdefault((connection.venue, kind), []).append(connection)
    silences: dict[tuple[str, FeedKind], list[Silent]] = {}
    for one in silent:
        if one.source.asset in {"", asset}:
            silences.setdefault((one.source.venue, one.source.kind), []).append(one)
    return {key: _of_feed(key[1], bringing[key], silences.get(key, ())) for key in sorted(bringing)}


def _of_feed(kind: FeedKind, connections: list[Transport], silent: Iterable[Silent]) -> FeedHealth:
    down = [connection.connection for connection in connections if not connection.up]
    if len(down) == len(connections):
        return FeedHealth(Health.DOWN, f"{', '.join(down)} not connected")
    found = [
        # One silent socket of several leaves open whether this asset is on it; its own instrument says so if it is.
        FeedHealth(Health.STALE if one.source.asset or len(connections) == 1 else Health.DEGRADED, words(one))
        for one in silent
    ]
    if down:
        found.append(FeedHealth(Health.DEGRADED, f"{', '.join(down)} not connected"))
    for connection in connections:
        found += [
            FeedHealth(Health.DEGRADED, _jump(clock))
            for clock in connection.clocks
            if clock.jumped and clock.kind is kind
        ]
    return worst(found)


def _jump(clock: ClockSeen) -> str:
    return f"times of {clock.kind.one}s jumped"
