import json
import os
import time

import pytest

from actors.telegram import status_page

TREE = {
    "path": "/",
    "health": "degraded",
    "state": "running",
    "children": [
        {
            "path": "/core",
            "health": "healthy",
            "state": "running",
            "epoch": 1,
            "children": [
                {
                    "path": "/core/feeds",
                    "health": "degraded",
                    "state": "running",
                    "flags": ["stale"],
                    "epoch": 3,
                    "why": "silent",
                    "note": "reconnect 1 of 3",
                    "restarts": {"total": 2, "next_s": None},
                    "last_exit": {"kind": "failed", "error": "KeyError: 'side'"},
                    "mailbox": {"urgent": 0, "data": 3},
                }
            ],
        }
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "status.txt").write_text("Foreshock healthy\nall well\n")
    (tmp_path / "status.json").write_text(json.dumps({"schema": 1, "tree": TREE}))
    return tmp_path


def test_page_is_what_the_pulse_wrote(folder):
    assert status_page.page(folder) == "Foreshock healthy\nall well"


def test_old_page_says_so(folder):
    then = time.time() - 90
    os.utime(folder / "status.txt", (then, then))

    assert status_page.page(folder).startswith("! This is 90 s old")


def test_without_files_there_is_no_status_yet(tmp_path):
    assert status_page.page(tmp_path) == status_page.NOTHING
    assert status_page.node_page(tmp_path, "/core") == status_page.NOTHING


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"tree": 5}', '{"tree": {"path": 1}}', '{"tree": [{}]}'])
def test_broken_report_is_no_status(folder, content):
    (folder / "status.json").write_text(content)

    assert status_page.node_page(folder, "/core") in {status_page.NOTHING, "There is no such path."}


@pytest.mark.parametrize("asked", ["/core/feeds", "core/feeds", "/CORE/feeds/"])
def test_one_path_with_its_last_exit(folder, asked):
    assert status_page.node_page(folder, asked).splitlines() == [
        "/core/feeds: degraded, running (stale), epoch 3",
        "  why: silent",
        "  note: reconnect 1 of 3",
        "  restarts: total 2",
        "  last exit: kind failed, error KeyError: 'side'",
        "  mailbox: urgent 0, data 3",
    ]


def test_branch_lists_what_is_below(folder):
    assert status_page.node_page(folder, "/core").splitlines()[-1] == "  /core/feeds: degraded, running (stale)"


def test_unknown_path_brings_those_like_it(folder):
    assert "/core/feeds" in status_page.node_page(folder, "/core/fedes")
    assert status_page.node_page(folder, "xyz") == "There is no such path."
