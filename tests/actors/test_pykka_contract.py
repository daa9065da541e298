"""What we rely on, or guard against, in pykka (supervision.md 3): an upgrade fails here and not in production."""

import threading

import pykka
import pytest

from tests.doubles import PATIENCE_S


class Plain(pykka.ThreadingActor):
    """A pykka actor without our base; `calls` is shared with the test."""

    use_daemon_thread = True

    def __init__(self, calls, errors=None):
        super().__init__()
        self.calls, self.errors = calls, errors or {}
        self.ended = threading.Event()

    def _hook(self, name):
        self.calls.append(name)
        if name in self.errors:
            raise self.errors[name]

    def on_start(self):
        self._hook("on_start")

    def on_receive(self, message):
        self._hook("on_receive")

    def on_stop(self):
        self._hook("on_stop")

    def on_failure(self, *_):
        self._hook("on_failure")

    def _actor_loop(self):
        try:
            super()._actor_loop()
        except BaseException as error:
            self.calls.append(f"escaped {type(error).__name__}")
        finally:
            self.ended.set()


@pytest.fixture(autouse=True)
def clean_registry():
    yield
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)


def a_plain_actor(**errors):
    """Its ref, what was called on it, and the event of its end."""
    calls, actors = [], []

    class Known(Plain):
        def __init__(self, *args):
            super().__init__(*args)
            actors.append(self)

    ref = Known.start(calls, errors)
    return ref, calls, actors[0]


def test_row_1_an_error_in_on_start_calls_no_other_hook():
    _, calls, actor = a_plain_actor(on_start=ValueError())

    assert actor.ended.wait(PATIENCE_S)
    assert calls == ["on_start"]


def test_row_2_a_base_exception_in_on_start_escapes_and_leaves_the_actor_registered():
    ref, calls, actor = a_plain_actor(on_start=SystemExit())

    assert actor.ended.wait(PATIENCE_S)
    assert calls == ["on_start", "escaped SystemExit"]
    assert ref in pykka.ActorRegistry.get_all()


def test_row_3_an_error_while_handling_a_tell_calls_on_failure_after_unregistering():
    ref, calls, actor = a_plain_actor(on_receive=ValueError())

    ref.tell("fail")

    assert actor.ended.wait(PATIENCE_S)
    assert calls == ["on_start", "on_receive", "on_failure"]
    assert pykka.ActorRegistry.get_all() == []


def test_row_4_an_error_while_handling_an_ask_goes_to_the_asker_and_the_actor_lives_on():
    ref, _, _ = a_plain_actor(on_receive=ValueError())

    with pytest.raises(ValueError):
        ref.ask("fail", timeout=PATIENCE_S)

    assert ref.is_alive()
    ref.stop(timeout=PATIENCE_S)


def test_row_5_a_base_exception_in_a_handler_stops_every_actor():
    bystander, _, other = a_plain_actor()
    ref, _, _ = a_plain_actor(on_receive=KeyboardInterrupt())

    ref.tell("fail")

    assert other.ended.wait(PATIENCE_S)
    assert not bystander.is_alive()


def test_row_8_a_raw_stop_waits_at_the_end_of_the_inbox():
    ref, calls, actor = a_plain_actor()

    for _ in range(3):
        ref.tell("work")
    ref.stop(timeout=PATIENCE_S)

    assert actor.ended.wait(PATIENCE_S)
    assert calls == ["on_start", "on_receive", "on_receive", "on_receive", "on_stop"]


def test_row_13_a_tell_to_a_dead_ref_raises_in_the_sender():
    ref, _, _ = a_plain_actor()
    ref.stop(timeout=PATIENCE_S)

    with pytest.raises(pykka.ActorDeadError):
        ref.tell("hello")


def test_row_16_without_a_thread_the_actor_stays_registered(monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError):
        Plain.start([])

    assert len(pykka.ActorRegistry.get_all()) == 1


def test_row_18_an_error_in_init_goes_to_the_starter_and_registers_nothing():
    with pytest.raises(TypeError):
        Plain.start()

    assert pykka.ActorRegistry.get_all() == []


def test_an_actor_type_brings_its_own_inbox_and_loop():
    """The two methods that the source marks as the place for new actor types, and what the loop asks of an inbox."""
    used = []

    class Inbox:
        def get(self):
            used.append("get")
            return pykka._envelope.Envelope(pykka.messages._ActorStop())

        def empty(self):
            used.append("empty")
            return True

        def put(self, envelope):
            used.append("put")

    class Own(pykka.ThreadingActor):
        def _create_actor_inbox(self):
            return Inbox()

        def _start_actor_loop(self):
            self._actor_loop()

    ref = Own.start()

    assert used == ["get", "empty"]
    assert not ref.is_alive()


def test_the_steps_of_the_loop_that_a_worker_runs_itself_exist():
    own = {"_actor_loop_setup", "_actor_loop_teardown", "_handle_receive", "_handle_failure"}

    assert own <= set(dir(pykka.ThreadingActor))


def test_a_future_is_set_once_and_raises_what_it_was_given():
    future = pykka.ThreadingFuture()
    future.set_exception((ValueError, ValueError("broken"), None))

    with pytest.raises(ValueError, match="broken"):
        future.get(timeout=0)
    with pytest.raises(pykka.Timeout):
        pykka.ThreadingFuture().get(timeout=0)


def test_unregistering_twice_is_harmless():
    ref, _, _ = a_plain_actor()
    ref.stop(timeout=PATIENCE_S)

    pykka.ActorRegistry.unregister(ref)
