import threading
from types import SimpleNamespace

import msgspec
import pytest

from actors.clock import ManualClock
from actors.system import System
from supervisors import pulse as pulses
from supervisors.pulse import BETTER_AFTER_S, Pulse, Steady
from supervisors.status import Health
from supervisors.wording import Report
from tests.doubles import capture_logs

H, D, U = Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def health(monkeypatch):
    """The health of the next reports, settable."""
    now = SimpleNamespace(value=H, error=None)
    real = pulses.assemble

    def assemble(*args):
        if now.error is not None:
            raise now.error
        return msgspec.structs.replace(real(*args), health=str(now.value), why=("because",))

    monkeypatch.setattr(pulses, "assemble", assemble)
    return now


def a_pulse(clock, directory, every_s=3600.0, **values):
    supervision = SimpleNamespace(pulse_s=every_s, pulse_log_s=60.0)
    return Pulse(System(clock), SimpleNamespace(data_dir=directory, supervision=supervision), "1.2", **values)


def written(directory):
    return msgspec.json.decode((directory / "status.json").read_bytes(), type=Report)


def test_worse_shows_at_once_and_better_when_it_has_lasted():
    steady = Steady()
    shown = [
        str(steady.show(health, now_s))
        for health, now_s in [(H, 0), (U, 1), (H, 2), (H, 2 + BETTER_AFTER_S - 0.1), (H, 2 + BETTER_AFTER_S)]
    ]

    assert shown == ["healthy", "unhealthy", "unhealthy", "unhealthy", "healthy"]


def test_a_relapse_starts_the_wait_again():
    steady = Steady()
    shown = [str(steady.show(health, now_s)) for health, now_s in [(D, 0), (H, 5), (D, 10), (H, 15), (H, 20), (H, 25)]]

    assert shown == ["degraded"] * 5 + ["healthy"]


def test_a_beat_writes_the_status_for_machines_and_for_people(clock, tmp_path):
    a_pulse(clock, tmp_path, totals=lambda: {"log_dropped": 7}).beat()

    report = written(tmp_path)
    assert (report.version, report.totals["log_dropped"], report.ended) == ("1.2", 7, False)
    assert (tmp_path / "status.txt").read_text().startswith("Foreshock degraded, up ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["status.json", "status.txt"]


def test_the_thread_beats_and_the_last_word_says_that_it_ended(clock, tmp_path):
    pulse, beaten = a_pulse(clock, tmp_path, every_s=0.001), threading.Event()
    beat = pulse.beat

    def count(**kwargs):
        beat(**kwargs)
        beaten.set()

    pulse.beat = count
    pulse.start()
    assert beaten.wait(5)
    pulse.stop()

    assert written(tmp_path).ended
    assert not pulse._thread.is_alive()


def test_a_change_of_health_is_logged_with_its_reason(clock, tmp_path, health):
    pulse = a_pulse(clock, tmp_path)
    with capture_logs() as logs:
        for value in (H, U, H):
            health.value = value
            pulse.beat()
        clock.advance(BETTER_AFTER_S)
        pulse.beat()

    assert logs == [
        {"event": "health_changed", "from": "healthy", "to": "unhealthy", "why": ["because"], "log_level": "warning"},
        {"event": "health_changed", "from": "unhealthy", "to": "healthy", "why": ["because"], "log_level": "info"},
    ]


def test_the_pulse_is_logged_once_a_minute(clock, tmp_path, health):
    pulse = a_pulse(clock, tmp_path)
    with capture_logs() as logs:
        for _ in range(25):
            clock.advance(5)
            pulse.beat()

    assert [(entry["event"], entry["health"]) for entry in logs] == [("pulse", "healthy")] * 2


def test_a_full_disk_is_said_once_and_costs_no_beat(clock, tmp_path, health):
    pulse = a_pulse(clock, tmp_path / "gone")
    with capture_logs() as logs:
        for _ in range(3):
            pulse.beat()
        (tmp_path / "gone").mkdir()
        pulse.beat()

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("status_not_written", "warning")]
    assert written(tmp_path / "gone").totals["status_not_written"] == 3


def test_a_bug_of_ours_does_not_end_the_pulse(clock, tmp_path, health):
    pulse = a_pulse(clock, tmp_path)
    health.error = KeyError("totals")
    with capture_logs() as logs:
        pulse.beat()
        health.error = None
        pulse.beat()

    assert [entry["caused_by"] for entry in logs] == ["KeyError('totals')"]
    assert written(tmp_path).health == "healthy"
