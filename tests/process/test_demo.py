"""`run.py demo` as a newcomer sees it: alerts, a cascade with its end, an announced failure, a clean exit."""

import json
import subprocess
import sys

import pytest

from tests.process.daemons import ROOT, daemon

pytestmark = pytest.mark.slow


def test_the_demo_shows_alerts_a_cascade_with_its_end_and_a_restart_and_ends_by_itself(tmp_path) -> None:
    with daemon("demo", "--seconds", "30", "--speed", "20", "--seed", "7", data_dir=tmp_path) as demo:
        code = demo.end()

    assert code == 0
    raised = demo.events("alert_raised")
    assert {"liquidation", "cascade"} <= {line["kind"] for line in raised}
    assert all(line["text"].startswith("SIMULATION") for line in raised)
    cascades = {line["alert_id"] for line in raised if line["kind"] == "cascade"}
    ended = {line["alert_id"] for line in demo.events("alert_delivered") if line["stage"] == "ended"}
    assert cascades & ended
    assert [line["path"] for line in demo.events("drill_recovered")] == ["/core/symbols/btc"]
    assert not [line for line in demo.lines if line["level"] in {"error", "critical"}]
    # The simulator's truth: what its documents leave open is settled in the run, never wrongly, and the venues then report.
    settled = {line["venue"]: line["verdict"] for line in demo.events("conflict_settled")}
    assert settled == {"bybit": "both", "gate": "order", "bitget": "quote"}
    assert {"gate", "bitget"} <= {line["venue"] for line in demo.events("venue_able")}
    assert demo.events("conflict_withdrawn") == demo.events("contract_excluded") == []


def test_every_alert_of_a_demo_can_be_followed_from_raised_to_its_end(tmp_path) -> None:
    with daemon("demo", "--seconds", "15", "--speed", "20", data_dir=tmp_path) as demo:
        assert demo.end() == 0

    def ids(event: str) -> set[str]:
        return {line["alert_id"] for line in demo.events(event)}

    assert ids("alert_raised")
    assert ids("alert_raised") == ids("alert_queued") | ids("alert_suppressed")
    assert ids("alert_queued") == ids("alert_delivered")


def test_status_answers_while_the_demo_runs_and_says_so_when_it_does_not(tmp_path) -> None:
    def status(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "run.py", "status", *arguments],
            cwd=ROOT,
            env={"PATH": "", "FORESHOCK_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    before = status()
    with daemon("demo", "--seconds", "0", "--speed", "10", data_dir=tmp_path) as demo:
        demo.wait_for(lambda line: line["event"] == "venue_able" and line["venue"] == "okx")
        demo.wait_for("alert_raised")
        running = status("--json")

    assert before.returncode == 3
    assert running.returncode in {0, 1}
    report = json.loads(running.stdout)
    assert report["tree"]["path"] == "/"
    assert report["totals"]["actors"] > 40
