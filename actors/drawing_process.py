"""The process that draws pictures, as its owner sees it: started when it is needed, killed when it does not answer."""

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
MAX_PICTURE_BYTES = 4_194_304  # ours: fifty times what one has
KILL_S = 1.0
ROOT = Path(__file__).parent.parent


class DrawingFailed(Exception):  # noqa: N818 - a picture is not there, which is all that happened
    """The process is well and says that it cannot draw this."""


class ProcessLost(Exception):  # noqa: N818
    """The process has died, hangs, or talks nonsense; it is gone now, and the next picture starts another."""


class DrawingProcess:
    """One process, used on one thread. `command` is what is run; it gets neither our environment nor our files."""

    def __init__(self, *, memory_bytes: int, command: tuple[str, ...] = ()) -> None:
        self._command = command or (sys.executable, "-m", "charts.worker", str(memory_bytes))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def draw(self, request: ChartRequest, within_s: float) -> bytes:
        """A PNG. Raises DrawingFailed, and ProcessLost after at most `within_s`."""
        deadline_s = time.monotonic() + within_s
        try:
            process = self._running()
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

    def _write(self, process: subprocess.Popen[bytes], body: bytes, deadline_s: float) -> None:
        assert process.stdin is not None
        left = memoryview(HEAD.pack(0, len(body)) + body)
        while left:
            _wait(process.stdin.fileno(), selectors.EVENT_WRITE, deadline_s)
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
            _wait(process.stdout.fileno(), selectors.EVENT_READ, deadline_s)
            chunk = os.read(process.stdout.fileno(), min(length - len(found), 65_536))
            if not chunk:
                raise ProcessLost("it has died")
            found += chunk
        return bytes(found)


def _wait(pipe: int, event: int, deadline_s: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, deadline_s - time.monotonic())):
            raise ProcessLost("it does not answer")
