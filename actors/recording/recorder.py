"""Raw frames to disk, beside detection: what it cannot take in time is lost to the recording and to nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from actors.exchanges.registry import EXCHANGES
from actors.failures import Transient
from actors.recording.entries import FramesRead, Header, HistoryKept, ReplyRead, SocketMarked, VenuePlanned
from actors.recording.files import RecordingWriter
from actors.recording.folder import RecordingFolder
from actors.supervised import Supervised
from config.settings import Recording


@dataclass(frozen=True, slots=True)
class _Flush:
    pass


class Recorder(Supervised):
    """Writes the entries it is sent. Each file can be used by itself: it begins with the lists of instruments, the plans
    and the states of the connections that hold at that moment.

    Frames come on the data lane, so when the disk is slow the oldest of them are dropped and counted in the mailbox.
    """

    def init(self, *, folder: Path, rules: Recording, market: str, venues: tuple[str, ...]) -> None:
        self._rules, self._market, self._venues = rules, market, venues
        self._lists: dict[str, dict[Any, ReplyRead]] = {}  # of each venue, its pages by their calls
        self._plans: dict[str, VenuePlanned] = {}
        self._sockets: dict[str, SocketMarked] = {}
        self._frames = 0
        self._begun_s = 0.0
        self._writer: RecordingWriter | None = None
        with _disk():
            self._folder = RecordingFolder(folder, max_bytes=rules.max_total_bytes, keep_days=rules.keep_days)
        self.timer.every("flush", rules.flush_s, _Flush())

    def recover(self, retained: tuple[Any, ...]) -> None:
        for message in retained:
            self._learn(message)

    def handle(self, message: Any) -> None:
        with _disk():
            match message:
                case FramesRead(frames=frames):
                    self._current().write(message)
                    self._frames += len(frames)
                case SocketMarked() | ReplyRead() | VenuePlanned():
                    writer = self._current()  # before learning: a file that begins now begins with what holds
                    if self._learn(message):
                        writer.write(message)
                case HistoryKept():
                    self._current().write(message)
                case _Flush():
                    self._flush()
                case _:
                    super().handle(message)

    def terminate(self, reason: str) -> None:
        if self._writer is None:
            return
        if reason == "failed":
            self._writer.close()
        else:
            self._writer.finish(self.now_ms)

    # -- the file -----------------------------------------------------------------------------------------------------

    def _current(self) -> RecordingWriter:
        if self._writer is None:
            self._writer = self._begin()
        return self._writer

    def _begin(self) -> RecordingWriter:
        now_ms = self.now_ms
        header = Header(market=self._market, created_ms=now_ms, venues=self._venues)
        writer = RecordingWriter(self._folder.next_path(now_ms), header)
        for entry in self._held():
            writer.write(msgspec.structs.replace(entry, at_ms=now_ms))
        self._begun_s = self.system.clock.monotonic()
        self.log.info("recording_begun", file=writer.path.name)
        return writer

    def _flush(self) -> None:
        if self._writer is None:
            return
        self._writer.flush()
        age_s = self.system.clock.monotonic() - self._begun_s
        if self._writer.size >= self._rules.rotate_bytes or age_s >= self._rules.rotate_s:
            writer, self._writer = self._writer, None  # the next entry begins another file
            writer.finish(self.now_ms)
        if gone := self._folder.prune():
            self.log.info("recordings_removed", n=gone)
        self._write_note()
        self.progress()

    def _write_note(self) -> None:
        files, megabytes = len(self._folder.files()), self._folder.total_bytes() / 1e6
        dropped = self.place.mailbox.dropped
        lost = f", {dropped} reads dropped" if dropped else ""
        self.note(f"{self._frames} frames since the start, {files} files with {megabytes:.1f} MB{lost}")

    # -- what holds now -----------------------------------------------------------------------------------------------

    def _learn(self, entry: SocketMarked | ReplyRead | VenuePlanned) -> bool:
        """Take note of what a later file has to begin with; False for what is known already."""
        match entry:
            case ReplyRead(purpose="instruments", venue=venue, call=call):
                if call == EXCHANGES[venue].instruments_call():
                    self._lists[venue] = {}  # the first page of a list that replaces the one before
                self._lists.setdefault(venue, {})[call.path, call.params, call.body] = entry
            case VenuePlanned(venue=venue, connections=connections, others=others):
                known = self._plans.get(venue)
                self._plans[venue] = entry
                planned = {*connections, *others}
                self._sockets = {
                    name: mark for name, mark in self._sockets.items() if mark.venue != venue or name in planned
                }
                if known is not None and (known.connections, known.others) == (connections, others):
                    return False
            case SocketMarked(connection=connection):
                self._sockets[connection] = msgspec.structs.replace(entry, repeats_s=0.0, again=True)
        self._retain_what_holds()
        return True

    def _held(self) -> tuple[SocketMarked | ReplyRead | VenuePlanned, ...]:
        lists = tuple(page for pages in self._lists.values() for page in pages.values())
        return (*lists, *self._plans.values(), *self._sockets.values())

    def _retain_what_holds(self) -> None:
        """So that a successor's file too can be used by itself."""
        self.retained.clear()
        self.retained.extend(self._held())


@contextmanager
def _disk() -> Iterator[None]:
    """A disk that does not take it may do so later."""
    try:
        yield
    except OSError as error:
        raise Transient(f"recordings cannot be written: {error}") from None
