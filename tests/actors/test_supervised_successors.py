"""What a successor finds: letters, retained messages, and a predecessor that has not quite gone."""

import threading

import pytest

from actors.mailbox import MailboxSpec
from tests.doubles import FailableActor, Journal, Stage


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


def test_a_redelivered_letter_is_tried_twice_and_then_set_aside(stage):
    kept = {"fail": {"handle": RuntimeError}}
    run(stage, **kept)
    stage.tell("fail", redeliver=True)
    stage.exit()
    run(stage, **kept)
    stage.exit()
    dead = dict(stage.system.dead_counts)
    successor, _ = run(stage)
    stage.ask("next")

    assert dead == {("/a", "str", "urgent", "poison"): 1}
    assert successor.seen == ["next"]


def test_a_letter_in_hand_at_a_crash_is_counted_and_not_repeated(stage):
    run(stage)
    stage.tell(RuntimeError("broken"))
    stage.exit()
    successor, _ = run(stage)
    stage.ask("next")

    assert successor.seen == ["next"]
    assert stage.system.dead_counts == {("/a", "RuntimeError", "urgent", "in_flight"): 1}


def test_a_successor_is_fed_with_what_was_retained(stage):
    run(stage)
    stage.tell("first", retain=True)
    stage.tell("second", retain=True)
    stage.tell("forgettable")
    stage.tell(RuntimeError("broken"))
    stage.exit()

    successor, _ = run(stage)

    assert ("recover", "/a", ("first", "second")) in successor.journal.entries


def test_what_was_retained_is_set_aside_after_two_crashes_on_it(stage):
    run(stage)
    stage.ask("warm up")
    stage.tell("dangerous", retain=True)
    stage.tell(RuntimeError("broken"))
    stage.exit()
    for _ in range(2):
        stage.start(**stage.hosted, fail={"recover": RuntimeError})
        assert stage.exit().kind == "start_failed"

    successor, _ = run(stage, fail={"recover": RuntimeError})

    assert successor.journal.entries == [("init", "/a", 4)]
    assert not successor.retained


def test_a_planned_restart_does_not_count_against_what_was_retained(stage):
    run(stage)
    stage.tell("kept", retain=True)
    for _ in range(4):
        stage.stop()
        stage.exit()
        successor, _ = run(stage)

    assert ("recover", "/a", ("kept",)) in successor.journal.entries


def test_a_fenced_actor_takes_nothing_sends_nothing_and_ends(stage):
    actor, gate = run(stage)
    outcome = Journal()
    stage.system.place("/other")

    def send_late(me):
        outcome.write("busy")
        gate.wait(5)
        try:
            me.send("/other", "late")
        except BaseException as error:
            outcome.write(type(error).__name__)

    stage.tell(send_late)
    outcome.wait_for("busy")
    stage.tell("for the successor")
    actor.fence()
    gate.set()

    stage.exit()
    successor, _ = run(stage)
    stage.ask("last")
    assert outcome.entries == ["busy", "Fenced"]
    assert stage.system.find("/other").mailbox.idle
    assert successor.seen == ["for the successor", "last"]


def test_the_late_end_of_a_fenced_actor_does_not_disturb_its_successor():
    stage = Stage()
    old, gate = stage.start(gate=threading.Event()), None
    gate = old.gate
    stage.ready()
    hold(stage, old)
    old.fence()
    stage.system.abandon("/a")
    new = stage.start()
    stage.ready()

    gate.set()
    late = stage.exit()

    assert (late.epoch, stage.system.leaked) == (1, [])
    assert stage.ask("hello") == ("/a", 2, "hello")
    assert stage.system.ledger["/a"].actor is new
    stage.stop()
    stage.exit()


def test_a_letter_given_back_by_a_fenced_actor_wakes_its_successor():
    stage, gate, done = Stage(), threading.Event(), Journal()

    class Held(FailableActor):
        def handle(self, message):
            if self.epoch == 1:
                done.write("taken")
                gate.wait(5)
                raise RuntimeError("late")
            done.write((self.epoch, message))

    old = stage.start(actor=Held)
    stage.ready()
    stage.tell("alert", redeliver=True)
    done.wait_for("taken")
    old.fence()
    stage.system.abandon("/a")
    stage.start(actor=Held)
    stage.ready()

    gate.set()
    done.wait_for((2, "alert"))

    stage.stop()
    assert {stage.exit().epoch, stage.exit().epoch} == {1, 2}
