"""How families of alerts do: shares with intervals, and what is not measurable."""

from random import Random

import pytest

from intelligence.alerts import AlertKind
from intelligence.market import PositionSide
from intelligence.outcomes.controls import DAY
from intelligence.outcomes.judging import Outcome
from intelligence.outcomes.markouts import direction_of
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import Judged, as_words, judged_of, lines_of, scores
from intelligence.outcomes.shares import share_by_day
from intelligence.outcomes.usefulness import Votes, cohens_kappa
from tests.intelligence.builders import an_alert
from tests.intelligence.outcomes.builders import AT, MINUTE_MS, Market, a_told, few, judged

NOW_MS = (AT + DAY) * MINUTE_MS
RULES = OutcomeRules()


def an_outcome(alert_id, minutes=15, *, move=-0.01005, hit=True, base=0.2, strict=None):
    return Outcome(
        alert_id=alert_id,
        minutes=minutes,
        span=0.01,
        move=move,
        controls=200,
        base=base,
        consequential=hit,
        strict=strict,
    )


def a_judged(minute=AT, *, hit=True, base=0.2, strict=None, **told):
    """Price falls by 1 % after it."""
    told = a_told(minute, **told)
    return judged_of(told, {15: an_outcome(told.alert_id, hit=hit, base=base, strict=strict)})


def spread(hits, misses, every=97, last=AT, **told):
    """Alerts one after the other, those that hit among them evenly."""
    count = hits + misses
    return [
        a_judged(last - index * every, hit=(index * hits) % count < hits, strict=index % 5 < 2, **told)
        for index in range(count)
    ]


def test_a_family_is_told_with_interval_base_and_number():
    (family,) = scores(spread(60, 24), NOW_MS, RULES).families

    assert as_words(family, 30) == "A2 of such alerts, 30 d: 71 % [61-80], base 20 %, n=84"


def test_strict_is_scored_beside():
    (family,) = scores(spread(60, 24), NOW_MS, RULES).families

    assert (family.strict.hits, family.strict.of) == (34, 84)


def test_mark_outs_are_signed_by_the_event_and_less_the_costs():
    falling, rising = (scores(spread(10, 10, direction=way), NOW_MS, RULES).families[0] for way in (-1, 1))

    assert [(one.minutes, round(one.mean_bps), one.paid.hits) for one in falling.markouts] == [(15, 76, 20)]
    assert [(one.minutes, round(one.mean_bps), one.paid.hits) for one in rising.markouts] == [(15, -125, 0)]


def test_alerts_without_a_direction_have_no_mark_out():
    assert scores(spread(10, 10), NOW_MS, RULES).families[0].markouts == ()


def test_a_mark_out_of_the_future_is_not_counted():
    told = a_told(AT, direction=-1)
    known = judged_of(told, {minutes: an_outcome(told.alert_id, minutes) for minutes in (1, 5, 15, 60)})

    (family,) = scores([known], (AT + 30) * MINUTE_MS, RULES).families
    assert [one.minutes for one in family.markouts] == [1, 5, 15]


@pytest.mark.parametrize(
    ("alert", "direction"),
    [
        ({"position_side": PositionSide.LONG}, -1),
        ({"position_side": PositionSide.SHORT}, 1),
        ({"position_side": None, "context": (("price_move", -0.01),)}, -1),
        ({"position_side": None, "context": (("price_move", 0.02),)}, 1),
        ({"position_side": None}, 0),
    ],
)
def test_liquidated_longs_push_down_and_moves_tell_for_the_others(alert, direction):
    assert direction_of(an_alert(**alert)) == direction


def test_votes_are_told_with_their_agreement_with_a2():
    made = spread(20, 20)
    votes = {}
    for one in made[:36]:
        useful = int(one.outcome.consequential)
        votes[one.told.alert_id] = Votes(useful=useful, useless=1 - useful)
    votes[made[36].told.alert_id] = Votes(useful=1, useless=1)
    told = scores(made, NOW_MS, RULES, votes).families[0].usefulness

    assert (told.share.hits, told.share.of, told.both, told.kappa) == (18, 36, 36, 1.0)


def test_kappa_is_agreement_beyond_chance():
    said = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15

    assert cohens_kappa(said) == pytest.approx(0.4)
    assert cohens_kappa([(True, True), (True, False)]) is None
    assert cohens_kappa([]) is None


def test_few_alerts_are_not_measurable():
    told = scores(spread(15, 4), NOW_MS, RULES)

    assert not told.families[0].measurable
    assert lines_of(told) == {}


def test_alerts_without_control_times_are_told_and_not_measured():
    unmeasured = [a_judged(AT - index, hit=None, base=None) for index in range(40)]
    (family,) = scores(unmeasured, NOW_MS, RULES).families

    assert (family.alerts, family.share.of, family.measurable) == (40, 0, False)


def test_shadows_are_scored_apart():
    told = scores([*spread(20, 10), *spread(5, 25, shadow=True)], NOW_MS, RULES)

    assert [(one.shadow, one.share.hits) for one in told.families] == [(False, 20), (True, 5)]
    assert told.of(AlertKind.CASCADE).share.hits == 20


def test_what_nobody_was_told_is_not_scored():
    held = spread(20, 10, delivered_ms=None, awaited=False, held=("muted",))

    assert scores(held, NOW_MS, RULES).families == ()


def test_only_the_last_thirty_days_count():
    old = [a_judged(AT - 31 * DAY - index) for index in range(30)]

    assert scores(old, NOW_MS, RULES).families == ()


def test_an_outcome_of_the_future_is_not_counted():
    """A planted look-ahead: at that moment the horizon is not over."""
    assert scores([a_judged(AT)], (AT + 10) * MINUTE_MS, RULES).families == ()


def test_the_interval_is_wider_where_alerts_come_in_swarms():
    alone = share_by_day((day, day % 10 < 7) for day in range(100))
    swarms = share_by_day((day, day % 10 < 7) for day in range(20) for _ in range(5))

    assert alone.value == swarms.value == 0.7
    assert swarms.effective == pytest.approx(20.0)
    assert swarms.lower < alone.lower


def test_wilson_as_in_the_books():
    low, high = share_by_day((day, day < 8) for day in range(10)).interval

    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_nothing_at_all_is_known_of_no_trials():
    assert share_by_day([]).interval == (0.0, 1.0)


def test_a_family_that_fires_at_random_scores_the_base_rate():
    """Ranges of a market without memory, alerts at random minutes of it."""
    start = AT - 25 * DAY
    market = Market(quiet=None).walk(range(start, AT + 120))
    rules = few(days=10)
    random = Random(11)
    alerts = [a_told(at) for at in sorted(random.sample(range(AT - 14 * DAY, AT), 150))]
    others = [one.started_ms // MINUTE_MS for one in alerts[::5]]  # all of them would leave no free hour
    found = [Judged(told=one, outcome=judged(market, one, others=others, rules=rules)) for one in alerts]

    (family,) = scores(found, NOW_MS, rules).families
    low, high = family.share.interval
    assert family.share.of > 100
    assert low < family.base < high
    assert family.base == pytest.approx(0.2, abs=0.03)
