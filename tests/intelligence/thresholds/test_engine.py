"""The chain of policies, and that every record can be recomputed by hand."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intelligence.thresholds.engine import ThresholdEngine
from intelligence.thresholds.history import History
from intelligence.thresholds.rules import HistoryRule, LearnedRule, ThresholdRules
from intelligence.thresholds.static import StaticThresholds, expired
from intelligence.thresholds.tiered import MarketFacts
from tests.intelligence.thresholds.builders import DAY_MS, MONDAY, a_history, a_minute

AFTERNOON = 15 * 3_600_000  # a session of its own: us
BTC = MarketFacts(daily_volume_usd=40e9, volatility=0.05, volatility_days=30, market_cap_usd=1.5e12, mean_15m_usd=4e8)
SMALL = MarketFacts(daily_volume_usd=1e6, volatility=0.05, volatility_days=30, market_cap_usd=1e8, mean_15m_usd=1e4)


def an_engine(**rules):
    return ThresholdEngine(ThresholdRules(**rules), StaticThresholds())


def computed(asset="BTC", facts=BTC, history=None, days=0, **rules):
    at_ms = MONDAY + days * DAY_MS + AFTERNOON
    return an_engine(**rules).compute(asset, facts, history or History(HistoryRule()), at_ms)


def recomputed(threshold):
    """What a reader makes of the factors of a learned threshold in USD."""
    factors = dict(threshold.factors)
    learned = factors["quantile"] * factors["season"] * factors["volatility_multiplier"] * factors["user_multiplier"]
    return max(learned, *(usd for name, usd in factors.items() if name.startswith("floor_")))


def test_without_volume_the_given_numbers_count():
    thresholds = computed(facts=None)

    assert (thresholds.single.value, thresholds.single.source) == (100_000.0, "static")
    assert (thresholds.oi_change_pct.value, thresholds.minimum_oi_usd.value) == (15.0, 50e6)
    assert thresholds.volume_spike is None


def test_without_history_the_given_formula_counts_under_the_cold_start_cap():
    thresholds = computed()

    assert (thresholds.single.value, thresholds.single.source) == (1_000_000.0, "tiered")
    assert (thresholds.cascade.value, thresholds.cascade.source) == (500_000.0, "static")
    factors = dict(thresholds.single.factors)
    assert thresholds.single.value == min(factors["tiered_usd"], factors["cold_start_cap"] * factors["static_usd"])
    assert factors["learning"] == "day 1 of 14"


def test_the_cap_never_raises_a_threshold():
    thresholds = computed("DOGE", SMALL)

    assert thresholds.single.value == pytest.approx(5_000.0)
    assert (thresholds.cascade.value, thresholds.cascade.source) == (pytest.approx(25_000.0), "tiered")


def test_with_the_cap_off_the_formula_counts_alone():
    thresholds = computed(cold_start_cap="off")

    assert thresholds.single.value == pytest.approx(20e6)
    assert thresholds.cascade.value == pytest.approx(100e6)


@pytest.fixture(scope="module")
def three_weeks():
    return a_history(21)


def test_with_two_weeks_of_history_it_counts(three_weeks):
    thresholds = computed("DOGE", SMALL, three_weeks, 21)

    records = (thresholds.single, thresholds.cascade, thresholds.oi_change_pct, thresholds.volume_spike)
    assert {record.source for record in records} == {"learned"}
    assert all(record.samples > 0 for record in records)
    assert thresholds.usual_order_usd < thresholds.single.value


def test_the_learned_quantile_meets_the_budget(three_weeks):
    """Two pushes a day over 21 days: of all liquidations, deseasonalised, 42 lie above."""
    factors = dict(computed("DOGE", SMALL, three_weeks, 21).single.factors)
    samples = sum(day.singles.count for day in three_weeks.days.values())

    assert samples * (1 - factors["quantile_share"]) == pytest.approx(2 * three_weeks.observed_days, rel=0.01)


def test_a_reader_can_recompute_every_learned_threshold(three_weeks):
    thresholds = computed("DOGE", SMALL, three_weeks, 21)

    for record in (thresholds.single, thresholds.cascade, thresholds.volume_spike):
        assert record.value == pytest.approx(recomputed(record))
    change = dict(thresholds.oi_change_pct.factors)
    assert thresholds.oi_change_pct.value == pytest.approx(
        max(change["floor_pct"], change["quantile"] * change["volatility_multiplier"] * change["user_multiplier"])
    )


def test_a_learned_change_of_open_interest_must_be_worth_a_part_of_a_days_turnover(three_weeks):
    thresholds = computed("DOGE", SMALL, three_weeks, 21)

    asked = thresholds.minimum_oi_change_usd
    assert (asked.value, asked.source) == (pytest.approx(0.01 * SMALL.daily_volume_usd), "learned")
    assert dict(asked.factors)["share_of_turnover"] == 0.01


def test_the_given_conditions_ask_nothing_more():
    assert computed().minimum_oi_change_usd is None


def test_thin_assets_are_judged_by_their_floors():
    history = a_history(0)
    for number in range(15 * 1440):
        history.take(a_minute(number, usd=0.0))

    single = computed("DOGE", SMALL, history, 15).single
    assert (single.value, single.source) == (5_000.0, "learned")  # the floor of its tier
    assert single.confidence < 0.5


def test_a_quantile_moves_by_no_more_than_a_fifth_a_day(three_weeks):
    engine, at_ms = an_engine(), MONDAY + 21 * DAY_MS + AFTERNOON
    before = dict(engine.compute("DOGE", SMALL, three_weeks, at_ms).volume_spike.factors)["quantile"]
    three_weeks.progress.in_force["volume"] = (before / 10, at_ms)
    record = engine.compute("DOGE", SMALL, three_weeks, at_ms + DAY_MS).volume_spike
    factors = dict(record.factors)

    assert factors["quantile"] == pytest.approx(1.2 * before / 10)
    assert factors["quantile_wanted"] == pytest.approx(before)
    three_weeks.progress.in_force.clear()


def test_once_learned_a_short_gap_does_not_unlearn():
    history = a_history(13)
    assert computed("DOGE", SMALL, history, 13).single.source == "tiered"

    history.progress.in_force["single"] = (1.0, MONDAY)
    assert computed("DOGE", SMALL, history, 13).single.source == "learned"


def test_the_operator_has_a_factor_of_his_own(three_weeks):
    once, twice = (
        computed("DOGE", SMALL, three_weeks, 21, learned=LearnedRule(multiplier=multiplier)).volume_spike.value
        for multiplier in (1.0, 2.0)
    )

    assert twice == pytest.approx(2 * once)


def test_a_result_stands_for_an_hour_and_counts_for_six():
    thresholds = computed()

    assert thresholds.single.review_ms - thresholds.computed_ms == 3_600_000
    assert thresholds.valid_at(thresholds.computed_ms + 21_599_999)
    assert not thresholds.valid_at(thresholds.computed_ms + 21_600_000)


def test_what_is_out_of_date_falls_back_and_says_so():
    given = expired(computed(), StaticThresholds())

    assert (given.single.value, given.single.source) == (100_000.0, "static")
    assert dict(given.single.factors)["expired"] == "tiered"


def scaled(factor):
    rule = LearnedRule(enough_days=4, small_floor_usd=factor * 5_000.0)
    facts = replace(SMALL, daily_volume_usd=factor * 1e6)
    return computed("DOGE", facts, a_history(5, factor=factor), 5, learned=rule)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.01, 50))
def test_scaling_all_notionals_and_floors_scales_every_threshold(factor):
    before, after = scaled(1.0), scaled(factor)

    for name in ("single", "cascade", "volume_spike"):
        assert math.isclose(getattr(before, name).value * factor, getattr(after, name).value, rel_tol=1e-6)
    assert math.isclose(before.oi_change_pct.value, after.oi_change_pct.value, rel_tol=1e-6)


def test_the_order_of_venues_changes_nothing():
    rule = LearnedRule(enough_days=3)
    there = a_history(4, venues=("binance", "bybit", "okx"))
    back = a_history(4, venues=("okx", "bybit", "binance"))

    assert computed("DOGE", SMALL, there, 4, learned=rule) == computed("DOGE", SMALL, back, 4, learned=rule)


def test_what_happens_now_changes_nothing_of_what_is_judged_now():
    """The 15 minutes before a computation are in none of its figures."""
    rule = LearnedRule(enough_days=3)
    calm, wild = a_history(4), a_history(4)
    for number in range(4 * 1440, 4 * 1440 + 15):
        calm.take(a_minute(number))
        wild.take(a_minute(number, usd=1e9, liquidations=(1e9,)))

    one, other = (computed("DOGE", SMALL, history, 4, learned=rule) for history in (calm, wild))
    assert one == other
