import ast
import sys
import threading
import time
from pathlib import Path

import pykka
import pytest

from actors.mailbox import Lane, MailboxSpec, Unavailable, new_future
from actors.messages.supervision import Drill
from actors.supervised import Supervised
from tests.builders import a_letter
from tests.doubles import Stage, capture_logs


@pytest.fixture(params=["own thread", "worker"])
def stage(request):
    stage = Stage(MailboxSpec(retain_max=10))
    stage.worker.start()
    stage.hosted = {"on_worker": request.param == "worker"}
    yield stage
    for path in list(stage.system.ledger):
        stage.stop(path)
        while stage.exit().path != path:
            pass
    assert stage.worker.stop(5)


def run(stage, **args):
    """A started actor and the gate that lets it go on after "wait"."""
    gate = threading.Event()
    actor = stage.start(**stage.hosted, gate=gate, **args)
    stage.ready()
    return actor, gate


def hold(stage, actor):
    """Keep an actor busy until its gate opens."""
    stage.tell("wait")
    actor.journal.wait_for(("waiting", "/a", actor.epoch))


def test_an_actor_starts_answers_and_stops(stage):
    actor, _ = run(stage)

    answer = stage.ask("hello")
    stage.stop()

    assert answer == ("/a", 1, "hello")
    assert stage.exit().kind == "stopped"
    assert actor.journal.entries == [("init", "/a", 1), "hello", ("terminate", "/a", "stopped")]


def test_an_actor_that_finishes_says_so(stage):
    run(stage)

    stage.tell("finish")

    assert stage.exit().kind == "finished"


def test_letters_sent_before_the_start_are_handled_after_init(stage):
    stage.system.place("/a", stage.spec)
    stage.tell("early")

    actor, _ = run(stage)
    stage.ask("late")

    assert actor.journal.entries == [("init", "/a", 1), "early", "late"]


def test_a_stop_overtakes_a_backlog_and_the_backlog_is_kept(stage):
    actor, gate = run(stage)
    hold(stage, actor)
    for number in range(100):
        stage.tell(number)
    stage.stop()

    gate.set()
    assert stage.exit().kind == "stopped"
    successor, _ = run(stage)
    stage.ask("last")

    assert actor.seen == ["wait"]
    assert successor.seen == [*range(100), "last"]


def test_a_draining_actor_empties_its_mailbox_and_takes_no_new_letters(stage):
    actor, gate = run(stage)
    hold(stage, actor)
    for number in range(100):
        stage.tell(number)
    stage.stop(drain=True)
    gate.set()
    exited = stage.exit()

    assert exited.kind == "stopped"
    assert actor.seen == ["wait", *range(100)]
    assert not stage.tell("too late")


def test_a_failed_ask_gives_the_asker_the_error_and_ends_the_actor(stage):
    run(stage)

    with pytest.raises(ValueError, match="broken"):
        stage.ask(ValueError("broken"))

    assert stage.exit().kind == "failed"
    assert stage.system.dead_counts == {}


def test_an_ask_to_a_stopped_actor_is_refused_at_once(stage):
    run(stage)
    stage.stop()
    stage.exit()

    with pytest.raises(Unavailable, match="/a: stopped"):
        stage.ask("hello")


def test_asks_racing_stops_are_all_answered(stage):
    """Thousands of asks while incarnations come and go: none is left open, the interpreter switches as often as it can."""
    futures, over = [], threading.Event()
    stage.system.place("/a", stage.spec)

    def fire():
        while not over.is_set():
            future = new_future()
            stage.system.post("/a", a_letter("ask", reply=future))
            futures.append(future)

    askers = [threading.Thread(target=fire) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for asker in askers:
            asker.start()
        end_s = time.monotonic() + 1
        while time.monotonic() < end_s:
            run(stage)
            stage.stop()
            stage.exit()
    finally:
        over.set()
        sys.setswitchinterval(interval)
        for asker in askers:
            asker.join()

    unanswered = 0
    for future in futures:
        try:
            future.get(timeout=0)
        except Unavailable:
            pass
        except pykka.Timeout:
            unanswered += 1
    assert (len(futures) > 1000, unanswered) == (True, 0)


def test_without_a_thread_the_start_fails_and_leaves_nothing_behind(monkeypatch):
    stage = Stage()

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        stage.start()

    assert (pykka.ActorRegistry.get_all(), stage.system.ledger) == ([], {})


def test_a_raw_stop_of_pykka_is_a_stop(stage):
    actor, _ = run(stage)

    actor.actor_ref.stop(block=False)

    assert stage.exit().kind == "stopped"


def test_a_blocking_raw_stop_of_pykka_returns(stage):
    actor, _ = run(stage)

    assert actor.actor_ref.stop(timeout=5)
    assert stage.exit().kind == "stopped"


def test_a_drill_fails_with_the_named_error(stage):
    run(stage)

    stage.tell(Drill(error="SystemExit", reason="announced"))

    assert stage.exit().error == "SystemExit: announced"
    assert stage.system.dead_counts == {}


def test_vitals_tell_what_an_actor_does(stage):
    actor, gate = run(stage)
    hold(stage, actor)
    stage.clock.advance(3)
    busy = (actor.vitals.busy_since, actor.vitals.message_type)
    gate.set()
    stage.ask("hello")

    assert busy == (1000.0, "str")
    assert (actor.vitals.busy_since, actor.vitals.handled) == (None, 2)


def test_only_the_hooks_can_be_replaced():
    with pytest.raises(TypeError, match="Careless must not define _fail, on_stop"):

        class Careless(Supervised):
            def _fail(self):
                pass

            def on_stop(self):
                pass


def test_no_actor_uses_a_name_of_the_base_for_an_attribute_of_its_own():
    base = ast.parse(Path("actors/supervised.py").read_text())
    init = next(
        n
        for c in base.body
        if getattr(c, "name", "") == "Supervised"
        for n in c.body
        if getattr(n, "name", "") == "__init__"
    )
    taken = {t.attr for t in ast.walk(init) if isinstance(t, ast.Attribute) and isinstance(t.ctx, ast.Store)}
    offences = [
        f"{file}:{node.lineno} self.{node.attr}"
        for folder in ("actors", "supervisors")
        for file in Path(folder).rglob("*.py")
        if file != Path("actors/supervised.py")
        for cls in ast.walk(ast.parse(file.read_text()))
        if isinstance(cls, ast.ClassDef) and "Supervised" in map(ast.unparse, cls.bases)
        for node in ast.walk(cls)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
        if node.attr in taken - {"log"}  # which an actor may bind to what it is about
    ]

    assert "_inbox" in taken
    assert offences == []


def test_an_error_in_terminate_is_logged(stage):
    run(stage, fail={"terminate": RuntimeError})
    with capture_logs() as entries:
        stage.stop()
        stage.exit()

    assert [(e["event"], e["caused_by"]) for e in entries] == [("terminate_failed", "RuntimeError: ")]


def test_control_letters_reach_an_actor_before_what_waits(stage):
    actor, gate = run(stage)
    hold(stage, actor)
    stage.tell("urgent")
    stage.tell("control", lane=Lane.CONTROL)
    gate.set()
    stage.ask("last")

    assert actor.seen == ["wait", "control", "urgent", "last"]
