"""Recorded days through the same decoders, actors and detectors, under a simulated clock, as fast as this machine can.

The alerts go to the terminal and nowhere else, each marked REPLAY. The same files and settings give the same journal.
"""

import argparse
import heapq
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from actors.exchanges.registry import EXCHANGES
from actors.recording.files import RecordingError, RecordingReader
from commands import UsageError
from commands.daemon import EX_CONFIG, EX_GAVE_UP, EX_LOCKED, EX_OK, RESERVE_S, NotOurs, claim
from commands.replaying import Replay
from config.loading import load_settings
from config.logs import configure_logs
from config.settings import Settings
from intelligence.alerts import Alert
from intelligence.journal import journal
from supervisors.trees.presentation import Presentation

HEALTH_TICK_S = 3600.0
SHOWN_EVERY_S = 0.1
EX_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, in any order")
    parser.add_argument("--journal", type=Path, metavar="OUT", help="write the alert journal there, one JSON line each")
    parser.add_argument("--data-dir", type=Path, default=None, help="default: a fresh temporary folder")


def run(args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        try:
            readers = [stack.enter_context(RecordingReader(file)) for file in args.files]
        except RecordingError as error:
            raise UsageError(str(error)) from None
        scratch = args.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foreshock-replay-")))
        config = Path(args.config) if args.config else None
        settings = load_settings(config=config, overrides=_overrides(readers, scratch)).settings
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(claim(settings.data_dir, Presentation(replay=True).market))
        except NotOurs as error:
            print(error, file=sys.stderr)
            return EX_LOCKED
        except OSError as error:
            print(f"data_dir {settings.data_dir} cannot be used: {error.strerror}", file=sys.stderr)
            return EX_CONFIG
        return _replay(settings, readers, args.journal)


def _overrides(readers: Sequence[RecordingReader], data_dir: Path) -> dict[str, Any]:
    """The venues that were recorded, a data directory that is not the live one, and nothing that leaves this machine."""
    recorded = {venue for reader in readers for venue in reader.header.venues}
    chosen: dict[str, Any] = {f"venues.{venue}.enabled": venue in recorded for venue in EXCHANGES}
    chosen["data_dir"] = str(data_dir)
    chosen["telegram.token"] = ""
    chosen["recording.enabled"] = False
    chosen["supervision.health_tick_s"] = HEALTH_TICK_S
    chosen["logs.queue_lines"] = 1_000_000  # alerts come faster than any terminal shows them
    if sys.stdout.isatty() and "FORESHOCK_LOGS__LEVEL" not in os.environ:
        chosen["logs.level"] = "warning"
    return chosen


def _replay(settings: Settings, readers: Sequence[RecordingReader], out: Path | None) -> int:
    done = _Done()
    sink = configure_logs(settings)
    presentation = Presentation(
        replay=True,
        telegram=False,
        console=sink.console,
        colors=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        write=_show,
        journal=done.alerts.append,
    )
    try:
        code = _run(settings, presentation, readers, done)
    finally:
        sink.close(RESERVE_S)
    for reader in readers:
        if reader.torn:
            print(f"{reader.path}: {reader.torn}; replayed up to there", file=sys.stderr)
    print(done.text(), file=sys.stderr)
    if out is not None:
        out.write_bytes(journal(done.alerts))
    return code


def _show(text: str) -> bool:
    print(text)
    return True


@dataclass(slots=True)
class _Done:
    """What a replay came to, for the last lines."""

    alerts: list[Alert] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    from_ms: int = 0
    until_ms: int = 0
    took_s: float = 0.0

    def text(self) -> str:
        hours = (self.until_ms - self.from_ms) / 3_600_000
        events = {kind: n for kind, n in self.tally.items() if kind not in {"frames", "malformed", "answers_unused"}}
        alerts = Counter(str(alert.kind) for alert in self.alerts)
        rate = f", {hours / self.took_s:.2f} market hours a second" if self.took_s else ""
        lines = [
            f"{hours:.2f} market hours in {self.took_s:.1f} s{rate}",
            f"{self.tally['frames']} frames, {self.tally['malformed']} of them not understood",
            f"{events_text(events)}",
            f"{sum(alerts.values())} alerts: {events_text(alerts)}",
        ]
        return "\n".join(lines)


def events_text(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(counts.items())) or "none"


def _run(settings: Settings, presentation: Presentation, readers: Sequence[RecordingReader], done: _Done) -> int:
    entries = heapq.merge(*(reader.entries() for reader in readers), key=lambda entry: entry.at_ms)
    first = next(entries, None)
    if first is None:
        return EX_OK
    begun_s = time.monotonic()
    reporting = {venue for reader in readers for venue in reader.header.venues if venue not in reader.header.silent}
    silent = frozenset(EXCHANGES) - reporting
    replay = Replay(settings, presentation, first.at_ms, silent)
    done.from_ms = first.at_ms
    with _Interrupted() as interrupted, _Bar(readers) as bar:
        replay.take(first)
        for entry in entries:
            if interrupted or replay.failed:
                break
            replay.take(entry)
            bar.show(entry.at_ms, done.alerts)
    done.until_ms = replay.clock.now_ms()
    if replay.failed:
        print(f"the tree gave up: {replay.failed}", file=sys.stderr)
        return EX_GAVE_UP
    done.tally = replay.tally()
    if interrupted:
        replay.stop()
    else:
        replay.end()
    done.took_s = time.monotonic() - begun_s
    return EX_INTERRUPTED if interrupted else EX_OK


class _Interrupted:
    """True once somebody wants the replay to end: it ends between two entries, never within an actor."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __bool__(self) -> bool:
        return self._asked

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + number)
        self._asked = True


class _Bar:
    """Progress on stderr, where a person looks at it. Counts bytes of the files: what is left of them is known."""

    def __init__(self, readers: Sequence[RecordingReader]) -> None:
        self._readers = readers
        self._shown_s = 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[alerts]} alerts"),
        )
        both = sys.stdout.isatty() and sys.stderr.isatty()
        self._progress = Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
            redirect_stdout=both,
            redirect_stderr=both,
        )
        self._task = self._progress.add_task("replay", total=sum(reader.size for reader in readers), alerts=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, at_ms: int, alerts: Sequence[Alert]) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s < SHOWN_EVERY_S:
            return
        self._shown_s = now_s
        self._progress.update(
            self._task,
            completed=sum(reader.position for reader in self._readers),
            description=f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}",
            alerts=len(alerts),
        )
