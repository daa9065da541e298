import csv
import gzip
import json

import pytest

from actors.exchanges.exchange import FrameError
from actors.exchanges.registry import EXCHANGES
from tests.actors.exchanges.frames import (
    AGG_TRADE,
    BINANCE_KLINE,
    RAW_TRADE,
    RECEIVED_MS,
    binance_mark,
    decode,
    encoded,
    force_order,
    reasons,
    recorded,
)

BINANCE = EXCHANGES["binance"]


def a_symbol(symbol, base, quote="USDT", contract="PERPETUAL", status="TRADING", underlying="COIN"):
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": contract,
        "status": status,
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "underlyingType": underlying,
        "pricePrecision": 2,
    }


def listed(*symbols):
    page = BINANCE.read_instruments(encoded({"symbols": list(symbols)}))
    return {one.instrument: one for one in page.instruments}


def only(decoded):
    assert len(decoded) == 1
    return decoded[0]


def test_a_forced_sell_is_a_liquidated_long_at_its_average_fill():
    found = only(decode("binance", force_order({"z": "2", "q": "3", "ap": "9905", "p": "9910"})))

    assert (found.position_side, found.quantity, found.price, found.price_kind) == ("long", 2, 9905, "fill")
    assert (found.notional_usd, found.coverage) == (2 * 9905, "capped")
    assert (found.asset, found.exchange_ms, found.received_ms) == ("BTC", 1568014460893, RECEIVED_MS)


def test_a_forced_buy_is_a_liquidated_short():
    assert only(decode("binance", force_order({"S": "BUY"}))).position_side == "short"


@pytest.mark.parametrize("average", ["0", "0.00", 0])
def test_without_an_average_price_the_price_of_the_order_is_told_as_such(average):
    found = only(decode("binance", force_order({"ap": average})))

    assert (found.price, found.price_kind) == (9910, "order")


def test_a_thousand_pepe_contract_is_counted_in_pepe():
    found = only(decode("binance", force_order({"s": "1000PEPEUSDT", "z": "50", "ap": "0.012"})))

    assert (found.asset, found.instrument) == ("PEPE", "1000PEPEUSDT")
    assert (found.quantity, found.price) == (50_000, pytest.approx(0.000012))
    assert found.notional_usd == pytest.approx(0.6)


@pytest.mark.parametrize("status", ["NEW", "PARTIALLY_FILLED", "EXPIRED"])
def test_an_order_that_is_not_filled_is_no_liquidation(status):
    assert reasons(decode("binance", force_order({"X": status, "z": "0"}))) == ["not_filled"]


def test_an_order_of_the_coin_margined_market_is_set_aside():
    frame = force_order({"s": "BTCUSD_PERP", "z": "10"}, st=2, ps="BTCUSD")

    assert reasons(decode("binance", frame)) == ["other_market"]
    assert reasons(decode("binance", force_order(st=2))) == ["other_market"]


def test_an_order_without_market_counts_only_if_its_symbol_is_listed():
    instruments = listed(a_symbol("BTCUSDT", "BTC"))

    assert only(decode("binance", force_order(st=None), instruments)).asset == "BTC"
    assert reasons(decode("binance", force_order({"s": "TSLAUSDT"}, st=None), instruments)) == ["not_listed"]
    assert reasons(decode("binance", force_order({"s": "BTCUSD_PERP"}, st=None), instruments)) == ["other_market"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("z", "0"), ("z", "-1"), ("z", "NaN"), ("S", "BOTH"), ("T", 1568014460), ("ap", "-1"), ("p", "Infinity")],
)
def test_a_filled_order_with_an_impossible_field_is_an_error_that_names_it(field, value):
    with pytest.raises(FrameError, match=rf"\b{field}\b"):
        decode("binance", force_order({field: value}))


def test_a_raw_event_without_the_stream_wrapper_is_read_too():
    assert decode("binance", force_order()["data"]) == decode("binance", force_order())
    assert len(decode("binance", [binance_mark(), binance_mark("ETHUSDT")])) == 2


def test_an_aggregate_trade_tells_the_side_of_the_taker():
    sold = only(decode("binance", AGG_TRADE))
    bought = only(decode("binance", {**AGG_TRADE, "m": False}))

    assert (sold.taker_side, bought.taker_side) == ("sell", "buy")
    assert (sold.quantity, sold.price, sold.notional_usd) == (100, 0.001, pytest.approx(0.1))
    assert (sold.trade_id, sold.exchange_ms) == ("5933014", 1790000000120)


@pytest.mark.parametrize("kind", ["INSURANCE_FUND", "ADL", "NA"])
def test_a_raw_trade_that_no_taker_made_is_set_aside(kind):
    assert decode("binance", RAW_TRADE)[0].trade_id == "7"
    assert reasons(decode("binance", {**RAW_TRADE, "X": kind})) == ["not_a_market_trade"]
    assert reasons(decode("binance", {**RAW_TRADE, "X": kind, "p": "0", "q": "0"})) == ["not_a_market_trade"]


def test_mark_prices_of_all_symbols_come_in_one_frame_with_index_and_funding():
    bitcoin, pepe = decode("binance", [binance_mark(), binance_mark("1000PEPEUSDT", p="0.01", i="0.0", T=0)])

    assert (bitcoin.price, bitcoin.index_price) == (11794.15, 11784.62)
    assert (bitcoin.funding_rate, bitcoin.next_funding_ms) == (0.00038167, 1790006400000)
    assert (pepe.asset, pepe.price) == ("PEPE", pytest.approx(0.00001))
    assert (pepe.index_price, pepe.next_funding_ms) == (None, None)


def test_one_bad_row_does_not_cost_the_good_ones():
    rows = [binance_mark(), binance_mark("ETHUSDT", p="-1"), binance_mark("SOLUSDT"), binance_mark("XRPUSDT", T=5)]

    with pytest.raises(FrameError, match=r"\$\.p.*ETHUSDT.*and 1 more row") as caught:
        decode("binance", rows)

    assert [record.asset for record in caught.value.decoded] == ["BTC", "SOL"]


def test_an_absurd_next_funding_time_is_an_error_that_names_it():
    with pytest.raises(FrameError, match=r"^T: expected a time"):
        decode("binance", [binance_mark(T=5)])


def test_unlisted_rows_of_a_frame_are_told_once():
    instruments = listed(a_symbol("BTCUSDT", "BTC"))
    rows = [binance_mark(), binance_mark("TSLAUSDT"), binance_mark("XAUUSDT"), binance_mark("BTCUSD_PERP", i=None)]

    mark, *controls = decode("binance", rows, instruments)

    assert mark.asset == "BTC"
    assert [(told.reason, told.instrument, told.detail) for told in controls] == [
        ("not_listed", None, "2 rows"),
        ("other_market", "BTCUSD_PERP", ""),
    ]


def test_a_symbol_that_is_no_longer_listed_may_have_a_mark_price_of_zero():
    rows = [binance_mark(), binance_mark("LUNAUSDT", p="0.00000000")]

    mark, told = decode("binance", rows, listed(a_symbol("BTCUSDT", "BTC")))

    assert (mark.asset, told.reason, told.instrument) == ("BTC", "not_listed", "LUNAUSDT")


def test_a_bar_carries_what_takers_bought():
    bar = only(decode("binance", BINANCE_KLINE))

    assert (bar.open, bar.high, bar.low, bar.close) == (100, 102, 99, 101)
    assert (bar.quantity, bar.taker_buy_quantity, bar.notional_usd) == (7.5, 2.5, 757.5)
    assert (bar.interval, bar.closed, bar.exchange_ms) == ("1m", False, 1789999980000)


def test_the_reply_with_open_interest_is_in_coins():
    found = only(decode("binance", {"symbol": "1000PEPEUSDT", "openInterest": "109049.480", "time": 1789913109480}))

    assert (found.asset, found.quantity, found.exchange_ms) == ("PEPE", 109_049_480, 1789913109480)
    assert found.notional_usd is None


@pytest.mark.parametrize("symbol", ["BTCUSD_PERP", "BTCUSD_260925", "BTCUSDT_260925", "BTCBUSD", "ETHBTC", "USDT"])
def test_other_contracts_and_quotes_are_set_aside(symbol):
    assert reasons(decode("binance", {**AGG_TRADE, "s": symbol})) == ["other_market"]


def test_bitcoin_quoted_in_usdc_is_bitcoin():
    assert decode("binance", {**AGG_TRADE, "s": "BTCUSDC"})[0].asset == "BTC"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"result": None, "id": 1}, "subscribed"),
        ({"error": {"code": 2, "msg": "Invalid request"}, "id": 1}, "subscribe_refused"),
        ({"code": 3, "msg": "Invalid JSON"}, "subscribe_refused"),
        ({"result": ["btcusdt@aggTrade"], "id": 3}, "subscriptions"),
        ({"stream": "btcusdt@ticker", "data": {"e": "24hrTicker", "s": "BTCUSDT", "c": "1"}}, "not_used"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(decode("binance", frame)) == [reason]


@pytest.mark.parametrize("frame", [{}, {"e": "somethingNew"}, {"stream": "x", "data": {}}, b"", b"pong", b"[", b"[1]"])
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        decode("binance", frame)


def test_only_trading_perpetuals_on_coins_in_dollars_are_instruments():
    page = BINANCE.read_instruments(
        encoded(
            {
                "symbols": [
                    a_symbol("BTCUSDT", "BTC"),
                    a_symbol("BTCUSDC", "BTC", quote="USDC"),
                    a_symbol("1000PEPEUSDT", "1000PEPE"),
                    a_symbol("TSLAUSDT", "TSLA", contract="TRADIFI_PERPETUAL"),
                    a_symbol("BTCUSDT_260925", "BTC", contract="CURRENT_QUARTER"),
                    a_symbol("LUNAUSDT", "LUNA", status="SETTLING"),
                    a_symbol("ETHBTC", "ETH", quote="BTC"),
                    a_symbol("DEFIUSDT", "DEFI", underlying="INDEX"),
                    {"symbol": "BROKEN"},
                ]
            }
        )
    )

    assert [(one.instrument, one.asset, one.multiplier) for one in page.instruments] == [
        ("BTCUSDT", "BTC", 1),
        ("BTCUSDC", "BTC", 1),
        ("1000PEPEUSDT", "PEPE", 1000),
    ]
    assert dict(page.left_out) == {
        "contract_tradifi_perpetual": 1,
        "contract_current_quarter": 1,
        "status_settling": 1,
        "quote_btc": 1,
        "underlying_index": 1,
        "malformed": 1,
    }
    assert page.following is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code":-1003,"msg":"too many"}', b'{"symbols":{}}'])
def test_a_reply_without_symbols_is_an_error_or_an_empty_page(body):
    try:
        page = BINANCE.read_instruments(body)
    except FrameError:
        return
    assert (page.instruments, page.left_out) == ((), (("malformed", 1),))


def test_one_socket_on_the_market_route_brings_liquidations_and_marks():
    (plan,) = BINANCE.sockets((), frozenset())

    assert plan.path == "/market/stream"
    assert json.loads(plan.subscribe[0])["params"] == ["!forceOrder@arr", "!markPrice@arr@1s"]
    assert (plan.acks, plan.data_within_s, plan.brings_liquidations) == (1, 5.0, True)


@pytest.mark.parametrize(
    ("status", "headers", "reason", "permanent", "wait_s"),
    [
        (451, {}, "geo_blocked", True, 0),
        (418, {"Retry-After": "7200"}, "banned", False, 7200),
        (418, {}, "banned", False, 120),
        (429, {"retry-after": "13"}, "rate_limited", False, 13),
        (429, {"Retry-After": "soon"}, "rate_limited", False, 60),
        (418, {"Retry-After": "9" * 400}, "banned", False, 259_200),
        (403, {}, "firewall", False, 300),
    ],
)
def test_a_refusal_says_whether_and_when_to_try_again(status, headers, reason, permanent, wait_s):
    refusal = BINANCE.refusal(status, headers, b"")

    assert (refusal.reason, refusal.permanent, refusal.retry_after_s) == (reason, permanent, wait_s)
    assert refusal.advice


@pytest.mark.parametrize("status", [101, 200, 400, 404, 500, 503])
def test_other_answers_are_no_refusal(status):
    assert BINANCE.refusal(status, {}, b"{}") is None


def as_force_order(row):
    symbol, side, kind, force, quantity, price, average, status, last, filled, at_ms, _usd, *_ = row
    symbol = symbol.removeprefix("Hello Arbitrage Trading Bot")
    if not symbol.endswith(("USDT", "USDC")):  # the recorder cut USDT out, of BTCUSDT_250627 too
        base, _, expiry = symbol.partition("_")
        symbol = f"{base}USDT_{expiry}" if expiry else f"{base}USDT"
    order = {"s": symbol, "S": side, "o": kind, "f": force, "q": quantity, "p": price}
    order |= {"X": status, "l": last, "z": filled, "T": int(at_ms)}
    if average != "None":
        order["ap"] = average
    return {
        "stream": "!forceOrder@arr",
        "data": {"e": "forceOrder", "E": int(at_ms), "o": order, "ps": symbol, "st": 1},
    }


@pytest.mark.parametrize(
    ("file", "price_kind"),
    [
        ("2024-08-17_all_symbols", "fill"),
        ("2024-08-18_all_symbols", "fill"),
        ("2025-06-23a_all_symbols", "order"),
        ("2025-06-23b_all_symbols", "order"),
        ("2025-12-27_28_all_symbols", "fill"),
    ],
)
def test_every_recorded_forced_order_has_the_side_and_the_dollars_of_its_row(file, price_kind):
    with recorded(f"binance/force_orders/{file}.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))

    for row in rows:
        (found,) = decoded = decode("binance", as_force_order(row))
        if "_" in row[0]:
            assert reasons(decoded) == ["other_market"]
            continue
        price = row[6] if price_kind == "fill" else row[5]

        assert found.position_side == {"SELL": "long", "BUY": "short"}[row[1]]
        assert found.price_kind == price_kind
        assert found.notional_usd == pytest.approx(float(row[9]) * float(price))
        assert found.quantity * found.price == pytest.approx(found.notional_usd)
        assert found.exchange_ms == int(row[10])


def test_the_recorded_list_of_2021_leaves_out_busd_indices_and_dated_contracts():
    page = BINANCE.read_instruments(recorded("binance/rest/exchange_info_2021-07-21.json").read_bytes())

    assert len(page.instruments) == 115
    assert dict(page.left_out) == {
        "contract_current_quarter": 2,
        "contract_unnamed": 1,
        "quote_busd": 2,
        "underlying_index": 2,
    }
    assert {one.instrument: (one.asset, one.multiplier) for one in page.instruments}["1000SHIBUSDT"] == ("SHIB", 1000)


@pytest.mark.parametrize("file", ["agg_trade_2021-07-22.jsonl", "trade_BTCUSDT_2024-08-08.jsonl.gz"])
def test_every_recorded_trade_has_the_taker_the_price_and_the_id_of_its_frame(file):
    content = recorded(f"binance/ws/{file}").read_bytes()
    decoder = BINANCE.decoder({})

    for line in (gzip.decompress(content) if file.endswith(".gz") else content).splitlines():
        frame = json.loads(line)["data"]

        found = only(decoder.decode(line, RECEIVED_MS))

        assert found.taker_side == ("sell" if frame["m"] else "buy")
        assert (found.price, found.quantity) == (float(frame["p"]), float(frame["q"]))
        assert (found.trade_id, found.exchange_ms) == (str(frame.get("a", frame.get("t"))), frame["T"])
        assert f"{found.asset}USDT" == found.instrument == frame["s"]


def test_every_recorded_bar_has_the_prices_and_volumes_of_its_frame():
    for line in recorded("binance/ws/kline_2021-07-22.jsonl").read_bytes().splitlines():
        bar = json.loads(line)["data"]["k"]

        found = only(decode("binance", line))

        told = (found.open, found.high, found.low, found.close, found.quantity, found.notional_usd)
        assert (*told, found.taker_buy_quantity) == tuple(float(bar[name]) for name in "ohlcvqV")
        assert (found.interval, found.closed, found.exchange_ms) == (bar["i"], bar["x"], bar["t"])
