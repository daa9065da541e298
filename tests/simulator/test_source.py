import itertools

import pytest

from simulator.source import MarketSource
from simulator.venue import Span
from tests.simulator.serving import START_MS, a_market

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def a_source(steps: int = 0) -> MarketSource:
    market = a_market(trades_per_s=200.0)
    for _ in range(steps):
        market.step(0.1)
    return MarketSource(market)


def test_candles_go_back_before_the_start_without_a_gap():
    source = a_source(1300)
    candles = source.candles("binance", "BTCUSDT", Span(MINUTE, 1500))

    assert len(candles) == 1500
    assert [later.open_ms - sooner.open_ms for sooner, later in itertools.pairwise(candles)] == [MINUTE] * 1499
    assert candles[-1].open_ms == source.now_ms - source.now_ms % MINUTE
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
        assert 0 <= candle.buy_coins <= candle.coins


def test_before_the_start_each_candle_opens_where_the_one_before_closed():
    candles = a_source().candles("okx", "ETH-USDT-SWAP", Span(MINUTE, 400))

    for sooner, later in itertools.pairwise(candles):
        assert later.open == pytest.approx(sooner.close, rel=1e-9)
    assert candles[-1].open == pytest.approx(candles[-2].close, rel=1e-6)


def test_asking_in_another_order_changes_nothing():
    once = a_source()
    once.candles("binance", "ETHUSDT", Span(MINUTE, 10))
    once.candles("binance", "BTCUSDT", Span(MINUTE, 2000))

    span = Span(MINUTE, 50)
    assert once.candles("binance", "BTCUSDT", span) == a_source().candles("binance", "BTCUSDT", span)


def test_a_span_chooses_the_latest_rows_between_its_ends():
    source = a_source()
    to_ms = START_MS - 10 * MINUTE

    hours = source.candles("bybit", "BTCUSDT", Span(HOUR, 5, to_ms=to_ms))
    minutes = source.candles("bybit", "BTCUSDT", Span(MINUTE, 500, from_ms=to_ms - 5 * MINUTE, to_ms=to_ms))

    assert len(hours) == 5
    assert hours[-1].open_ms == to_ms - to_ms % HOUR
    assert len(minutes) == 5


def test_nothing_is_known_of_a_month_ago_and_of_unknown_symbols():
    source = a_source()

    assert source.candles("binance", "BTCUSDT", Span(MINUTE, 10, to_ms=START_MS - 40 * 86_400_000)) == []
    assert source.candles("binance", "NOPE", Span(MINUTE, 10)) == ()
    assert source.open_interest("binance", "NOPE", Span(300_000, 10)) == ()


def test_open_interest_of_the_past_leads_up_to_the_present():
    source = a_source(7000)
    points = source.open_interest("bybit", "BTCUSDT", Span(300_000, 100))

    assert [later.time_ms - sooner.time_ms for sooner, later in itertools.pairwise(points)] == [300_000] * 99
    assert all(abs(later.coins / sooner.coins - 1) < 0.03 for sooner, later in itertools.pairwise(points))
    assert points[-1].coins == pytest.approx(source.quote("bybit", "BTCUSDT").open_coins, rel=0.01)


def test_recent_trades_are_those_of_the_tape():
    source = a_source(200)

    assert list(source.recent("binance", "BTCUSDT"))[-1].time_ms <= source.now_ms
    assert (
        source.minutes("binance", "BTCUSDT", source.now_ms)[-1].close == source.recent("binance", "BTCUSDT")[-1].price
    )


def _sums(candle):
    return [candle.coins, candle.usd, candle.buy_coins, candle.buy_usd]


@pytest.mark.parametrize("hours_ago", [0, 3, 24 * 13])
def test_an_hour_before_the_start_is_the_sum_of_its_minutes(hours_ago):
    source = a_source()
    open_ms = START_MS - START_MS % HOUR - hours_ago * HOUR

    (hour,) = source.candles("okx", "ETH-USDT-SWAP", Span(HOUR, 1, to_ms=open_ms))
    minutes = source.candles("okx", "ETH-USDT-SWAP", Span(MINUTE, 60, to_ms=open_ms + 59 * MINUTE, from_ms=open_ms))

    assert hour.open_ms == open_ms
    assert hour.open == pytest.approx(minutes[0].open)
    assert hour.close == pytest.approx(minutes[-1].close)
    assert hour.high == pytest.approx(max(minute.high for minute in minutes))
    assert hour.low == pytest.approx(min(minute.low for minute in minutes))
    assert _sums(hour) == pytest.approx([sum(column) for column in zip(*map(_sums, minutes), strict=True)], rel=1e-3)


def test_days_go_back_a_month_and_are_the_sum_of_their_hours():
    source = a_source(100)
    days = source.candles("bybit", "ETHUSDT", Span(DAY, 30))
    hours = source.candles("bybit", "ETHUSDT", Span(HOUR, 24, to_ms=days[-4].open_ms + 23 * HOUR))

    assert [later.open_ms - sooner.open_ms for sooner, later in itertools.pairwise(days)] == [DAY] * 29
    assert days[-4].open == hours[0].open
    assert days[-4].high == max(hour.high for hour in hours)
    assert _sums(days[-4]) == pytest.approx([sum(column) for column in zip(*map(_sums, hours), strict=True)])


def test_an_hour_goes_on_over_the_start_of_the_run():
    source = a_source(900)
    (hour,) = source.candles("bybit", "BTCUSDT", Span(HOUR, 1))
    minutes = source.candles("bybit", "BTCUSDT", Span(MINUTE, 60, from_ms=hour.open_ms))

    assert hour.open == minutes[0].open
    assert hour.close == minutes[-1].close
    assert _sums(hour) == pytest.approx([sum(column) for column in zip(*map(_sums, minutes), strict=True)])


def test_a_second_contract_of_an_asset_has_open_interest_and_a_price_and_no_trades():
    source = a_source(100)
    followed, quiet = source.quote("binance", "BTCUSDT"), source.quote("binance", "BTCUSDC")
    (day,) = source.candles("binance", "BTCUSDC", Span(DAY, 1))

    assert 0 < quiet.open_coins < followed.open_coins
    assert (quiet.mark, quiet.turnover_usd, quiet.listing.symbol) == (followed.mark, 0, "BTCUSDC")
    assert (day.close, day.coins) == (source.candles("binance", "BTCUSDT", Span(DAY, 1))[0].close, 0)
    assert source.recent("binance", "BTCUSDC") == ()
    assert source.open_interest("binance", "BTCUSDC", Span(300_000, 1))[0].coins > 0
