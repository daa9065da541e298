"""Real trees of real actors; the clock is moved by hand."""

import threading

import pytest

from actors.failures import NeedsOperator
from actors.mailbox import Unavailable
from actors.messages.supervision import Drill, OperatorCommand
from supervisors.spec import SUBTREE, Exhausted, SupervisorSpec
from tests.builders import a_child, a_profile, a_subtree
from tests.doubles import FailableActor, Journal, Tree

PARKS = a_profile(max_restarts=1, on_exhausted=Exhausted.PARK, park_retry_s=300)
ESCALATES = a_profile(max_restarts=0, window_s=1000)


def tree_of(*children, **spec):
    return Tree(SupervisorSpec(children=children, **spec))


def told(journal, event):
    return [entry[1] for entry in journal.entries if entry[0] == event]


def test_children_start_in_order_and_stop_in_reverse():
    journal = Journal()
    children = [a_child(name, args={"journal": journal}) for name in ("a", "b", "c")]
    with tree_of(children[0], a_subtree("s", *children[1:], spec={"ordered": True}), ordered=True) as tree:
        tree.until("/s/c", "running")
        ended = tree.shut_down()

    assert told(journal, "init") == ["/a", "/s/b", "/s/c"]
    assert told(journal, "terminate") == ["/s/c", "/s/b", "/a"]
    assert ended.kind == "finished"


def test_the_tree_is_ready_when_every_required_child_has_had_its_first_try():
    broken = a_child("b", args={"fail": {"init": RuntimeError}}, profile=PARKS)
    with tree_of(a_child("a"), broken, ordered=True) as tree:
        tree.until("/a", "running")

        assert type(tree.notices.get(timeout=5)).__name__ == "ChildReady"


def test_a_child_that_fails_is_replaced_and_keeps_its_address():
    with tree_of(a_child("a"), a_child("b")) as tree:
        tree.until("/a", "running")
        address = tree.system.address("/a")
        tree.crash("/a", "SystemExit")
        node = tree.until("/a", "running", epoch=2)

        assert address.ask("hello", timeout=5) == ("/a", 2, "hello")
        assert tree.ask("/b", "hello") == ("/b", 1, "hello")
        assert (node.last_exit["error"], node.restarts["total"]) == ("SystemExit: drill", 1)


def test_letters_wait_for_the_successor():
    journal = Journal()
    with tree_of(a_child("a", args={"journal": journal}), a_child("b")) as tree:
        tree.until("/a", "running")
        tree.crash("/a")
        tree.tell("/a", "in between")
        tree.until("/a", "running", epoch=2)

        journal.wait_for("in between")


def test_a_required_child_that_cannot_start_leaves_the_tree_up_and_recovers_when_it_can():
    script = {"init": RuntimeError}
    with tree_of(a_child("a", args={"fail": script}, profile=PARKS), a_child("b")) as tree:
        parked = tree.until("/a", "parked", epoch=2)
        assert tree.ask("/b", "hello") == ("/b", 1, "hello")
        assert (parked.health, parked.why) == ("unhealthy", "2 failures in 100 s, last: RuntimeError: ")

        script.clear()
        tree.clock.advance(300)

        assert tree.until("/a", "running").health != "unhealthy"


def test_asks_to_a_parked_child_and_below_it_are_refused_at_once():
    below = a_child("x", profile=ESCALATES)
    subtree = a_subtree("s", below, profile=a_profile(max_restarts=0, on_exhausted=Exhausted.PARK), required=False)
    with tree_of(subtree) as tree:
        tree.until("/s/x", "running")
        tree.tell("/s/x", Drill())
        tree.until("/s", "parked")

        for path in ("/s", "/s/x"):
            with pytest.raises(Unavailable, match=f"{path}: parked"):
                tree.ask(path, "hello")


def test_a_child_that_needs_an_operator_is_parked_until_it_is_resumed():
    with tree_of(a_child("a")) as tree:
        tree.until("/a", "running")
        tree.tell("/a", NeedsOperator("the token is wrong"))
        parked = tree.until("/a", "parked")
        tree.clock.advance(100_000)
        still = tree.look("/a")
        tree.ask("/", OperatorCommand(child_id="a", command="resume", by="test"))

        assert (parked.why, still.state) == ("the token is wrong", "parked")
        tree.until("/a", "running", epoch=2)


def test_an_operator_can_pause_resume_and_restart():
    with tree_of(a_child("a")) as tree:
        tree.until("/a", "running")
        tree.ask("/", OperatorCommand(child_id="a", command="pause", by="test"))
        assert tree.until("/a", "paused").health == "off"
        tree.ask("/", OperatorCommand(child_id="a", command="resume", by="test"))
        tree.until("/a", "running", epoch=2)
        tree.ask("/", OperatorCommand(child_id="a", command="restart", by="test"))
        tree.until("/a", "running", epoch=3)


def test_exhaustion_escalates_exactly_one_level_at_a_time():
    inner = a_subtree("inner", a_child("x", profile=ESCALATES), a_child("y"), profile=ESCALATES)
    outer = a_subtree("outer", inner, a_child("z"), profile=a_profile(max_restarts=5))
    with tree_of(outer, a_child("bystander")) as tree:
        tree.until("/outer/inner/x", "running")
        tree.tell("/outer/inner/x", Drill())
        exited = tree.ended("/outer", 1)
        bystander = tree.look("/bystander")
        tree.until("/outer", "running", epoch=2)
        tree.until("/outer/inner/x", "running", epoch=2)

        assert exited.kind == "escalated"
        assert exited.error.startswith("Escalated: inner: 1 failures in 1000 s, last: Escalated: x: 1")
        assert (bystander.state, bystander.epoch) == ("running", 1)


def test_a_root_that_gives_up_says_escalated_and_leaves_nobody_behind():
    journal = Journal()
    children = (a_child("a", profile=ESCALATES), a_child("b", args={"journal": journal}))
    with tree_of(*children) as tree:
        tree.until("/b", "running")
        tree.tell("/a", Drill())
        ended = tree.exit()

        assert (ended.path, ended.kind) == ("/", "escalated")
        assert ended.error.startswith("Escalated: a: 1 failures in 1000 s, last: RuntimeError: drill")
        assert told(journal, "terminate") == ["/b"]
        assert tree.system.ledger == {}


def test_an_optional_subtree_that_is_exhausted_is_parked_and_nobody_else_notices():
    feature = a_subtree("f", a_child("x", profile=ESCALATES), profile=PARKS, required=False)
    with tree_of(a_child("core"), feature) as tree:
        for epoch in (1, 2):
            tree.until("/f/x", "running", epoch=epoch)
            tree.tell("/f/x", Drill())
            tree.ended("/f", epoch)

        tree.until("/f", "parked")
        assert (tree.look("/f").health, tree.look("/core").epoch) == ("degraded", 1)


def test_a_supervisor_that_crashes_is_replaced_and_its_children_with_it():
    journal = Journal()
    known = {"journal": journal}
    children = (a_child("x", args=known), a_child("y", args=known, worker="shared"))
    with tree_of(a_subtree("s", *children), a_child("bystander")) as tree:
        for path in ("/s/x", "/s/y"):
            tree.until(path, "running")
        orphans = [tree.system.ledger[path] for path in ("/s/x", "/s/y")]
        tree.crash("/s", "KeyboardInterrupt")
        for path in ("/s/x", "/s/y"):
            tree.until(path, "running", epoch=2)

        for orphan in orphans:
            assert orphan.actor.departed.is_set()
        orphans[0].thread.join(5)
        assert not orphans[0].thread.is_alive()
        assert told(journal, "terminate").count("/s/x") == told(journal, "terminate").count("/s/y") == 1
        assert tree.look("/bystander").epoch == 1
        assert tree.system.leaked == []


def test_a_child_that_will_not_stop_is_left_behind_at_the_deadline():
    gate, journal = threading.Event(), Journal()
    with tree_of(a_child("a", args={"gate": gate, "journal": journal}), a_child("b")) as tree:
        tree.until("/a", "running")
        tree.tell("/a", "wait")
        journal.wait_for(("waiting", "/a", 1))
        thread = tree.system.ledger["/a"].thread
        tree.ask("/", OperatorCommand(child_id="a", command="restart", by="test"))
        tree.clock.advance(6)
        tree.until("/a", "running", epoch=2)
        leaked = [entry.actor.path for entry in tree.system.leaked]
        gate.set()
        thread.join(5)

        assert (leaked, tree.system.leaked) == (["/a"], [])
        assert tree.ask("/a", "hello") == ("/a", 2, "hello")
        assert tree.look("/a").last_exit is None


def test_a_subtree_says_who_did_not_stop_before_its_parent_gives_it_up():
    gate, journal = threading.Event(), Journal()
    stuck = a_child("x", args={"gate": gate, "journal": journal})
    with tree_of(a_subtree("s", stuck)) as tree:
        tree.until("/s/x", "running")
        tree.tell("/s/x", "wait")
        journal.wait_for(("waiting", "/s/x", 1))
        thread = tree.system.ledger["/s/x"].thread
        tree.ask_to_end()
        while tree.look("/s/x").state != "stopping":
            pass
        tree.clock.advance(0.47)  # between the deadline of the subtree and that of its parent
        tree.exit()
        leaked = [entry.actor.path for entry in tree.system.leaked]
        gate.set()
        thread.join(5)

    assert leaked == ["/s/x"]


def test_a_supervisor_that_was_given_up_neither_starts_nor_fences_anybody():
    """It hangs, is replaced with its children, and wakes up: its successor's children do not notice."""
    gate, journal, entered = threading.Event(), Journal(), []

    class Hanging(FailableActor):
        def __init__(self, birth):
            super().__init__(birth)
            if not entered:
                entered.append(birth.epoch)
                journal.write("hanging")
                gate.wait(5)

    hanging = a_child("x", Hanging, args={"journal": journal})
    with tree_of(a_subtree("s", a_child("w", args={"journal": journal}), hanging)) as tree:
        journal.wait_for("hanging")
        zombie = tree.system.ledger["/s"]
        tree.ask("/", OperatorCommand(child_id="s", command="restart", by="test"))
        tree.clock.advance(6)
        tree.until("/s/x", "running")
        gate.set()
        zombie.thread.join(5)
        for path in ("/s/w", "/s/x"):
            assert tree.ask(path, "hello")[0] == path
            assert not tree.system.ledger[path].actor.fenced
        assert tree.system.leaked == []


def test_restarts_of_a_subtree_are_counted_against_it():
    subtree = a_subtree("s", a_child("x", profile=ESCALATES), profile=SUBTREE)
    with tree_of(subtree, a_child("bystander")) as tree:
        for epoch in (1, 2, 3):
            tree.until("/s/x", "running", epoch=epoch)
            tree.tell("/s/x", Drill())
            tree.ended("/s", epoch)
        tree.until("/s/x", "running", epoch=4)
        tree.tell("/s/x", Drill())

        assert tree.exit().kind == "escalated"
