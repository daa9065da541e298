"""The report of `run.py backtest`: three views of the same figures, and errors of use in one line."""

import subprocess
import sys

import msgspec
import pytest

from commands.backtesting.page import report_page
from commands.backtesting.text import report_text
from commands.backtesting.world_ranges import SILENT_WORLDS, WORLDS, drawn_worlds
from intelligence.evaluation.report import Figure, Line, Plot, Report, Section, Table


def report():
    table = Table(
        title="A2", columns=("alarm", "A2"), rows=(("<ours>", Figure(0.9, 0.8, 0.95, 40)), ("none", Figure(None)))
    )
    plot = Plot(title="Curve", x_label="pushes", y_label="A2", lines=(Line(name="ours", x=(1.0, 2.0), y=(0.9, 0.7)),))
    return Report(
        title="Recorded days",
        data="public",
        variants=7,
        seconds=3.0,
        sections=(Section(title="Volume", tables=(table,), plots=(plot,)),),
    )


def test_the_text_gives_figures_with_their_interval_and_sample():
    assert "| <ours> | 0.90 [0.80, 0.95] (n 40) |" in report_text(report())
    assert "| none | - |" in report_text(report())
    assert "7 variants" in report_text(report())


def test_the_page_needs_nothing_from_elsewhere():
    page = report_page(report())

    assert "&lt;ours&gt;" in page
    assert "<svg" in page
    assert not any(word in page for word in ("http:", "https:", "src=", "<script", "<link"))


def test_the_json_is_the_whole_report():
    assert msgspec.json.decode(msgspec.json.encode(report()), type=Report) == report()


def test_worlds_are_the_same_every_time_and_some_know_nothing():
    worlds = drawn_worlds(10)

    assert worlds == drawn_worlds(10)
    assert len(worlds) == WORLDS
    assert sum(not one.informative for one in worlds) == SILENT_WORLDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["weather"], 64, "unknown part"),
        (["--processes", "0"], 64, "--processes"),
        (["volume", "--data", "nowhere"], 1, "not there"),
    ],
)
def test_errors_of_use_are_one_line(arguments, code, words):
    done = subprocess.run(
        [sys.executable, "run.py", "backtest", *arguments], capture_output=True, text=True, timeout=50, check=False
    )

    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
