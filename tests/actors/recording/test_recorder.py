"""A real recorder and real files; the clock is moved by hand."""

import os
import threading
import time

import pytest

from actors import paths
from actors.mailbox import Lane, MailboxSpec
from actors.recording.folder import RecordingFolder
from actors.recording.recorder import Recorder
from config.settings import Recording
from tests.actors.recording.builders import a_header, frames, listed, mark, planned, read
from tests.doubles import Stage

RULES = {
    "enabled": True,
    "flush_s": 2.0,
    "rotate_bytes": 10**6,
    "rotate_s": 3600.0,
    "max_total_bytes": 10**9,
    "keep_days": 14.0,
}


class Desk:
    def __init__(self, folder, spec=None):
        self.stage = Stage(spec or MailboxSpec(retain_max=100))
        self.folder = folder

    def open(self, **rules):
        arguments = {"folder": self.folder, "rules": Recording(**{**RULES, **rules}), "market": "live"}
        actor = self.stage.start(path=paths.RECORDER, actor=Recorder, venues=("binance",), **arguments)
        self.stage.ready()
        return actor

    def tell(self, *entries, lane=Lane.URGENT):
        for entry in entries:
            self.stage.tell(entry, path=paths.RECORDER, lane=lane)

    def pass_time(self, seconds):
        """Time goes on once all letters of before are handled, and what became due is handled too."""
        self._settle()
        self.stage.clock.advance(seconds)
        self._settle()

    def close(self):
        self.stage.stop(paths.RECORDER, drain=True)
        return self.stage.exit()

    def files(self):
        return sorted(self.folder.glob("*.rec.zst"))

    def note(self):
        return self.stage.system.place(paths.RECORDER).vitals.note

    def _settle(self):
        place = self.stage.system.place(paths.RECORDER)
        until_s = time.monotonic() + 10
        while not place.mailbox.idle or place.vitals.busy_since is not None:
            assert time.monotonic() < until_s
            time.sleep(0.001)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "recordings")


def test_frames_are_written_in_the_order_in_which_they_came(desk):
    desk.open()
    desk.tell(frames("a"), frames("b", "c"), lane=Lane.DATA)
    desk.close()

    (file,) = desk.files()
    assert read(file) == ([frames("a"), frames("b", "c")], "")


def test_a_kill_costs_no_more_than_what_came_since_the_last_flush(desk):
    desk.open()
    desk.tell(frames("a"))
    desk.pass_time(2.0)

    (file,) = desk.files()
    entries, torn = read(file)
    assert entries == [frames("a")]
    assert torn
    desk.close()


def test_each_file_begins_with_what_holds_at_that_moment(desk):
    desk.open(rotate_s=10.0)
    first, second = listed(b"one"), listed(b"two", params=(("page", "2"),))
    desk.tell(first, second, planned("binance-market"), mark("up", repeats_s=5.0), frames("a"))
    desk.pass_time(12.0)
    desk.tell(frames("b"))
    desk.close()

    _, later = desk.files()
    entries, torn = read(later)
    assert torn == ""
    assert [entry.body for entry in entries[:2]] == [b"one", b"two"]
    assert entries[2].connections == ("binance-market",)
    assert (entries[3].state, entries[3].again, entries[3].repeats_s) == ("up", True, 0.0)
    assert entries[4:] == [frames("b")]


def test_a_list_that_is_read_anew_replaces_the_one_before_with_all_its_pages(desk):
    desk.open(rotate_s=10.0)
    desk.tell(listed(b"old"), listed(b"old 2", params=(("page", "2"),)), listed(b"new"), frames("a"))
    desk.pass_time(12.0)
    desk.tell(frames("b"))
    desk.close()

    entries, _ = read(desk.files()[-1])
    assert [entry.body for entry in entries[:-1]] == [b"new"]


def test_a_plan_that_is_told_again_is_written_once(desk):
    desk.open()
    desk.tell(planned("binance-market"), planned("binance-market"), planned("binance-market", "more"))
    desk.close()

    entries, _ = read(desk.files()[0])
    assert [entry.connections for entry in entries] == [("binance-market",), ("binance-market", "more")]


def test_a_file_that_is_large_enough_is_followed_by_another(desk):
    desk.open(rotate_bytes=1_024)
    for number in range(3):
        desk.tell(frames(os.urandom(1_500).hex(), at=number))
        desk.pass_time(2.0)
    desk.close()

    assert [len(read(file)[0]) for file in desk.files()] == [1, 1, 1]


def test_a_successor_knows_what_its_file_has_to_begin_with(desk):
    desk.open()
    desk.tell(listed(b"one"), mark("up"), frames("a"))
    desk.pass_time(2.0)
    desk.close()
    desk.open()
    desk.tell(frames("b"))
    desk.close()

    entries, _ = read(desk.files()[-1])
    assert [type(entry).__name__ for entry in entries] == ["ReplyRead", "SocketMarked", "FramesRead"]


def test_reads_that_cannot_be_written_in_time_are_dropped_and_shown(tmp_path):
    desk = Desk(tmp_path, MailboxSpec(data_max=3))
    desk.open()
    gate = threading.Event()
    recorder = desk.stage.system.newest[paths.RECORDER][0]
    current = recorder._current

    def slow():
        gate.wait(10)
        return current()

    recorder._current = slow
    desk.tell(frames("first"), lane=Lane.DATA)
    while recorder.vitals.busy_since is None:
        time.sleep(0.001)
    desk.tell(*(frames(str(number)) for number in range(10)), lane=Lane.DATA)
    desk.tell(mark("down"))
    gate.set()
    desk.pass_time(2.0)

    assert "7 reads dropped" in desk.note()
    desk.close()
    entries, _ = read(desk.files()[0])
    kept = [entry.frames[0] for entry in entries if entry != mark("down")]
    assert kept == [b"first", b"7", b"8", b"9"]


def test_a_disk_that_cannot_be_written_ends_the_recorder_with_a_cause_and_may_work_later(tmp_path):
    (tmp_path / "recordings").write_text("a file where the folder should be")
    desk = Desk(tmp_path / "recordings")
    arguments = {"folder": desk.folder, "rules": Recording(**RULES), "market": "live", "venues": ("binance",)}
    desk.stage.start(path=paths.RECORDER, actor=Recorder, **arguments)

    ended = desk.stage.exit()

    assert ended.kind == "start_failed"
    assert "recordings cannot be written" in ended.error


# -- the folder -------------------------------------------------------------------------------------------------------


def a_file(folder, name, size, age_days=0.0):
    path = folder / f"{name}.rec.zst"
    path.write_bytes(b"x" * size)
    at_s = time.time() - age_days * 86_400
    os.utime(path, (at_s, at_s))
    return path


def test_the_oldest_files_go_when_there_is_too_much(tmp_path):
    for name in "abcd":
        a_file(tmp_path, name, 1_000)

    RecordingFolder(tmp_path, max_bytes=2_500, keep_days=10).prune()

    assert [file.name for file in sorted(tmp_path.iterdir())] == ["c.rec.zst", "d.rec.zst"]


def test_old_files_go_and_the_newest_never_does(tmp_path):
    a_file(tmp_path, "a", 1_000, age_days=12)
    a_file(tmp_path, "b", 1_000, age_days=11)

    folder = RecordingFolder(tmp_path, max_bytes=500, keep_days=10)

    assert folder.prune() == 1
    assert [file.name for file in folder.files()] == ["b.rec.zst"]


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    a_file(tmp_path, "a", 1_000, age_days=12)
    a_file(tmp_path, "b", 1_000)

    RecordingFolder(tmp_path, max_bytes=10**6, keep_days=10).prune()

    assert other.exists()


def test_names_never_meet(tmp_path):
    folder = RecordingFolder(tmp_path, max_bytes=10**6, keep_days=10)
    at_ms = a_header().created_ms
    first = folder.next_path(at_ms)
    first.touch()

    assert first.name == "20250214T030502000Z.rec.zst"
    assert folder.next_path(at_ms).name == "20250214T030502001Z.rec.zst"
