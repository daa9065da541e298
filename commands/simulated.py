"""The simulator as a child process: started, listened to, ended with us."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from actors.clock import Breakpoint, Clock

log = structlog.get_logger(__name__)

ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0  # a long tape is read before the first line
END_S = 2.0


class SimulatorError(Exception):
    """The simulator did not start; the text is its own."""


class Simulated:
    """A running simulator. `venues`: name to its `ws_url` and `rest_url`. `finished` is set when the tape is over.

    `options`: more of `python -m simulator --help`.
    """

    def __init__(
        self, *, speed: float, seed: int | None = None, tapes: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self.tape = bool(tapes)
        self.finished = threading.Event()
        self.sent = self.missed = 0
        self._clock: Clock | None = None
        self._lock = threading.Lock()
        arguments = [sys.executable, "-m", "simulator", "--speed", str(speed)]
        if seed is not None:
            arguments += ["--seed", str(seed)]
        for tape in tapes:
            arguments += ["--tape", tape]
        if not tapes:
            arguments += ["--venues", "all"]
        arguments += options
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        ready = self._ready_line()
        self.venues: dict[str, dict[str, str]] = ready["venues"]
        self.control_url: str = ready["control_url"]
        self.assets: int = ready["assets"]
        self._map = _breakpoints(ready["clock"])
        self._threads = [
            threading.Thread(target=self._listen, name="simulator-lines", daemon=True),
            threading.Thread(target=self._drain_errors, name="simulator-errors", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def drive(self, clock: Clock) -> None:
        """Let market time follow the simulator, now and whenever it says so."""
        with self._lock:
            self._clock = clock
            clock.follow(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(END_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _ready_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        watchdog = threading.Timer(START_S, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            said = self._process.stderr.read() if self._process.stderr else ""
            raise SimulatorError(said.strip().splitlines()[-1] if said.strip() else "the simulator did not start")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if said["event"] == "clock":
                with self._lock:
                    self._map = _breakpoints(said["clock"])
                    if self._clock is not None:
                        self._clock.follow(self._map)
            elif said["event"] == "tape_finished":
                self.sent, self.missed = said["sent"], said["missed"]
                log.info("tape_finished", sent=self.sent, missed=self.missed)
                self.finished.set()
        self.finished.set()

    def _drain_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):
            for line in self._process.stderr:
                log.warning("simulator_said", text=line.rstrip()[:500])


def _breakpoints(rows: Sequence[Sequence[float]]) -> tuple[Breakpoint, ...]:
    return tuple(Breakpoint(*row) for row in rows)
