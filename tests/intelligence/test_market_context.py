import pytest

from intelligence.alerts import AlertKind, Stage
from intelligence.asset_market import AssetMarket
from intelligence.market import Coverage, PositionSide
from intelligence.minute import MINUTE_MS
from tests.intelligence.builders import T0, a_liquidation, a_mark, an_alert


def test_a_closed_minute_carries_the_funding_of_eight_hours():
    market = AssetMarket("SOL")
    market.begin_minutes(T0)
    market.mark(a_mark(funding_rate=0.0002))
    market.mark(a_mark(venue="hyperliquid", funding_rate=0.00005))

    (minute,) = market.close_minutes(T0 + MINUTE_MS + 3_000, 140.0)

    assert minute.funding_8h == pytest.approx((0.0002 + 8 * 0.00005) / 2)
    assert dict(minute.beside) == {"funding_8h": minute.funding_8h}
    assert market.view(T0 + MINUTE_MS).funding.rate_8h == minute.funding_8h


def test_an_incident_seen_on_a_capped_feed_ends_with_an_estimate_once_that_is_learned():
    market = AssetMarket("SOL")
    day_ms = 86_400_000
    for day in range(40):
        for window in range(60):
            at_ms = (day - 40) * day_ms + window * 20_000
            market.liquidations([a_liquidation(at_ms + more, 10_000.0) for more in (0, 100, 200, 300)])
    capped = [a_liquidation(1_000, 10_000.0, venue="binance", coverage=Coverage.CAPPED)]
    market.liquidations(capped)
    ended = an_alert(
        kind=AlertKind.CASCADE,
        stage=Stage.ENDED,
        position_side=PositionSide.LONG,
        started_ms=T0,
        latest_ms=T0 + 60_000,
    )

    estimated = dict(market.completed(ended, T0 + 60_000).estimated)

    assert estimated["low_usd"] == pytest.approx(40_000.0)
    assert estimated["high_usd"] == pytest.approx(40_000.0)


def test_without_anything_learned_there_is_no_estimate():
    market = AssetMarket("SOL")
    market.liquidations([a_liquidation(1_000, 10_000.0, venue="binance", coverage=Coverage.CAPPED)])

    assert market.completed(an_alert(started_ms=T0, latest_ms=T0 + 60_000), T0 + 60_000).estimated == ()
