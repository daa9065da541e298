from itertools import pairwise

import msgspec
import pytest

from intelligence.history import (
    DAY_MS,
    FIVE_MINUTES_MS,
    INTERVAL_MS,
    AssetHistory,
    BarSpan,
    KeptHistory,
    OpenInterestSpan,
)
from intelligence.market import Kline, OpenInterest

NOW = 1_790_000_040_000  # a whole minute
MINUTE = 60_000


def a_bar(open_ms, close=100.0, *, venue="binance", interval="1m", closed=True, **values):
    defaults = {"quantity": 2.0, "notional_usd": 200.0, "taker_buy_quantity": None}
    return Kline(
        venue=venue,
        instrument="SOLUSDT",
        asset="SOL",
        exchange_ms=open_ms,
        received_ms=NOW,
        interval=interval,
        open=close,
        high=close,
        low=close,
        close=close,
        closed=closed,
        **(defaults | values),
    )


def bars(*opens_ms, venue="binance", interval="1m", received_ms=NOW, close=100.0, until_ms=None, **values):
    """An answer with these bars that was asked from the first one to now."""
    rows = tuple(a_bar(open_ms, close, venue=venue, interval=interval, **values) for open_ms in opens_ms)
    return BarSpan(
        venue=venue,
        instrument="SOLUSDT",
        interval=interval,
        from_ms=min(opens_ms, default=NOW),
        until_ms=until_ms or max(opens_ms, default=NOW) + INTERVAL_MS[interval],
        received_ms=received_ms,
        rows=rows,
    )


def a_day(venue="binance", missing=(), close=100.0):
    opens = [NOW - back * MINUTE for back in range(1440, 0, -1) if back not in missing]
    return bars(*opens, venue=venue, close=close)


def interest(at_ms, coins=5.0, *, venue="okx"):
    return OpenInterest(
        venue=venue,
        instrument="SOL-USDT-SWAP",
        asset="SOL",
        exchange_ms=at_ms,
        received_ms=at_ms,
        quantity=coins,
        notional_usd=None,
    )


def points(*records, from_ms=NOW - DAY_MS, until_ms=NOW):
    return OpenInterestSpan(
        venue="okx",
        instrument="SOL-USDT-SWAP",
        from_ms=from_ms,
        until_ms=until_ms,
        received_ms=NOW,
        rows=records,
    )


def closes(history, interval="1m"):
    return [(bar.open_ms, bar.close) for bar in history.bars(interval, 0, NOW + DAY_MS)]


# -- bars -----------------------------------------------------------------------------------------------------------------


def test_bars_are_told_oldest_first_whatever_the_order_in_which_they_came():
    history = AssetHistory()
    history.take_bars(bars(NOW - MINUTE, close=2.0))
    history.take_bars(bars(NOW - 2 * MINUTE, close=1.0))

    assert closes(history) == [(NOW - 2 * MINUTE, 1.0), (NOW - MINUTE, 2.0)]


def test_a_bar_that_comes_twice_is_there_once():
    history = AssetHistory()
    for _ in range(2):
        history.take_bars(bars(NOW - MINUTE))

    assert len(closes(history)) == 1


def test_a_bar_that_is_not_over_is_not_taken():
    history = AssetHistory()
    history.take_bars(bars(NOW - MINUTE, closed=False))
    history.take_bars(bars(NOW - MINUTE, received_ms=NOW - 1))  # whatever the venue says

    assert closes(history) == []


def test_what_a_venue_does_not_tell_stays_unknown():
    history = AssetHistory()
    history.take_bars(bars(NOW - MINUTE, notional_usd=None, taker_buy_quantity=0.5))

    (bar,) = history.bars("1m", 0, NOW)
    assert (bar.usd, bar.taker_buy_coins, bar.coins) == (None, 0.5, 2.0)


def test_a_broken_bar_is_refused_and_counted():
    history = AssetHistory()
    history.take_bars(bars(NOW - MINUTE, close=float("nan")))

    assert (closes(history), history.refused) == ([], 1)


def test_bars_of_two_venues_are_not_mixed():
    history = AssetHistory()
    history.take_bars(a_day("binance", close=100.0))
    history.take_bars(bars(NOW - MINUTE, venue="bybit", close=101.0))

    assert history.reference == ("binance", "SOLUSDT")
    assert {close for _, close in closes(history)} == {100.0}


def test_another_venue_takes_over_as_a_whole_once_it_is_known_as_fully():
    history = AssetHistory()
    history.take_bars(a_day("binance", missing={1, 2, 3}, close=100.0))
    history.take_bars(a_day("bybit", close=101.0))

    assert history.reference == ("bybit", "SOLUSDT")
    assert {close for _, close in closes(history)} == {101.0}


def test_bars_of_an_hour_and_a_day_stand_beside_those_of_a_minute():
    history = AssetHistory()
    hour, day = NOW // 3_600_000 * 3_600_000, NOW // DAY_MS * DAY_MS
    history.take_bars(bars(hour - 3_600_000, interval="1h", close=1.0))
    history.take_bars(bars(day - DAY_MS, interval="1d", close=2.0))

    assert closes(history, "1h") == [(hour - 3_600_000, 1.0)]
    assert closes(history, "1d") == [(day - DAY_MS, 2.0)]
    assert closes(history) == []


# -- gaps -----------------------------------------------------------------------------------------------------------------


def test_of_an_empty_history_everything_is_missing():
    missing = AssetHistory().missing(NOW)

    assert missing.bars_from(("binance", "SOLUSDT"), "1m", NOW) == NOW - 1440 * MINUTE
    assert missing.open_interest_from(("okx", "SOL-USDT-SWAP"), NOW) == NOW - DAY_MS


def test_the_first_missing_minute_is_told():
    history = AssetHistory()
    history.take_bars(bars(*(NOW - back * MINUTE for back in range(1440, 10, -1))))

    assert history.missing(NOW).bars_from(("binance", "SOLUSDT"), "1m", NOW) == NOW - 10 * MINUTE


def test_nothing_is_missing_when_a_day_is_there():
    history = AssetHistory()
    history.take_bars(a_day())

    assert history.missing(NOW).bars_from(("binance", "SOLUSDT"), "1m", NOW) is None


def test_minutes_of_which_the_venue_has_no_bar_are_not_asked_for_again():
    history = AssetHistory()
    history.take_bars(a_day(missing={100, 101}))

    assert history.missing(NOW).bars_from(("binance", "SOLUSDT"), "1m", NOW) is None


def test_the_newest_minutes_may_still_come():
    history = AssetHistory()
    opens = [NOW - back * MINUTE for back in range(1440, 1, -1)]
    history.take_bars(bars(*opens, until_ms=NOW))

    assert history.missing(NOW).bars_from(("binance", "SOLUSDT"), "1m", NOW) == NOW - MINUTE


# -- open interest --------------------------------------------------------------------------------------------------------


def test_open_interest_of_both_ways_is_one_series():
    history = AssetHistory()
    history.take_open_interest(interest(NOW - 1_000, 7.0))
    history.take_open_interest_span(
        points(interest(NOW - 2 * FIVE_MINUTES_MS, 5.0), interest(NOW - FIVE_MINUTES_MS, 6.0))
    )

    assert [coins for _, coins in history.open_interest("okx", "SOL-USDT-SWAP")] == [5.0, 6.0, 7.0]


def test_a_live_figure_of_each_minute_is_kept_for_an_hour_and_of_each_five_minutes_for_a_day():
    history = AssetHistory()
    for minute in range(1440):
        history.take_open_interest(interest(NOW + minute * MINUTE, float(minute + 1)))
        history.take_open_interest(interest(NOW + minute * MINUTE + 30_000, 0.5))

    found = history.open_interest("okx", "SOL-USDT-SWAP")
    gaps = [(later - earlier) // MINUTE for (earlier, _), (later, _) in pairwise(found)]
    assert gaps[-59:] == [1] * 59
    assert set(gaps[1:270]) == {5}  # the first point began within its five minutes
    assert 0.5 not in {coins for _, coins in found}


def test_open_interest_of_venues_stays_apart():
    history = AssetHistory()
    history.take_open_interest(interest(NOW, 7.0))
    history.take_open_interest(interest(NOW, 8.0, venue="gate"))

    assert history.open_interest_contracts() == (("gate", "SOL-USDT-SWAP"), ("okx", "SOL-USDT-SWAP"))
    assert history.open_interest("gate", "SOL-USDT-SWAP") == [(NOW, 8.0)]
    assert history.open_interest("bybit", "SOLUSDT") == []


def test_a_point_of_the_future_is_not_taken_from_an_answer():
    history = AssetHistory()
    history.take_open_interest_span(points(interest(NOW + 1)))

    assert history.open_interest("okx", "SOL-USDT-SWAP") == []


def test_a_gap_in_open_interest_is_asked_for_once():
    history = AssetHistory()
    history.take_open_interest(interest(NOW - 1_000))
    contract = ("okx", "SOL-USDT-SWAP")
    before = history.missing(NOW).open_interest_from(contract, NOW)

    history.take_open_interest_span(points(interest(NOW - FIVE_MINUTES_MS)))

    assert before is not None
    assert history.missing(NOW).open_interest_from(contract, NOW) is None


# -- keeping --------------------------------------------------------------------------------------------------------------


def test_a_kept_history_is_the_same_after_it_was_written_and_read():
    history, again = AssetHistory(), AssetHistory()
    history.take_bars(a_day())
    history.take_open_interest(interest(NOW - 1_000, 7.0))

    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(history.kept()), type=KeptHistory))

    assert again.all() == history.all()
    assert len(again.all().bars["1m"]) == 1440


def test_what_came_meanwhile_stays_when_a_kept_history_joins_it():
    before, now = AssetHistory(), AssetHistory()
    before.take_bars(bars(NOW - 3 * MINUTE, NOW - 2 * MINUTE, close=1.0))
    now.take_bars(bars(NOW - 2 * MINUTE, NOW - MINUTE, close=2.0))

    now.restore(before.kept())

    assert closes(now) == [(NOW - 3 * MINUTE, 1.0), (NOW - 2 * MINUTE, 2.0), (NOW - MINUTE, 2.0)]


def test_kept_bars_of_another_contract_are_not_mixed_in():
    before, now = AssetHistory(), AssetHistory()
    before.take_bars(a_day("bybit", close=1.0))
    now.take_bars(bars(NOW - MINUTE, close=2.0))

    now.restore(before.kept())

    assert closes(now) == [(NOW - MINUTE, 2.0)]


def test_a_kept_history_that_makes_no_sense_is_refused():
    history = AssetHistory()
    kept = msgspec.structs.replace(
        history.kept(), open_interest=(("okx", "A", history.kept().bars["1m"], history.kept().bars["1m"]),)
    )

    with pytest.raises(ValueError, match="expected 2 columns"):
        AssetHistory().restore(kept)
