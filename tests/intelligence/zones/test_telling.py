"""What people read of a zone: a warning, and the answer to /zones."""

import msgspec

from intelligence.answers.zones import zones_text
from intelligence.market import PositionSide
from intelligence.wording import MAX_LINES, SEEN_CHARS, plain_text
from intelligence.zones.approach import DAY_MS, Approach
from intelligence.zones.given import GivenTally
from intelligence.zones.record import Tally
from intelligence.zones.telling import alert_of
from intelligence.zones.touch import Chance
from intelligence.zones.view import ZonesView
from tests.intelligence.builders import T0
from tests.intelligence.zones.test_record import a_zone

CHANCES = (
    Chance(minutes=5, sigmas=0.8, baseline=0.42, probability=0.45),
    Chance(minutes=240, sigmas=0.1, baseline=0.91, probability=0.88),
)


def an_approach(**overrides):
    fields = {
        "model": "ours",
        "zone": a_zone(chances=CHANCES, at_ms=T0, born_ms=T0 - 3_600_000),
        "price": 96.6,
        "at_ms": T0,
        "large_usd": 50_000.0,
    }
    return Approach(**(fields | overrides))


def told(approach=None, record=None):
    return plain_text(alert_of(approach or an_approach(), record or Tally(), now_ms=T0))


def test_the_first_line_says_what_where_and_how_far():
    first = told().splitlines()[0]

    assert first == "SOL zone: longs $100K, 0.62 % below"
    assert len(first) <= SEEN_CHARS


def test_distance_stands_in_per_cent_and_in_sigmas():
    assert "0.8 sigma of 5 min away" in told()


def test_chances_stand_beside_what_is_so_by_chance():
    assert "Touched within 5 min: 45%, by chance 42%" in told()


def test_the_record_so_far_is_told_with_its_baseline():
    record = Tally(predicted=71, reached=43, baseline=0.52 * 71)

    assert "reached 43 of 71 times, baseline 0.52" in told(record=record)


def test_a_record_of_a_few_is_not_told_as_one():
    assert "Too few such warnings yet" in told(record=Tally(predicted=4, reached=4, baseline=2.0))


def test_nothing_is_promised():
    text = told().lower()

    assert not any(word in text for word in ("will ", "likely", "sure", "buy", "sell"))


def test_a_warning_of_the_given_model_says_whose_it_is():
    level = a_zone(low=95.0, high=95.0, chances=(), least_usd=0.0)

    assert "By the given model" in told(an_approach(model="given", zone=level))


def test_a_zone_has_one_alert_a_day():
    first, again = alert_of(an_approach(), Tally(), now_ms=T0), alert_of(an_approach(), Tally(), now_ms=T0 + 60_000)
    tomorrow = alert_of(an_approach(at_ms=T0 + DAY_MS), Tally(), now_ms=T0)

    assert first.alert_id == again.alert_id
    assert first.alert_id != tomorrow.alert_id


def test_what_was_estimated_is_marked_as_such():
    alert = alert_of(an_approach(), Tally(), now_ms=T0)

    assert {"expected_usd", "p_touch", "p_baseline", "p_react"} <= dict(alert.estimated).keys()
    assert len(told().splitlines()) <= MAX_LINES


def a_view(*zones, **overrides):
    fields = {
        "asset": "SOL",
        "at_ms": T0,
        "price": 97.0,
        "open_usd": 1e9,
        "model": "ours",
        "zones": zones,
        "given": (),
        "record": Tally(predicted=71, reached=43, baseline=37.0),
        "warned": Tally(),
        "reaction": 2.4,
        "given_tally": GivenTally(),
        "seen_minutes": 500,
        "unexplained": 0,
    }
    return ZonesView(**(fields | overrides))


def test_zones_are_listed_around_the_price():
    above = a_zone(side=PositionSide.SHORT, low=98.0, high=98.5, chances=CHANCES, at_ms=T0, born_ms=T0 - 60_000)
    below = a_zone(chances=CHANCES, at_ms=T0, born_ms=T0 - 7_200_000)
    text = zones_text(a_view(above, below))

    assert text.index("+1.03 %") < text.index("$97.00") < text.index("-1.03 %")
    assert "88%" in text
    assert "reached 43 of 71, by chance 0.52" in text
    assert "2.4 times as much" in text


def test_without_zones_it_says_so():
    assert "no zone is predicted yet" in zones_text(a_view())


def test_zones_of_which_no_chance_is_known_are_listed_too():
    assert "?" in zones_text(a_view(msgspec.structs.replace(a_zone(), chances=())))
