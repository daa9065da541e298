from intelligence.asset_market import AssetMarket
from intelligence.minute import CLOSES_AFTER_MS, MINUTE_MS, Minute
from tests.intelligence.builders import T0, a_liquidation, a_mark, an_open_interest


def a_market(*batches: tuple[list[int], list[float], list[float]], begin_ms: int = T0) -> AssetMarket:
    market = AssetMarket("SOL")
    market.begin_minutes(begin_ms)
    for offsets, prices, coins in batches:
        market.trades([T0 + one for one in offsets], prices, coins, received_ms=T0 + max(offsets))
    return market


def closed(market: AssetMarket, offset_ms: int) -> tuple[Minute, ...]:
    return market.close_minutes(T0 + offset_ms, 100.0)


def test_a_minute_holds_its_own_trades_and_no_others() -> None:
    market = a_market(
        ([0, 10], [100.0, 103.0], [1.0, 1.0]),
        ([59_998, 60_000], [99.0, 500.0], [-2.0, 1.0]),
        ([59_999], [101.0], [1.0]),
    )

    (minute,) = closed(market, MINUTE_MS + CLOSES_AFTER_MS)

    assert (minute.open, minute.high, minute.low, minute.close) == (100.0, 103.0, 99.0, 101.0)
    assert (minute.buy_usd, minute.sell_usd, minute.trades, minute.largest_usd) == (304.0, 198.0, 4, 198.0)
    assert (minute.from_ms, minute.to_ms, minute.complete) == (T0, T0 + MINUTE_MS, True)


def test_a_minute_is_open_until_no_trade_can_come_in_any_more() -> None:
    market = a_market(([0], [100.0], [1.0]))

    assert closed(market, MINUTE_MS + CLOSES_AFTER_MS - 1) == ()
    assert len(closed(market, MINUTE_MS + CLOSES_AFTER_MS)) == 1
    assert closed(market, MINUTE_MS + CLOSES_AFTER_MS) == ()


def test_minutes_without_a_trade_are_told_too() -> None:
    market = a_market(([0], [100.0], [1.0]))

    first, second = closed(market, 2 * MINUTE_MS + CLOSES_AFTER_MS)

    assert (first.trades, second.trades, second.open, second.close) == (1, 0, None, None)


def test_the_minute_in_which_trades_began_to_come_is_not_complete() -> None:
    market = a_market(([30_000], [100.0], [1.0]))

    (minute,) = closed(market, MINUTE_MS + CLOSES_AFTER_MS)

    assert not minute.complete


def test_minutes_that_the_window_has_forgotten_are_left_out() -> None:
    market = a_market(([0], [100.0], [1.0]))

    minutes = closed(market, 60 * MINUTE_MS + CLOSES_AFTER_MS)

    assert [minute.from_ms for minute in minutes] == [T0 + number * MINUTE_MS for number in range(45, 60)]


def test_a_liquidation_is_in_one_minute_even_when_it_came_late() -> None:
    market = a_market()
    market.liquidations([a_liquidation(5_000), a_liquidation(61_000)])
    (first,) = closed(market, MINUTE_MS + CLOSES_AFTER_MS)
    market.liquidations([a_liquidation(6_000)])
    (second,) = closed(market, 2 * MINUTE_MS + CLOSES_AFTER_MS)

    assert [one.exchange_ms - T0 for one in first.liquidations] == [5_000]
    assert [one.exchange_ms - T0 for one in second.liquidations] == [61_000, 6_000]


def test_open_interest_stands_apart_by_contract() -> None:
    market = a_market()
    for venue in ("okx", "bybit"):
        market.open_interest(an_open_interest(venue=venue))

    (minute,) = closed(market, MINUTE_MS + CLOSES_AFTER_MS)

    assert [one.venue for one in minute.open_interest] == ["bybit", "okx"]


def test_a_minute_knows_how_far_mark_prices_went_by_the_median_contract() -> None:
    market = a_market(([0], [100.0], [1.0]))
    for venue, low, high in (("binance", 99.0, 101.0), ("bybit", 98.9, 101.1), ("okx", 50.0, 150.0)):
        for offset, price in ((1_000, 100.0), (2_000, low), (3_000, high), (60_000, 500.0)):
            market.mark(a_mark(offset, price, venue=venue))

    first, second = closed(market, 2 * MINUTE_MS + CLOSES_AFTER_MS)

    assert (first.mark_low, first.mark_high) == (98.9, 101.1)
    assert (second.mark_low, second.mark_high) == (500.0, 500.0)


def test_a_mark_of_a_minute_that_was_closed_changes_nothing() -> None:
    market = a_market(([0], [100.0], [1.0]))
    market.mark(a_mark(1_000, 100.0))
    closed(market, MINUTE_MS + CLOSES_AFTER_MS)
    market.mark(a_mark(59_000, 90.0))

    (second,) = closed(market, 2 * MINUTE_MS + CLOSES_AFTER_MS)

    assert (second.mark_low, second.mark_high) == (None, None)


def test_a_minute_knows_the_funding_of_eight_hours() -> None:
    market = a_market(([0], [100.0], [1.0]))
    market.mark(a_mark(1_000, funding_rate=0.0001))
    market.mark(a_mark(1_000, funding_rate=0.00005, venue="hyperliquid"))  # paid every hour
    market.mark(a_mark(1_000, funding_rate=0.0002, venue="okx"))

    (minute,) = closed(market, MINUTE_MS + CLOSES_AFTER_MS)

    assert minute.funding_8h == 0.0002
