"""Our whole tree inside the test's own process, fed by a real simulator process over real sockets."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import structlog

from actors.clock import Clock
from actors.exchanges.registry import EXCHANGES
from actors.mailbox import Lane, Letter
from actors.messages.supervision import ChildExited, ChildReady, ShutDown
from actors.supervised import Birth
from actors.system import System
from actors.worker import Worker
from commands.simulated import Simulated
from config.loading import load_settings
from intelligence.alerts import Alert
from intelligence.journal import journal
from supervisors.supervisor import Supervisor
from supervisors.tree import WORKERS, our_tree
from supervisors.trees.presentation import DATABASE, Presentation

PATIENCE_S = 40.0


class Tree:
    """A running tree; `system` is its inside."""

    def __init__(self, simulated: Simulated, data_dir: Path) -> None:
        overrides: dict[str, Any] = {"data_dir": str(data_dir), "telegram.token": ""}
        for venue in EXCHANGES:
            urls = simulated.venues.get(venue)
            overrides[f"venues.{venue}.enabled"] = urls is not None
            if urls is not None:
                overrides |= {f"venues.{venue}.{key}": url for key, url in urls.items()}
        settings = load_settings(environ={}, env_file=Path("no.env"), overrides=overrides).settings
        data_dir.mkdir(parents=True, exist_ok=True)
        self.database = data_dir / DATABASE
        self.clock = Clock()
        simulated.drive(self.clock)
        self.system = System(self.clock)
        self.notices: SimpleQueue[ChildReady | ChildExited] = SimpleQueue()
        self.clock.start()
        for name in WORKERS:
            self.system.workers[name] = Worker(name)
            self.system.workers[name].start()
        self.system.place("/").epoch = 1
        spec = our_tree(settings, Presentation(simulation=True, telegram=False))
        Supervisor.start(Birth(self.system, "/", 1, {"spec": spec}, self.notices.put))
        assert isinstance(self.notices.get(timeout=PATIENCE_S), ChildReady)

    def actors(self) -> list[str]:
        """The paths of everybody who lives and is no supervisor."""
        entries = tuple(self.system.ledger.items())
        return sorted(path for path, entry in entries if not isinstance(entry.actor, Supervisor))

    def epochs(self) -> dict[str, int]:
        return {path: self.system.place(path).epoch for path in self.system.ledger}

    def wait_until(self, condition: Any, timeout_s: float = PATIENCE_S) -> None:
        """Look at the tree until `condition()` holds; fail after `timeout_s`."""
        tick, deadline_s = threading.Event(), self.clock.monotonic() + timeout_s
        while not condition():
            assert self.clock.monotonic() < deadline_s, "the tree did not get there in time"
            tick.wait(0.01)

    def wait_for_epochs(self, wanted: dict[str, int]) -> None:
        """Until each of these paths has reached its epoch and lives."""
        self.wait_until(lambda: all(self.system.place(path).epoch >= epoch for path, epoch in wanted.items()))
        self.wait_until(lambda: set(wanted) <= set(self.actors()))

    def journal(self) -> bytes:
        """Every stored alert as it was raised (contract.md 7)."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT record FROM alerts").fetchall()
        return journal(msgspec.json.decode(record, type=Alert) for (record,) in rows)

    def stop(self) -> ChildExited:
        self.system.post("/", Letter(ShutDown(deadline_s=self.clock.monotonic() + 8), Lane.CONTROL))
        while not isinstance(notice := self.notices.get(timeout=12), ChildExited):
            pass
        for worker in self.system.workers.values():
            worker.stop(2)
        self.clock.stop()
        return notice


@contextmanager
def running_tree(
    data_dir: Path, *, speed: float, tapes: tuple[str, ...] = (), options: tuple[str, ...] = ()
) -> Iterator[tuple[Tree, Simulated]]:
    logging.getLogger("pykka").setLevel(logging.CRITICAL)  # it repeats what supervisors report
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with Simulated(speed=speed, tapes=tapes, options=options) as simulated:
            tree = Tree(simulated, data_dir)
            try:
                yield tree, simulated
            finally:
                tree.stop()
    finally:
        structlog.reset_defaults()
