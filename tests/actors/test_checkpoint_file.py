import sqlite3
from dataclasses import replace

import pytest

from actors.checkpoint_file import CheckpointFile, Kept, StorageError, open_file

T0 = 1_790_000_000_000
BTC = Kept(owner="/core/symbols/btc", part="history", schema=1, at_ms=T0, until_ms=T0 + 1000, state=b"bars")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "state.db"


@pytest.fixture
def file(path):
    file = CheckpointFile(path, busy_s=1)
    yield file
    file.close()


def change(path, sql):
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()


def test_what_was_saved_last_is_loaded(file):
    file.save([BTC])
    file.save([replace(BTC, state=b"more bars", at_ms=T0 + 1)])

    assert file.load(BTC.owner, BTC.part) == replace(BTC, state=b"more bars", at_ms=T0 + 1)


def test_parts_are_kept_apart(file):
    file.save([BTC])

    assert file.load(BTC.owner, "detection") is None


def test_a_row_that_was_damaged_is_told_and_leaves_the_others_alone(file, path):
    file.save([BTC])
    file.save([replace(BTC, part="detection")])
    change(path, "UPDATE checkpoints SET state = x'00' WHERE part = 'history'")

    with pytest.raises(StorageError, match="/core/symbols/btc history: the checksum is wrong"):
        file.load(BTC.owner, BTC.part)
    assert file.load(BTC.owner, "detection") is not None


def test_what_is_set_aside_is_not_loaded_and_can_be_looked_at(file, path):
    file.save([BTC])

    file.set_aside(BTC.owner, BTC.part)

    assert file.load(BTC.owner, BTC.part) is None
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT owner, state FROM set_aside").fetchall() == [(BTC.owner, b"bars")]
    db.close()


def test_what_is_past_its_time_is_forgotten(file):
    file.save([BTC])

    file.forget(BTC.until_ms + 1)

    assert file.load(BTC.owner, BTC.part) is None


def test_after_two_processes_that_did_not_prove_themselves_the_third_starts_cold(file):
    file.save([BTC])

    assert [file.begin(T0 + number, 2) for number in range(3)] == [True, True, False]
    assert file.load(BTC.owner, BTC.part) is None


def test_a_process_that_proved_itself_clears_the_suspicion(file):
    file.save([BTC])
    file.begin(T0, 2)
    file.begin(T0, 2)
    file.trust()

    assert file.begin(T0, 2)
    assert file.load(BTC.owner, BTC.part) == BTC


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_torn_is_set_aside_for_a_new_one(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    file, problem = open_file(path, busy_s=1)
    file.save([BTC])

    assert "state.db" in problem
    assert file.load(BTC.owner, BTC.part) == BTC
    assert path.with_name("state.db.set-aside").read_bytes() == content
    file.close()


def test_a_file_of_a_newer_version_is_set_aside_for_a_new_one(path):
    path.parent.mkdir()
    change(path, "PRAGMA user_version = 99")

    file, problem = open_file(path, busy_s=1)

    assert "a newer Foreshock has written it" in problem
    assert file.load(BTC.owner, BTC.part) is None
    file.close()


def test_a_folder_that_cannot_be_written_is_an_error_and_no_reason_to_move_anything(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")

    with pytest.raises(StorageError):
        open_file(tmp_path / "data" / "state.db", busy_s=1)


def test_what_is_handed_in_together_is_written_together(file):
    file.save([BTC, replace(BTC, part="detection")])

    assert (file.load(BTC.owner, BTC.part), file.load(BTC.owner, "detection").part) == (BTC, "detection")
