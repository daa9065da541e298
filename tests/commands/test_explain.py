"""`run.py explain` on a data directory that a daemon has left."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

import run
from actors.near_miss_book import NEAR_MISSES, NearMissBook
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Planned, telegram_target
from actors.outcome_book import OUTCOMES, OutcomeBook
from intelligence.alerts import AlertKind, Stage
from intelligence.near_misses import NearMiss
from intelligence.outcomes.judging import Outcome
from supervisors.trees.presentation import DATABASE
from tests.intelligence.builders import T0, an_alert
from tests.intelligence.outcomes.builders import a_told

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
        (row,) = outbox.deliveries.waiting(TERMINAL)
        outbox.deliveries.claim(row.id, 1)
        outbox.deliveries.delivered(row.id, 1, now_ms=an_alert().detected_ms + 300)
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


def test_it_tells_what_followed(folder, capsys):
    outcome = Outcome(
        alert_id="abcdefghijkl",
        minutes=5,
        span=0.0198,
        move=-0.012,
        controls=200,
        control_days=8,
        rank=0.97,
        base=0.2,
        consequential=True,
        strict=False,
    )
    with closing(OutcomeBook(folder / OUTCOMES, 1)) as book:
        book.put_told(a_told(alert_id="abcdefghijkl"))
        book.put_outcome(outcome)
        book.put_outcome(replace(outcome, minutes=15, rank=None, control_days=2))
        book.put_outcome(replace(outcome, minutes=60, span=None))

    assert run.main(["explain", "abcdefghijkl"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "5 min after its delivery: range 1.98 %, -1.20 %, above 97 % of 200 control times: consequential (A2), not strictly",
        "15 min after its delivery: range 1.98 %, -1.20 %; control times of 2 days only: not measurable yet",
        "60 min after its delivery: prices are missing",
    ]
