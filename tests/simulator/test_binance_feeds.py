import pytest

from simulator.listings import BINANCE
from tests.simulator.serving import called, listing_of, run_of


def test_every_trade_comes_once_with_the_side_that_took():
    _, frames, prints, market = run_of(BINANCE)

    for symbol in ("BTCUSDT", "1000PEPEUSDT"):
        events = frames[f"{symbol.lower()}@aggTrade"]
        listing = listing_of(market, BINANCE, symbol)
        assert [event["a"] for event in events] == [trade.ident for trade in prints[symbol]]
        for event, trade in zip(events, prints[symbol], strict=True):
            assert event["m"] is not trade.is_buy
            assert (event["p"], event["q"], event["T"]) == (
                listing.price(trade.price),
                listing.size(trade.coins),
                trade.time_ms,
            )
            assert float(event["p"]) * float(event["q"]) == pytest.approx(trade.price * trade.coins, rel=1e-4)


def test_candles_on_the_stream_agree_with_the_trades_and_close_once():
    _, frames, _, market = run_of(BINANCE, steps=1300)
    klines = [event["k"] for event in frames["btcusdt@kline_1m"]]
    closed = [kline for kline in klines if kline["x"]]

    assert [kline["t"] for kline in closed] == [
        candle.open_ms for candle in market.flow.contracts[BINANCE, "BTCUSDT"].candles.closed
    ]
    trades = frames["btcusdt@aggTrade"]
    for kline in closed:
        inside = [trade for trade in trades if kline["t"] <= trade["T"] <= kline["T"]]
        assert float(kline["v"]) == pytest.approx(sum(float(trade["q"]) for trade in inside), abs=1e-3)
        bought = sum(float(trade["q"]) for trade in inside if not trade["m"])
        assert float(kline["V"]) == pytest.approx(bought, abs=1e-3)
        assert kline["n"] == len(inside)
    assert len(klines) > 100


def test_the_ticker_of_all_brings_changed_symbols_and_says_which_market_they_belong_to():
    _, frames, _, _ = run_of(BINANCE, steps=50)

    (first, *_) = frames["!ticker@arr"]
    assert len(frames["!ticker@arr"]) == 6
    assert {row["st"] for row in first} == {1}
    assert {"s", "c", "P", "v", "q"} <= set(first[0])
    assert len(frames["btcusdt@ticker"]) == 3


def test_candles_by_rest_end_with_the_open_one_and_carry_what_takers_bought():
    venue, _, _, market = run_of(BINANCE, steps=700)
    rows = called(venue, "/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit="500")

    assert len(rows) == 500
    assert rows[-1][0] == market.now_ms - market.now_ms % 60_000
    assert all(len(row) == 12 and float(row[9]) <= float(row[5]) for row in rows)
    assert called(venue, "/fapi/v1/klines", symbol="BTCUSDT", interval="7m")["code"] == -1120
    assert called(venue, "/fapi/v1/klines", symbol="NOPE", interval="1m")["code"] == -1121


def test_open_interest_history_ends_at_whole_periods():
    venue, *_ = run_of(BINANCE, steps=1)
    rows = called(venue, "/futures/data/openInterestHist", symbol="BTCUSDT", period="5m")

    assert len(rows) == 30
    assert all(row["timestamp"] % 300_000 == 0 for row in rows)
    now = float(called(venue, "/fapi/v1/openInterest", symbol="BTCUSDT")["openInterest"])
    assert float(rows[-1]["sumOpenInterest"]) == pytest.approx(now, rel=0.01)
    price = float(rows[-1]["sumOpenInterestValue"]) / float(rows[-1]["sumOpenInterest"])
    assert price == pytest.approx(
        float(called(venue, "/fapi/v1/premiumIndex", symbol="BTCUSDT")["markPrice"]), rel=0.01
    )


def test_trades_by_rest_go_on_after_a_number():
    venue, _, prints, _ = run_of(BINANCE, steps=50)
    last = prints["BTCUSDT"][-1].ident
    rows = called(venue, "/fapi/v1/aggTrades", symbol="BTCUSDT", fromId=str(last - 4))

    assert [row["a"] for row in rows] == list(range(last - 4, last + 1))
