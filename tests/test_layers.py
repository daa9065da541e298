"""Who may import whom (docs: arrows point one way, intelligence <- charts <- config <- actors <- supervisors <- commands <- run)."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYERS = ("intelligence", "charts", "config", "actors", "supervisors", "commands", "run")
PACKAGES = (*LAYERS, "simulator")
FILES = sorted(file for name in PACKAGES for file in (Path(f"{name}.py"), *Path(name).rglob("*.py")) if file.is_file())

# What `intelligence` may use: values in, values out. Everything else of the standard library can reach the world.
_PURE_NAMES = """
    __future__ abc array base64 bisect collections contextlib copy dataclasses datetime decimal enum fractions functools
    hashlib heapq html itertools json math msgspec numbers operator re statistics string textwrap types typing
    unicodedata zlib zoneinfo
"""
PURE = frozenset(_PURE_NAMES.split())

# The evaluation is pure like the rest, and counts with arrays.
EVALUATED_WITH = {("intelligence", "evaluation"): frozenset({"numpy"})}

# Each library that reaches the world, and the places that may import it.
HOMES = {
    "websocket": ("actors/socket_reader.py",),
    "requests": ("actors/rest.py", "actors/notifiers/bot_api.py"),
    "telegram": ("actors/telegram/",),
    "pykka": ("actors/supervised.py", "actors/inbox.py", "actors/mailbox.py", "supervisors/"),
    "aiohttp": ("simulator/",),
    "dotenv": ("config/",),
    "zstandard": ("actors/recording/files.py",),
    "platformdirs": ("config/",),
    "PIL": ("charts/",),
    "numpy": ("intelligence/evaluation/", "commands/backtesting/"),
}
PLAIN_CHARTS = {
    f"charts.{name}" for name in ("requests", "assembly", "incidents", "zone_assembly", "cache")
}  # what draws nothing
VENUES = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")
EXCHANGES = [file for file in FILES if file.parts[:2] == ("actors", "exchanges")]


def imports(file: Path) -> Iterator[str]:
    """The modules a file imports when it is loaded or later, those for annotations alone left out."""
    for node in _running(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: name the package, relative imports hide the layer"
            assert node.module
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if module_file(whole) else node.module


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _running(child)


def module_file(module: str) -> Path | None:
    path = Path(module.replace(".", "/"))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def top(module: str) -> str:
    return module.partition(".")[0]


def package(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def test_intelligence_is_pure():
    offences = [
        f"{file}: {module}"
        for file in FILES
        if package(file) == "intelligence"
        for module in imports(file)
        if top(module) not in PURE | {"intelligence"} | EVALUATED_WITH.get(file.parts[:2], frozenset())
    ]

    assert offences == []


def test_only_the_backtest_loads_the_evaluation():
    offences = [
        f"{file}: {module}"
        for file in FILES
        if file.parts[:2] not in {("intelligence", "evaluation"), ("commands", "backtesting")}
        for module in imports(file)
        if module.startswith(("intelligence.evaluation", "commands.backtesting")) and file.name != "backtest.py"
    ]

    assert offences == []


def test_arrows_between_packages_point_one_way():
    offences = [
        f"{file}: {module}"
        for file in FILES
        if package(file) in LAYERS
        for module in imports(file)
        if top(module) in LAYERS and LAYERS.index(top(module)) > LAYERS.index(package(file))
    ]

    assert offences == []


@pytest.mark.parametrize("library", HOMES)
def test_each_library_that_reaches_the_world_has_one_place(library):
    offences = [
        str(file) for file in FILES if library in map(top, imports(file)) and not str(file).startswith(HOMES[library])
    ]

    assert offences == []


def test_simulator_knows_nothing_of_the_daemon():
    offences = [
        f"{file}: {module}"
        for file in FILES
        if package(file) == "simulator"
        for module in imports(file)
        if top(module) in {"actors", "supervisors", "commands", "run"}
    ]

    assert offences == []


def test_only_the_demo_and_the_worlds_of_the_backtest_use_the_simulator():
    users = {str(file) for file in FILES if package(file) != "simulator" and "simulator" in map(top, imports(file))}

    assert users <= {"commands/demo.py", "commands/backtesting/worlds.py", "commands/backtesting/zones.py"}


def test_only_the_drawing_process_loads_what_draws():
    offences = [
        f"{file}: {module}"
        for file in FILES
        if package(file) != "charts"
        for module in imports(file)
        if top(module) == "charts" and module not in PLAIN_CHARTS
    ]

    assert offences == []


def test_venues_only_decode():
    offences = [
        f"{file}: {module}"
        for file in EXCHANGES
        for module in imports(file)
        if top(module) not in PURE | {"intelligence"} and not module.startswith("actors.exchanges")
    ]

    assert offences == []


def test_no_venue_knows_another():
    offences = [
        f"{file}: {module}"
        for file in EXCHANGES
        for module in imports(file)
        for venue in VENUES
        if f".{venue}" in module and not file.stem.startswith((venue, "registry"))
    ]

    assert offences == []


def test_run_imports_commands_only_when_they_are_given():
    assert {module for module in imports(Path("run.py")) if top(module) in PACKAGES} == {"commands", "config.loading"}


def test_no_modules_import_in_a_circle():
    graph = {file: {found for module in imports(file) if (found := module_file(module))} - {file} for file in FILES}

    graphlib.TopologicalSorter(graph).prepare()
