import json

import pytest

from simulator.listings import DERIBIT
from simulator.venue import Call, Close
from tests.simulator.serving import called, read, run_of


def connected():
    venue, *_, market = run_of(DERIBIT, steps=20)
    return venue.connect(Call("/ws/api/v2"), 0.0), venue, market


def say(connection, method: str, now_s: float = 0.0, **params) -> dict:
    request = {"jsonrpc": "2.0", "id": 7, "method": f"public/{method}", "params": params}
    (reply,) = read(connection.receive(json.dumps(request), now_s))
    return reply


def rest(venue, method: str, **query):
    return called(venue, f"/api/v2/public/{method}", **query)["result"]


def test_a_subscription_answers_with_the_channels_it_took():
    connection, *_ = connected()
    channels = [
        "trades.BTC-PERPETUAL.100ms",
        "ticker.BTC-PERPETUAL.100ms",
        "trades.future.BTC.100ms",
        "trades.NOPE.100ms",
    ]

    assert say(connection, "subscribe", channels=channels)["result"] == channels[:3]
    assert say(connection, "unsubscribe", channels=channels[:2])["result"] == channels[:2]
    assert connection.topics == {"trades.future.BTC.100ms"}


def test_raw_channels_need_a_login():
    connection, *_ = connected()

    assert say(connection, "subscribe", channels=["trades.BTC-PERPETUAL.raw"])["error"]["code"] == 13778


def test_a_test_request_must_be_answered():
    connection, *_ = connected()

    assert say(connection, "set_heartbeat", interval=5)["error"]["code"] == -32602
    assert say(connection, "set_heartbeat", interval=10)["result"] == "ok"
    assert connection.tick(9.0) == []
    (asked,) = read(connection.tick(10.0))
    assert (asked["method"], asked["params"]) == ("heartbeat", {"type": "test_request"})
    assert say(connection, "test", now_s=12.0)["result"]["version"]
    assert read(connection.tick(20.0))[0]["method"] == "heartbeat"
    assert connection.tick(30.0) == [Close(1000, "heartbeat timeout")]


def test_without_a_heartbeat_nothing_is_asked():
    connection, *_ = connected()

    assert connection.tick(1e6) == []


def test_inverse_amounts_are_usd_in_whole_contracts_and_linear_ones_coins():
    _, frames, prints, _ = run_of(DERIBIT, assets=3)
    inverse = [row for frame in frames["trades.BTC-PERPETUAL.100ms"] for row in frame["params"]["data"]]
    linear = [row for frame in frames["trades.SOL_USDC-PERPETUAL.100ms"] for row in frame["params"]["data"]]

    assert inverse
    assert linear
    for row, trade in zip(inverse, prints["BTC-PERPETUAL"], strict=True):
        assert row["amount"] % 10 == 0
        assert row["amount"] == pytest.approx(trade.coins * trade.price, abs=10.01)
        assert row["contracts"] == row["amount"] / 10
    for row, trade in zip(linear, prints["SOL_USDC-PERPETUAL"], strict=True):
        assert row["amount"] == pytest.approx(trade.coins)
        assert row["direction"] == ("buy" if trade.is_buy else "sell")


def test_the_channel_of_a_currency_brings_the_same_trades():
    _, frames, _, _ = run_of(DERIBIT, assets=2)

    one = [frame["params"]["data"] for frame in frames["trades.BTC-PERPETUAL.100ms"]]
    assert [frame["params"]["data"] for frame in frames["trades.future.BTC.100ms"]] == one


def test_forced_trades_are_flagged_with_the_side_they_took():
    venue, frames, _, market = run_of(
        DERIBIT, steps=4000, wanted=lambda topic: topic == "trades.any.any.100ms", trades_per_s=5.0
    )
    rows = [row for frame in frames["trades.any.any.100ms"] for row in frame["params"]["data"] if "liquidation" in row]

    assert rows
    assert [(row["timestamp"], row["direction"]) for row in rows] == [
        (row.time_ms, "sell" if row.is_long else "buy") for row in market.liquidations
    ]
    assert {row["liquidation"] for row in rows} == {"T"}
    assert venue.shown == {row.position_id for row in market.liquidations}


def test_the_same_methods_answer_over_both_ways():
    connection, venue, _ = connected()

    for method, params in (
        ("ticker", {"instrument_name": "BTC-PERPETUAL"}),
        ("get_time", {}),
        ("get_instruments", {"currency": "BTC", "kind": "future"}),
    ):
        assert say(connection, method, **params)["result"] == rest(venue, method, **params)
    assert say(connection, "ticker", instrument_name="NOPE")["error"]["code"] == -32602
    assert say(connection, "dreams")["error"]["code"] == -32601


def test_instruments_hold_what_a_reader_must_leave_out():
    venue, *_ = run_of(DERIBIT, steps=1)

    rows = {row["instrument_name"]: row for row in rest(venue, "get_instruments", currency="any", kind="future")}
    assert rows["BTC-25DEC26"]["settlement_period"] == "month"
    assert rows["BTC-PERPETUAL"]["instrument_type"] == "reversed"
    assert rows["SOL_USDC-PERPETUAL"]["settlement_currency"] == "USDC"
    assert "OLDCOIN_USDC-PERPETUAL" not in rows


def test_open_interest_of_inverse_contracts_is_usd():
    venue, *_, market = run_of(DERIBIT, steps=1)
    coins = market.books["BTC"].open_coins[DERIBIT].one_side

    row = rest(venue, "ticker", instrument_name="BTC-PERPETUAL")
    assert row["open_interest"] == pytest.approx(coins * row["mark_price"], rel=1e-3)
    (summary,) = rest(venue, "get_book_summary_by_currency", currency="BTC")
    assert summary["open_interest"] == row["open_interest"]


def test_charts_come_in_columns_and_trades_newest_first():
    venue, *_, market = run_of(DERIBIT, steps=50)
    chart = rest(
        venue, "get_tradingview_chart_data", instrument_name="BTC-PERPETUAL", resolution="1",
        start_timestamp=str(market.now_ms - 600_000), end_timestamp=str(market.now_ms),
    )  # fmt: skip
    found = rest(venue, "get_last_trades_by_instrument", instrument_name="BTC-PERPETUAL", count="3")

    assert chart["status"] == "ok"
    assert {len(chart[name]) for name in ("ticks", "open", "high", "low", "close", "volume", "cost")} == {10}
    assert (len(found["trades"]), found["has_more"]) == (3, True)
    assert len(rest(venue, "get_last_trades_by_currency", currency="any", count="20")["trades"]) == 20
    funding = rest(
        venue,
        "get_funding_rate_history",
        instrument_name="BTC-PERPETUAL",
        start_timestamp="0",
        end_timestamp=str(market.now_ms),
    )
    assert len(funding) in (744, 745)


def test_credits_are_spent_and_come_back():
    connection, venue, _ = connected()
    call = Call("/api/v2/public/get_time")

    assert [venue.rest(call, 0.0).status for _ in range(101)] == [200] * 100 + [429]
    assert [venue.rest(call, 0.5).status for _ in range(11)] == [200] * 10 + [429]
    codes = [say(connection, "subscribe", channels=[]).get("error", {}).get("code") for _ in range(11)]
    assert codes == [None] * 10 + [10028]
