"""A conflict on trial: no thread, no clock."""

import pytest

from actors.exchanges.gate_frames import SIGN
from actors.exchanges.registry import SELF_TESTS
from actors.exchanges.trial import Held, Trial, TrialTimes
from tests.intelligence.builders import a_liquidation

T0 = 1_790_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
TIMES = TrialTimes(evidence_ms=HOUR_MS, verify_ms=DAY_MS, lapse_ms=7 * DAY_MS)


def rows(side, count=5, at_ms=T0):
    return [
        a_liquidation(venue="gate", instrument="X", exchange_ms=at_ms + 1_000 * n, quantity=1.5 + n, position_side=side)
        for n in range(count)
    ]


def observe(trial, told, listed, now_ms=T0, read_by=()):
    """One round: rows of the socket, the same ones of REST, and the judgement."""
    trial.hear(told, dict(read_by))
    trial.questions({}, now_ms)
    trial.learn(listed)
    return trial.judge(now_ms)


@pytest.fixture
def trial():
    return Trial(SELF_TESTS["gate"], TIMES)


def test_enough_rows_that_agree_settle_it(trial):
    assert observe(trial, rows("long", 4), rows("long", 4)) == ""
    assert observe(trial, rows("long")[4:], rows("long")) == "settled"

    assert trial.settled == {SIGN: "order"}
    assert trial.held.evidence == 5


def test_one_row_of_another_mind_leaves_it_open(trial):
    assert observe(trial, rows("long", 9), rows("long", 8) + rows("short", 9)[8:]) == ""

    assert trial.settled == {}


def test_rest_is_asked_only_when_there_is_enough_to_compare(trial):
    trial.hear(rows("long", 4), {})
    assert trial.questions({}, T0 + 5_000) == ()

    trial.hear(rows("long")[4:], {})
    (query,) = trial.questions({}, T0 + 5_000)

    assert dict(query.call.params)["to"] == str(T0 // 1_000 + 5)


def test_a_verdict_is_tested_again_after_a_day_and_not_before(trial):
    observe(trial, rows("long"), rows("long"))
    later = rows("long", at_ms=T0 + DAY_MS)
    trial.hear(rows("long", at_ms=T0 + DAY_MS - HOUR_MS), {})
    assert trial.questions({}, T0 + DAY_MS - 1) == ()

    outcome = observe(trial, later, later, now_ms=T0 + DAY_MS + 10_000)

    assert outcome == "verified"
    assert (trial.held.settled_ms, trial.held.verified_ms) == (T0, T0 + DAY_MS + 10_000)


def test_one_observation_against_a_verdict_withdraws_it_and_all_begins_anew(trial):
    observe(trial, rows("long"), rows("long"))
    later = T0 + DAY_MS

    outcome = observe(trial, rows("long", 1, later), rows("short", 1, later), now_ms=later)

    assert (outcome, trial.settled, trial.heard) == ("withdrawn", {}, 0)
    assert trial.why == "1 of 1 observations speak against it"


def test_rows_that_were_read_by_the_verdict_are_compared_as_they_came(trial):
    observe(trial, rows("long"), rows("short"))
    assert trial.settled == {SIGN: "position"}
    later = T0 + DAY_MS
    as_settled = rows("short", at_ms=later)  # the socket's sign says long, the decoder knows that it is the position's

    assert observe(trial, as_settled, rows("short", at_ms=later), later + 6_000, {SIGN: "position"}) == "verified"


def test_a_verdict_that_nothing_speaks_for_any_more_lapses(trial):
    observe(trial, rows("long"), rows("long"))

    assert observe(trial, [], [], now_ms=T0 + 7 * DAY_MS) == ""
    assert observe(trial, [], [], now_ms=T0 + 7 * DAY_MS + 1) == "withdrawn"
    assert trial.why == "nothing has spoken for it for 7 days"


def test_a_remembered_verdict_holds_unless_it_is_of_another_conflict_or_newer_ones_spoke(trial):
    held = Held(conflict=SIGN, verdict="position", evidence=9, settled_ms=T0, verified_ms=T0)
    other = Held(conflict="liquidation_unit", verdict="base", evidence=9, settled_ms=T0, verified_ms=T0)

    assert (trial.remember(other), trial.settled) == (False, {})
    assert (trial.remember(held), trial.settled) == (True, {SIGN: "position"})
    observe(fresh := Trial(SELF_TESTS["gate"], TIMES), rows("long"), rows("long"))
    assert (fresh.remember(held), fresh.settled) == (False, {SIGN: "order"})


def test_what_is_compared_is_bounded_in_time_and_number(trial):
    trial.hear(rows("long", 3_000), {})
    assert trial.heard == 1_000

    trial.questions({}, T0 + 3_000_000 + HOUR_MS)

    assert trial.heard == 0


def test_a_venue_that_tells_nothing_by_rest_is_judged_by_its_sockets():
    trial = Trial(SELF_TESTS["okx"], TIMES)
    burst = [a_liquidation(venue="okx", exchange_ms=T0, price=price) for price in (60_000.0, 61_000.0)]

    assert observe(trial, burst[:1] * 2, []) == ""
    assert observe(trial, burst, []) == "settled"


def test_a_venue_that_needs_no_rows_is_asked_at_once():
    trial = Trial(SELF_TESTS["bybit"], TIMES)

    assert len(trial.questions({}, T0)) == 1
    trial.learn([2.0] * 20)

    assert (trial.judge(T0), trial.settled) == ("settled", {"open_interest_sides": "both"})
    assert trial.questions({}, T0 + 1) == ()
