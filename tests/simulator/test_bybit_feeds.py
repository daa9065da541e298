import pytest

from simulator.listings import BYBIT
from tests.simulator.serving import called, listing_of, run_of


def test_trades_of_a_step_share_a_message():
    _, frames, prints, market = run_of(BYBIT)
    messages = frames["publicTrade.BTCUSDT"]
    rows = [row for message in messages for row in message["data"]]
    listing = listing_of(market, BYBIT, "BTCUSDT")

    assert len(messages) < len(rows)
    assert [(row["T"], row["p"], row["v"], row["S"]) for row in rows] == [
        (trade.time_ms, listing.price(trade.price), listing.size(trade.coins), "Buy" if trade.is_buy else "Sell")
        for trade in prints["BTCUSDT"]
    ]
    assert len({row["i"] for row in rows}) == len(rows)
    assert {row["L"] for row in rows} <= {"PlusTick", "ZeroPlusTick", "MinusTick", "ZeroMinusTick"}


def test_candles_close_with_confirm():
    _, frames, prints, _ = run_of(BYBIT, steps=1300)
    closed = [row for message in frames["kline.1.BTCUSDT"] for row in message["data"] if row["confirm"]]

    assert closed
    for row in closed:
        coins = sum(trade.coins for trade in prints["BTCUSDT"] if row["start"] <= trade.time_ms <= row["end"])
        assert float(row["volume"]) == pytest.approx(coins, abs=1e-3)


def test_candles_by_rest_come_newest_first():
    venue, *_, market = run_of(BYBIT, steps=10)
    rows = called(venue, "/v5/market/kline", category="linear", symbol="BTCUSDT", interval="60", limit="48")["result"][
        "list"
    ]

    starts = [int(row[0]) for row in rows]
    assert starts == sorted(starts, reverse=True)
    assert (len(rows), starts[0]) == (48, market.now_ms - market.now_ms % 3_600_000)


def test_open_interest_history_is_paged_backwards_and_counts_both_ways():
    venue, *_ = run_of(BYBIT, steps=1)
    asked = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min", "limit": "100"}
    first = called(venue, "/v5/market/open-interest", **asked)["result"]
    older = called(venue, "/v5/market/open-interest", **asked, cursor=first["nextPageCursor"])["result"]

    times = [int(row["timestamp"]) for row in (*first["list"], *older["list"])]
    assert times == list(range(times[0], times[0] - 200 * 300_000, -300_000))
    assert all(
        float(row["openInterest"]) == pytest.approx(2 * float(row["singleOpenInterest"]), rel=1e-3)
        for row in first["list"]
    )


def test_risk_limits_come_in_pages_of_fifteen_symbols():
    venue, *_ = run_of(BYBIT, steps=1, assets=20)
    symbols, cursor = [], ""
    for _ in range(2):
        result = called(venue, "/v5/market/risk-limit", category="linear", cursor=cursor)["result"]
        symbols.append({row["symbol"] for row in result["list"]})
        cursor = result["nextPageCursor"]

    assert (len(symbols[0]), len(symbols[1]), cursor) == (15, 5, "")
    (btc, *_) = called(venue, "/v5/market/risk-limit", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (btc["maintenanceMargin"], btc["mmDeduction"], btc["isLowestRisk"]) == ("0.004", "", 1)
    assert float(btc["initialMargin"]) * float(btc["maxLeverage"]) == pytest.approx(1.0)


def test_recent_trades_come_newest_first():
    venue, _, prints, _ = run_of(BYBIT, steps=30)
    rows = called(venue, "/v5/market/recent-trade", category="linear", symbol="BTCUSDT", limit="5")["result"]["list"]

    assert [int(row["seq"]) for row in rows] == [trade.ident for trade in prints["BTCUSDT"][:-6:-1]]
