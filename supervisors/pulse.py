"""The pulse: a plain thread that writes down every few seconds how the tree is doing, whatever hangs in it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from actors.system import System
from config.settings import Settings
from supervisors.report import assemble
from supervisors.status import BADNESS, Health
from supervisors.wording import Report, text

log = structlog.get_logger(__name__)

BETTER_AFTER_S = 10.0  # supervision.md 19.1: worse shows at once, better when it has lasted, so it does not flicker
JOIN_S = 1.0


class Steady:
    """Health as it is shown."""

    def __init__(self) -> None:
        self.shown: Health | None = None
        self._better_since_s: float | None = None

    def show(self, health: Health, now_s: float, *, booting: bool = False) -> Health:
        """`booting`: nothing has been well yet, so what is better shows at once."""
        if booting or self.shown is None or BADNESS[health] >= BADNESS[self.shown]:
            self.shown, self._better_since_s = health, None
        elif self._better_since_s is None:
            self._better_since_s = now_s
        elif now_s - self._better_since_s >= BETTER_AFTER_S:
            self.shown, self._better_since_s = health, None
        return self.shown


class Pulse:
    """Writes status.json and status.txt into the data directory and logs `pulse` and `health_changed`."""

    def __init__(
        self, system: System, settings: Settings, version: str, *, totals: Callable[[], dict[str, Any]] = dict
    ) -> None:
        """`totals`: figures of what is no actor, taken at each beat on the pulse's thread."""
        self._system = system
        self._dir = settings.data_dir
        self._version = version
        self._totals = totals
        self._every_s = settings.supervision.pulse_s
        self._log_every_s = settings.supervision.pulse_log_s
        self._logged_s = system.clock.monotonic()
        self._steady = Steady()
        self._been_healthy = False
        self._failures = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and write a last report, unless the disk hangs."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
        if not self._thread.is_alive():
            self.beat(ended=True)

    def beat(self, *, ended: bool = False) -> None:
        """Take stock once. Never raises: a full disk must not cost the pulse."""
        try:
            report = self._assemble(ended=ended)
            self._tell(report)
            _write(self._dir / "status.json", msgspec.json.encode(report))
            _write(self._dir / "status.txt", (text(report) + "\n").encode())
            self._failures = 0
        except Exception as error:  # the disk is full, or a bug of ours: either must not end the thread
            self._failures += 1
            if self._failures == 1:
                log.warning("status_not_written", caused_by=repr(error))

    def _run(self) -> None:
        self.beat()
        while not self._over.wait(self._every_s):
            self.beat()

    def _assemble(self, *, ended: bool) -> Report:
        extra = {**self._totals(), "status_not_written": self._failures}
        report = assemble(self._system, self._version, extra)
        before = self._steady.shown
        self._been_healthy = self._been_healthy or report.health == Health.HEALTHY
        booting = not self._been_healthy or before is None
        shown = self._steady.show(Health(report.health), self._system.clock.monotonic(), booting=booting)
        if ended or report.tree.state == "stopping":
            before = None  # that parts stop is what was asked for
        if before is not None and shown is not before:
            level = log.warning if BADNESS[shown] > BADNESS[before] else log.info
            level("health_changed", **{"from": str(before), "to": str(shown), "why": list(report.why[:8])})
        return msgspec.structs.replace(report, health=str(shown), ended=ended)

    def _tell(self, report: Report) -> None:
        now_s = self._system.clock.monotonic()
        if now_s - self._logged_s >= self._log_every_s:
            self._logged_s = now_s
            log.info("pulse", health=report.health, uptime_s=report.uptime_s, **report.totals)


def _write(target: Path, content: bytes) -> None:
    """Replace a file in one step: a reader sees the old one or the new one, never half."""
    fresh = target.with_name(target.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(target)
