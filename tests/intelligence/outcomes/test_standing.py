"""Selective delivery over two months: fitted every day on what was over, judged by what was said beforehand."""

from random import Random

from intelligence.alerts import AlertKind, Severity
from intelligence.outcomes.controls import DAY
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.standing import Standing
from tests.intelligence.outcomes.builders import AT, MINUTE_MS, a_told
from tests.intelligence.outcomes.test_scores import an_outcome

CASCADE = AlertKind.CASCADE
A_DAY = 12


def lived(chance_of, days=60, **told):
    """A family of so many alerts a day, of strengths 1 to 6, each consequential with the chance of its strength."""
    random = Random(8)
    standing = Standing(OutcomeRules(), AT * MINUTE_MS)
    for day in range(days):
        for index in range(A_DAY):
            strength = random.uniform(1, 6)
            chosen = standing.selection.chooses(CASCADE, Severity.P2, strength)
            at = AT + day * DAY + index * DAY // A_DAY
            alert = a_told(at, strength=strength, chosen=chosen, **told)
            standing.take(alert, {15: an_outcome(alert.alert_id, hit=random.random() < chance_of(strength))})
        now_ms = (AT + (day + 1) * DAY) * MINUTE_MS
        assert standing.refit(standing.scores(now_ms))
    return standing, now_ms


def test_what_is_pushed_reaches_the_goal_and_says_what_that_costs():
    standing, now_ms = lived(lambda strength: 0.97 if strength > 4 else 0.3)
    (family,) = standing.scores(now_ms).families
    selected = standing.selected(now_ms)

    assert family.share.value < 0.65
    assert selected.precision.lower >= 0.85
    assert 0.5 < selected.recall.value < 1.0
    assert 2 < selected.per_day < 8


def test_a_family_whose_strength_tells_nothing_is_not_silenced_by_it():
    standing, now_ms = lived(lambda _: 0.5)

    assert standing.selection.limit is None
    assert standing.selected(now_ms) is None


def test_a_family_that_does_badly_for_a_week_is_demoted_and_comes_back():
    standing, now_ms = lived(lambda _: 0.4)
    (low,) = standing.lows(standing.scores(now_ms))
    today = low[1]
    standing.demote([(CASCADE, today - back, low[2]) for back in range(7)], now_ms)
    demoted = standing.selection.demoted
    standing.demote([(CASCADE, today, 0.8), *((CASCADE, today - back, low[2]) for back in range(1, 7))], now_ms)

    assert [one.kind for one in demoted] == [CASCADE]
    assert standing.selection.demoted == ()
