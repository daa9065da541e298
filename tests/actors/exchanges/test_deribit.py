import json

import pytest

from actors.exchanges.exchange import CORE_FEEDS, Feed, FrameError
from actors.exchanges.registry import EXCHANGES
from tests.actors.exchanges.frames import decode, encoded, reasons
from tests.actors.exchanges.newer_frames import (
    DERIBIT_BAR,
    DERIBIT_PERPETUALS,
    DERIBIT_SUMMARY,
    deribit,
    deribit_ack,
    deribit_ticker,
    deribit_trades,
)

DERIBIT = EXCHANGES["deribit"]


def test_a_coin_margined_trade_counts_dollars_and_is_told_in_coins():
    (trade,) = decode("deribit", deribit_trades({"amount": 1200.0, "price": 60000.0}))

    assert (trade.asset, trade.taker_side) == ("BTC", "sell")
    assert (trade.quantity, trade.notional_usd) == (pytest.approx(0.02), 1200)


def test_a_linear_trade_counts_coins():
    (trade,) = decode("deribit", deribit_trades({"amount": 3.0, "price": 200.0}, name="SOL_USDC-PERPETUAL"))

    assert (trade.asset, trade.quantity, trade.notional_usd) == ("SOL", 3, 600)


@pytest.mark.parametrize(
    ("mark", "direction", "closed"),
    [
        *[("T", "sell", ["long"]), ("M", "buy", ["long"]), ("T", "buy", ["short"]), ("M", "sell", ["short"])],
        *[("MT", "sell", ["long", "short"]), ("MT", "buy", ["short", "long"]), ("none", "sell", []), ("", "buy", [])],
    ],
)
def test_a_mark_on_a_trade_tells_whose_position_was_closed(mark, direction, closed):
    trade, *found = decode("deribit", deribit_trades({"liquidation": mark, "direction": direction}))

    assert trade.taker_side == direction
    assert [one.position_side for one in found] == closed
    assert {(one.coverage, one.price_kind, one.notional_usd) for one in found} <= {("complete", "fill", 1200)}


def test_a_block_trade_is_set_aside():
    assert reasons(decode("deribit", deribit_trades({"block_trade_id": "BLOCK-1"}))) == ["block_trade"]


def test_a_ticker_gives_mark_funding_and_open_interest_in_coins():
    mark, interest = decode("deribit", deribit_ticker())
    _, linear = decode("deribit", deribit_ticker("SOL_USDC-PERPETUAL", mark_price=200.0, open_interest=50.0))

    assert (mark.price, mark.index_price, mark.funding_rate) == (60_000, 60_010, 0.00001742)
    assert (interest.quantity, interest.notional_usd) == (20_000, 1.2e9)
    assert (linear.quantity, linear.notional_usd) == (50, 10_000)


def test_a_bar_counts_coins_also_where_trades_count_dollars():
    (bar,) = decode("deribit", DERIBIT_BAR)

    assert (bar.interval, bar.closed, bar.quantity, bar.notional_usd) == ("1m", False, 7.5, 757.5)


def test_the_reply_of_rest_with_open_interest_is_read_too():
    (found,) = decode("deribit", DERIBIT_SUMMARY)

    assert (found.quantity, found.notional_usd, found.exchange_ms) == (10, 600_000, 1790000000123)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (deribit_ack(2, 2), "subscribed"),
        (deribit_ack(2, 1), "subscribe_refused"),
        ({"id": 1, "error": {"code": 10028, "message": "too_many_requests"}}, "subscribe_refused"),
        ({"id": 0, "result": {"version": "1.2.26"}}, "pong"),
        ({"method": "heartbeat", "params": {"type": "test_request"}}, "heartbeat"),
        (deribit("book.BTC-PERPETUAL.100ms", {}), "not_used"),
        (deribit_ticker("BTC-25DEC26"), "other_market"),
        (deribit_trades(name="BTC-25DEC26-60000-C"), "other_market"),
        (deribit_trades(name="BTC_EURR-PERPETUAL"), "other_market"),
        (deribit("trades.BTC-PERPETUAL.100ms", []), "empty"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(decode("deribit", frame)) == [reason]


def test_channels_that_the_venue_left_out_without_a_word_are_counted():
    (control,) = decode("deribit", deribit_ack(20, 18))

    assert (control.reason, control.detail) == ("subscribe_refused", "18 of 20 channels")


@pytest.mark.parametrize(
    "frame",
    [
        {},
        deribit("somethingNew.BTC-PERPETUAL", {}),
        deribit("chart.trades.BTC-PERPETUAL.7", DERIBIT_BAR["params"]["data"]),
        deribit_trades({"direction": "zero"}),
        deribit_trades({"amount": 0.0}),
        deribit_ticker(mark_price=-1.0),
        {"result": [{"instrument_name": "BTC-PERPETUAL", "creation_timestamp": 1790000000123}]},
    ],
)
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        decode("deribit", frame)


def test_with_a_list_a_perpetual_outside_it_is_set_aside():
    frame = deribit_trades(name="ETH-PERPETUAL")

    assert reasons(decode("deribit", frame, DERIBIT_PERPETUALS)) == ["not_listed"]


def test_perpetuals_alone_are_instruments():
    def a_row(name, kind="reversed", **changes):
        plain = {"instrument_name": name, "kind": "future", "instrument_type": kind, "is_active": True}
        return {**plain, "settlement_period": "perpetual", **changes}

    rows = [
        a_row("BTC-PERPETUAL"),
        a_row("SOL_USDC-PERPETUAL", "linear"),
        a_row("BTC-25DEC26", settlement_period="month"),
        a_row("BTC-X", kind="option") | {"kind": "option"},
        a_row("OLD-PERPETUAL", is_active=False),
        a_row("BTC_EURR-PERPETUAL", "linear"),
        {},
    ]
    page = DERIBIT.read_instruments(encoded({"jsonrpc": "2.0", "result": rows}))

    assert [(one.asset, one.inverse) for one in page.instruments] == [("BTC", True), ("SOL", False)]
    assert dict(page.left_out) == {"settled_month": 1, "kind_option": 1, "inactive": 1, "quote": 1, "malformed": 1}


@pytest.mark.parametrize("body", [b"", b'{"error":{"code":10028,"message":"too_many_requests"}}'])
def test_a_reply_that_lists_nothing_is_an_error(body):
    with pytest.raises(FrameError):
        DERIBIT.read_instruments(body)


def channels_of(plan):
    return [channel for frame in plan.subscribe for channel in json.loads(frame)["params"]["channels"]]


def test_liquidations_come_with_the_trades_of_whole_currencies():
    perpetuals = DERIBIT_PERPETUALS.values()

    trades, tickers = DERIBIT.sockets(perpetuals, frozenset({"BTC"}), CORE_FEEDS | {Feed.TRADES})

    assert channels_of(trades) == ["trades.future.BTC.100ms", "trades.future.USDC.100ms"]
    assert trades.feeds == {Feed.LIQUIDATIONS, Feed.TRADES}
    assert trades.brings_liquidations
    assert json.loads(trades.subscribe[0])["id"] == 2
    assert channels_of(tickers) == ["ticker.BTC-PERPETUAL.100ms"]


def test_without_liquidations_only_the_trades_of_the_wanted_assets_are_asked_for():
    plans = DERIBIT.sockets(DERIBIT_PERPETUALS.values(), frozenset({"SOL"}), frozenset({Feed.TRADES, Feed.KLINES}))

    assert [channels_of(plan) for plan in plans] == [
        ["trades.SOL_USDC-PERPETUAL.100ms"],
        ["chart.trades.SOL_USDC-PERPETUAL.1"],
    ]


def test_a_refusal_says_why():
    assert DERIBIT.refusal(429, {}, b"").reason == "rate_limited"
    assert DERIBIT.refusal(400, {}, b'{"error":{"code":10028,"message":"x"}}').reason == "rate_limited"
    assert DERIBIT.refusal(451, {}, b"").permanent
    assert DERIBIT.refusal(403, {}, b"").reason == "forbidden"
    assert DERIBIT.refusal(200, {}, b'{"result":[]}') is None
