"""docs/log-events.md and the code name the same events."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PAGE = Path("docs/log-events.md")
FOLDERS = ("actors", "commands", "config", "supervisors")
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
EVENT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
RENDERED_BY_HAND = {"library_logged", "log_line_broken"}  # config/logs.py, where no logger can be asked


def logged_events() -> dict[str, str]:
    """Every event in the code with one place that logs it."""
    return {
        event: f"{file}:{line}"
        for folder in FOLDERS
        for file in sorted(Path(folder).rglob("*.py"))
        for event, line in events_of(ast.parse(file.read_text()))
    }


def events_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Calls such as `log.info("feed_lost", ...)`, `self.log.info(...)`, `level("feed_lost", ...)` where the level was
    chosen before, and `Report("child_failed", ...)`, which a plan returns and its supervisor logs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and is_logging(node.func):
            position = 1 if isinstance(node.func, ast.Attribute) and node.func.attr == "log" else 0
            for choice in ast.walk(node.args[position]):
                if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                    yield choice.value, node.lineno


def is_logging(function: ast.expr) -> bool:
    match function:
        case ast.Name(id="level" | "Report"):
            return True
        case ast.Attribute(value=ast.Name(id="log") | ast.Attribute(attr="log" | "_log"), attr=method):
            return method in METHODS
        case _:
            return False


def documented_events() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), flags=re.MULTILINE)


def test_every_logged_event_is_documented():
    missing = {event: place for event, place in logged_events().items() if event not in documented_events()}

    assert not missing, f"add to {PAGE}, in alphabetical order:\n" + "\n".join(
        f"| `{event}` | level | what it says, with its keys |   ({place})" for event, place in sorted(missing.items())
    )


def test_every_documented_event_is_logged():
    gone = set(documented_events()) - set(logged_events()) - RENDERED_BY_HAND

    assert not gone, f"remove from {PAGE}, no code logs it: {sorted(gone)}"


def test_events_are_snake_case_facts():
    assert [place for event, place in logged_events().items() if not EVENT.fullmatch(event)] == []


def test_page_is_in_alphabetical_order():
    assert documented_events() == sorted(set(documented_events()))
