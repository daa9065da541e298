"""The given policy `tiered` reproduces the numbers of requirements.md 6."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.thresholds.sessions import Session, SessionRule
from intelligence.thresholds.tiered import MarketFacts, Tiered, volatility_multiplier

HOUR_MS = 3_600_000
MONDAY = 1_781_481_600_000  # 2026-06-15 00:00 UTC, a Monday
BTC = MarketFacts(daily_volume_usd=40e9, volatility=0.05, volatility_days=30, market_cap_usd=1.5e12, mean_15m_usd=400e6)
MID_CAP = MarketFacts(daily_volume_usd=500e6, volatility=0.05, volatility_days=30, market_cap_usd=5e9, mean_15m_usd=5e6)
SMALL_CAP = MarketFacts(
    daily_volume_usd=20e6, volatility=0.05, volatility_days=30, market_cap_usd=100e6, mean_15m_usd=2e5
)


def tiered(facts, session=Session.US):
    return Tiered(facts=facts, session=session, computed_ms=MONDAY, review_ms=MONDAY + HOUR_MS)


def test_btc_dynamic_threshold_calculation():
    threshold = tiered(BTC).single()

    assert threshold.value == pytest.approx(20e6)  # 40 bn x 0.05 % x 1.0 x 1.0
    assert threshold.source == "tiered"
    assert (threshold.confidence, threshold.review_ms - threshold.computed_ms) == (1.0, HOUR_MS)
    assert tiered(BTC).cascade().value == pytest.approx(100e6)


def test_weekend_vs_weekday_thresholds():
    rule = SessionRule()
    saturday = MONDAY + 5 * 24 * HOUR_MS + 15 * HOUR_MS
    weekday = tiered(BTC, rule.at(MONDAY + 15 * HOUR_MS)).single().value
    weekend = tiered(BTC, rule.at(saturday)).single().value

    assert weekend == pytest.approx(0.5 * weekday)


def test_small_cap_vs_large_cap_thresholds():
    small, large = tiered(SMALL_CAP), tiered(BTC)

    assert small.single().value < large.single().value
    assert small.single().value / SMALL_CAP.daily_volume_usd == pytest.approx(
        10 * large.single().value / BTC.daily_volume_usd
    )  # 0.5 % of its day against 0.05 %
    assert (small.oi_change_pct().value, large.oi_change_pct().value) == (25.0, 15.0)
    assert (small.minimum_oi_usd().value, large.minimum_oi_usd().value) == (2e6, 50e6)


@pytest.mark.parametrize(
    ("facts", "usd"),
    [
        (BTC, {"asian": 14e6, "european": 18e6, "us": 20e6, "weekend": 10e6}),
        (MID_CAP, {"asian": 700e3, "european": 900e3, "us": 1e6, "weekend": 500e3}),
        (SMALL_CAP, {"asian": 70e3, "european": 90e3, "us": 100e3, "weekend": 50e3}),
    ],
    ids=["btc", "mid-cap", "small-cap"],
)
@pytest.mark.parametrize("session", Session)
def test_the_given_formula_gives_its_numbers_in_every_session(facts, usd, session):
    assert tiered(facts, session).single().value == pytest.approx(usd[session])


@pytest.mark.parametrize(("volatility", "multiplier"), [(0.0, 0.9), (0.05, 1.0), (0.55, 2.0), (0.9, 2.0), (-0.3, 0.5)])
def test_volatility_multiplier_is_clipped_on_both_sides(volatility, multiplier):
    assert volatility_multiplier(volatility) == pytest.approx(multiplier)


@pytest.mark.parametrize(
    ("cap", "turnover", "tier"),
    [
        (100e9, 1e12, "large"),
        (100.1e9, 0.0, "mega"),
        (10e9, 1e12, "mid"),
        (1e9, 1e12, "small"),
        (None, 5.1e9, "mega"),
        (None, 5e9, "large"),
        (None, 1e9, "mid"),
        (None, 100e6, "small"),
        (None, 0.0, "small"),
    ],
)
def test_tiers_go_by_market_cap_and_without_one_by_turnover(cap, turnover, tier):
    assert tiered(MarketFacts(daily_volume_usd=turnover, market_cap_usd=cap)).tier.name == tier


def test_a_tier_by_turnover_says_so_and_is_trusted_less():
    by_cap, by_turnover = tiered(BTC).single(), tiered(MarketFacts(daily_volume_usd=40e9)).single()

    assert dict(by_cap.factors)["tier_by"] == "market_cap"
    assert dict(by_turnover.factors)["tier_by"] == "turnover"
    assert by_turnover.confidence < by_cap.confidence


@pytest.mark.parametrize("facts", [BTC, MID_CAP, SMALL_CAP])
@pytest.mark.parametrize("session", Session)
def test_a_reader_can_recompute_every_threshold_from_its_factors(facts, session):
    policy = tiered(facts, session)
    single, change, spike = (
        dict(one.factors) for one in (policy.single(), policy.oi_change_pct(), policy.volume_spike())
    )

    assert policy.single().value == pytest.approx(
        single["daily_volume_usd"]
        * single["base_share"]
        * single["session_multiplier"]
        * single["volatility_multiplier"]
    )
    assert policy.oi_change_pct().value == pytest.approx(change["base_pct"] * change["volatility_multiplier"])
    assert policy.volume_spike().value == pytest.approx(
        spike["multiple"] * spike["mean_15m_usd"] * spike["session_multiplier"]
    )


@given(st.floats(1e3, 1e11), st.floats(0, 2), st.sampled_from(Session), st.floats(1e-3, 1e3))
def test_scaling_the_volume_scales_the_threshold(volume, volatility, session, factor):
    before, after = (
        tiered(MarketFacts(daily_volume_usd=usd, volatility=volatility, market_cap_usd=5e9), session).single().value
        for usd in (volume, volume * factor)
    )

    assert math.isclose(after, before * factor, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("hours", "session"),
    [
        (0, "asian"),
        (6.99, "asian"),
        (7, "european"),
        (12.99, "european"),
        (13, "us"),
        (23.99, "us"),
        (5 * 24, "weekend"),
        (7 * 24 - 0.01, "weekend"),
        (7 * 24, "asian"),
    ],
)
def test_sessions_follow_the_hours_of_utc(hours, session):
    assert SessionRule().at(MONDAY + int(hours * HOUR_MS)) == session


def test_sessions_of_a_named_zone_move_with_daylight_saving():
    rule = SessionRule(timezone="America/New_York", asian_from_h=0, european_from_h=3, us_from_h=8)
    january = 1_768_219_200_000  # 2026-01-12 12:00 UTC, a Monday: 07:00 in New York

    assert rule.at(january) == Session.EUROPEAN
    assert rule.at(MONDAY + 12 * HOUR_MS) == Session.US  # 08:00 in summer


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Olympus"}, {"european_from_h": 13}, {"asian_from_h": 9}])
def test_sessions_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="sessions"):
        SessionRule(**wrong)
