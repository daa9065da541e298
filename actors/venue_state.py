"""What is known of one venue: its connections, what the feed watch says of them, and what people were told last."""

from dataclasses import dataclass, field

from actors.messages.feeds import ConnectionChanged, FeedJudged
from intelligence.alerts import Alert
from intelligence.feed_health import FeedHealth, FeedKind, Health

STALE_S = (
    150.0  # a connection tells its state, and the feed watch its verdict, every 60 s; later nobody knows how it is
)


@dataclass(slots=True)
class VenueState:
    """`reports`: its liquidations are judged; without, it brings prices and open interest only.

    `planned`: the connections that bring its liquidations, None until it is known; `others`: its further ones. `heard_s`:
    when each connection told its state last, machine time; `judged`: the last verdict on each, and when.
    """

    reports: bool
    states: dict[str, str] = field(default_factory=dict)
    heard_s: dict[str, float] = field(default_factory=dict)
    judged: dict[str, tuple[FeedJudged, float]] = field(default_factory=dict)
    planned: tuple[str, ...] | None = None
    others: tuple[str, ...] = ()
    sound: bool = False
    told: Alert | None = None
    reason: str = ""
    advice: str = ""

    def take_state(self, changed: ConnectionChanged, now_s: float) -> None:
        self.states[changed.connection] = changed.state
        self.heard_s[changed.connection] = now_s
        if changed.state in {"down", "refused"}:
            self.reason, self.advice = changed.reason, changed.advice

    def is_sound(self, now_s: float) -> bool:
        """Whether it brings what it is wanted for: all of its liquidations if it reports, else whatever it is asked for."""
        needed = (self.planned or ()) if self.reports else self._connections()
        kinds = {FeedKind.LIQUIDATIONS} if self.reports else set(FeedKind)
        return bool(needed) and all(
            self.states.get(name) == "up" and not kinds.intersection(self._verdict(name, now_s).mute) for name in needed
        )

    def brings_something(self) -> bool:
        return any(self.states.get(name) == "up" for name in self._connections())

    def why_not_sound(self, now_s: float) -> str:
        """Why it is not, for people; what is silent first, because its connection is up and says nothing."""
        mute = [verdict.health.why for name in self._up() if (verdict := self._verdict(name, now_s)).mute]
        return "; ".join(mute) or self.reason.replace("_", " ") or "no connection yet"

    def health(self, now_s: float) -> str:
        """Tell `healthy`, `degraded` (parts are missing, or doubted by the feed watch), `stale` (nobody has told lately, or
        nothing comes) or `down`, and which connections that is about.
        """
        up = self._up()
        if not up:
            return Health.DOWN
        verdicts = {name: self._verdict(name, now_s).health.state for name in up}
        unheard = [name for name in up if now_s - self.heard_s.get(name, 0.0) > STALE_S]
        stale = sorted({*unheard, *(name for name, state in verdicts.items() if state is Health.STALE)})
        if stale:
            return f"{Health.STALE} ({', '.join(stale)})"
        missing = [name for name in self._connections() if name not in up or verdicts[name] is Health.DEGRADED]
        return f"{Health.DEGRADED} ({', '.join(missing)})" if missing else Health.HEALTHY

    def _connections(self) -> tuple[str, ...]:
        return (*(self.planned or ()), *self.others)

    def _up(self) -> list[str]:
        return [name for name in self._connections() if self.states.get(name) == "up"]

    def _verdict(self, connection: str, now_s: float) -> FeedJudged:
        judged, at_s = self.judged.get(connection, (None, 0.0))
        return judged if judged is not None and now_s - at_s <= STALE_S else _unjudged(connection)


def _unjudged(connection: str) -> FeedJudged:
    return FeedJudged(venue="", connection=connection, health=FeedHealth(Health.HEALTHY))
