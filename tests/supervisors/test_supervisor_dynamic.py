"""Dynamic children: started by a first letter, or wanted by somebody."""

import time

from actors.mailbox import MailboxSpec
from actors.messages.supervision import ChildrenWanted
from supervisors.spec import Restart, SupervisorSpec
from tests.builders import a_child, a_subtree
from tests.doubles import PATIENCE_S, Journal, Tree, capture_logs


def on_demand(journal=None, restart=Restart.PERMANENT, **spec):
    template = a_child("template", args={"journal": journal or Journal()}, worker="shared", restart=restart)
    values = {"template": template, "on_demand": True, "starts_per_s": 1000, **spec}
    return Tree(SupervisorSpec(children=(a_subtree("d", spec=values),)))


def wanted(*owned, owner="me", **args):
    return ChildrenWanted(owner=owner, children=tuple((name, args) for name in owned))


def for_owners():
    template = a_child("template")
    subtree = a_subtree("d", spec={"template": template, "starts_per_s": 1000}, mailbox=MailboxSpec(retain_max=3))
    return Tree(SupervisorSpec(children=(subtree,)))


def settle(tree, expected):
    """Wait until the children are these, by id and epoch, and all run."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        tree.look("/d/nobody")
        slots = tree.system.status["/d"].slots
        found = {node.path.rpartition("/")[2]: node.epoch for node in slots}
        if found == expected and all(node.state == "running" for node in slots):
            return
        assert time.monotonic() < deadline_s, f"{found}, not {expected}"
        tree.clock.advance(0.01)


def test_the_first_letter_to_a_path_starts_its_child_and_is_not_lost():
    with on_demand() as tree:
        tree.until("/d", "running")

        assert tree.ask("/d/btc", "hello") == ("/d/btc", 1, "hello")
        settle(tree, {"btc": 1})


def test_a_child_is_told_its_id():
    with on_demand() as tree:
        tree.until("/d", "running")

        tree.ask("/d/btc", "hello")

        assert tree.system.ledger["/d/btc"].actor._birth.args["child_id"] == "btc"


def test_children_that_were_addressed_come_back_after_a_crash_of_their_supervisor():
    with on_demand() as tree:
        tree.until("/d", "running")
        for name in ("btc", "eth"):
            tree.tell(f"/d/{name}", "hello")
        settle(tree, {"btc": 1, "eth": 1})
        tree.crash("/d")
        tree.until("/d", "running", epoch=2)

        settle(tree, {"btc": 2, "eth": 2})


def test_a_child_too_many_is_refused_once_and_its_letters_do_not_pile_up():
    with capture_logs() as logs, on_demand(max_children=1) as tree:  # structlog is switched while nobody logs
        tree.until("/d", "running")
        tree.ask("/d/btc", "hello")
        for _ in range(3):
            tree.tell("/d/eth", "hello")
            settle(tree, {"btc": 1})

        assert [entry["path"] for entry in logs if entry["event"] == "child_refused"] == ["/d/eth"]
        assert tree.system.place("/d/eth").mailbox.idle


def test_the_children_of_an_owner_are_those_it_named_last():
    with for_owners() as tree:
        tree.until("/d", "running")
        tree.tell("/d", wanted("a", "b"))
        settle(tree, {"a": 1, "b": 1})
        tree.tell("/d", wanted("b", "c"))

        settle(tree, {"b": 1, "c": 1})


def test_what_one_owner_drops_another_may_still_want():
    with for_owners() as tree:
        tree.until("/d", "running")
        tree.tell("/d", wanted("a", "b", owner="one"))
        tree.tell("/d", wanted("b", owner="two"))
        settle(tree, {"a": 1, "b": 1})
        tree.tell("/d", wanted(owner="one"))

        settle(tree, {"b": 1})


def test_letters_to_a_child_that_is_gone_are_lost_and_do_not_wait_for_its_return():
    with for_owners() as tree:
        tree.until("/d", "running")
        tree.tell("/d", wanted("a"))
        settle(tree, {"a": 1})
        tree.tell("/d", wanted())
        settle(tree, {})
        kept = tree.tell("/d/a", "stale")
        tree.tell("/d", wanted("a"))
        settle(tree, {"a": 2})

        assert not kept
        assert tree.ask("/d/a", "fresh") == ("/d/a", 2, "fresh")
        assert tree.system.ledger["/d/a"].actor.seen == ["fresh"]


def test_changed_arguments_restart_a_child_and_equal_ones_do_not():
    with for_owners() as tree:
        tree.until("/d", "running")
        journal = Journal()
        tree.tell("/d", wanted("a", journal=journal))
        settle(tree, {"a": 1})
        tree.tell("/d", wanted("a", journal=journal))
        settle(tree, {"a": 1})
        tree.tell("/d", wanted("a", journal=Journal()))

        settle(tree, {"a": 2})


def test_a_successor_knows_what_every_owner_wanted_last():
    """However often one owner speaks, the word of the other is kept."""
    with for_owners() as tree:
        tree.until("/d", "running")
        tree.tell("/d", wanted("quiet", owner="one"), retain=True)
        for name in "abcdef":
            tree.tell("/d", wanted(name, owner="two"), retain=True)
        settle(tree, {"quiet": 1, "f": 1})
        tree.crash("/d")
        tree.until("/d", "running", epoch=2)

        settle(tree, {"quiet": 2, "f": 2})


def test_a_child_that_finished_leaves_nothing_behind_and_the_next_letter_starts_it_afresh():
    with on_demand(restart=Restart.TRANSIENT) as tree:
        tree.until("/d", "running")
        tree.ask("/d/btc", "finish")
        tree.until("/d/btc", "gone")

        assert tree.system.find("/d/btc") is None
        tree.tell("/d/btc", "hello")
        settle(tree, {"btc": 1})
        assert tree.ask("/d/btc", "again") == ("/d/btc", 1, "again")
        assert tree.system.ledger["/d/btc"].actor.seen == ["hello", "again"]


def test_letters_behind_the_one_that_finished_a_child_start_it_again_and_none_is_lost():
    journal = Journal()
    with on_demand(journal, restart=Restart.TRANSIENT) as tree:
        tree.until("/d", "running")
        tree.ask("/d/btc", "hello")
        tree.tell("/d/btc", lambda actor: [actor.finish(), tree.tell("/d/btc", "first"), tree.tell("/d/btc", "second")])
        settle(tree, {"btc": 2})
        tree.ask("/d/btc", "last")

        assert tree.system.ledger["/d/btc"].actor.seen == ["first", "second", "last"]
        assert tree.system.dead_counts == {}


def test_coming_and_going_leaves_no_trace_in_the_tables():
    with on_demand(restart=Restart.TRANSIENT, starts_per_s=100_000) as tree:
        tree.until("/d", "running")
        for wave in range(3):
            for number in range(50):
                tree.tell(f"/d/w{wave}-{number}", "finish")
            settle(tree, {})

        assert [place.path for place in tree.system.places_below("/d")] == ["/d"]
        assert [path for path in tree.system.ledger if path.startswith("/d/")] == []


def test_many_children_start_together():
    with on_demand(starts_per_s=100_000) as tree:
        tree.until("/d", "running")
        for number in range(200):
            tree.tell(f"/d/c{number}", "hello")

        settle(tree, {f"c{number}": 1 for number in range(200)})
