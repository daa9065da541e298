"""Whole processes under test: started as a user starts them, read line by line, ended by signals."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 50.0

Line = dict[str, Any]


class Daemon:
    """One `run.py` process. `lines` holds every log line so far."""

    def __init__(self, command: list[str], data_dir: Path | None = None, **environment: str) -> None:
        env = {**os.environ, "FORESHOCK_SUPERVISION__PULSE_S": "0.2", **environment}
        if data_dir is not None:
            env["FORESHOCK_DATA_DIR"] = str(data_dir)
        self.lines: list[Line] = []
        self._news: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            self._news.put(json.loads(raw))
        self._news.put(None)

    def wait_for(self, wanted: str | Callable[[Line], bool], timeout_s: float = PATIENCE_S) -> Line:
        """The next line with this event (or that the function accepts). Fails the test when the process ends first."""
        accepts = wanted if callable(wanted) else lambda line: line["event"] == wanted
        while True:
            line = self._news.get(timeout=timeout_s)
            assert line is not None, f"the process ended before {wanted}: {self.lines[-5:]}"
            self.lines.append(line)
            if accepts(line):
                return line

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for the exit, take in the rest of the lines, and return the exit code."""
        code = self.process.wait(timeout_s)
        while (line := self._news.get(timeout=timeout_s)) is not None:
            self.lines.append(line)
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def events(self, name: str) -> list[Line]:
        return [line for line in self.lines if line["event"] == name]

    def journal(self) -> list[Line]:
        """The alert journal: raised alerts without the times at which we detected them, in order of event and id."""
        ours = {"timestamp", "detected_ms", "path", "epoch", "logger", "level", "event"}
        raised = [
            {key: value for key, value in line.items() if key not in ours} for line in self.events("alert_raised")
        ]
        return sorted(raised, key=lambda line: (line["exchange_ms"], line["alert_id"]))


@contextmanager
def daemon(
    *arguments: str, command: list[str] | None = None, data_dir: Path | None = None, **environment: str
) -> Iterator[Daemon]:
    """`run.py` with these arguments, or another command; killed at the end of the test if it still runs."""
    running = Daemon(command or [sys.executable, "run.py", *arguments], data_dir, **environment)
    try:
        yield running
    finally:
        running.close()
