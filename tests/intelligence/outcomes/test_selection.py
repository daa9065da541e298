"""Which alerts are pushed: a probability fitted on the past alone, and a level that reaches the goal on later days."""

from random import Random

import pytest

from intelligence.alerts import AlertKind, Severity
from intelligence.outcomes.controls import DAY
from intelligence.outcomes.rules import SelectionRule
from intelligence.outcomes.selection import Demotion, Selection, demotions, fit, isotonic, selected
from tests.intelligence.builders import an_alert
from tests.intelligence.outcomes.builders import AT, MINUTE_MS
from tests.intelligence.outcomes.test_scores import a_judged

NOW_MS = (AT + 120) * MINUTE_MS
RULE = SelectionRule()
CASCADE = AlertKind.CASCADE


def history(days=60, a_day=10, seed=3, chances=((1.0, 0.3), (4.0, 0.95)), **told):
    """Alerts of two strengths, the strong ones nearly always consequential, until an hour before now."""
    random = Random(seed)
    found = []
    for index in range(days * a_day):
        strength, chance = chances[index % 2]
        at = AT - index * DAY // a_day
        found.append(a_judged(at, hit=random.random() < chance, strength=strength + random.random(), **told))
    return found


def a_selection(**overrides):
    fields = {
        "valid_until_ms": NOW_MS,
        "outcomes": 500,
        "needed": 150,
        "goal": 0.85,
        "enabled": True,
        "holds_p1": False,
    }
    steps = ((CASCADE, ((1.0, 0.3), (4.0, 0.95))),)
    return Selection(**(fields | {"limit": 0.9, "steps": steps} | overrides))


def a_cascade(ratio, severity=Severity.P2, **overrides):
    return an_alert(kind=CASCADE, severity=severity, value=ratio * 1e5, threshold=1e5, **overrides)


def test_isotonic_steps_never_fall():
    steps = isotonic([(1.0, False), (2.0, True), (3.0, False), (4.0, False), (5.0, True), (6.0, True)])

    assert steps == ((1.0, 0.0), (2.0, pytest.approx(1 / 3)), (5.0, 1.0))


def test_equal_scores_have_one_probability():
    assert isotonic([(1.0, True), (1.0, False), (1.0, True), (1.0, True)]) == ((1.0, 0.75),)


def test_strong_alerts_are_pushed_and_weak_ones_wait():
    selection = fit(history(), NOW_MS, RULE)

    assert selection.limit is not None
    assert selection.chooses(CASCADE, Severity.P2, 5.0) is True
    assert selection.chooses(CASCADE, Severity.P2, 1.2) is False


def test_with_too_few_outcomes_everything_is_pushed():
    selection = fit(history(days=10), NOW_MS, RULE)

    assert (selection.outcomes, selection.needed, selection.limit) == (100, 150, None)
    assert selection.holds(a_cascade(1.0), NOW_MS) == ""


def test_where_no_level_reaches_the_goal_everything_is_pushed():
    selection = fit(history(chances=((1.0, 0.3), (4.0, 0.6))), NOW_MS, RULE)

    assert selection.limit is None
    assert selection.holds(a_cascade(1.0), NOW_MS) == ""


def test_a_planted_future_changes_nothing():
    past = history()
    future = [a_judged(AT + 115 + index, hit=False, strength=9.0) for index in range(2_000)]

    assert fit([*past, *future], NOW_MS, RULE) == fit(past, NOW_MS, RULE)


def test_what_was_chosen_on_is_not_what_was_fitted_on():
    """Outcomes of the newest fortnight do not move the probabilities."""
    flipped = [
        a_judged(one.told.started_ms // MINUTE_MS, hit=False, strength=one.told.strength)
        if one.at_ms > NOW_MS - 14 * DAY * MINUTE_MS
        else one
        for one in history()
    ]

    assert fit(flipped, NOW_MS, RULE).steps == fit(history(), NOW_MS, RULE).steps
    assert fit(flipped, NOW_MS, RULE).limit is None


def test_why_it_waits_is_said():
    assert a_selection().holds(a_cascade(1.5), NOW_MS) == "A2 in 30 % of such alerts, pushed from 90 %"


def test_the_gravest_of_the_core_are_pushed_unless_the_operator_wants_it_otherwise():
    weak = a_cascade(1.5, Severity.P1)

    assert a_selection().holds(weak, NOW_MS) == ""
    assert a_selection(holds_p1=True).holds(weak, NOW_MS) != ""


def test_p3_and_unknown_families_are_not_held():
    assert a_selection().holds(a_cascade(1.5, Severity.P3), NOW_MS) == ""
    assert a_selection().holds(an_alert(value=1.0), NOW_MS) == ""


def test_an_old_selection_holds_nothing():
    assert a_selection().holds(a_cascade(1.5), NOW_MS + 1) == ""


def test_switched_off_it_holds_nothing():
    off = a_selection(enabled=False, demoted=(Demotion(kind=CASCADE, since_day=1),))

    assert off.holds(a_cascade(1.5), NOW_MS) == ""


def test_a_demoted_family_waits_as_a_whole_but_for_its_gravest():
    demoted = a_selection(demoted=(Demotion(kind=CASCADE, since_day=1),))

    assert demoted.holds(a_cascade(9.0), NOW_MS) == "its family is not consequential often enough"
    assert demoted.holds(a_cascade(9.0, Severity.P1), NOW_MS) == ""


def test_a_family_is_demoted_after_seven_days_below():
    lows = [(CASCADE, day, 0.69) for day in range(94, 101)]

    assert demotions(lows, 100, RULE) == (Demotion(kind=CASCADE, since_day=100),)
    assert demotions(lows[1:], 100, RULE) == ()
    assert demotions([*lows[:3], (CASCADE, 97, 0.7), *lows[4:]], 100, RULE) == ()


def test_precision_recall_and_pushes_are_told_by_what_was_said_beforehand():
    made = [
        *(a_judged(AT - index * 300, hit=True, chosen=True) for index in range(9)),
        a_judged(AT - 3_000, hit=False, chosen=True),
        *(a_judged(AT - index * 300 - 7, hit=index < 3, chosen=False) for index in range(20)),
        a_judged(AT - 11, hit=True),
    ]
    found = selected(made, NOW_MS, 30)

    assert (found.precision.hits, found.precision.of) == (9, 10)
    assert (found.recall.hits, found.recall.of) == (9, 12)
    assert selected([made[-1]], NOW_MS, 30) is None
