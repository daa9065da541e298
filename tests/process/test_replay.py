"""The daemon against the simulator over real sockets, recorded; then the recording, twice."""

import json
import signal
import subprocess
import sys

import pytest

from tests.process.daemons import ROOT, daemon

pytestmark = pytest.mark.slow


def replayed(files, out):
    command = [sys.executable, "run.py", "replay", *map(str, files), "--journal", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


@pytest.mark.timeout(300)
def test_a_replay_raises_what_the_recorded_run_raised_and_the_same_journal_twice(tmp_path):
    settings = {"FORESHOCK_RECORDING__ENABLED": "true", "FORESHOCK_RECORDING__ROTATE_S": "5"}
    with daemon("demo", "--seconds", "20", "--speed", "10", "--seed", "7", data_dir=tmp_path, **settings) as demo:
        assert demo.end() == 0
    files = sorted((tmp_path / "recordings").glob("*.rec.zst"))

    first = replayed(files, tmp_path / "first.jsonl")
    second = replayed(files, tmp_path / "second.jsonl")

    assert len(files) > 1
    assert first == second
    live = {line["alert_id"]: what_happened(line) for line in demo.journal()}
    assert {"liquidation", "cascade"} <= {alert["kind"] for alert in live.values()}
    assert {line["alert_id"]: what_happened(line) for line in map(json.loads, first.splitlines())} == live


def what_happened(alert):
    """Everything that does not depend on which thread was faster: a liquidation overtakes marks that wait in a mailbox, so
    prices around it may be those of a moment before, and who could report is known to within a letter's way.
    """
    raced = {"text", "venues_able", "price", "context", "move"}
    return {key: value for key, value in alert.items() if key not in raced}


@pytest.mark.timeout(200)
def test_a_recording_of_a_daemon_that_was_killed_is_replayed_up_to_the_end_of_what_was_written(tmp_path):
    settings = {"FORESHOCK_RECORDING__ENABLED": "true", "FORESHOCK_RECORDING__FLUSH_S": "0.1"}
    with daemon("demo", "--seconds", "0", "--speed", "10", "--seed", "7", data_dir=tmp_path, **settings) as demo:
        raised = demo.wait_for("alert_raised")
        demo.wait_for(lambda line: line["event"] == "alert_delivered" and line["alert_id"] != raised["alert_id"])
        demo.signal(signal.SIGKILL)
    (file,) = (tmp_path / "recordings").glob("*.rec.zst")

    journal = replayed([file], tmp_path / "journal.jsonl").splitlines()

    assert raised["alert_id"] in {json.loads(line)["alert_id"] for line in journal}


def test_converted_orders_raise_what_the_same_orders_raise_over_real_sockets(shared_data, tmp_path):
    path = shared_data / "binance" / "force_orders" / "2025-06-23b_all_symbols.csv"
    with daemon("demo", "--seconds", "0", "--speed", "200", "--tape", str(path), data_dir=tmp_path) as demo:
        assert demo.end() == 0
    converted = tmp_path / "orders.rec.zst"
    command = [sys.executable, "run.py", "convert", str(path), "--out", str(converted)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)

    again = [json.loads(line) for line in replayed([converted], tmp_path / "journal.jsonl").splitlines()]

    assert {line["alert_id"] for line in again} == {line["alert_id"] for line in demo.journal()}
    assert again


def test_a_recorded_day_of_ticks_comes_through(shared_data, tmp_path):
    days = sorted((shared_data / "hyperliquid" / "stretch_2026-06").glob("*_DOGE_20260614.jsonl.gz"))
    converted = tmp_path / "day.rec.zst"
    command = [sys.executable, "run.py", "convert", *map(str, days), "--out", str(converted)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)

    done = subprocess.run(
        [sys.executable, "run.py", "replay", str(converted)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0
    assert "1428 mark price, 1428 open interest" in done.stderr
