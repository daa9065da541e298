"""The simulator as the process that the daemon starts."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from simulator.options import read_options

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "simulator", "--assets", "3"]


@contextmanager
def started(command):
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_the_first_line_says_where_everything_is():
    with started([*COMMAND, "--seed", "5", "--speed", "20"]) as process:
        line = json.loads(process.stdout.readline())

    base = line["control_url"].removesuffix("/_sim")
    assert line["event"] == "simulator_ready"
    assert line["venues"] == {
        venue: {"ws_url": f"{base.replace('http', 'ws')}/{venue}", "rest_url": f"{base}/{venue}"}
        for venue in ("binance", "bybit", "okx")
    }
    assert (line["assets"], line["seed"], line["mode"], line["clock"][0][2]) == (3, 5, "market", 20.0)


def test_it_ends_on_sigterm_with_success():
    with started(COMMAND) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert process.wait() == 0
        assert process.stderr.read() == ""


def test_it_ends_after_the_given_seconds():
    with started([*COMMAND, "--seconds", "0.1"]) as process:
        assert process.wait() == 0


def test_it_ends_with_its_parent():
    starter = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    with started([sys.executable, "-c", starter, *COMMAND]) as parent:
        parent.stdout.readline()
        parent.kill()

        assert parent.stdout.read() == ""  # the end of the pipe, which the simulator held open too


def test_a_tape_that_is_not_there_is_an_error_of_use():
    done = subprocess.run([*COMMAND, "--tape", "binance:nowhere.csv"], capture_output=True, text=True, check=False)

    assert done.returncode == 64
    assert done.stderr == "simulator: tape nowhere.csv: no such file\n"


@pytest.mark.parametrize("wrong", [["--speed", "0"], ["--assets", "1000"], ["--venues", "mtgox"]])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(SystemExit):
        read_options(wrong)
