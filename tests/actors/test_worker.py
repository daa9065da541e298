import threading

import pytest

from actors import supervised
from actors.worker import Turns, Worker
from tests.doubles import Journal, Stage


@pytest.fixture
def stage():
    stage = Stage()
    stage.worker.start()
    yield stage
    for path in list(stage.system.ledger):
        stage.stop(path)
        while stage.exit().path != path:
            pass
    assert stage.worker.stop(5)


def host(stage, *paths, **args):
    for path in paths:
        stage.start(path=path, on_worker=True, **args)
        stage.ready()


def test_turns_run_in_the_order_in_which_they_were_asked_for():
    worker, done = Worker("w"), []
    for number in range(5):
        worker.run(lambda number=number: done.append(number))

    worker.start()

    assert worker.stop(5)
    assert done == [0, 1, 2, 3, 4]


def test_a_turn_that_raises_anything_does_not_end_the_worker():
    worker, done = Worker("w"), []

    def leave():
        raise SystemExit

    worker.run(leave)
    worker.run(lambda: done.append("next"))
    worker.start()

    assert worker.stop(5)
    assert done == ["next"]


def test_a_worker_that_does_not_come_back_is_reported():
    worker, gate = Worker("w"), threading.Event()
    worker.run(lambda: gate.wait(10))
    worker.start()

    ended = worker.stop(0.01)
    gate.set()

    assert not ended
    assert worker.stop(5)


def test_actors_on_a_worker_share_its_thread(stage):
    host(stage, "/a", "/b")
    threads = []
    for path in ("/a", "/b"):
        stage.ask(lambda _: threads.append(threading.current_thread().name), path=path)

    assert threads == ["worker-stage", "worker-stage"]


def test_a_busy_actor_lets_its_neighbour_have_a_turn(stage):
    host(stage, "/a", "/b", journal=(journal := Journal()), gate=(gate := threading.Event()))
    stage.tell("wait")
    journal.wait_for(("waiting", "/a", 1))
    for number in range(3 * supervised.TURN_LETTERS):
        stage.tell(number)
    stage.tell("neighbour", path="/b")
    gate.set()
    stage.ask("last")

    assert journal.entries.index("neighbour") < journal.entries.index(2 * supervised.TURN_LETTERS)


def test_an_actor_is_never_queued_twice(stage):
    """Many senders wake it at once: it has one turn waiting, so that it does not get more than its share."""
    queued = []
    host(stage, "/a", gate=(gate := threading.Event()), journal=(journal := Journal()))
    stage.tell("wait")
    journal.wait_for(("waiting", "/a", 1))
    run = stage.worker.run
    stage.worker.run = lambda turn: (queued.append(turn), run(turn))
    senders = [threading.Thread(target=lambda: [stage.tell("x") for _ in range(200)]) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    while_busy = len(queued)
    gate.set()
    stage.ask("last")

    assert while_busy == 0
    assert len(queued) <= 1 + (800 + 2) // supervised.TURN_LETTERS + 1


def test_no_letter_is_left_lying_when_an_actor_falls_idle(stage):
    """Every ask comes just when the turn before it ends."""
    host(stage, "/a")

    answers = [stage.ask(number) for number in range(2000)]

    assert answers == [("/a", 1, number) for number in range(2000)]


def test_a_letter_that_comes_while_an_actor_starts_waits_for_init(stage):
    """The mailbox wakes the actor before its first turn is queued: still `init` comes first."""
    place = stage.system.place("/a")
    lease = place.mailbox.lease

    def lease_and_send(wake, epoch):
        granted = lease(wake, epoch)
        stage.tell("early")
        return granted

    place.mailbox.lease = lease_and_send
    actor = stage.start(on_worker=True)
    stage.ready()
    stage.ask("late")

    assert actor.journal.entries == [("init", "/a", 1), "early", "late"]


def test_the_death_of_one_actor_costs_its_neighbour_no_letter(stage):
    host(stage, "/a", "/b")
    for number in range(10):
        stage.tell(number, path="/b")
    stage.tell(SystemExit())
    stage.tell("later", path="/b")

    assert stage.exit().path == "/a"
    assert stage.ask("last", path="/b") == ("/b", 1, "last")
    assert stage.system.newest["/b"][0].seen == [*range(10), "later", "last"]


def test_without_a_thread_nothing_runs_until_it_is_settled_and_then_all_that_follows():
    turns, done = Turns(), []

    def first():
        done.append("first")
        turns.run(lambda: done.append("third"))

    turns.run(first)
    turns.run(lambda: done.append("second"))
    assert done == []

    turns.settle()

    assert done == ["first", "second", "third"]


def test_a_turn_that_raises_does_not_keep_the_others_from_running():
    turns, done = Turns(), []
    turns.run(lambda: 1 / 0)
    turns.run(lambda: done.append("next"))

    turns.settle()

    assert done == ["next"]
