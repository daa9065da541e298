import threading

import pytest

from actors.clock import ManualClock
from actors.system import System
from supervisors.report import assemble
from supervisors.spec import Exhausted, SupervisorSpec
from supervisors.wording import find, node_text, text
from tests.builders import a_child, a_profile, a_subtree
from tests.doubles import Journal, Tree


def test_before_root_has_spoken_the_tree_is_booting():
    report = assemble(System(ManualClock()), "1.2", {})

    assert (report.health, report.tree.state, report.version) == ("degraded", "booting", "1.2")


def test_a_tree_that_runs_is_healthy_and_shows_every_path():
    with Tree(SupervisorSpec(children=(a_child("a"), a_subtree("s", a_child("x"))))) as tree:
        for path in ("/s/x", "/a", "/s"):
            tree.until(path, "running")
        report = assemble(tree.system, "0", {"log_dropped": 0})

    assert (report.health, report.why) == ("healthy", ())
    assert (report.totals["actors"], report.totals["running"], report.totals["leaked"]) == (4, 4, 0)
    assert find(report, "/s/x").state == "running"
    assert find(report, "/s/y") is None


def test_a_failure_deep_in_the_tree_shows_at_the_top_with_its_reason():
    profile = a_profile(max_restarts=0, on_exhausted=Exhausted.PARK)
    broken = a_child("x", args={"fail": {"init": RuntimeError}}, profile=profile)
    with Tree(SupervisorSpec(children=(a_child("a"), a_subtree("s", broken)))) as tree:
        tree.until("/s/x", "parked")
        tree.until("/s", "running")
        report = assemble(tree.system, "0", {})

    assert report.health == "unhealthy"
    assert report.why == ("/s/x parked (1 failures in 100 s, last: RuntimeError: )",)
    assert "!! x parked" in text(report)
    assert "last exit start_failed 0 s ago: RuntimeError:" in node_text(find(report, "/s/x"))


@pytest.mark.parametrize(
    ("extra", "health", "why"),
    [
        ({"log_dropped": 3}, "degraded", "3 log lines dropped"),
        ({"outbox_oldest_s": 61}, "unhealthy", "an alert has waited 61 s for delivery"),
        ({"outbox_oldest_s": 60}, "healthy", None),
        ({"outbox_error": "disk full"}, "unhealthy", "alerts are not stored durably: disk full"),
    ],
)
def test_what_the_process_suffers_makes_it_worse(extra, health, why):
    with Tree(SupervisorSpec(children=(a_child("a"),))) as tree:
        tree.until("/a", "running")
        report = assemble(tree.system, "0", extra)

    assert (report.health, report.why) == (health, () if why is None else (why,))


def test_a_report_is_made_while_actors_hang():
    gate, journal = threading.Event(), Journal()
    stuck = [a_child(name, args={"gate": gate, "journal": journal}) for name in ("a", "b", "c")]
    with Tree(SupervisorSpec(children=tuple(stuck))) as tree:
        for name in ("a", "b", "c"):
            tree.until(f"/{name}", "running")
            tree.tell(f"/{name}", "wait")
            journal.wait_for(("waiting", f"/{name}", 1))
        tree.clock.advance(5)
        tree.look("/a")
        report = assemble(tree.system, "0", {})
        gate.set()

    assert [node.heartbeat["busy_s"] for node in report.tree.children] == [5.0, 5.0, 5.0]
