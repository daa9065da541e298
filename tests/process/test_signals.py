"""How the process ends: asked while idle, while booting, under load, twice, or killed."""

import signal
import time

import pytest

from tests.process.daemons import daemon

pytestmark = pytest.mark.slow

STOP_BUDGET_S = 8.0


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
        for venue in ("BINANCE", "BYBIT", "OKX")
        for kind, scheme in (("WS_URL", "ws"), ("REST_URL", "http"))
    }
    with daemon(data_dir=tmp_path, **nowhere) as live:
        said = {live.wait_for("catalogue_failed")["venue"] for _ in range(3)}
        live.signal(signal.SIGTERM)
        code = live.end(STOP_BUDGET_S + 2)

    assert said == {"binance", "bybit", "okx"}
    assert "cannot connect" in live.events("catalogue_failed")[0]["reason"]
    assert code == 0


def test_a_second_daemon_on_the_same_data_is_refused(tmp_path) -> None:
    with daemon("demo", "--seconds", "0", data_dir=tmp_path) as first:
        first.wait_for("daemon_started")
        with daemon("demo", "--seconds", "5", data_dir=tmp_path) as second:
            code = second.end()

    assert code == 73
