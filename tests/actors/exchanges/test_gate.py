import gzip
import json

import pytest

from actors.exchanges.exchange import Feed, FrameError, UnknownInstrument
from actors.exchanges.gate_frames import OF_ORDER, OF_POSITION, SIGN
from actors.exchanges.registry import EXCHANGES
from tests.actors.exchanges.frames import RECEIVED_MS, decode, encoded, reasons, recorded
from tests.actors.exchanges.newer_frames import (
    GATE_ACK,
    GATE_BAR,
    GATE_CONTRACTS,
    GATE_STATISTICS,
    GATE_TICKER,
    GATE_TRADE,
    gate,
    public_liquidates,
)

GATE = EXCHANGES["gate"]


def read(frame, settled=None):
    if settled is None:
        return decode("gate", frame, GATE_CONTRACTS)
    return GATE.decoder(GATE_CONTRACTS, {SIGN: settled}).decode(encoded(frame), RECEIVED_MS)


def test_a_liquidation_is_read_as_the_order_and_its_side_is_uncertain_until_settled():
    long, short = read(public_liquidates({"size": "-125"}, {"size": "125"}))

    assert (long.position_side, short.position_side) == ("long", "short")
    assert long.uncertain == "position_side"
    assert (long.quantity, long.price, long.price_kind) == (pytest.approx(0.0125), 60_000, "order")
    assert (long.notional_usd, long.coverage) == (pytest.approx(750), "complete")


@pytest.mark.parametrize(("settled", "side"), [(OF_ORDER, "long"), (OF_POSITION, "short")])
def test_a_settled_sign_is_certain(settled, side):
    (found,) = read(public_liquidates({"size": "-125"}), settled)

    assert found.position_side == side
    assert not found.uncertain


@pytest.mark.parametrize("time", [1790000000, 1790000000123, "1790000000123", 1790000000.123])
def test_a_time_is_read_in_seconds_or_milliseconds(time):
    (found,) = read(public_liquidates({"time": time}))

    assert found.exchange_ms in (1790000000000, 1790000000123)


def test_a_million_in_the_name_and_the_contract_size_both_count():
    (found,) = read(public_liquidates({"contract": "MBABYDOGE_USDT", "size": -3, "price": "0.002"}))

    assert (found.asset, found.quantity) == ("BABYDOGE", 3 * 100 * 1e6)
    assert (found.price, found.notional_usd) == (pytest.approx(2e-9), pytest.approx(0.6))


def test_the_sign_of_a_trade_is_the_takers():
    (trade,) = read(GATE_TRADE)

    assert (trade.taker_side, trade.quantity, trade.price) == ("sell", pytest.approx(0.00025), 60000.5)
    assert (trade.exchange_ms, trade.trade_id) == (1790000000123, "27753479")


def test_a_trade_that_was_not_on_the_book_is_set_aside():
    row = GATE_TRADE["result"][0]

    assert reasons(read(gate("trades", {**row, "is_internal": True}))) == ["not_a_market_trade"]


def test_a_ticker_gives_mark_and_open_interest_whose_sides_are_not_documented():
    mark, interest = read(GATE_TICKER)

    assert (mark.price, mark.index_price, mark.funding_rate) == (60001, 60002, 0.0001)
    assert interest.quantity == pytest.approx(3232.3904)
    assert interest.notional_usd == pytest.approx(3232.3904 * 60001)
    assert (interest.uncertain, interest.exchange_ms) == ("sides", 1790000000456)


def test_a_bar_says_whether_it_is_closed():
    (bar,) = read(GATE_BAR)

    assert (bar.interval, bar.closed, bar.exchange_ms) == ("1m", True, 1789999980000)
    assert (bar.open, bar.high, bar.low, bar.close) == (100, 102, 99, 101)
    assert (bar.quantity, bar.notional_usd) == (pytest.approx(0.075), 7.5)


def test_statistics_are_totals_of_one_side_each_and_open_interest():
    interest, longs = read(GATE_STATISTICS)

    assert (interest.quantity, interest.notional_usd) == (pytest.approx(12.4724), 748344)
    assert (longs.position_side, longs.coverage) == ("long", "aggregate")
    assert (longs.quantity, longs.price, longs.notional_usd) == (pytest.approx(0.05), 60_000, pytest.approx(3_000))


def test_without_its_list_a_frame_is_an_error_that_says_so():
    for frame in (public_liquidates(), GATE_TRADE, GATE_TICKER, GATE_BAR):
        with pytest.raises(UnknownInstrument, match="list of instruments is missing"):
            decode("gate", frame)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (GATE_ACK, "subscribed"),
        (gate("trades", event="subscribe", error={"code": 2, "message": "unknown contract"}), "subscribe_refused"),
        (gate("trades", event="subscribe", result={"status": "fail"}), "subscribe_refused"),
        ({"time": 1, "channel": "futures.pong", "event": "", "result": None}, "pong"),
        (gate("order_book", {"t": 1}), "not_used"),
        (gate("trades", {**GATE_TRADE["result"][0], "contract": "BTC_USD"}), "other_market"),
        (gate("trades", {**GATE_TRADE["result"][0], "contract": "BTC_USDT_20261225"}), "other_market"),
        (gate("candlesticks", {**GATE_BAR["result"][0], "n": "1m_mark_BTC_USDT"}), "not_used"),
        ([{"time": 1654335000, "open_interest": 1, "open_interest_usd": 1}], "no_instrument"),
        (gate("trades"), "empty"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(read(frame)) == [reason]


@pytest.mark.parametrize(
    "frame",
    [
        public_liquidates({"size": "0"}),
        public_liquidates({"time": 12}),
        gate("somethingNew", {}),
        gate("candlesticks", {**GATE_BAR["result"][0], "n": "7m_BTC_USDT"}),
        gate("tickers", {**GATE_TICKER["result"][0], "mark_price": "0"}),
        {**GATE_TICKER, "time": 0, "time_ms": 0},
        {},
        b"pong",
    ],
)
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        read(frame)


def test_one_bad_row_does_not_cost_the_others():
    with pytest.raises(FrameError) as caught:
        read(public_liquidates({}, {"size": "0"}, {"price": "x"}, {"size": 5}))

    assert [found.position_side for found in caught.value.decoded] == ["long", "short"]


def a_row(name, **changes):
    return {"name": name, "quanto_multiplier": "0.0001", "type": "direct", "contract_type": "", **changes}


def test_only_trading_crypto_contracts_are_instruments():
    page = GATE.read_instruments(
        encoded(
            [
                a_row("BTC_USDT"),
                a_row("MBABYDOGE_USDT", quanto_multiplier="100"),
                a_row("MANA_USDT"),
                a_row("OLD_USDT", in_delisting=True),
                a_row("NEW_USDT", is_pre_market=True),
                a_row("GONE_USDT", status="delisted"),
                a_row("TSLA_USDT", contract_type="stocks"),
                a_row("PAXG_USDT", contract_type="metals"),
                a_row("USDC_USDT", contract_type="forex"),
                a_row("BTC_USD", type="inverse"),
                a_row("BAD_USDT", quanto_multiplier="0"),
            ]
        )
    )

    assert [(one.instrument, one.asset, one.contract_size, one.multiplier) for one in page.instruments] == [
        ("BTC_USDT", "BTC", 0.0001, 1),
        ("MBABYDOGE_USDT", "BABYDOGE", 100, 1e6),
        ("MANA_USDT", "MANA", 0.0001, 1),
    ]
    assert dict(page.left_out) == {
        "in_delisting": 1,
        "pre_market": 1,
        "status_delisted": 1,
        "type_stocks": 1,
        "type_metals": 1,
        "type_forex": 1,
        "contract_inverse": 1,
        "malformed": 1,
    }
    assert page.following is None


def test_pages_follow_until_a_short_one_and_go_on_from_their_own_call():
    first = GATE.instruments_call()
    full = encoded([a_row(f"C{n}_USDT") for n in range(100)])

    second = GATE.read_instruments(full, first).following
    third = GATE.read_instruments(full, second).following

    assert [dict(call.params)["offset"] for call in (first, second, third)] == ["0", "100", "200"]
    assert GATE.read_instruments(encoded([a_row("X_USDT")]), third).following is None
    assert first.headers == (("X-Gate-Size-Decimal", "1"),)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"label":"TOO_MANY_REQUESTS","message":"x"}'])
def test_a_reply_that_lists_nothing_is_an_error(body):
    with pytest.raises(FrameError):
        GATE.read_instruments(body)


def subscriptions(plan):
    return [(frame["channel"], frame["payload"]) for frame in map(json.loads, plan.subscribe)]


def test_one_socket_brings_all_liquidations_and_the_tickers_of_the_wanted_assets():
    (plan,) = GATE.sockets(GATE_CONTRACTS.values(), frozenset({"BTC"}))

    assert plan.path == "/v4/ws/usdt"
    assert subscriptions(plan) == [("futures.public_liquidates", ["!all"]), ("futures.tickers", ["BTC_USDT"])]
    assert (plan.acks, plan.brings_liquidations, plan.data_within_s) == (2, True, 15.0)


def test_trades_and_bars_have_sockets_of_their_own():
    plans = GATE.sockets(GATE_CONTRACTS.values(), frozenset({"BTC"}), frozenset({Feed.TRADES, Feed.KLINES}))

    assert [(plan.name, subscriptions(plan)) for plan in plans] == [
        ("trades-1", [("futures.trades", ["BTC_USDT"])]),
        ("klines-1", [("futures.candlesticks", ["1m", "BTC_USDT"])]),
    ]


@pytest.mark.parametrize(
    ("status", "body", "reason", "permanent"),
    [
        (429, b"", "rate_limited", False),
        (400, b'{"label":"TOO_MANY_REQUESTS"}', "rate_limited", False),
        (403, b"", "forbidden", False),
        (451, b"", "geo_blocked", True),
    ],
)
def test_a_refusal_says_whether_to_try_again(status, body, reason, permanent):
    refusal = GATE.refusal(status, {}, body)

    assert (refusal.reason, refusal.permanent) == (reason, permanent)
    assert GATE.refusal(200, {}, b"[]") is None


def test_the_recorded_list_of_2023_is_read_whole():
    body = gzip.decompress(recorded("gate/rest/contracts_usdt_2023-05-24.json.gz").read_bytes())

    page = GATE.read_instruments(body)

    units = {one.instrument: (one.asset, one.contract_size) for one in page.instruments}
    assert len(units) + sum(dict(page.left_out).values()) == 302
    assert units["BTC_USDT"] == ("BTC", 0.0001)
    assert units["PEPE_USDT"] == ("PEPE", 10_000_000)
    assert page.following is None
