from dataclasses import replace
from math import exp, isclose

from hypothesis import given
from hypothesis import strategies as st

from intelligence.volatility import MINUTE_MS, Volatility, VolatilityRule

RULE = VolatilityRule(minimum_returns=3)


def fed(volatility, moves, first_minute=0, price=100.0):
    """One price a minute; the moves are log returns between them."""
    for index, move in enumerate((0.0, *moves)):
        price *= exp(move)
        volatility.observe((first_minute + index) * MINUTE_MS + 30_000, price)
    return volatility


def test_sigma_is_unknown_until_enough_returns_have_closed():
    volatility = fed(Volatility(RULE), [0.001, -0.001, 0.001])
    now_ms = 10 * MINUTE_MS

    assert volatility.sigma_before(now_ms) is None

    volatility.observe(4 * MINUTE_MS, 100.0)
    assert isclose(volatility.sigma_before(now_ms), 0.001)


def test_sigma_of_equal_moves_is_their_size_from_the_start():
    volatility = fed(Volatility(RULE), [0.002, -0.002] * 20)

    assert isclose(volatility.sigma_before(10**12), 0.002)


def test_sigma_used_for_an_event_ends_before_its_window_starts():
    volatility = fed(Volatility(RULE), [0.001] * 10 + [0.005, 0.0])

    closed_after_jump_ms = 11 * MINUTE_MS

    assert isclose(volatility.sigma_before(closed_after_jump_ms), 0.001)
    assert volatility.sigma_before(closed_after_jump_ms + MINUTE_MS) > 0.0011


def test_one_bad_print_counts_as_eight_sigmas_at_most():
    wild = fed(Volatility(RULE), [0.001] * 30 + [0.5, 0.0])
    winsorised = fed(Volatility(RULE), [0.001] * 30 + [0.008, 0.0])

    assert isclose(wild.sigma_before(10**12), winsorised.sigma_before(10**12))


def test_half_of_the_weight_is_gone_after_the_half_life():
    rule = replace(RULE, half_life_minutes=10.0, winsor_sigmas=1e9)
    volatility = fed(Volatility(rule), [0.002] * 500 + [0.0] * 11)

    assert isclose(volatility.sigma_before(10**12) ** 2, 0.002**2 / 2)


def test_a_price_that_stands_still_keeps_the_floor():
    volatility = fed(Volatility(RULE), [0.0] * 10)

    assert volatility.sigma_before(10**12) == RULE.floor


def test_a_return_over_a_gap_is_not_a_return_of_a_minute():
    volatility = fed(Volatility(RULE), [0.001] * 10)
    fed(volatility, [0.001] * 5, first_minute=30, price=200.0)

    assert isclose(volatility.sigma_before(10**12), 0.001)


@given(st.lists(st.floats(-0.01, 0.01), min_size=6, max_size=30), st.data())
def test_an_instance_made_from_a_state_goes_on_as_the_old_one_and_ignores_closed_minutes(moves, data):
    cut = data.draw(st.integers(2, len(moves)))
    old = fed(Volatility(RULE), moves)
    half = fed(Volatility(RULE), moves[:cut])

    fresh = fed(Volatility(RULE, half.state), moves)

    assert fresh.state == old.state


def closes(moves, until_minute, price=100.0):
    """Bars of one contract, the last one of the minute before `until_minute`."""
    found = []
    for index, move in enumerate((0.0, *moves)):
        price *= exp(move)
        found.append(((until_minute - 1 - len(moves) + index) * MINUTE_MS, price))
    return found


def test_bars_of_before_make_sigma_known_from_the_first_price():
    volatility = Volatility(RULE)
    volatility.begin_with(closes([0.002, -0.002] * 20, until_minute=100))
    volatility.observe(100 * MINUTE_MS, 55.0)

    assert isclose(volatility.sigma_before(100 * MINUTE_MS), 0.002)


def test_bars_that_come_late_count_as_if_they_had_come_first():
    early, late = Volatility(RULE), Volatility(RULE)
    before = closes([0.003] * 60, until_minute=1000)
    early.begin_with(before)
    for one in (early, late):
        fed(one, [0.001] * 5, first_minute=1000)
    late.begin_with(before)
    for one in (early, late):
        one.end_minute()

    assert isclose(early.sigma_before(10**12), late.sigma_before(10**12))


def test_no_minute_counts_twice_and_no_return_joins_two_sources():
    volatility, alone = Volatility(RULE), Volatility(RULE)
    before = closes([0.001] * 40, until_minute=100)
    volatility.begin_with(before)
    fed(volatility, [0.001] * 5, first_minute=100, price=70.0)
    volatility.begin_with([*before, *closes([0.5] * 5, until_minute=106)[1:]])
    fed(alone, [0.001] * 5, first_minute=100)

    assert isclose(volatility.sigma_before(10**12), alone.sigma_before(10**12))


def test_bars_of_before_fade_like_returns_of_ones_own():
    rule = replace(RULE, half_life_minutes=10.0, winsor_sigmas=1e9)
    volatility = Volatility(rule)
    volatility.begin_with(closes([0.002] * 500, until_minute=1000))
    fed(volatility, [0.0] * 11, first_minute=1000)

    assert isclose(volatility.sigma_before(10**12) ** 2, 0.002**2 / 2)


def test_sigma_of_bars_is_not_used_for_events_before_they_closed():
    volatility = Volatility(RULE)
    volatility.begin_with(closes([0.001] * 10, until_minute=100))

    assert volatility.sigma_before(50 * MINUTE_MS) is None
    assert volatility.sigma_before(100 * MINUTE_MS) is not None


def test_what_bars_said_survives_with_the_state():
    volatility = Volatility(RULE)
    volatility.begin_with(closes([0.002] * 40, until_minute=100))
    fed(volatility, [0.002] * 3, first_minute=100)

    again = Volatility(RULE, volatility.state)
    fed(again, [0.002] * 2, first_minute=103, price=100.0 * exp(0.002 * 3))

    assert isclose(again.sigma_before(10**12), 0.002)
