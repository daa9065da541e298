"""A whole tree in one thread, under a clock that goes on only when nothing is under way."""

from collections import Counter
from typing import Any

from actors import paths
from actors.clock import ManualClock
from actors.mailbox import Lane, Letter, new_future
from actors.messages.supervision import ChildExited, ShutDown
from actors.recording.entries import Entry
from actors.recording.replayed_venue import AskTally
from actors.supervised import Birth
from actors.system import System
from actors.worker import Turns
from config.settings import Settings
from supervisors.replay_tree import TURNS, replay_tree
from supervisors.spec import SupervisorSpec
from supervisors.supervisor import Supervisor
from supervisors.tree import WORKERS
from supervisors.trees.pieces import enabled_venues
from supervisors.trees.presentation import Presentation

AFTERMATH_S = 180.0  # market time after the last entry, in which what is open comes to its end
STOP_S = 8.0


class Replay:
    """One run over one sequence of entries. Not for use from several threads.

    Every actor is on one worker without a thread: an entry is handled to its last consequence before the next one comes
    or time goes on, so a run depends on its entries and settings alone.
    """

    def __init__(self, settings: Settings, presentation: Presentation, start_ms: int, silent: frozenset[str]) -> None:
        self._turns = Turns()
        self.clock = ManualClock(market_ms=start_ms, settle=self._turns.settle)
        # Nothing hangs here, and a look at every child each market second would be most of the work.
        self.system = System(self.clock, health_tick_s=settings.supervision.health_tick_s)
        self.system.workers.update(dict.fromkeys((TURNS, *WORKERS), self._turns))
        self._venues = {name: self.system.address(f"{paths.FEEDS}/{name}") for name in enabled_venues(settings)}
        self._notices: list[Any] = []
        self._begin(replay_tree(settings, presentation, silent))

    @property
    def failed(self) -> str:
        """Why the tree gave up, or nothing while it runs."""
        return next((notice.error or notice.kind for notice in self._notices if isinstance(notice, ChildExited)), "")

    def take(self, entry: Entry) -> None:
        """Bring the time to that of an entry and let everything follow from it that follows."""
        self.clock.advance_to(entry.at_ms)
        self._venues[entry.venue].tell(entry)
        self._turns.settle()

    def tally(self) -> Counter[str]:
        """Count the events of all venues by kind."""
        answers = []
        for venue in self._venues.values():
            answer = new_future()
            self.system.post(venue.path, Letter(AskTally(), Lane.URGENT, reply=answer))
            answers.append(answer)
        self._turns.settle()
        return sum((answer.get(timeout=0) for answer in answers), Counter[str]())

    def end(self) -> None:
        """Let what is open come to its end, then stop the tree."""
        self.clock.advance(AFTERMATH_S)
        self.stop()

    def stop(self) -> None:
        end_s = self.clock.monotonic() + STOP_S
        self.system.post("/", Letter(ShutDown(deadline_s=end_s), Lane.CONTROL))
        self._turns.settle()
        while not self.failed and self.clock.monotonic() < end_s:
            self.clock.advance(0.1)

    def _begin(self, tree: SupervisorSpec) -> None:
        self.system.place("/").epoch = 1
        Supervisor.start(Birth(self.system, "/", 1, {"spec": tree}, self._notices.append, self._turns))
        self._turns.settle()
