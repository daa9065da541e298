import pytest

from actors.mailbox import MailboxSpec
from supervisors.spec import PROFILES, STOP_BUDGET_S, SupervisorSpec, patience_s, problems, stop_time_s, walk
from tests.builders import a_child, a_profile, a_subtree


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_can_reach_its_limit_with_a_start_timeout_of_a_few_seconds(name):
    required = PROFILES[name].on_exhausted == "escalate"

    assert problems(SupervisorSpec(children=(a_child(profile=PROFILES[name], required=required),))) == ()


def test_a_sound_tree_has_no_problems():
    tree = SupervisorSpec(children=(a_child("a"), a_subtree("b", a_child("a"), a_child("c"))), ordered=True)

    assert problems(tree) == ()
    assert [path for path, _ in walk(tree)] == ["/a", "/b", "/b/a", "/b/c"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"children": (a_child("a"), a_child("a"))}, "/a: id used twice"),
        ({"children": (a_child("A"),)}, "/A: id must match"),
        ({"children": (a_child("-"),)}, "/-: id must match"),
        ({"children": (a_child("a", required=False),)}, "/a: an optional child must park when exhausted"),
        ({"children": (a_child("a", profile=a_profile(window_s=40)),)}, "/a: 3 failures can take 48 s"),
        ({"children": (a_child("a", mailbox=MailboxSpec(data_max=0)),)}, "/a: a mailbox must hold at least one letter"),
        ({"children": (a_child("a", final_s=8),)}, "/: final_s add up to 8 s"),
        ({"template": a_child("a", profile=a_profile(window_s=1))}, "/*: 3 failures can take 48 s"),
    ],
)
def test_what_is_wrong_with_a_tree_is_named(spec, problem):
    found = problems(SupervisorSpec(**spec))

    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_path_that_is_too_long_is_named():
    child = a_child("x" * 48)
    for _ in range(4):
        child = a_subtree("x" * 48, child)

    assert any("path longer than 200 characters" in problem for problem in problems(SupervisorSpec(children=(child,))))


def test_the_stop_budget_is_a_sum_where_children_stop_in_order_and_a_maximum_elsewhere():
    together = a_subtree("b", a_child("a", final_s=1), a_child("c", final_s=2))
    in_order = a_subtree("b", a_child("a", final_s=1), a_child("c", final_s=2), spec={"ordered": True})

    assert stop_time_s(SupervisorSpec(children=(a_child("a", final_s=0.5), together), ordered=True)) == 2.5
    assert stop_time_s(SupervisorSpec(children=(a_child("a", final_s=0.5), in_order), ordered=True)) == 3.5
    assert stop_time_s(SupervisorSpec()) == 0.0
    assert STOP_BUDGET_S == 7.5


def test_a_subtree_may_take_as_long_to_stop_as_its_children():
    subtree = a_subtree("b", a_child("a", stop_s=15, final_s=2), stop_s=5, final_s=0.5)

    assert (patience_s(subtree, final=False), patience_s(subtree, final=True)) == (15, 2)
