"""The Dockerfile without Docker: what it says, and its build steps run as plain shell in an empty folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest


class Step(NamedTuple):
    stage: int
    verb: str
    rest: str


def steps() -> list[Step]:
    text = re.sub(r"^\s*#.*\n", "", Path("Dockerfile").read_text(), flags=re.MULTILINE)
    stage, found = 0, []
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            verb, _, rest = line.strip().partition(" ")
            stage += verb == "FROM"
            found.append(Step(stage, verb, rest.strip()))
    return found


def of(verb: str, stage: int = 2) -> list[str]:
    return [step.rest for step in steps() if (step.verb, step.stage) == (verb, stage)]


def copied() -> list[tuple[str, str]]:
    """Sources and targets of the files that come from the checkout."""
    return [tuple(rest.split()) for rest in of("COPY", stage=1)]


def health_check() -> list[str]:
    return json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])


@pytest.fixture
def image(tmp_path) -> Path:
    """The folder that the first stage builds."""
    app = tmp_path / "app"
    app.mkdir()
    for step in steps():
        if step.stage == 1 and step.verb == "COPY":
            source, target = step.rest.split()
            if Path(source).is_dir():
                shutil.copytree(source, app / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, app / target)
        elif step.stage == 1 and step.verb == "RUN":
            subprocess.run(["sh", "-ec", step.rest], cwd=app, env=outside(tmp_path), check=True)
    return app


def outside(folder: Path) -> dict[str, str]:
    """An environment in which `python` is the base image's, which has nothing installed."""
    folder.joinpath("bin").mkdir(exist_ok=True)
    python = folder / "bin" / "python"
    if not python.exists():
        python.symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    return os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def test_everything_that_is_copied_exists_and_is_not_ignored():
    let_in = {line[1:] for line in Path(".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert [source for source, _ in copied() if not Path(source).exists() or source not in let_in] == []


def test_every_package_of_the_daemon_is_copied():
    packages = {f"{path.parent}/" for path in Path().glob("*/__init__.py")} - {"tests/", "benchmarks/"}

    assert packages <= {source for source, _ in copied()}


def test_process_is_not_root_and_is_the_first_one():
    """In the shell form of CMD a shell is process 1, and swallows the signal to stop."""
    assert of("USER") == ["foreshock"]
    assert json.loads(of("CMD")[0]) == ["python", "run.py"]


def test_what_is_written_goes_to_the_volume():
    assert "FORESHOCK_DATA_DIR=/data" in of("ENV")[0]
    assert of("VOLUME") == ["/data"]


@pytest.mark.parametrize(("status", "health"), [(0, 0), (1, 0), (2, 1), (3, 1), (78, 1)])
def test_degraded_daemon_counts_as_healthy_for_docker(tmp_path, status, health):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$*" = "run.py status" ] && exit {status}\nexit 99\n')
    python.chmod(0o755)

    done = subprocess.run(health_check(), env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)

    assert done.returncode == health


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_image_builds_and_runs_without_writing_into_itself(image, tmp_path):
    before = sorted(image.rglob("*"))
    settings = dict(pair.split("=", 1) for pair in of("ENV")[0].split() if not pair.startswith("PATH="))
    environ = outside(tmp_path) | settings | {"FORESHOCK_DATA_DIR": str(tmp_path / "data")}

    done = subprocess.run(
        [".venv/bin/python", "run.py", "check"], cwd=image, env=environ, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert f'"{tmp_path / "data"}"  # FORESHOCK_DATA_DIR' in done.stdout
    assert sorted(image.rglob("*")) == before
