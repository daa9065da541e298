import pytest

from actors.clock import ManualClock
from actors.mailbox import URGENT_IN_A_ROW, Lane, Mailbox, MailboxSpec, Unavailable, new_future
from tests.builders import a_letter


class Box(Mailbox):
    """A mailbox with a lease of its own, and lists of what it lost and how often it woke its holder."""

    def __init__(self, **spec):
        self.clock = ManualClock()
        self.lost = []
        self.woken = []
        super().__init__("/a", MailboxSpec(**spec), self.clock.monotonic, self._lost)
        self.holder = lambda: self.woken.append(1)
        self.lease(self.holder, 1)

    def _lost(self, path, letter, reason):
        self.lost.append((letter.message, reason))

    def take_all(self):
        taken = []
        while (letter := self.take(self.holder)) is not None:
            taken.append(letter.message)
        return taken


def an_ask(message="ask"):
    return a_letter(message, reply=new_future())


def answer_of(letter):
    return letter.reply.get(timeout=0)


def test_control_overtakes_urgent_and_urgent_overtakes_data():
    box = Box()
    for lane in (Lane.DATA, Lane.URGENT, Lane.CONTROL):
        box.put(a_letter(lane.name, lane))

    assert box.take_all() == ["CONTROL", "URGENT", "DATA"]


def test_letters_of_one_lane_keep_their_order():
    box = Box()
    for number in range(100):
        box.put(a_letter(number))

    assert box.take_all() == list(range(100))


def test_data_is_not_starved_by_urgent_letters():
    box = Box()
    box.put(a_letter("data", Lane.DATA))
    for _ in range(200):
        box.put(a_letter("urgent"))

    assert box.take_all().index("data") == URGENT_IN_A_ROW


def test_overflowing_data_drops_the_oldest():
    box = Box(data_max=2)
    kept = [box.put(a_letter(number, Lane.DATA)) for number in range(4)]

    assert (kept, box.take_all()) == ([True] * 4, [2, 3])
    assert box.lost == [(0, "overflow"), (1, "overflow")]


def test_overflowing_urgent_refuses_the_newest_and_keeps_what_waits():
    box = Box(urgent_max=2)
    kept = [box.put(a_letter(number)) for number in range(3)]

    assert (kept, box.take_all(), box.lost) == ([True, True, False], [0, 1], [(2, "overflow")])


def test_a_letter_with_the_same_merge_key_takes_the_place_of_the_queued_one():
    box = Box()
    box.put(a_letter("mark 1", Lane.DATA, merge="btc"))
    box.put(a_letter("other", Lane.DATA))
    box.put(a_letter("mark 2", Lane.DATA, merge="btc"))

    assert box.take_all() == ["mark 2", "other"]
    box.put(a_letter("mark 3", Lane.DATA, merge="btc"))
    assert box.take_all() == ["mark 3"]
    assert box.lost == []


def test_data_that_waited_too_long_is_dropped_and_urgent_is_not():
    box = Box(max_age_s=10)
    box.put(a_letter("old data", Lane.DATA))
    box.put(a_letter("old alert"))
    box.clock.advance(11)
    box.put(a_letter("fresh data", Lane.DATA))

    assert (box.take_all(), box.lost) == (["old alert", "fresh data"], [("old data", "expired")])


def test_a_successor_finds_urgent_letters_but_neither_control_nor_data():
    box = Box()
    for lane in Lane:
        box.put(a_letter(lane.name, lane))

    box.lease(box.holder, 2)

    assert (box.take_all(), box.lost) == (["URGENT"], [("DATA", "restarted")])


def test_the_first_incarnation_finds_everything_that_was_sent_before_it():
    mailbox = Mailbox("/new", MailboxSpec(), ManualClock().monotonic, list)
    for lane in Lane:
        mailbox.put(a_letter(lane.name, lane))
    wake = list

    mailbox.lease(wake, 1)

    assert [mailbox.take(wake).message for _ in Lane] == ["CONTROL", "URGENT", "DATA"]


def test_a_predecessor_takes_nothing_once_its_lease_is_over():
    box, successor = Box(), list
    box.put(a_letter("for the successor"))

    box.lease(successor, 2)

    assert box.take(box.holder) is None
    assert box.take(successor).message == "for the successor"


def test_an_incarnation_that_starts_too_late_gets_no_lease():
    box = Box()
    box.lease(successor := list, 3)

    assert not box.lease(box.holder, 2)
    assert not box.lease(box.holder, 3)
    box.put(a_letter())
    assert box.take(successor) is not None


def test_the_end_of_a_predecessor_leaves_its_successor_alone():
    box, successor = Box(), list
    box.lease(successor, 2)
    box.put(ask := an_ask())

    box.release(box.holder, refusing="stopped")

    assert box.take(successor) is ask


def test_letters_wait_while_nobody_holds_the_mailbox():
    box = Box()
    box.release(box.holder)

    assert box.put(a_letter("waits"))

    box.lease(box.holder, 2)
    assert box.take_all() == ["waits"]


def test_every_letter_wakes_the_holder():
    box = Box()
    box.put(a_letter())
    box.put(a_letter(lane=Lane.DATA))

    assert len(box.woken) == 2


def test_a_letter_put_back_is_first_in_its_lane_and_wakes_whoever_holds_the_mailbox():
    box = Box()
    box.put(a_letter("later"))
    letter = a_letter("again")
    box.woken.clear()

    box.put_back(letter)

    assert (box.take_all(), len(box.woken)) == (["again", "later"], 1)


def test_a_closed_mailbox_keeps_what_it_has_and_takes_only_control():
    box = Box()
    box.put(a_letter("before"))
    box.close()

    kept = [box.put(a_letter(lane.name, lane)) for lane in Lane]

    assert (kept, box.take_all()) == ([True, False, False], ["CONTROL", "before"])


def test_asks_queued_and_to_come_are_refused_while_told_letters_wait():
    box = Box()
    box.put(before := an_ask())
    box.put(a_letter("told"))

    box.refuse_asks("parked")
    box.put(after := an_ask())

    for ask in (before, after):
        with pytest.raises(Unavailable, match="/a: parked"):
            answer_of(ask)
    assert box.take_all() == ["told"]


def test_an_ask_that_does_not_fit_is_answered():
    box = Box(urgent_max=0)
    box.put(ask := an_ask())

    with pytest.raises(Unavailable, match="overflow"):
        answer_of(ask)


def test_the_next_lease_ends_a_refusal():
    box = Box()
    box.refuse_asks("paused")
    box.lease(box.holder, 2)
    box.put(an_ask())

    assert box.take_all() == ["ask"]


def test_an_abolished_mailbox_loses_what_waits_and_what_comes():
    box = Box(retain_max=5)
    box.put(a_letter("waiting"))
    box.put(ask := an_ask())
    box.retained.append("kept")

    box.abolish()
    box.put(a_letter("coming"))

    assert (box.take_all(), list(box.retained)) == ([], [])
    assert box.lost == [("waiting", "closed"), ("ask", "closed"), ("coming", "closed")]
    with pytest.raises(Unavailable):
        answer_of(ask)


def test_a_tick_that_nobody_takes_is_no_loss():
    box = Box()
    box.close()
    box.put(a_letter(tick=(1, "key", 1)))

    assert (box.lost, box.dropped) == ([], 0)


def test_depths_tell_how_full_it_is_and_for_how_long():
    box = Box()
    box.put(a_letter())
    box.clock.advance(3)
    box.put(a_letter(lane=Lane.DATA))

    depths = box.depths()

    assert (depths.control, depths.urgent, depths.data, depths.oldest_s) == (0, 1, 1, 3.0)
