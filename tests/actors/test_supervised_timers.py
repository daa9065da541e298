"""Timers of an actor: they arrive as letters, at the right time, and never outlive it."""

import threading

import pytest

from tests.doubles import FailableActor, Stage


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    for path in list(stage.system.ledger):
        stage.stop(path)
        stage.exit()


def a_timed_actor(stage):
    actor = stage.start(gate=threading.Event())
    stage.ready()
    return actor


def arm(stage, method, *args, **kwargs):
    stage.ask(lambda actor: getattr(actor.timer, method)(*args, **kwargs))


def seen(stage, actor):
    stage.ask("sync")
    return [message for message in actor.seen if message != "sync"]


def test_a_timer_fires_once(stage):
    actor = a_timed_actor(stage)
    arm(stage, "once", "key", 5, "tick")
    stage.clock.advance(4.9)
    before = seen(stage, actor)
    stage.clock.advance(100)

    assert (before, seen(stage, actor)) == ([], ["tick"])


def test_the_same_key_replaces_a_timer(stage):
    actor = a_timed_actor(stage)
    arm(stage, "once", "key", 5, "first")
    arm(stage, "once", "key", 10, "second")
    stage.clock.advance(20)

    assert seen(stage, actor) == ["second"]


def test_a_cancelled_timer_is_silent_even_if_its_tick_waits_in_the_mailbox(stage):
    actor = a_timed_actor(stage)
    arm(stage, "once", "key", 5, "tick")
    stage.tell("wait")
    actor.journal.wait_for(("waiting", "/a", 1))
    stage.tell(lambda me: me.timer.cancel("key"))
    stage.clock.advance(5)
    actor.gate.set()

    assert seen(stage, actor) == ["wait"]


def test_a_period_begins_after_a_share_that_depends_on_the_path(stage):
    actor = a_timed_actor(stage)
    arm(stage, "every", "key", 97, "tick")
    stage.clock.advance(sum(b"/a") % 97 + 1)
    first = len(seen(stage, actor))
    stage.clock.advance(97)

    assert (first, len(seen(stage, actor))) == (1, 2)


def test_a_busy_actor_finds_one_tick_and_not_a_thousand(stage):
    actor = a_timed_actor(stage)
    arm(stage, "every", "key", 1, "tick")
    stage.tell("wait")
    actor.journal.wait_for(("waiting", "/a", 1))
    stage.clock.advance(1000)
    actor.gate.set()
    while_busy = seen(stage, actor)
    stage.clock.advance(1)

    assert while_busy == ["wait", "tick"]
    assert seen(stage, actor) == ["wait", "tick", "tick"]


def test_a_timer_that_fired_is_forgotten(stage):
    actor = a_timed_actor(stage)
    for number in range(50):
        arm(stage, "once", f"key-{number}", 1, "tick")
    stage.clock.advance(2)
    seen(stage, actor)

    assert actor.timer._alarms == {}


def test_no_tick_of_an_old_epoch_arrives(stage):
    """One tick already lies in the mailbox when its actor dies, one is still to come."""
    old = a_timed_actor(stage)
    arm(stage, "once", "key", 1, "waiting tick")
    arm(stage, "every", "other", 2, "coming tick")
    stage.tell("wait")
    old.journal.wait_for(("waiting", "/a", 1))
    stage.tell(RuntimeError("broken"))
    stage.clock.advance(1)
    old.gate.set()
    stage.exit()

    new = a_timed_actor(stage)
    stage.clock.advance(100)

    assert seen(stage, new) == []


def test_a_fenced_actor_gets_and_leaves_no_ticks(stage):
    actor = a_timed_actor(stage)
    arm(stage, "every", "key", 1, "tick")
    stage.tell("wait")
    actor.journal.wait_for(("waiting", "/a", 1))
    actor.fence()
    stage.clock.advance(10)
    waiting = stage.system.place("/a").mailbox.depths().urgent
    actor.gate.set()
    stage.exit()

    assert waiting == 0


def test_a_timer_in_market_time_counts_market_seconds(stage):
    actor = a_timed_actor(stage)
    arm(stage, "once", "key", 5, "tick", market=True)
    stage.clock.advance(5)

    assert seen(stage, actor) == ["tick"]


def test_a_timer_can_be_armed_again_from_its_own_tick(stage):
    class Repeating(FailableActor):
        def init(self):
            super().init()
            self.timer.once("key", 1, "tick")

        def handle(self, message):
            if message == "tick":
                self.timer.once("key", 1, "tick")
            return super().handle(message)

    actor = stage.start(actor=Repeating)
    stage.ready()
    for _ in range(3):
        stage.clock.advance(1)
        stage.ask("sync")

    assert actor.seen.count("tick") == 3
