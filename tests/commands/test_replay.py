"""Recordings written by hand, replayed in this process."""

import json

import msgspec
import pytest

import run
from actors.exchanges.exchange import Feed, Instrument
from actors.recording.entries import FramesRead, InstrumentsKnown, SocketMarked, TradesKept, VenuePlanned
from actors.recording.files import RecordingWriter
from tests.actors.recording.builders import a_header

T0 = 1_750_713_600_000


def listing(at=0):
    known = tuple(Instrument(venue="binance", instrument=f"{name}USDT", asset=name) for name in ("BTC", "ODDCOIN"))
    connection = {"at_ms": T0 + at, "venue": "binance"}
    return [
        InstrumentsKnown(**connection, instruments=known),
        VenuePlanned(**connection, connections=("binance-market",)),
        SocketMarked(
            **connection,
            connection="binance-market",
            state="up",
            feeds=frozenset({Feed.LIQUIDATIONS}),
            brings_liquidations=True,
            assets=("BTC",),
        ),
    ]


def order(coins, at, price="60000", side="SELL"):
    """A forced order of BTC; 60 000 USD a coin."""
    event = {
        "e": "forceOrder",
        "E": T0 + at,
        "o": {
            "s": "BTCUSDT",
            "S": side,
            "o": "LIMIT",
            "f": "IOC",
            "q": str(coins),
            "p": price,
            "ap": price,
            "X": "FILLED",
            "l": str(coins),
            "z": str(coins),
            "T": T0 + at,
        },
        "ps": "BTCUSDT",
        "st": 1,
    }
    frame = msgspec.json.encode({"stream": "!forceOrder@arr", "data": event})
    return FramesRead(at_ms=T0 + at + 50, venue="binance", connection="binance-market", reader=1, frames=(frame,))


def recorded(path, *entries, finish=True):
    writer = RecordingWriter(path, a_header(created_ms=entries[0].at_ms))
    for entry in entries:
        writer.write(entry)
    writer.flush()
    if finish:
        writer.finish(entries[-1].at_ms)
    else:
        writer.close()
    return path


@pytest.fixture
def replay(tmp_path, monkeypatch):
    """Replay files; what came out: exit code and journal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORESHOCK_DATA_DIR", raising=False)

    def replayed(*files, **options):
        out = tmp_path / "journal.jsonl"
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        code = run.main(["replay", *map(str, files), "--journal", str(out), *flags])
        return code, [json.loads(line) for line in out.read_bytes().splitlines()] if out.exists() else []

    return replayed


def test_recorded_orders_raise_the_alerts_that_they_would_have_raised(replay, tmp_path):
    file = recorded(tmp_path / "a.rec.zst", *listing(), order(1, at=1_000), order(5, at=10_000), order(9, at=900_000))

    code, journal = replay(file)

    assert code == 0
    assert [(alert["kind"], alert["exchange_ms"] - T0, alert["value"]) for alert in journal] == [
        ("liquidation", 10_000, 300_000.0),
        ("liquidation", 900_000, 540_000.0),
    ]
    assert journal[0]["venues_able"] == ["binance"]


def test_what_is_shown_says_that_it_is_a_replay(replay, tmp_path, capsys):
    replay(recorded(tmp_path / "a.rec.zst", *listing(), order(5, at=1_000)))

    raised = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"alert_raised"' in line]
    assert [line["text"].partition(" ")[0] for line in raised] == ["REPLAY"]


def test_files_are_replayed_in_the_order_of_their_times(replay, tmp_path):
    first = recorded(tmp_path / "z.rec.zst", *listing(), order(5, at=1_000))
    second = recorded(tmp_path / "a.rec.zst", *listing(at=60_000), order(7, at=90_000))

    _, journal = replay(second, first)

    assert [alert["value"] for alert in journal] == [300_000.0, 420_000.0]


def test_an_incident_lasts_as_long_as_it_would_have_lasted(replay, tmp_path, capsys):
    burst = [order(2 + number / 10, at=1_000 * number) for number in range(1, 12)]
    file = recorded(tmp_path / "a.rec.zst", *listing(), *burst)

    replay(file)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cascade = next(line["alert_id"] for line in lines if line["event"] == "alert_raised" and line["kind"] == "cascade")
    stages = [line["stage"] for line in lines if line["event"] == "alert_delivered" and line["alert_id"] == cascade]
    assert stages[-1] == "ended"


def test_trades_that_somebody_else_decoded_are_counted(replay, tmp_path, capsys):
    trades = TradesKept(
        at_ms=T0 + 5, venue="binance", instrument="BTCUSDT", times_ms=[T0], prices=[60_000.0], coins=[-1.0]
    )

    replay(recorded(tmp_path / "a.rec.zst", *listing(), trades))

    assert "1 trade\n" in capsys.readouterr().err


def test_converted_trades_of_an_asset_that_the_settings_do_not_name_come_through(replay, tmp_path, capsys):
    trades = TradesKept(
        at_ms=T0 + 5, venue="binance", instrument="ODDCOINUSDT", times_ms=[T0], prices=[1.0], coins=[1.0]
    )

    replay(recorded(tmp_path / "a.rec.zst", *listing(), trades))

    assert "1 trade\n" in capsys.readouterr().err


def test_a_torn_file_is_replayed_up_to_the_tear_and_people_are_told(replay, tmp_path, capsys):
    file = recorded(tmp_path / "a.rec.zst", *listing(), order(5, at=1_000), finish=False)

    code, journal = replay(file)

    assert code == 0
    assert len(journal) == 1
    assert "never closed, as after a kill; replayed up to there" in capsys.readouterr().err


def test_a_recording_without_entries_is_no_error(replay, tmp_path, capsys):
    file = tmp_path / "a.rec.zst"
    RecordingWriter(file, a_header()).finish(T0)

    assert replay(file) == (0, [])
    assert "0 alerts" in capsys.readouterr().err


def test_something_else_than_a_recording_is_an_error_of_use(replay, tmp_path, capsys):
    file = tmp_path / "a.csv"
    file.write_text("BTC,SELL\n")

    with pytest.raises(SystemExit) as ended:
        replay(file)

    assert ended.value.code == 64
    assert "a.csv: no recording of Foreshock" in capsys.readouterr().err


def test_the_live_data_directory_is_refused(replay, tmp_path, capsys):
    live = tmp_path / "live"
    live.mkdir()
    (live / "market").write_text("live\n")
    file = recorded(tmp_path / "a.rec.zst", *listing(), order(5, at=1_000))

    code, _ = replay(file, data_dir=live)

    assert code == 73
    assert "holds a live market's data" in capsys.readouterr().err


def test_the_data_directory_of_the_environment_is_left_alone(replay, tmp_path, monkeypatch):
    live = tmp_path / "live"
    monkeypatch.setenv("FORESHOCK_DATA_DIR", str(live))

    code, _ = replay(recorded(tmp_path / "a.rec.zst", *listing(), order(5, at=1_000)))

    assert code == 0
    assert not live.exists()


def test_frames_that_cannot_be_understood_are_counted(replay, tmp_path, capsys):
    broken = msgspec.structs.replace(order(5, at=1_000), frames=(b"{not json",))

    code, journal = replay(recorded(tmp_path / "a.rec.zst", *listing(), broken, order(5, at=2_000)))

    assert (code, len(journal)) == (0, 1)
    assert "2 frames, 1 of them not understood" in capsys.readouterr().err
