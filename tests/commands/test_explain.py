"""`run.py explain` on a data directory that a daemon has left."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

import run
from actors.near_miss_book import NEAR_MISSES, NearMissBook
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Planned, telegram_target
from intelligence.alerts import AlertKind, Stage
from intelligence.near_misses import NearMiss
from supervisors.trees.presentation import DATABASE
from tests.intelligence.builders import T0, an_alert

AT = datetime.fromtimestamp(T0 / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESHOCK_DATA_DIR", str(tmp_path))
    with closing(Outbox(tmp_path / DATABASE, 1)) as outbox:
        planned = [
            Planned(target=TERMINAL, stage=Stage.RAISED),
            Planned(target=telegram_target(11), stage=Stage.RAISED, suppressed="inhibited:cascade"),
        ]
        outbox.append(an_alert(asset="SOL", factors=(("daily_volume_usd", 5e9),)), planned, T0)
        (row,) = outbox.waiting(TERMINAL)
        outbox.claim(row.id, 1)
        outbox.delivered(row.id, 1, now_ms=an_alert().detected_ms + 300)
    with closing(NearMissBook(tmp_path / NEAR_MISSES, 1)) as book:
        near = NearMiss(
            asset="SOL",
            kind=AlertKind.CASCADE,
            from_ms=T0,
            value=100_000.0,
            threshold=125_000.0,
            source="static",
            missing=("orders 3 of 5",),
        )
        book.add([near])
    return tmp_path


def test_an_alert_is_explained_with_its_factors_and_what_became_of_it(folder, capsys):
    assert run.main(["explain", "abcdefghijkl"]) == 0

    said = capsys.readouterr().out
    assert "daily_volume_usd = 5e+09" in said
    assert "terminal: raised delivered 0.3 s after detection" in said
    assert "telegram:11: raised suppressed, part of an incident that was open (cascade)" in said


def test_a_silence_is_explained_with_what_came_near(folder, capsys):
    assert run.main(["explain", "sol", AT]) == 0

    said = capsys.readouterr().out
    assert "cascade: 80% of the static threshold $125K; missing: orders 3 of 5" in said
    assert "id abcdefghijkl" in said


def test_a_real_silence_says_that_nothing_was_there(folder, capsys):
    assert run.main(["explain", "DOGE", AT]) == 0

    assert "Nothing reached a quarter of its threshold" in capsys.readouterr().out


def test_an_unknown_id_is_said(folder, capsys):
    assert run.main(["explain", "nosuchid"]) == 1
    assert "no alert nosuchid" in capsys.readouterr().out


def test_a_folder_without_records_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORESHOCK_DATA_DIR", str(tmp_path / "empty"))
    assert run.main(["explain", "x"]) == 3
    assert "no daemon has run there" in capsys.readouterr().out


def test_a_time_that_is_none_is_an_error_of_use(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        run.main(["explain", "SOL", "noon"])

    assert ended.value.code == 64
    assert "TIME: expected" in capsys.readouterr().err
