"""Every alert's record alone lets a reader work out its threshold: nothing below looks at anything but the record."""

from dataclasses import replace
from math import ceil

import pytest

from intelligence.alerts import AlertKind
from intelligence.detectors.asset import AssetDetection, DetectionRules
from intelligence.detectors.open_interest import OpenInterestThresholds
from intelligence.thresholds.engine import ThresholdEngine
from intelligence.thresholds.history import History
from intelligence.thresholds.rules import HistoryRule, ThresholdRules
from intelligence.thresholds.static import StaticThresholds, expired
from intelligence.thresholds.tiered import MarketFacts
from tests.intelligence.builders import a_burst
from tests.intelligence.detectors import test_market_wide as market_wide
from tests.intelligence.detectors import test_open_interest as open_interest
from tests.intelligence.detectors import test_volume_spike as volume
from tests.intelligence.thresholds.builders import DAY_MS, MONDAY, a_history

SMALL = MarketFacts(daily_volume_usd=1e6, volatility=0.02, volatility_days=30, mean_15m_usd=1e4)
LARGE = MarketFacts(daily_volume_usd=40e9, volatility=0.05, volatility_days=30, market_cap_usd=1.5e12, mean_15m_usd=4e6)


@pytest.fixture(scope="module")
def learned_history():
    return a_history(21)


@pytest.fixture(params=["static", "tiered", "capped", "learned", "expired"])
def policy(request, learned_history):
    """The name of a policy and what it makes of SOL."""
    at_ms = MONDAY + 21 * DAY_MS + 15 * 3_600_000
    engine = ThresholdEngine(ThresholdRules(), StaticThresholds())
    empty = History(HistoryRule())
    made = {
        "static": lambda: engine.compute("SOL", None, empty, at_ms),
        "tiered": lambda: engine.compute("SOL", SMALL, empty, at_ms),
        "capped": lambda: engine.compute("SOL", LARGE, empty, at_ms),
        "learned": lambda: engine.compute("SOL", SMALL, learned_history, at_ms),
        "expired": lambda: expired(engine.compute("SOL", SMALL, empty, at_ms), StaticThresholds()),
    }
    return request.param, replace(made[request.param](), valid_until_ms=None)


# -- by hand ----------------------------------------------------------------------------------------------------------


def usd_by_hand(figures):
    """A sum of USD as a policy makes it; None where the number is given and nothing is to be worked out."""
    if "quantile" in figures:
        learned = (
            figures["quantile"] * figures["season"] * figures["volatility_multiplier"] * figures["user_multiplier"]
        )
        return max(learned, *(figures[name] for name in ("floor_tier_usd", "floor_turnover_usd") if name in figures))
    if "floor_tier_usd" in figures:
        return max(figures["floor_tier_usd"], figures["floor_turnover_usd"])
    if "base_share" in figures:
        whole = figures["daily_volume_usd"] * figures["base_share"]
        whole *= figures["session_multiplier"] * figures["volatility_multiplier"]
        return min(whole, figures["cold_start_cap"] * figures["static_usd"]) if "cold_start_cap" in figures else whole
    return None


def cascade_by_hand(figures):
    if "single_usd" not in figures:
        return usd_by_hand(figures)
    single = usd_by_hand(figures)
    assert single is None or single == pytest.approx(figures["single_usd"])
    return figures["multiple"] * figures["single_usd"]


def open_interest_by_hand(figures):
    """Per cent; given for 15 minutes where nothing is computed."""
    if "quantile" in figures:
        learned = figures["quantile"] * figures["volatility_multiplier"] * figures["user_multiplier"]
        return max(figures["floor_pct"], learned) * figures["window_factor"]
    if "base_pct" in figures:
        return figures["base_pct"] * figures["volatility_multiplier"]
    return None


def volume_by_hand(figures):
    if "quantile" in figures:
        whole = usd_by_hand(figures)
    elif "mean_15m_usd" in figures:
        whole = figures["multiple"] * figures["mean_15m_usd"] * figures["session_multiplier"]
    else:
        whole = figures["multiple"] * figures["usual_15m_usd"]
    return max(whole, figures["floor_15m_usd"]) * figures["window_factor"]


def market_wide_by_hand(figures):
    return max(figures["least_assets"], ceil(figures["least_share"] * figures["watched"]))


BY_HAND = {
    AlertKind.LIQUIDATION: usd_by_hand,
    AlertKind.CASCADE: cascade_by_hand,
    AlertKind.OPEN_INTEREST: open_interest_by_hand,
    AlertKind.VOLUME_SPIKE: volume_by_hand,
    AlertKind.MARKET_WIDE: market_wide_by_hand,
}


def assert_by_hand(alert, given):
    """`given`: the user's own number, which counts where the record has nothing to work out."""
    found = BY_HAND[alert.kind](dict(alert.factors))
    assert alert.threshold == pytest.approx(given if found is None else found)
    assert (found is None) <= (alert.threshold_source == "static")


# -- the alerts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "given"), [(AlertKind.LIQUIDATION, 25_000.0), (AlertKind.CASCADE, 125_000.0)])
def test_of_a_liquidation_and_a_cascade(policy, kind, given):
    name, thresholds = policy
    detection = AssetDetection("SOL", DetectionRules())
    detection.judge_by(thresholds)
    usd = 3 * thresholds.cascade.value
    alerts = detection.liquidations(a_burst(usd=usd), able=("bybit",), configured=("bybit",), now_ms=0)
    alert = next(alert for alert in alerts if alert.kind is kind)

    assert_by_hand(alert, given)
    capped = (
        "tiered" if kind is AlertKind.LIQUIDATION else "static"
    )  # under the cap the given number stands for a cascade
    assert alert.threshold_source == {"capped": capped, "expired": "static"}.get(name, name)
    assert ("expired" in dict(alert.factors)) is (name == "expired")


def test_of_an_explosion_of_open_interest(policy):
    _, thresholds = policy
    judged = OpenInterestThresholds.of(thresholds)
    alert = open_interest.run(open_interest.steps("binance", "bybit", by=1.6), thresholds=judged)[0]

    assert_by_hand(alert, 20.0)
    assert dict(alert.factors)["minimum_oi_usd"] == thresholds.minimum_oi_usd.value


def test_of_a_volume_spike(policy):
    _, thresholds = policy
    detector = volume.warm_detector()
    detector.threshold = thresholds.volume_spike

    assert_by_hand(volume.run(detector, volume.a_burst())[0], None)


@pytest.mark.parametrize("watched", [30, 50, 61])
def test_of_an_incident_of_the_whole_market(watched):
    detector = market_wide.a_detector(watched)
    verdicts = market_wide.feed(
        detector, [market_wide.a_cascade(asset, index * 1_000) for index, asset in enumerate(market_wide.ASSETS)]
    )
    alert = next(verdict.alert for verdict in verdicts if verdict.alert is not None)

    assert_by_hand(alert, None)
