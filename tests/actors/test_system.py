import threading

import pytest

from actors.clock import ManualClock
from actors.mailbox import Lane, MailboxSpec, Unavailable
from actors.messages.supervision import ChildWanted
from actors.system import DEAD_LETTERS_KEPT, System
from tests.builders import a_letter
from tests.doubles import capture_logs


@pytest.fixture
def system():
    return System(ManualClock())


class Somebody:
    """Stands for an actor in the ledger."""


def test_a_letter_to_an_unknown_path_is_a_dead_letter_and_no_error(system):
    kept = system.address("/nowhere").tell("hello")

    assert not kept
    assert system.dead_counts == {("/nowhere", "str", "urgent", "no_such_path"): 1}


def test_an_ask_to_an_unknown_path_is_refused_at_once(system):
    with pytest.raises(Unavailable, match="/nowhere: no_such_path"):
        system.address("/nowhere").ask("hello", timeout=5)


def test_an_address_outlives_whoever_is_behind_it(system):
    address = system.address("/a")
    place = system.place("/a")

    address.tell("hello")

    assert system.place("/a") is place
    assert place.mailbox.depths().urgent == 1


def test_the_first_letter_to_a_templated_path_asks_the_supervisor_for_the_child(system):
    parent = system.place("/symbols").mailbox
    parent.lease(list, 1)
    system.declare_template("/symbols", MailboxSpec(retain_max=7))

    system.address("/symbols/btc").tell("first")
    system.address("/symbols/btc").tell("second")

    assert parent.take(list).message == ChildWanted(child_id="btc")
    assert parent.take(list) is None
    assert system.place("/symbols/btc").mailbox.spec.retain_max == 7
    assert system.place("/symbols/btc").mailbox.depths().urgent == 2


def test_a_place_that_is_given_back_takes_its_data_along_and_the_next_letter_makes_a_new_one(system):
    parent = system.place("/symbols").mailbox
    parent.lease(list, 1)
    system.declare_template("/symbols", MailboxSpec())
    old = system.place("/symbols/btc")
    system.address("/symbols/btc").tell("a mark", lane=Lane.DATA)
    old.mailbox.put(a_letter("a tick", tick=(1, "minute", 1)))

    assert system.give_back("/symbols/btc")
    assert system.address("/symbols/btc").tell("a liquidation")

    assert system.place("/symbols/btc") is not old
    assert parent.take(list).message == ChildWanted(child_id="btc")
    assert system.dead_counts == {}


def test_a_place_where_an_urgent_letter_waits_is_not_given_back(system):
    place = system.place("/symbols/btc")
    system.address("/symbols/btc").tell("a liquidation")

    assert not system.give_back("/symbols/btc")
    assert system.find("/symbols/btc") is place
    assert system.address("/symbols/btc").tell("another")


def test_no_letter_is_lost_while_its_place_is_given_back_again_and_again(system):
    """Senders and the one who gives back race; every letter ends in a place that stays."""
    system.place("/symbols").mailbox.lease(list, 1)
    system.declare_template("/symbols", MailboxSpec(urgent_max=100_000))
    over = threading.Event()
    kept = []

    def send():
        kept.extend(system.address("/symbols/btc").tell(number) for number in range(2_000))

    def give_back():
        while not over.is_set():
            system.give_back("/symbols/btc")

    senders = [threading.Thread(target=send) for _ in range(2)]
    other = threading.Thread(target=give_back)
    for thread in (other, *senders):
        thread.start()
    for thread in senders:
        thread.join(30)
    over.set()
    other.join(30)

    assert len(kept) == 4_000
    assert all(kept)
    assert system.place("/symbols/btc").mailbox.depths().urgent == 4_000


def test_dead_letters_are_logged_at_the_1st_2nd_4th_8th(system):
    with capture_logs() as entries:
        for _ in range(10):
            system.bury("/a", a_letter(lane=Lane.DATA), "overflow")

    assert [(entry["n"], entry["log_level"]) for entry in entries] == [(n, "warning") for n in (1, 2, 4, 8)]


def test_an_urgent_dead_letter_is_an_error_and_remembered(system):
    with capture_logs() as entries:
        system.bury("/a", a_letter("alert"), "poison")

    assert [(entry["log_level"], entry["reason"], entry["last"]) for entry in entries] == [
        ("error", "poison", "'alert'")
    ]
    assert system.urgent_dead_s == {"/a": 1000.0}


def test_only_the_last_dead_letters_are_kept(system):
    for number in range(DEAD_LETTERS_KEPT + 5):
        system.bury("/a", a_letter(number), "overflow")

    assert len(system.dead_letters) == DEAD_LETTERS_KEPT
    assert system.dead_letters[-1] == ("/a", "overflow", DEAD_LETTERS_KEPT + 4)


def test_a_sender_does_not_pay_for_a_message_without_a_repr(system):
    class Mute:
        def __repr__(self):
            raise RuntimeError("no words")

    assert not system.address("/nowhere").tell(Mute())


def test_who_leaves_strikes_only_himself(system):
    old, new = Somebody(), Somebody()
    system.enter("/a", old, None)
    system.enter("/a", new, None)

    system.leave("/a", old)

    assert system.ledger["/a"].actor is new


def test_an_abandoned_thread_is_leaked_until_it_ends(system):
    somebody = Somebody()
    system.enter("/a", somebody, threading.current_thread())

    system.abandon("/a")
    leaked = [entry.actor for entry in system.leaked]
    system.leave("/a", somebody)

    assert (leaked, system.ledger, system.leaked) == ([somebody], {}, [])


def test_abandoning_who_has_left_leaks_nothing(system):
    system.enter("/a", somebody := Somebody(), None)
    system.leave("/a", somebody)

    system.abandon("/a")

    assert system.leaked == []


def test_incarnations_below_a_path_come_parents_first(system):
    for path in ("/core/feeds/okx-1", "/", "/core/feeds", "/core", "/corefoo", "/edge"):
        system.enter(path, Somebody(), None)

    assert [path for path, _ in system.below("/core")] == ["/core/feeds", "/core/feeds/okx-1"]
    assert len(system.below("/")) == 5


def test_places_below_a_path_include_its_own(system):
    for path in ("/core", "/core/feeds", "/corefoo"):
        system.place(path)

    assert [place.path for place in system.places_below("/core")] == ["/core", "/core/feeds"]
