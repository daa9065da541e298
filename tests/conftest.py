"""What every test stands on. A clock a test can move is actors/clock.py's own; doubles live in tests/doubles.py."""

import logging
import os
from pathlib import Path

import pytest
from hypothesis import settings
from pykka import ActorRegistry

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
os.environ.setdefault("FORESHOCK_HTTP__PORT", "0")  # any that is free: daemons of tests run beside one another
logging.getLogger("pykka").setLevel(logging.CRITICAL)  # as config.logs does: what it logs, we log with its context

_SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def no_actor_is_left_behind():
    """pykka keeps one registry for the process, so an actor left running would meet the next test."""
    yield
    left = [str(ref) for ref in ActorRegistry.get_all()]
    if left:
        ActorRegistry.stop_all(block=False)
        for ref in ActorRegistry.get_all():
            ActorRegistry.unregister(ref)
        pytest.fail(f"actors left running: {', '.join(left)}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The recorded data beside the checkout; a fresh clone elsewhere has none."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("no recorded data: ../shared/data is not there")
    return _SHARED_DATA
