"""What a supervisor decides: the table of strategies, and the corners that random histories reach too rarely."""

from random import Random

import pytest

from supervisors import plan as plans
from supervisors import steps
from supervisors.slots import Phase, SlotState
from supervisors.spec import Exhausted, Restart, SupervisorSpec
from supervisors.steps import Abandon, Exit, Exited, Operate, Ready, Shutdown, Start, Stop, Tick, Wanted
from tests.builders import a_child, a_profile, an_exit

NOW_S = 1000.0


class Run:
    """A plan and the effects of the last step, reports aside."""

    def __init__(self, spec, now_s=NOW_S):
        self.now_s = now_s
        self.plan = plans.begin(spec, now_s, {})
        self.reports = []
        self.effects = ()

    def take(self, *events, after_s=0.0):
        self.now_s += after_s
        self.effects = ()
        for event in events:
            self.plan, effects = plans.step(self.plan, event, self.now_s, Random(1))
            self.reports += [effect for effect in effects if isinstance(effect, steps.Report)]
            self.effects += tuple(effect for effect in effects if not isinstance(effect, steps.Report))
        assert plans.violations(self.plan) == ()
        return self

    def slot(self, child_id="a"):
        return next((slot for slot in self.plan.slots if slot.spec.id == child_id), None)

    def state(self, child_id="a"):
        slot = self.slot(child_id)
        return slot and slot.state

    def states(self):
        return {slot.spec.id: str(slot.state) for slot in self.plan.slots}

    def fail(self, child_id="a", epoch=None, **values):
        """A failure, and its restart if there is one."""
        self.take(failed(child_id, epoch or self.slot(child_id).epoch, **values))
        return self.until_due() if self.state(child_id) is SlotState.BACKOFF else self

    def until_due(self):
        return self.take(Tick(), after_s=plans.next_due_s(self.plan) - self.now_s)


def running(*ids, ordered=False, **child):
    """A `one_for_one` supervisor whose children all run."""
    run = Run(SupervisorSpec(children=tuple(a_child(name, **child) for name in ids), ordered=ordered)).take(Tick())
    for name in ids:
        run.take(Ready(name, 1))
    return run


def dynamic(*ids, **spec):
    """A dynamic supervisor whose children all run, and have for a while."""
    values = {"template": a_child("template", stop_s=3), **spec}
    run = Run(SupervisorSpec(**values), now_s=NOW_S - 100).take(want(*ids))
    while SlotState.DOWN in run.states().values():
        run.until_due()
    for name in ids:
        run.take(Ready(name, run.slot(name).epoch))
    return run.take(Tick(), after_s=NOW_S - run.now_s)


def want(*ids, remove=(), **args):
    add = tuple((a_child(name, stop_s=3, args=args), 0) for name in ids)
    return Wanted(add=add, remove=frozenset(remove))


def failed(child_id, epoch=1, **values):
    return Exited(child_id, an_exit(f"/{child_id}", epoch, **values))


# -- T6: strategy and culprit -> exact effects ----------------------------------------------------------------------------


@pytest.mark.parametrize("culprit", ["a", "b", "c"])
@pytest.mark.parametrize("ordered", [False, True])
def test_one_for_one_restarts_the_culprit_alone(culprit, ordered):
    run = running("a", "b", "c", ordered=ordered).take(failed(culprit))

    assert run.effects == ()
    assert run.states() == {"a": "running", "b": "running", "c": "running", culprit: "backoff"}
    assert run.until_due().effects == (Start(culprit, 2),)


def test_a_lone_child_is_restarted_at_once_the_first_time():
    assert running("a").take(failed("a")).effects == (Start("a", 2),)


@pytest.mark.parametrize("culprit", ["a", "b", "c"])
def test_a_dynamic_supervisor_restarts_the_culprit_alone(culprit):
    run = dynamic("a", "b", "c").take(failed(culprit))

    assert run.effects == ()
    assert run.until_due().effects == (Start(culprit, 2),)


def test_children_without_order_start_together_and_stop_together():
    run = Run(SupervisorSpec(children=(a_child("a"), a_child("b")))).take(Tick())

    assert run.effects == (Start("a", 1), Start("b", 1))
    run.take(Shutdown(NOW_S + 8))
    assert run.effects == (Stop("a", NOW_S + 0.5, final=True), Stop("b", NOW_S + 0.5, final=True))
    run.take(failed("a", kind="stopped"), failed("b", kind="stopped"))
    assert run.effects == (Exit(None),)


def test_children_in_order_start_one_by_one_and_stop_in_reverse():
    run = Run(SupervisorSpec(children=(a_child("a"), a_child("b")), ordered=True)).take(Tick())

    assert run.effects == (Start("a", 1),)
    assert run.take(Ready("a", 1)).effects == (Start("b", 1),)
    assert run.take(Shutdown(NOW_S + 8)).effects == (Stop("b", NOW_S + 0.5, final=True),)
    assert run.take(failed("b", kind="stopped")).effects == (Stop("a", NOW_S + 0.5, final=True),)
    assert run.take(failed("a", kind="stopped")).effects == (Exit(None),)


def test_the_barrier_opens_when_a_first_start_fails_or_takes_too_long():
    spec = SupervisorSpec(children=(a_child("a"), a_child("b"), a_child("c")), ordered=True)
    run = Run(spec).take(Tick()).take(failed("a", kind="start_failed"))

    assert run.effects == (Start("a", 2), Start("b", 1))
    assert Start("c", 1) in run.take(Tick(), after_s=15).effects


def test_dynamic_children_start_at_a_limited_rate():
    run = dynamic(starts_per_s=0.5).take(want("a", "b"))

    assert run.effects == (Start("a", 1),)
    assert plans.next_due_s(run.plan) == NOW_S + 2
    assert run.until_due().effects == (Start("b", 1),)


# -- ends -----------------------------------------------------------------------------------------------------------------


def test_a_child_that_fails_too_often_is_parked_and_tried_again_later():
    profile = a_profile(max_restarts=1, on_exhausted=Exhausted.PARK, park_retry_s=300)
    run = running("a", profile=profile).fail().fail()

    assert run.state() is SlotState.PARKED
    assert run.slot().why == "2 failures in 100 s, last: RuntimeError: it broke"
    assert run.take(Tick(), after_s=299.9).effects == ()
    assert run.until_due().effects == (Start("a", 3),)
    assert run.take(failed("a", 3)).state() is SlotState.PARKED


def test_a_parked_child_that_has_become_stable_has_all_its_tries_again():
    profile = a_profile(max_restarts=1, on_exhausted=Exhausted.PARK, park_retry_s=300, stable_s=60)
    run = running("a", profile=profile).fail().fail().until_due().take(Ready("a", 3))

    assert run.take(failed("a", 3), after_s=61).effects == (Start("a", 4),)
    assert not run.slot().probation


def test_a_child_that_needs_an_operator_waits_for_one():
    run = running("a").take(failed("a", park="the token is wrong"))

    assert (run.state(), run.slot().due_s, run.slot().why) == (SlotState.PARKED, None, "the token is wrong")
    assert run.take(Operate("a", "resume")).effects == (Start("a", 2),)


def test_exhaustion_that_escalates_stops_the_others_and_ends_with_the_chain():
    profile = a_profile(max_restarts=0)
    run = Run(SupervisorSpec(children=(a_child("a", profile=profile), a_child("b", stop_s=9)))).take(Tick())
    run.take(Ready("a", 1), Ready("b", 1)).take(failed("a"))

    assert run.effects == (Stop("b", NOW_S + 9, final=False),)
    run.take(failed("b", kind="stopped"))
    assert run.effects == (Exit("a: 1 failures in 100 s, last: RuntimeError: it broke"),)


def test_a_permanent_child_that_keeps_finishing_slows_down_and_is_exhausted():
    run = running("a", profile=a_profile(max_restarts=2, on_exhausted=Exhausted.PARK))
    first = run.take(failed("a", 1, kind="finished")).effects
    second = run.take(failed("a", 2, kind="finished")).effects
    wait_s = plans.next_due_s(run.plan) - run.now_s
    run.until_due().take(failed("a", 3, kind="finished"))

    assert (first, second, wait_s) == ((Start("a", 2),), (), 1.0)
    assert run.state() is SlotState.PARKED
    assert "child_failed" not in [report.event for report in run.reports]


def test_a_transient_child_that_finished_is_done_and_one_that_failed_is_not():
    assert running("a", restart=Restart.TRANSIENT).take(failed("a", kind="finished")).state() is SlotState.DONE
    assert running("a", restart=Restart.TRANSIENT).take(failed("a")).effects == (Start("a", 2),)


def test_a_child_that_fails_while_everything_stops_is_not_restarted():
    run = running("a", "b", ordered=True).take(Shutdown(NOW_S + 8)).take(failed("a"))

    assert run.state("a") is SlotState.DONE
    assert "restart_scheduled" not in [report.event for report in run.reports]
    assert run.take(failed("b", kind="stopped")).effects == (Exit(None),)


def test_a_notice_of_an_epoch_that_is_over_changes_nothing():
    run = running("a").fail().take(Ready("a", 2))
    before = run.plan

    assert run.take(failed("a", 1), Ready("a", 1)).plan == before


# -- stops ----------------------------------------------------------------------------------------------------------------


def test_a_child_that_does_not_stop_is_abandoned_at_its_deadline():
    run = running("a").take(Operate("a", "restart"))

    assert run.effects == (Stop("a", NOW_S + 5, final=False),)
    assert run.take(Tick(), after_s=4.9).effects == ()
    assert run.until_due().effects == (Abandon("a"), Start("a", 2))


def test_a_shutdown_shortens_a_stop_that_is_under_way():
    run = running("a").take(Operate("a", "pause")).take(Shutdown(NOW_S + 2))

    assert run.effects == ()
    assert plans.next_due_s(run.plan) == NOW_S + 2
    assert run.until_due().effects == (Abandon("a"), Exit(None))


def test_a_second_shutdown_can_only_shorten_the_first():
    run = running("a", "b", ordered=True).take(Shutdown(NOW_S + 8)).take(Shutdown(NOW_S + 1), Shutdown(NOW_S + 100))

    assert run.plan.deadline_s == NOW_S + 1


def test_any_event_ends_the_waits_that_are_over():
    """A supervisor that hears something every millisecond restarts its children all the same."""
    run = running("a", "b").take(failed("a")).take(Ready("b", 1), after_s=10)

    assert run.effects == (Start("a", 2),)


def test_ready_after_a_stop_was_asked_changes_nothing():
    run = Run(SupervisorSpec(children=(a_child(),))).take(Tick()).take(Operate("a", "pause")).take(Ready("a", 1))

    assert run.state() is SlotState.STOPPING
    assert run.take(failed("a", kind="stopped")).state() is SlotState.PAUSED


# -- operators ------------------------------------------------------------------------------------------------------------


def test_a_pause_during_backoff_holds_the_child_until_it_is_resumed():
    run = running("a").fail().take(failed("a", 2)).take(Operate("a", "pause"))

    assert (run.state(), plans.next_due_s(run.plan)) == (SlotState.PAUSED, float("inf"))
    assert run.take(Operate("a", "resume")).effects == (Start("a", 3),)


@pytest.mark.parametrize("command", ["resume", "restart"])
def test_a_resume_while_a_pause_is_under_way_wins(command):
    run = running("a").take(Operate("a", "pause")).take(Operate("a", command))

    assert run.effects == ()
    assert run.take(failed("a", kind="stopped")).effects == (Start("a", 2),)


def test_a_resume_of_a_running_child_only_clears_its_failures():
    run = running("a").fail().take(Ready("a", 2)).take(Operate("a", "resume"))

    assert (run.effects, run.slot().failures.times) == ((), ())


def test_an_operator_cannot_bring_back_a_child_that_is_no_longer_wanted():
    run = dynamic("a").take(want(remove=["a"])).take(Operate("a", "restart"))

    assert run.take(failed("a", kind="stopped")).states() == {}


# -- dynamic children -----------------------------------------------------------------------------------------------------


def test_a_child_that_is_no_longer_wanted_stops_and_is_forgotten():
    run = dynamic("a", "b").take(want(remove=["a"]))

    assert run.effects == (Stop("a", NOW_S + 3, final=False),)
    assert run.take(failed("a", kind="stopped")).states() == {"b": "running"}


def test_a_child_that_is_wanted_again_while_it_stops_comes_back():
    run = dynamic("a").take(want(remove=["a"])).take(want("a"))

    assert run.take(failed("a", kind="stopped")).effects == (Start("a", 2),)


def test_a_child_that_had_to_be_abandoned_can_be_wanted_again():
    run = dynamic("a").take(want(remove=["a"])).until_due()

    assert (run.effects, run.states()) == ((Abandon("a"),), {})
    assert run.take(want("a")).effects == (Start("a", 1),)  # of the epoch that the event names


def test_new_arguments_restart_a_running_child():
    run = dynamic("a").take(want("a", size=2))

    assert run.effects == (Stop("a", NOW_S + 3, final=False),)
    run.take(failed("a", kind="stopped"))
    assert (run.effects, run.slot().spec.args) == ((Start("a", 2),), {"size": 2})


def test_new_arguments_neither_wake_a_paused_child_nor_hurry_a_failing_one():
    paused = dynamic("a").take(Operate("a", "pause")).take(want("a", size=2))
    waiting = dynamic("a").fail().take(failed("a", 2)).take(want("a", size=2))

    assert paused.effects == waiting.effects == ()
    assert paused.take(failed("a", kind="stopped")).state() is SlotState.PAUSED
    assert waiting.state() is SlotState.BACKOFF


def test_new_arguments_give_a_parked_child_another_try():
    run = dynamic("a").take(failed("a", park="geo-blocked")).take(want("a", size=2))

    assert run.effects == (Start("a", 2),)


def test_there_are_never_more_children_than_allowed():
    run = dynamic("a", max_children=1).take(want("b"))

    assert (run.states(), run.reports[-1].event) == ({"a": "running"}, "child_refused")


def test_nobody_is_wanted_by_a_supervisor_that_stops():
    run = dynamic("a").take(Shutdown(NOW_S + 8)).take(want("b"))

    assert (run.effects, run.plan.phase, list(run.states())) == ((), Phase.STOPPING, ["a"])
