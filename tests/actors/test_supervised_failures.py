"""The failure matrix: whatever is raised, wherever, on either host, ends one incarnation with one notice."""

import asyncio

import pykka
import pytest

from actors.failures import NeedsOperator, Transient
from actors.mailbox import MailboxSpec, Unavailable
from tests.doubles import Stage


class _UnspeakableError(Exception):
    """Its own text fails, too."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


ERRORS = [
    ValueError,
    RecursionError,
    MemoryError,
    _UnspeakableError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    asyncio.CancelledError,
    pytest.fail.Exception,
]
KINDS = {
    "init": "start_failed",
    "recover": "start_failed",
    "handle told": "failed",
    "handle asked": "failed",
    "terminate after stop": "failed",
    "terminate after failure": "failed",
}


@pytest.fixture(params=["own thread", "worker"])
def stage(request):
    stage = Stage(MailboxSpec(retain_max=10))
    stage.on_worker = request.param == "worker"
    stage.worker.start()
    yield stage
    assert stage.worker.stop(5)


def fail_in(stage, place, error):
    """Bring an actor to fail in a place; the answer to the ask, if there is one."""
    script = {place.partition(" ")[0]: error}
    if place == "terminate after failure":
        script["handle"] = RuntimeError
    if place == "recover":
        stage.system.place("/a", stage.spec).mailbox.retained.append("kept")
    actor = stage.start(on_worker=stage.on_worker, fail=script)
    answer = None
    if place in {"handle told", "terminate after failure"}:
        stage.tell("fail")
    elif place == "terminate after stop":
        stage.stop()
    elif place == "handle asked":
        with pytest.raises(BaseException) as answer:
            stage.ask("fail")
    return actor, answer


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
@pytest.mark.parametrize("place", KINDS)
def test_any_error_anywhere_ends_one_actor_with_one_notice(stage, place, error):
    bystander = stage.start(path="/bystander", on_worker=stage.on_worker)
    stage.ready()

    actor, answer = fail_in(stage, place, error)

    if place not in {"init", "recover"}:
        stage.ready()
    exited = stage.exit()
    assert (exited.path, exited.kind) == ("/a", KINDS[place])
    if place != "terminate after failure":
        assert exited.error.startswith(error.__name__)
    if answer is not None:
        assert answer.type is (error if issubclass(error, Exception) else Unavailable)
    assert actor.departed.wait(5)
    assert pykka.ActorRegistry.get_all() == [bystander.actor_ref]
    assert list(stage.system.ledger) == ["/bystander"]
    assert stage.ask("hello", path="/bystander") == ("/bystander", 1, "hello")
    stage.stop("/bystander")
    assert stage.exit().path == "/bystander"
    assert stage.notices.empty()


def test_an_actor_that_failed_leaves_no_thread(stage):
    actor, _ = fail_in(stage, "handle told", SystemExit)
    stage.ready()

    stage.exit()

    thread = stage.system.newest["/a"][1]
    if thread is not None:
        thread.join(5)
        assert not thread.is_alive()
    assert actor.actor_stopped.is_set()


def test_terminate_runs_once_after_a_failure(stage):
    actor = stage.start(on_worker=stage.on_worker)
    stage.ready()

    stage.tell(ValueError("broken"))
    stage.exit()

    assert [entry for entry in actor.journal.entries if entry[0] == "terminate"] == [("terminate", "/a", "failed")]


def test_the_notice_says_what_failed_and_where(stage):
    stage.start(on_worker=stage.on_worker)
    stage.ready()

    stage.tell(KeyError("side"))
    exited = stage.exit()

    assert exited.error == "KeyError: 'side'"
    assert exited.where.startswith("doubles.py:")
    assert "KeyError: 'side'" in exited.traceback


def test_marked_errors_tell_the_supervisor_what_to_do(stage):
    stage.start(on_worker=stage.on_worker)
    stage.ready()
    stage.tell(Transient("busy", retry_after_s=7.0))
    later = stage.exit()
    stage.start(on_worker=stage.on_worker)
    stage.ready()
    stage.tell(NeedsOperator("the token is wrong"))
    parked = stage.exit()

    assert (later.retry_after_s, later.park) == (7.0, "")
    assert parked.park == "the token is wrong"
