"""What people read of a threshold, out of the records that the engine makes."""

from dataclasses import replace

from intelligence.thresholds.engine import ThresholdEngine
from intelligence.thresholds.history import History
from intelligence.thresholds.rules import HistoryRule, LearnedRule, ThresholdRules
from intelligence.thresholds.static import StaticThresholds, expired
from intelligence.thresholds.tiered import MarketFacts
from intelligence.thresholds.words import made_of
from tests.intelligence.thresholds.builders import DAY_MS, MONDAY, a_history

FACTS = MarketFacts(daily_volume_usd=1e9, volatility=0.0, volatility_days=30, mean_15m_usd=1e7)


def computed(history=None, days=0, **rules):
    engine = ThresholdEngine(ThresholdRules(**rules), StaticThresholds())
    return engine.compute("SOL", FACTS, history or History(HistoryRule()), MONDAY + days * DAY_MS)


def said(threshold):
    return made_of(threshold.source, threshold.factors)


def test_given_numbers_need_no_words():
    static = StaticThresholds().of("SOL")

    assert (said(static.single), said(static.cascade)) == ("static", "static: 5 x $25K")


def test_the_formula_is_told_with_its_numbers():
    assert said(computed(cold_start_cap="off").single) == "tiered: 0.2 % of $1B a day x 0.7 (asian) x 0.9 (volatility)"


def test_a_cap_that_counts_is_told():
    assert said(computed().single) == (
        "tiered: 0.2 % of $1B a day x 0.7 (asian) x 0.9 (volatility), capped at 10 x $25K"
    )
    assert said(computed().cascade) == "static: 5 x $25K"


def test_history_is_told_by_its_quantile():
    rule = LearnedRule(enough_days=4, floor_share=0.0)
    told = said(computed(a_history(5), 5, learned=rule).single)

    assert told.startswith("learned: p99.")
    assert " of 5 days x " in told
    assert told.endswith("(volatility)")


def test_a_floor_that_counts_is_told():
    rule = LearnedRule(enough_days=4, floor_share=0.0002)

    assert said(computed(a_history(5), 5, learned=rule).single) == "learned: its turnover floor"


def test_what_is_out_of_date_is_told():
    held = replace(computed(), valid_until_ms=MONDAY)

    assert said(expired(held, StaticThresholds()).single) == "static: tiered is out of date"
