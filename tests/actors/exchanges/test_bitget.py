import json

import pytest

from actors.exchanges.bitget_frames import BASE, QUOTE, UNIT
from actors.exchanges.exchange import Feed, FrameError, Instrument
from actors.exchanges.registry import EXCHANGES
from tests.actors.exchanges.frames import RECEIVED_MS, decode, encoded, reasons
from tests.actors.exchanges.newer_frames import (
    BITGET_ACK,
    BITGET_BAR,
    BITGET_SYMBOLS,
    BITGET_TICKER,
    BITGET_TRADE,
    bitget,
    bitget_liquidation,
)

BITGET = EXCHANGES["bitget"]


def test_the_side_of_a_liquidation_is_that_of_the_position():
    long, short = decode("bitget", bitget_liquidation({"side": "buy"}, {"side": "sell"}))

    assert (long.position_side, short.position_side) == ("long", "short")
    assert (long.coverage, long.price_kind) == ("capped", "bankruptcy")


def test_the_amount_is_read_as_dollars_and_is_uncertain_until_settled():
    (found,) = decode("bitget", bitget_liquidation({"amount": "3000", "price": "60000"}))

    assert (found.notional_usd, found.quantity, found.uncertain) == (3000, pytest.approx(0.05), "unit")


@pytest.mark.parametrize(("settled", "quantity"), [(QUOTE, 0.05), (BASE, 3000.0)])
def test_a_settled_unit_is_certain(settled, quantity):
    decoder = BITGET.decoder({}, {UNIT: settled})

    (found,) = decoder.decode(encoded(bitget_liquidation()), RECEIVED_MS)

    assert found.quantity == pytest.approx(quantity)
    assert not found.uncertain


def test_a_scaled_contract_is_counted_in_single_coins():
    (found,) = decode("bitget", bitget_liquidation({"symbol": "1000BONKUSDT", "price": "0.02", "amount": "10"}))

    assert (found.asset, found.quantity, found.notional_usd) == ("BONK", pytest.approx(500_000), pytest.approx(10))


def test_a_trade_tells_the_taker_and_history_is_dropped():
    (trade,) = decode("bitget", BITGET_TRADE)

    assert (trade.taker_side, trade.quantity, trade.price) == ("sell", 0.01, 76631.3)
    assert (trade.exchange_ms, trade.trade_id) == (1790000000123, "14329")
    for frame in (BITGET_TRADE, BITGET_BAR, bitget_liquidation()):
        assert reasons(decode("bitget", {**frame, "action": "snapshot"})) == ["snapshot_dropped"]


def test_a_ticker_gives_mark_and_open_interest_and_an_update_changes_what_it_names():
    decoder = BITGET.decoder({})

    mark, interest = decoder.decode(encoded(BITGET_TICKER), RECEIVED_MS)
    (later,) = decoder.decode(encoded(bitget("ticker", {"markPrice": "76000"})), RECEIVED_MS)

    assert (mark.price, mark.index_price, mark.funding_rate) == (76631.4, 76671.4, -0.00003)
    assert (mark.next_funding_ms, mark.exchange_ms) == (1790006400000, 1790000000456)
    assert (interest.quantity, interest.uncertain) == (29539.3825, "sides")
    assert (later.price, later.funding_rate, later.next_funding_ms) == (76000, -0.00003, 1790006400000)


def test_a_bar_is_never_called_closed():
    (bar,) = decode("bitget", BITGET_BAR)

    assert (bar.interval, bar.closed, bar.exchange_ms) == ("1m", False, 1789999980000)
    assert (bar.quantity, bar.notional_usd) == (7.5, 757.5)


def test_the_reply_of_rest_with_open_interest_is_read_too():
    rows = [{"symbol": "BTCUSDT", "openInterest": "2243.019"}]

    (found,) = decode("bitget", {"code": "00000", "data": {"list": rows, "ts": "1790000000123"}})

    assert (found.quantity, found.exchange_ms) == (2243.019, 1790000000123)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"pong", "pong"),
        (BITGET_ACK, "subscribed"),
        ({"event": "error", "code": 30001, "msg": "doesn't exist"}, "subscribe_refused"),
        ({"event": "error", "code": "30001", "msg": "doesn't exist"}, "subscribe_refused"),
        (bitget("publicTrade", arg={"instType": "spot", "topic": "publicTrade", "symbol": "BTCUSDT"}), "other_market"),
        (bitget("publicTrade", {}, symbol="BTCPERP"), "other_market"),
        (bitget("books5", {}), "not_used"),
        ({"action": "update", "arg": {"instType": "mc", "channel": "trade", "instId": "X"}}, "retired_protocol"),
        ({"event": "subscribe", "arg": {"instType": "mc", "channel": "trade", "instId": "X"}}, "retired_protocol"),
        ({"table": "swap/trade", "data": []}, "retired_protocol"),
        ({"code": "00000", "data": {"symbol": "BTCUSDT_UMCBL", "amount": "1"}}, "retired_protocol"),
        (bitget_liquidation() | {"data": []}, "empty"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(decode("bitget", frame)) == [reason]


@pytest.mark.parametrize(
    "frame",
    [
        bitget("somethingNew", {}),
        {**BITGET_TICKER, "ts": None},
        {**BITGET_BAR, "arg": {**BITGET_BAR["arg"], "interval": "7m"}},
        {"event": "login"},
        {"code": "40001", "msg": "no"},
        {"code": "00000", "data": {"list": 3}},
        {},
        b"ping",
    ],
)
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        decode("bitget", frame)


def test_only_online_crypto_perpetuals_are_instruments():
    def a_row(symbol, base, **changes):
        plain = {"symbol": symbol, "baseCoin": base, "quoteCoin": "USDT", "type": "perpetual", "isRwa": "NO"}
        return {**plain, "symbolType": "crypto", "status": "online", **changes}

    rows = [
        a_row("BTCUSDT", "BTC"),
        a_row("1MBABYDOGEUSDT", "1MBABYDOGE"),
        a_row("WENUSDT", "WEN", isRwa="YES"),
        a_row("XAUUSDT", "XAU", symbolType="metal"),
        a_row("BTCUSDT261225", "BTC", type="delivery"),
        a_row("BTCPERP", "BTC", quoteCoin="USDC"),
        a_row("OLDUSDT", "OLD", status="offline"),
        {"symbol": "BROKEN"},
    ]
    page = BITGET.read_instruments(encoded({"code": "00000", "data": rows}))

    assert [(one.asset, one.multiplier) for one in page.instruments] == [("BTC", 1), ("BABYDOGE", 1e6)]
    assert dict(page.left_out) == {
        "rwa": 1,
        "type_metal": 1,
        "contract_delivery": 1,
        "quote_usdc": 1,
        "status_offline": 1,
        "malformed": 1,
    }


@pytest.mark.parametrize("body", [b"", b'{"code":"40001","msg":"no"}'])
def test_a_reply_that_lists_nothing_is_an_error(body):
    with pytest.raises(FrameError):
        BITGET.read_instruments(body)


def args_of(plan):
    return [arg for frame in plan.subscribe for arg in json.loads(frame)["args"]]


def test_one_topic_brings_all_liquidations_and_tickers_follow_on_sockets_of_fifty():
    names = [f"COIN{n:03}USDT" for n in range(120)]
    many = [Instrument(venue="bitget", instrument=name, asset="COIN") for name in names]

    plans = BITGET.sockets(many, frozenset({"COIN"}))

    assert [plan.brings_liquidations for plan in plans] == [True, False, False]
    assert args_of(plans[0])[0] == {"instType": "usdt-futures", "topic": "liquidation"}
    assert [arg["symbol"] for plan in plans for arg in args_of(plan) if "symbol" in arg] == names
    assert [plan.acks for plan in plans] == [50, 50, 21]


def test_trades_and_bars_have_sockets_of_their_own():
    plans = BITGET.sockets(BITGET_SYMBOLS.values(), frozenset({"BTC"}), frozenset({Feed.TRADES, Feed.KLINES}))

    assert [(plan.name, plan.feeds) for plan in plans] == [("trades-1", {Feed.TRADES}), ("klines-1", {Feed.KLINES})]
    assert args_of(plans[1])[0]["interval"] == "1m"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(429, b"", "rate_limited"), (200, b'{"code":"429"}', "rate_limited"), (403, b"", "forbidden")],
)
def test_a_refusal_says_why(status, body, reason):
    assert BITGET.refusal(status, {}, body).reason == reason
    assert BITGET.refusal(451, {}, b"").permanent
    assert BITGET.refusal(200, {}, b'{"code":"00000"}') is None
