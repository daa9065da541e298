from itertools import pairwise

from simulator.candles import CandleBook, merged
from tests.simulator.serving import START_MS

MINUTE = 60_000
FIRST = START_MS - START_MS % MINUTE


def a_book(*trades) -> CandleBook:
    """Trades of (milliseconds after the first minute began, price, coins, taker bought)."""
    book = CandleBook(FIRST, 100.0)
    for offset_ms, price, coins, is_buy in trades:
        book.take(FIRST + offset_ms, price, coins, is_buy)
    return book


def test_a_candle_sums_up_its_trades():
    candle = a_book((0, 101.0, 1.0, True), (10, 103.0, 2.0, False), (59_999, 99.0, 3.0, True)).current

    assert (candle.open, candle.high, candle.low, candle.close) == (101.0, 103.0, 99.0, 99.0)
    assert (candle.coins, candle.usd, candle.trades) == (6.0, 101.0 + 206.0 + 297.0, 3)
    assert (candle.buy_coins, candle.buy_usd) == (4.0, 101.0 + 297.0)


def test_minutes_without_trades_are_flat():
    book = a_book((0, 101.0, 1.0, True), (3 * MINUTE, 104.0, 1.0, True))

    assert [candle.open_ms - FIRST for candle in book.closed] == [0, MINUTE, 2 * MINUTE]
    flat = book.closed[1]
    assert (flat.open, flat.high, flat.low, flat.close, flat.coins) == (101.0, 101.0, 101.0, 101.0, 0.0)


def test_longer_candles_are_made_of_minutes():
    book = a_book(*((minute * MINUTE, 100.0 + minute, 1.0, minute % 2 == 0) for minute in range(10)))
    hour_ms = 3_600_000

    (whole,) = merged((*book.closed, book.current), 24 * hour_ms)
    assert (whole.open, whole.high, whole.low, whole.close) == (100.0, 109.0, 100.0, 109.0)
    assert (whole.coins, whole.trades, whole.buy_coins) == (10.0, 10, 5.0)
    assert sum(candle.coins for candle in merged((*book.closed, book.current), 300_000)) == 10.0


def test_hours_outlive_their_minutes():
    book = a_book((0, 101.0, 1.0, True), (2000 * MINUTE, 104.0, 1.0, True))

    assert len(book.closed) == 1500
    assert book.hours[0].coins == 1.0
    assert [later.open_ms - sooner.open_ms for sooner, later in pairwise(book.hours)] == [60 * MINUTE] * 33
