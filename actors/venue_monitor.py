"""Which venues are able to report liquidations now, and which bring prices: people are told of a loss once."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from actors import paths
from actors.messages.alerts import AlertRaised
from actors.messages.feeds import (
    ConflictsSettled,
    ConnectionChanged,
    FeedJudged,
    SocketsPlanned,
    VenuesAble,
    WatchVenues,
)
from actors.supervised import Supervised
from actors.venue_state import VenueState
from intelligence.alerts import Alert, AlertKind, Severity, Stage, stable_id
from intelligence.market import Coverage

NOTE_S = 10.0
BLIND_S = 30.0  # supervision.md 19.1: not working for longer than that is unhealthy
RETAINED_AT_EASE = 600  # messages; more than the subjects there are, less than the mailbox retains


@dataclass(frozen=True, slots=True)
class _StillLost:
    venue: str


@dataclass(frozen=True, slots=True)
class _StillBlind:
    """No venue has been able to report for BLIND_S."""


@dataclass(frozen=True, slots=True)
class _Note:
    pass


@dataclass(frozen=True, slots=True)
class _Told:
    """What people were told last of a venue; None when they know that it is back. Retained for a successor."""

    venue: str
    alert: Alert | None


class VenueMonitor(Supervised):
    """Collects the states of connections and tells whoever watches which venues are able to report.

    What it hears is sent with `retain`, so a successor knows the states and what people were told, and tells nothing
    twice. `configured` are the venues whose liquidations are judged; `watched` further ones bring prices, and what else
    they bring is in doubt or not public: they are not counted as able to report. Those `once_settled` are configured as long
    as their self-test has settled how their liquidations are to be read. A venue of which the feed watch finds that what is
    wanted of it stays away is lost like one that is not connected.
    """

    def init(
        self,
        *,
        configured: tuple[str, ...],
        lost_after_s: float,
        watched: tuple[str, ...] = (),
        once_settled: frozenset[str] = frozenset(),
    ) -> None:
        self._configured, self._once_settled = configured, once_settled
        self._lost_after_s = lost_after_s
        self._venues = {name: VenueState(reports=name in configured) for name in (*configured, *watched)}
        self._watchers: set[str] = set()
        self._blind = False
        self._judge_itself()
        self.timer.every("note", NOTE_S, _Note())
        for name in self._venues:
            self.timer.once(f"lost-{name}", lost_after_s, _StillLost(name))

    def recover(self, retained: tuple[Any, ...]) -> None:
        for message in retained:
            self._learn(message)
        for name in self._venues:
            self._judge(name)
        self._tell_watchers()

    def handle(self, message: Any) -> None:
        match message:
            case WatchVenues(path=path):
                self._learn(message)
                self.send(path, self._able())
            case SocketsPlanned(venue=venue) | ConnectionChanged(venue=venue) | FeedJudged(venue=venue):
                self._learn(message)
                if self._judge(venue):
                    self._tell_watchers()
                if isinstance(message, ConnectionChanged) and message.state == "refused":
                    self._tell_lost(venue)
            case ConflictsSettled():
                self._take_verdict(message)
            case _StillLost(venue=venue):
                self._tell_lost(venue)
            case _StillBlind():
                self.judge_itself("unhealthy", f"no venue has been able to report for {BLIND_S:g} s")
            case _Note():
                self._look_again()
            case _:
                super().handle(message)
        self._keep_newest()

    def _look_again(self) -> None:
        """Take up what time alone has changed: verdicts grow old."""
        changed = [name for name in self._venues if self._judge(name)]
        if changed:
            self._tell_watchers()
        self._write_note()

    def _judge_itself(self) -> None:
        """The daemon sees the market through its venues: without any it is blind, however well its actors are."""
        lost = [name for name in self._configured if not self._venues[name].sound]
        blind = bool(self._configured) and len(lost) == len(self._configured)
        if not blind:
            self.timer.cancel("blind")
            self.judge_itself(*(("degraded", f"not able to report: {', '.join(lost)}") if lost else ("healthy",)))
        elif not self._blind:
            self.judge_itself("degraded", "no venue is able to report")
            self.timer.once("blind", BLIND_S, _StillBlind())
        self._blind = blind

    def _learn(self, message: Any) -> None:
        match message:
            case WatchVenues(path=path):
                self._watchers.add(path)
            case SocketsPlanned(venue=venue, connections=connections, others=others):
                self._venues[venue].planned, self._venues[venue].others = connections, others
            case ConnectionChanged():
                self._venues[message.venue].take_state(message, self.system.clock.monotonic())
            case FeedJudged(connection=connection):
                self._venues[message.venue].judged[connection] = (message, self.system.clock.monotonic())
            case _Told(venue=name, alert=alert):
                self._venues[name].told = alert
            case ConflictsSettled(venue=name, settled=settled) if name in self._once_settled:
                chosen = {*self._configured, name} if settled else {*self._configured} - {name}
                self._configured = tuple(venue for venue in self._venues if venue in chosen)
                self._venues[name].reports = name in chosen

    def _take_verdict(self, message: ConflictsSettled) -> None:
        """Let a venue join those that are able to report, or leave them."""
        before, name = self._configured, message.venue
        self._learn(message)
        if self._configured == before:
            return
        self.timer.once(f"lost-{name}", self._lost_after_s, _StillLost(name))
        if name not in self._configured:
            self._tell_back(name, f"{_shown(name)} does not count any more: how to read it is in doubt again")
        self._judge(name)
        self._judge_itself()
        self._tell_watchers()

    def _keep_newest(self) -> None:
        """Drop retained messages that a newer one has replaced, before the oldest would have to go."""
        if len(self.retained) < RETAINED_AT_EASE:
            return
        newest: dict[Hashable, Any] = {}
        for message in self.retained:
            newest.pop(_subject(message), None)
            newest[_subject(message)] = message
        self.retained.clear()
        self.retained.extend(newest.values())

    def _able(self) -> VenuesAble:
        able = tuple(name for name in self._configured if self._venues[name].sound)
        return VenuesAble(able=able, configured=self._configured)

    def _judge(self, name: str) -> bool:
        """Take up whether a venue brings what is wanted of it; True when that changes who is able to report."""
        venue = self._venues[name]
        now_s = self.system.clock.monotonic()
        if (sound := venue.is_sound(now_s)) == venue.sound:
            return False
        venue.sound = sound
        self._judge_itself()
        if sound:
            venue.reason = venue.advice = ""
            self.timer.cancel(f"lost-{name}")
            self.log.info("venue_able", venue=name)
            self._tell_back(name)
        else:
            self.log.warning("venue_lost", venue=name, reason=venue.why_not_sound(now_s))
            self.timer.once(f"lost-{name}", self._lost_after_s, _StillLost(name))
        return venue.reports

    def _tell_watchers(self) -> None:
        message = self._able()
        self._write_note()
        for path in self._watchers:
            self.send(path, message)

    def _write_note(self) -> None:
        """How every venue is; those that are not healthy by name."""
        able, now_s = self._able(), self.system.clock.monotonic()
        healths = {name: venue.health(now_s) for name, venue in self._venues.items()}
        others = "".join(f", {name} {health}" for name, health in healths.items() if health != "healthy")
        self.note(f"{len(able.able)} of {len(able.configured)} venues able to report{others}"[:300])

    # -- telling people -----------------------------------------------------------------------------------------------

    def _tell_lost(self, name: str) -> None:
        venue = self._venues[name]
        if venue.sound or venue.told is not None:
            return
        reason = venue.why_not_sound(self.system.clock.monotonic())
        now_ms = self.now_ms
        refused = "refused" in venue.states.values()
        venue.told = Alert(
            # A refusal is the same at every start, and told once; a loss is an event of its own.
            alert_id=stable_id("feed_health", name, venue.reason if refused else now_ms),
            kind=AlertKind.FEED_HEALTH,
            asset=name.upper(),
            severity=Severity.P2,
            exchange_ms=now_ms,
            detected_ms=now_ms,
            value=0.0,
            threshold=0.0,
            threshold_source="static",
            coverage=Coverage.COMPLETE,
            text=f"{_shown(name)} {_missing(venue)}: {reason}\n{venue.advice}".strip(),
            venues_able=self._able().able,
            venues_configured=self._configured,
            venue=name,
            started_ms=now_ms,
        )
        self.retained.append(_Told(name, venue.told))
        self.send(paths.DISPATCHER, AlertRaised(alert=venue.told), redeliver=True)

    def _tell_back(self, name: str, text: str = "") -> None:
        venue = self._venues[name]
        told, venue.told = venue.told, None
        if told is None:
            return
        self.retained.append(_Told(name, None))
        minutes = (self.now_ms - told.exchange_ms) / 60_000
        text = text or f"{_shown(name)} {_brought(venue)} again, after {minutes:.0f} min"
        ended = _ended(told, text, self.now_ms, self._able().able)
        self.send(paths.DISPATCHER, AlertRaised(alert=ended), redeliver=True)


def _ended(told: Alert, text: str, now_ms: int, able: tuple[str, ...]) -> Alert:
    return replace(told, stage=Stage.ENDED, ended_ms=now_ms, detected_ms=now_ms, text=text, venues_able=able)


def _missing(venue: VenueState) -> str:
    if venue.reports:
        return "cannot report liquidations"
    return f"brings {'only a part of its' if venue.brings_something() else 'no'} prices and open interest"


def _brought(venue: VenueState) -> str:
    return "reports liquidations" if venue.reports else "brings prices and open interest"


def _subject(message: Any) -> Hashable:
    """What a message is about: a later one about the same replaces it."""
    match message:
        case WatchVenues(path=path):
            return path
        case ConnectionChanged(venue=venue, connection=connection) | FeedJudged(venue=venue, connection=connection):
            return type(message), venue, connection
        case _:
            return type(message), message.venue


def _shown(venue: str) -> str:
    return venue.upper() if len(venue) <= 3 else venue.capitalize()
