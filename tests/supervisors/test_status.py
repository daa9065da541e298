import pytest

from actors.clock import ManualClock
from actors.mailbox import Lane
from actors.system import System
from supervisors import plan as plans
from supervisors import steps
from supervisors.slots import SlotState
from supervisors.spec import SupervisorSpec
from supervisors.status import Health, LeafFacts, leaf_verdict, roll_up, snapshot
from tests.builders import a_child, a_letter, an_exit

H, D, U, OFF = Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY, Health.OFF


def facts(state=SlotState.RUNNING, **values):
    return LeafFacts(**{"state": state, "in_state_s": 1.0, **values})


@pytest.mark.parametrize(
    ("given", "health", "flags"),
    [
        (facts(), H, ()),
        (facts(SlotState.STARTING), D, ("starting",)),
        (facts(SlotState.STARTING, begins_within_s=15), H, ()),
        (facts(SlotState.STARTING, begins_within_s=15, in_state_s=16), D, ("starting",)),
        (facts(SlotState.BACKOFF, in_state_s=30), D, ("backoff",)),
        (facts(SlotState.BACKOFF, in_state_s=30.1), U, ("backoff",)),
        (facts(SlotState.BACKOFF, in_state_s=30.1, required=False), D, ("backoff",)),
        (facts(SlotState.DOWN, in_state_s=31), U, ("down",)),
        (facts(SlotState.STOPPING, in_state_s=31), U, ("stopping",)),
        (facts(SlotState.PARKED), U, ("parked",)),
        (facts(SlotState.PARKED, required=False), D, ("parked",)),
        (facts(SlotState.PAUSED), OFF, ()),
        (facts(SlotState.DONE), OFF, ()),
        (facts(progress_age_s=30, fresh_within_s=30), H, ()),
        (facts(progress_age_s=31, fresh_within_s=30), D, ("stale",)),
        (facts(progress_age_s=91, fresh_within_s=30), U, ("stale",)),
        (facts(progress_age_s=91, fresh_within_s=30, required=False), D, ("stale",)),
        (facts(progress_age_s=None, fresh_within_s=30), H, ()),
        (facts(abnormal_exits=2), H, ()),
        (facts(abnormal_exits=3), D, ("flapping",)),
        (facts(urgent_lost=True), D, ("urgent_lost",)),
        (facts(own=D), D, ("degraded",)),
        (facts(own=U), U, ("unhealthy",)),
        (facts(own=U, required=False), D, ("unhealthy",)),
        (facts(abnormal_exits=3, urgent_lost=True), D, ("flapping", "urgent_lost")),
    ],
)
def test_the_verdict_on_one_actor(given, health, flags):
    assert leaf_verdict(given) == (health, flags)


@pytest.mark.parametrize(
    ("children", "quorum", "health"),
    [
        ([], 1.0, H),
        ([(H, True), (OFF, True)], 1.0, H),
        ([(H, True), (D, False)], 1.0, D),
        ([(H, True), (U, True)], 1.0, U),
        ([(H, True), (U, False)], 1.0, D),
        ([(H, True)] * 4 + [(U, True)], 0.8, D),
        ([(H, True)] * 3 + [(U, True)] * 2, 0.8, U),
        ([(H, True)] * 4 + [(U, True), (OFF, True)], 0.8, D),
        ([(U, False)], 0.8, D),
        ([(U, True)], 0.8, U),
    ],
)
def test_the_verdict_on_a_supervisor(children, quorum, health):
    assert roll_up(children, quorum) == health


def test_a_slot_shows_its_state_and_what_led_to_it():
    clock = ManualClock()
    system = System(clock)
    plan = plans.begin(SupervisorSpec(children=(a_child("a"),)), clock.monotonic(), {})
    place = system.place("/s/a")
    place.vitals.progress_s = clock.monotonic()
    place.mailbox.put(a_letter(lane=Lane.URGENT))
    place.exits.append(an_exit("/s/a", ended_s=clock.monotonic()))
    clock.advance(4)

    (node,) = snapshot("/s", plan, system, clock.monotonic()).slots

    assert (node.path, node.state, node.state_since_s, node.health) == ("/s/a", "down", 4.0, "degraded")
    assert node.last_exit == {"kind": "failed", "ago_s": 4.0, "error": "RuntimeError: it broke", "where": ""}
    assert (node.heartbeat["progress_s"], node.mailbox["urgent"], node.mailbox["oldest_s"]) == (4.0, 1, 4.0)


def test_three_abnormal_ends_in_a_quarter_of_an_hour_are_flapping():
    clock = ManualClock()
    system = System(clock)
    spec = SupervisorSpec(children=(a_child("a"),))
    plan, _ = plans.step(plans.begin(spec, 0, {}), steps.Tick(), clock.monotonic(), None)
    plan, _ = plans.step(plan, steps.Ready("a", 1), clock.monotonic(), None)
    for _ in range(3):
        system.place("/a").exits.append(an_exit("/a", ended_s=clock.monotonic()))

    now = snapshot("/", plan, system, clock.monotonic()).slots[0]
    later = snapshot("/", plan, system, clock.monotonic() + 900).slots[0]

    assert (now.flags, later.flags) == (("flapping",), ())


@pytest.mark.parametrize(("on_demand", "health"), [(True, "healthy"), (False, "degraded")])
def test_a_first_start_on_demand_is_no_reason_to_worry(on_demand, health):
    spec = SupervisorSpec(template=a_child("*"), on_demand=on_demand)
    plan, _ = plans.step(plans.begin(spec, 0, {}), steps.Wanted(add=((a_child("sand"), 0),)), 1.0, None)

    (node,) = snapshot("/symbols", plan, System(ManualClock()), 2.0).slots

    assert (node.state, node.health) == ("starting", health)
