"""Whatever happens to the process that draws costs one picture, and the next one is drawn."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from actors import paths
from actors.charts import LOOK_S, Charts
from actors.clock import ManualClock
from actors.drawing_process import DrawingFailed, DrawingProcess, ProcessLost, StillStarting
from actors.messages.pictures import ChartDrawn, ChartNotDrawn, ChartWanted
from charts.requests import ChartKind
from tests.charts.samples import a_request
from tests.telegram_stand.bot import PICTURES
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for

PATIENCE_S = 20.0
PNG = b"\x89PNG"
HANGS = (sys.executable, "-c", "import os, time; os.write(1, b'r'); time.sleep(60)")
NEVER_STARTS = (sys.executable, "-c", "import time; time.sleep(60)")
TALKS_NONSENSE = (sys.executable, "-c", "import os, time; os.write(1, b'\\xff' * 64); time.sleep(60)")


@pytest.fixture
def process():
    made = []

    def make(*command, start_s=PATIENCE_S, hang_s=PATIENCE_S):
        made.append(DrawingProcess(memory_bytes=268_435_456, start_s=start_s, hang_s=hang_s, command=command))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def test_process_draws_a_picture(process):
    assert process().draw(a_request(ChartKind.CANDLES), PATIENCE_S).startswith(PNG)


def test_process_draws_several_pictures(process):
    ours = process()

    pictures = [ours.draw(a_request(kind), PATIENCE_S) for kind in ChartKind]

    assert all(picture.startswith(PNG) for picture in pictures)


def test_process_that_hangs_is_killed(process):
    ours = process(*HANGS, hang_s=0.1)

    with pytest.raises(ProcessLost):
        ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)

    assert ours.pid is None


def test_process_that_does_not_start_is_killed(process):
    ours = process(*NEVER_STARTS, start_s=0.1)

    with pytest.raises(ProcessLost):
        ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)

    assert ours.pid is None


def test_process_that_takes_long_to_start_is_left_alone_and_draws_the_next_picture(process):
    ours = process()

    with pytest.raises(StillStarting):
        ours.draw(a_request(ChartKind.CANDLES), 0.0)
    first = ours.pid

    assert ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S).startswith(PNG)
    assert ours.pid == first


def test_process_that_talks_nonsense_is_killed(process):
    ours = process(*TALKS_NONSENSE)

    with pytest.raises(ProcessLost):
        ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)

    assert ours.pid is None


def test_picture_after_a_kill_comes_from_a_new_process(process):
    ours = process()
    ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)
    first = ours.pid
    os.kill(first, signal.SIGKILL)

    try:
        picture = ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)
    except ProcessLost:  # it was still dying when the request was written
        picture = ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)

    assert picture.startswith(PNG)
    assert ours.pid != first


def test_request_without_sense_does_not_end_the_process(process):
    ours = process()
    bad = a_request(ChartKind.CANDLES)
    ours.draw(bad, PATIENCE_S)
    before = ours.pid

    with pytest.raises(DrawingFailed):
        ours.draw(type(bad)(**{name: getattr(bad, name) for name in bad.__struct_fields__} | {"zone": "No/Where"}), 20)

    assert ours.pid == before


def test_process_gets_nothing_of_our_environment(process, monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "secret-of-ours")
    ours = process()
    ours.draw(a_request(ChartKind.CANDLES), PATIENCE_S)

    assert b"secret-of-ours" not in Path(f"/proc/{ours.pid}/environ").read_bytes()


# -- the actor --------------------------------------------------------------------------------------------------------

HANGS_SETTINGS = replace(PICTURES, hang_s=0.1)


@pytest.fixture
def theatre():
    one = Theatre()
    yield one
    one.close()


def wanted(theatre, kind=ChartKind.CANDLES, *, within_s=PATIENCE_S, **values):
    return ChartWanted(request=a_request(kind), until_s=theatre.clock.monotonic() + within_s, **values)


def test_whoever_asks_gets_a_picture(theatre):
    theatre.start(paths.CHARTS, Charts, settings=PICTURES)

    drawn = theatre.ask(paths.CHARTS, wanted(theatre), timeout=PATIENCE_S)

    assert isinstance(drawn, ChartDrawn)
    assert drawn.png.startswith(PNG)


def test_an_actor_is_told_its_picture_under_its_own_key(theatre):
    told = theatre.record("/somebody")
    theatre.start(paths.CHARTS, Charts, settings=PICTURES)

    theatre.tell(paths.CHARTS, wanted(theatre, path="/somebody", key="mine"))

    wait_for(lambda: told, "the picture", PATIENCE_S)
    assert (type(told[0]), told[0].key) == (ChartDrawn, "mine")


def test_what_nobody_waits_for_any_more_is_not_drawn(theatre):
    theatre.start(paths.CHARTS, Charts, settings=PICTURES, command=HANGS)

    answer = theatre.ask(paths.CHARTS, wanted(theatre, within_s=-1.0))

    assert isinstance(answer, ChartNotDrawn)


def test_a_process_that_hangs_costs_only_the_picture(theatre):
    theatre.start(paths.CHARTS, Charts, settings=HANGS_SETTINGS, command=HANGS)

    answers = [theatre.ask(paths.CHARTS, wanted(theatre)) for _ in range(2)]

    assert [type(answer) for answer in answers] == [ChartNotDrawn, ChartNotDrawn]
    assert theatre.exits == []


def test_processes_lost_in_a_row_are_left_to_the_supervisor(theatre):
    theatre.start(paths.CHARTS, Charts, settings=HANGS_SETTINGS, command=HANGS)

    for _ in range(3):
        theatre.tell(paths.CHARTS, wanted(theatre))

    assert theatre.exit_of(paths.CHARTS).kind == "failed"


def test_process_stands_ready_before_anybody_wants_a_picture(theatre):
    theatre.start(paths.CHARTS, Charts, settings=PICTURES)

    ready = process_of(theatre)
    theatre.ask(paths.CHARTS, wanted(theatre), timeout=PATIENCE_S)

    assert ready is not None
    assert process_of(theatre) == ready


def test_process_that_died_while_nobody_wanted_a_picture_is_replaced():
    theatre = Theatre(ManualClock())
    try:
        theatre.start(paths.CHARTS, Charts, settings=PICTURES)
        first = process_of(theatre)
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

        theatre.clock.advance(LOOK_S)  # it finds it dead
        theatre.quiet(paths.CHARTS)
        theatre.clock.advance(LOOK_S)  # and starts another
        theatre.quiet(paths.CHARTS)

        assert process_of(theatre) not in {None, first}
    finally:
        theatre.close()


def process_of(theatre):
    return theatre.system.ledger[paths.CHARTS].actor._process.pid
