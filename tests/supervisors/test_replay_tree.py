"""What a replay may and may not hold."""

import ast
import sys
from pathlib import Path

import pytest

from config.loading import load_settings
from supervisors.replay_tree import TURNS, replay_tree
from supervisors.spec import walk
from supervisors.trees.presentation import Presentation

TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"
THE_WORLD = {"actors.asking", "actors.rest", "actors.socket_reader", "requests", "telegram", "websocket"}


def everybody(spec, at=""):
    """Every child with its path; features are built."""
    for path, child in walk(spec, at):
        yield path, child
        if callable(build := child.args.get("spec")):
            yield from everybody(build(), path)


@pytest.fixture(scope="module")
def children():
    """Every child of the fullest tree."""
    environ = {
        "FORESHOCK_ASSETS": "auto:50",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "AUTHORIZED_USERS": "1",
        "FORESHOCK_RECORDING__ENABLED": "true",
    }
    settings = load_settings(environ=environ, env_file=Path("no.env")).settings
    tree = replay_tree(settings, Presentation(replay=True), frozenset({"okx"}))
    return list(everybody(tree))


def test_every_actor_takes_its_turns_in_one_thread(children):
    assert [path for path, child in children if child.worker != TURNS] == []


def test_nobody_speaks_with_the_world(children):
    offences = {}
    for path, child in children:
        file = Path(sys.modules[child.actor.__module__].__file__)
        imported = {
            module
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom | ast.Import)
            for module in ([node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names])
        }
        if found := imported & THE_WORLD:
            offences[path] = found

    assert offences == {}


def test_a_venue_of_which_no_connection_was_recorded_is_not_missed(children):
    monitor = dict(children)["/core/venues"]

    assert "okx" not in (*monitor.args["configured"], *monitor.args["watched"])
    assert "binance" in monitor.args["configured"]
