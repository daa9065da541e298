"""How the process ends: asked while idle, while booting, under load, twice, or killed."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from actors.exchanges.registry import EXCHANGES
from tests.process.daemons import ROOT, daemon

VENUES = {name.upper() for name in EXCHANGES}
pytestmark = pytest.mark.slow

STOP_BUDGET_S = 8.0
A_BROKEN_DISPATCHER = """
from dataclasses import replace
from supervisors import spec
for name in ("CORE", "SUBTREE"):  # the same arithmetic, a hundred times as fast
    setattr(spec, name, replace(getattr(spec, name), base_s=0.005, cap_s=0.05))
from actors.dispatcher import Dispatcher
def init(self, **_):
    raise RuntimeError("a bug")
Dispatcher.init = init
from run import main
main(["live"])
"""


def test_a_loaded_daemon_ends_within_its_budget_with_every_alert_delivered_or_in_the_outbox(tmp_path) -> None:
    with daemon("demo", "--seconds", "0", "--speed", "20", data_dir=tmp_path) as demo:
        demo.wait_for("alert_raised")
        asked_s = time.monotonic()
        demo.signal(signal.SIGTERM)
        code = demo.end(STOP_BUDGET_S + 2)
        took_s = time.monotonic() - asked_s

    assert code == 0
    assert took_s < STOP_BUDGET_S
    raised = {line["alert_id"] for line in demo.events("alert_raised")}
    assert raised <= {line["alert_id"] for line in demo.events("alert_queued")}


def test_a_booting_daemon_ends_when_it_is_asked_to(tmp_path) -> None:
    with daemon("demo", "--seconds", "0", data_dir=tmp_path) as demo:
        demo.wait_for("daemon_started")
        demo.signal(signal.SIGTERM)

        assert demo.end(STOP_BUDGET_S + 2) == 0
        assert demo.events("shutdown_begun")


def test_a_daemon_without_any_network_stays_up_says_so_and_ends_cleanly(tmp_path) -> None:
    nowhere = {
        f"FORESHOCK_VENUES__{venue}__{kind}": f"{scheme}://127.0.0.1:9"
        for venue in VENUES
        for kind, scheme in (("WS_URL", "ws"), ("REST_URL", "http"))
    }
    with daemon(data_dir=tmp_path, **nowhere) as live:
        said = set()
        while said < EXCHANGES.keys():
            said.add(live.wait_for("catalogue_failed")["venue"])
        live.signal(signal.SIGTERM)
        code = live.end(STOP_BUDGET_S + 2)

    assert said == EXCHANGES.keys()
    assert "cannot connect" in live.events("catalogue_failed")[0]["reason"]
    assert code == 0


def test_a_second_daemon_on_the_same_data_is_refused(tmp_path) -> None:
    with daemon("demo", "--seconds", "0", data_dir=tmp_path) as first:
        first.wait_for("daemon_started")
        with daemon("demo", "--seconds", "5", data_dir=tmp_path) as second:
            code = second.end()

    assert code == 73


def test_an_idle_daemon_ends_within_a_second(tmp_path) -> None:
    off = {f"FORESHOCK_VENUES__{venue}__ENABLED": "false" for venue in VENUES}
    with daemon(data_dir=tmp_path, **off) as idle:
        idle.wait_for("daemon_ready")
        asked_s = time.monotonic()
        idle.signal(signal.SIGTERM)
        code = idle.end(STOP_BUDGET_S)
        took_s = time.monotonic() - asked_s

    assert code == 0
    assert took_s < 1.0


def test_a_second_signal_ends_a_daemon_that_is_still_stopping(tmp_path) -> None:
    # A venue that accepts the connection and never answers holds a request open for longer than the stop waits.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"FORESHOCK_VENUES__BINANCE__REST_URL": url, "FORESHOCK_REST__READ_TIMEOUT_S": "20"}
        settings |= {f"FORESHOCK_VENUES__{venue}__ENABLED": "false" for venue in VENUES if venue != "BINANCE"}
        with daemon(data_dir=tmp_path, **settings) as live:
            live.wait_for("daemon_ready")
            with silent.accept()[0]:
                live.signal(signal.SIGTERM)
                live.wait_for("shutdown_begun")
                live.signal(signal.SIGTERM)
                code = live.end(STOP_BUDGET_S)

    assert code in {128 + signal.SIGTERM, 3}  # 3: the request was given up before the second signal came


def test_a_tree_that_gives_up_ends_the_process_with_70_and_says_why(tmp_path) -> None:
    settings = {f"FORESHOCK_VENUES__{venue}__ENABLED": "false" for venue in VENUES}
    with daemon(command=[sys.executable, "-c", A_BROKEN_DISPATCHER], data_dir=tmp_path, **settings) as broken:
        code = broken.end()

    assert code == 70
    assert "a bug" in broken.events("root_gave_up")[0]["caused_by"]


def refused(*arguments: str, data_dir) -> tuple[int, str]:
    """The exit code and the words of a start that is refused."""
    done = subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "FORESHOCK_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_simulated_market_and_a_live_one_never_share_a_folder(tmp_path) -> None:
    (tmp_path / "market").write_text("simulated\n", encoding="ascii")

    code, words = refused(data_dir=tmp_path)

    assert code == 73
    assert "holds a simulated market's data" in words


def test_a_folder_that_cannot_be_used_is_named_without_a_stack_trace(tmp_path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")

    code, words = refused(data_dir=tmp_path / "file" / "below")

    assert code == 78
    assert "data_dir" in words
    assert "Traceback" not in words
