"""The process-wide tables: places (addresses), live incarnations, dead letters, status. One writer per key."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from actors.clock import AnyClock
from actors.mailbox import AnyFuture, Lane, Letter, Mailbox, MailboxSpec, Unavailable, new_future
from actors.messages.supervision import ChildExited, ChildWanted

if TYPE_CHECKING:
    from actors.supervised import Supervised
    from actors.worker import AnyWorker

log = structlog.get_logger("actors.system")

DEAD_LETTERS_KEPT = 200
EXITS_KEPT = 5


@dataclass(slots=True)
class Vitals:
    """Written by the actor's own thread only, read by its supervisor without a lock. Times in machine seconds."""

    phase: str = "starting"
    busy_since: float | None = None
    message_type: str | None = None
    handled: int = 0
    last_handled_s: float | None = None
    progress_s: float | None = None
    transport_s: float | None = None
    cpu_s: float = 0.0
    note: str = ""
    own_verdict: tuple[str, str] = ("healthy", "")  # health and why, as the actor judges its own work


@dataclass(slots=True)
class Place:
    """Everything about a path that outlives its actor. `exits`: the last few, newest last. `failed_recoveries`: crashes
    in a row that came soon after a recovery.
    """

    path: str
    mailbox: Mailbox
    epoch: int = 0
    vitals: Vitals = field(default_factory=Vitals)
    restarts: int = 0
    exits: deque[ChildExited] = field(default_factory=lambda: deque(maxlen=EXITS_KEPT))
    failed_recoveries: int = 0


class Address:
    """What everybody holds of an actor: valid for the life of the process, whatever restarts behind it."""

    __slots__ = ("_system", "path")

    def __init__(self, path: str, system: "System") -> None:
        self.path = path
        self._system = system

    def __repr__(self) -> str:
        return f"Address({self.path})"

    def tell(
        self,
        message: Any,
        *,
        lane: Lane = Lane.URGENT,
        sender: str = "",
        merge: Hashable = None,
        redeliver: bool = False,
        retain: bool = False,
    ) -> bool:
        """Send without waiting; False when the letter was not kept. Never raises, from any thread."""
        letter = Letter(message, lane, sender, merge=merge, redeliver=redeliver, retain=retain)
        return self._system.post(self.path, letter)

    def ask(self, message: Any, *, timeout: float) -> Any:
        """Send and wait for the answer: for the edges and for tests, never from one actor to another.

        Raises Unavailable when nobody will answer, pykka.Timeout after `timeout` seconds, or what the handler raised.
        """
        return self.begin(message).get(timeout=timeout)

    def begin(self, message: Any) -> AnyFuture:
        """Send; the answer is in the future as `ask` would give or raise it. For edges that ask several at once."""
        future = new_future()
        self._system.post(self.path, Letter(message, Lane.URGENT, reply=future))
        return future


class Incarnation(NamedTuple):
    """One entry of the ledger: the actor that holds a path now, and the thread it runs on (None on a worker)."""

    actor: "Supervised"
    thread: threading.Thread | None


class System:
    """What one tree shares: its clock, its tables and its workers."""

    def __init__(self, clock: AnyClock, *, log_dead_letters: bool = True, health_tick_s: float = 1.0) -> None:
        self.clock = clock
        self.health_tick_s = health_tick_s  # how often supervisors look at their children
        self.ledger: dict[str, Incarnation] = {}
        self.leaked: list[Incarnation] = []
        self.status: dict[str, Any] = {}
        self.workers: dict[str, AnyWorker] = {}
        self.dead_letters: deque[tuple[str, str, Any]] = deque(maxlen=DEAD_LETTERS_KEPT)  # path, reason, message
        self.dead_counts: Counter[tuple[str, str, str, str]] = Counter()
        self.urgent_dead_s: dict[str, float] = {}
        self.started_s = time.monotonic()
        self._places: dict[str, Place] = {}
        self._templates: dict[str, MailboxSpec] = {}
        self._lock = threading.Lock()
        self._log_dead_letters = log_dead_letters

    # -- places ---------------------------------------------------------------------------------------------------

    def address(self, path: str) -> Address:
        return Address(path, self)

    def place(self, path: str, spec: MailboxSpec | None = None) -> Place:
        """The place of a path; made on first use with `spec`."""
        with self._lock:
            place = self._places.get(path)
            if place is None:
                box = Mailbox(path, spec or MailboxSpec(), self.clock.monotonic, self.bury)
                place = self._places[path] = Place(path, box)
            return place

    def find(self, path: str) -> Place | None:
        return self._places.get(path)

    def declare_template(self, supervisor: str, spec: MailboxSpec) -> None:
        """Let any child path below `supervisor` be addressed; the first letter asks the supervisor to start it."""
        self._templates[supervisor] = spec

    def post(self, path: str, letter: Letter) -> bool:
        """Put a letter where it belongs. A letter to an unknown path is a dead letter, not an error."""
        place = self._places.get(path)
        if place is None:
            return self._post_on_demand(path, letter)
        if place.mailbox.put(letter):
            return True
        return self.post(path, letter) if place.mailbox.retired else False

    def _post_on_demand(self, path: str, letter: Letter) -> bool:
        parent, _, child = path.rpartition("/")
        spec = self._templates.get(parent)
        if spec is None:
            letter.refuse(Unavailable(f"{path}: no_such_path"))
            self.bury(path, letter, "no_such_path")
            return False
        kept = self.place(path, spec).mailbox.put(letter)
        self.post(parent, Letter(ChildWanted(child_id=child), Lane.CONTROL))
        return kept

    def give_back(self, path: str) -> bool:
        """Forget the place of an actor that has finished: the next letter makes a new one. False, and nothing is
        forgotten, when an urgent letter has come meanwhile.
        """
        with self._lock:
            place = self._places.pop(path, None)  # first: a sender who finds its mailbox retired finds no place either
            if place is not None and not place.mailbox.retire():
                self._places[path] = place
                return False
            return True

    # -- dead letters ---------------------------------------------------------------------------------------------

    def bury(self, path: str, letter: Letter, reason: str) -> None:
        """Count a letter that nobody will handle, and log it at the 1st, 2nd, 4th, 8th ... of its kind."""
        kind = type(letter.message).__name__
        lane = letter.lane.name.lower()
        key = (path, kind, lane, reason)
        with self._lock:
            self.dead_counts[key] += 1
            count = self.dead_counts[key]
            self.dead_letters.append((path, reason, letter.message))
            if letter.lane is Lane.URGENT:
                self.urgent_dead_s[path] = self.clock.monotonic()
        if self._log_dead_letters and count & (count - 1) == 0:
            level: Callable[..., Any] = log.error if letter.lane is Lane.URGENT else log.warning
            if letter.lane is Lane.DATA and reason == "restarted":
                level = log.info  # meant so: what the next letter supersedes is not kept over a restart
            level("letters_dropped", path=path, lane=lane, type=kind, reason=reason, n=count, last=_short(letter))

    # -- the ledger -----------------------------------------------------------------------------------------------

    def enter(self, path: str, actor: "Supervised", thread: threading.Thread | None) -> None:
        with self._lock:
            self.ledger[path] = Incarnation(actor, thread)

    def leave(self, path: str, actor: "Supervised") -> None:
        """Strike an ended incarnation, from the ledger or from the list of leaked ones."""
        with self._lock:
            entry = self.ledger.get(path)
            if entry is not None and entry.actor is actor:
                del self.ledger[path]
            self.leaked = [leaked for leaked in self.leaked if leaked.actor is not actor]

    def abandon(self, path: str) -> None:
        """Stop waiting for an incarnation that will not end; its thread is leaked until it does."""
        with self._lock:
            entry = self.ledger.pop(path, None)
            if entry is not None:
                self.leaked = [*self.leaked, entry]

    def below(self, path: str) -> tuple[tuple[str, Incarnation], ...]:
        """Live incarnations under a path, parents before their children."""
        prefix = path.rstrip("/") + "/"
        with self._lock:
            found = [(at, entry) for at, entry in self.ledger.items() if at.startswith(prefix) and at != path]
        return tuple(sorted(found, key=lambda item: item[0]))

    def places_below(self, path: str) -> tuple[Place, ...]:
        """The place of a path and every place under it."""
        prefix = path.rstrip("/") + "/"
        with self._lock:
            return tuple(place for at, place in self._places.items() if at == path or at.startswith(prefix))


def _short(letter: Letter) -> str:
    try:
        return repr(letter.message)[:200]
    except Exception:  # somebody's repr; a sender must not pay for it
        return type(letter.message).__name__


def child_path(parent: str, child_id: str) -> str:
    return f"{parent.rstrip('/')}/{child_id}"
