"""The process that draws pictures, as its owner sees it: started ahead or when it is needed, killed when it does not answer."""

import os
import selectors
import struct
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from charts.requests import ChartRequest

HEAD = struct.Struct("!BI")  # as in charts/worker.py
DRAWN = 1
READY = b"r"
MAX_PICTURE_BYTES = 4_194_304  # ours: fifty times what one has
KILL_S = 1.0
ROOT = Path(__file__).parent.parent


class DrawingFailed(Exception):  # noqa: N818 - a picture is not there, which is all that happened
    """The process is well and says that it cannot draw this."""


class StillStarting(Exception):  # noqa: N818
    """The process has not been able to begin yet, and may the next time."""


class ProcessLost(Exception):  # noqa: N818
    """The process has died, hangs, or talks nonsense; it is gone now, and the next picture starts another."""


class DrawingProcess:
    """One process, used on one thread. `command` is what is run; it gets neither our environment nor our files.

    It has `start_s` to begin, on a busy machine more than anybody waits for a picture, and `hang_s` for a picture.
    """

    def __init__(self, *, memory_bytes: int, start_s: float, hang_s: float, command: tuple[str, ...] = ()) -> None:
        self._command = command or (sys.executable, "-m", "charts.worker", str(memory_bytes))
        self._start_s, self._hang_s = start_s, hang_s
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s, self._ready = 0.0, False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def draw(self, request: ChartRequest, within_s: float) -> bytes:
        """A PNG. Raises StillStarting after `within_s`, ProcessLost, DrawingFailed."""
        try:
            process = self._running()
            self._await_ready(process, time.monotonic() + within_s)
            deadline_s = time.monotonic() + self._hang_s
            self._write(process, msgspec.msgpack.encode(request), deadline_s)
            kind, body = self._answer(process, deadline_s)
        except ProcessLost:
            self.kill()
            raise
        except OSError as error:
            self.kill()
            raise ProcessLost(type(error).__name__) from error
        if kind != DRAWN:
            raise DrawingFailed(body.decode(errors="replace"))
        return body

    def start(self) -> bool:
        """Have it run; whether it has to be started for that. Raises ProcessLost once when it has died since it was used."""
        if self._process is None:
            try:
                self._running()
            except OSError as error:
                raise ProcessLost(type(error).__name__) from error
            return True
        if self._process.poll() is not None:
            self.kill()
            raise ProcessLost("it has died")
        return False

    def kill(self) -> None:
        """End it without asking."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait(KILL_S)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.kill()
        if self._process is None:
            self._started_s, self._ready = time.monotonic(), False
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=ROOT,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"},
                start_new_session=True,  # Ctrl-C is meant for the daemon, which then ends this
            )
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    os.set_blocking(pipe.fileno(), False)
        return self._process

    def _await_ready(self, process: subprocess.Popen[bytes], until_s: float) -> None:
        if self._ready:
            return
        assert process.stdout is not None
        last_s = self._started_s + self._start_s
        if not _is_ready(process.stdout.fileno(), min(until_s, last_s)):
            if until_s < last_s:
                raise StillStarting
            raise ProcessLost("it does not start")
        if self._read(process, len(READY), last_s) != READY:
            raise ProcessLost("it talks nonsense")
        self._ready = True

    def _write(self, process: subprocess.Popen[bytes], body: bytes, deadline_s: float) -> None:
        assert process.stdin is not None
        left = memoryview(HEAD.pack(0, len(body)) + body)
        while left:
            if not _is_ready(process.stdin.fileno(), deadline_s, selectors.EVENT_WRITE):
                raise ProcessLost("it does not listen")
            left = left[os.write(process.stdin.fileno(), left) :]

    def _answer(self, process: subprocess.Popen[bytes], deadline_s: float) -> tuple[int, bytes]:
        kind, length = HEAD.unpack(self._read(process, HEAD.size, deadline_s))
        if length > MAX_PICTURE_BYTES:
            raise ProcessLost(f"an answer of {length} bytes")
        return kind, self._read(process, length, deadline_s)

    def _read(self, process: subprocess.Popen[bytes], length: int, deadline_s: float) -> bytes:
        assert process.stdout is not None
        found = bytearray()
        while len(found) < length:
            if not _is_ready(process.stdout.fileno(), deadline_s):
                raise ProcessLost("it does not answer")
            chunk = os.read(process.stdout.fileno(), min(length - len(found), 65_536))
            if not chunk:
                raise ProcessLost("it has died")
            found += chunk
        return bytes(found)


def _is_ready(pipe: int, until_s: float, event: int = selectors.EVENT_READ) -> bool:
    """Whether the pipe can be read, or written, by then."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        return bool(selector.select(max(0.0, until_s - time.monotonic())))
