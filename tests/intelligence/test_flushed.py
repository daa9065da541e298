import pytest
from msgspec.structs import replace

from intelligence.alerts import AlertKind, Stage
from intelligence.asset_market import AssetMarket
from intelligence.flushed import flushed_share, open_interest_flushed
from intelligence.wording import plain_text
from tests.intelligence.builders import T0, an_alert, an_open_interest

MINUTE = 60_000


def an_end(**overrides):
    fields = {
        "kind": AlertKind.CASCADE,
        "stage": Stage.ENDED,
        "started_ms": T0 + 5 * MINUTE,
        "latest_ms": T0 + 6 * MINUTE,
    }
    return an_alert(**(fields | overrides))


def test_the_coins_before_and_after_are_of_the_same_contracts():
    points = {
        ("binance", "SOLUSDT"): [(0, 100.0), (60_000, 90.0)],
        ("okx", "SOL-USDT-SWAP"): [(10_000, 50.0), (70_000, 40.0)],
        ("gate", "SOL_USDT"): [(70_000, 1_000.0)],
    }

    found = dict(open_interest_flushed(points, from_ms=30_000, to_ms=80_000))

    assert found == {
        "open_interest_before_coins": 150.0,
        "open_interest_after_coins": 130.0,
        "open_interest_venues": "binance, okx",
    }


def test_a_figure_of_long_before_says_nothing():
    assert open_interest_flushed({("okx", "X"): [(0, 1.0), (900_000, 2.0)]}, 800_000, 900_000) == ()


def test_the_end_of_a_cascade_tells_what_was_flushed_and_how_soon_it_was_seen():
    market = AssetMarket("SOL")
    for index in range(8):
        market.open_interest(an_open_interest(index * MINUTE, 1_000.0 if index < 6 else 900.0))
        market.open_interest(an_open_interest(index * MINUTE, 5.0, venue="gate", uncertain="sides"))

    ended = market.completed(an_end(), T0 + 8 * MINUTE)

    assert flushed_share(ended) == pytest.approx(-0.1)
    seen = replace(ended, context=(*ended.context, ("latency_s", 1.2)))
    assert "open interest -10.00 % in coins on Bybit; seen 1.2 s after its first order" in plain_text(seen)


def test_without_figures_the_end_says_nothing_of_open_interest():
    ended = AssetMarket("SOL").completed(an_end(), T0)

    assert flushed_share(ended) is None
    assert "interest" not in plain_text(ended)
