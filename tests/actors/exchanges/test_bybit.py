import gzip
import json

import pytest

from actors.exchanges.bybit import ARGS_CHARS
from actors.exchanges.exchange import FrameError, Instrument, RestCall
from actors.exchanges.registry import EXCHANGES
from tests.actors.exchanges.frames import (
    BYBIT_KLINE,
    PUBLIC_TRADE,
    RECEIVED_MS,
    WHOLE_TICKER,
    all_liquidation,
    decode,
    encoded,
    reasons,
    recorded,
    ticker,
)

BYBIT = EXCHANGES["bybit"]


def a_row(symbol, base, quote="USDT", **changes):
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": quote,
        "settleCoin": quote,
        "isPreListing": False,
        "symbolType": "",
        **changes,
    }


def a_reply(*rows, cursor=""):
    return encoded({"retCode": 0, "retMsg": "OK", "result": {"list": list(rows), "nextPageCursor": cursor}})


def listed(*names):
    return {name: Instrument(venue="bybit", instrument=name, asset=name.removesuffix("USDT")) for name in names}


def test_the_side_of_a_liquidation_is_that_of_the_position():
    long, short = decode("bybit", all_liquidation({"S": "Buy"}, {"S": "Sell"}))

    assert (long.position_side, short.position_side) == ("long", "short")


def test_a_liquidation_carries_its_bankruptcy_price_and_the_feed_is_complete():
    (found,) = decode("bybit", all_liquidation())

    assert (found.quantity, found.price, found.price_kind) == (20_000, 0.04499, "bankruptcy")
    assert (found.notional_usd, found.coverage) == (pytest.approx(899.8), "complete")
    assert (found.asset, found.exchange_ms, found.received_ms) == ("ROSE", 1739502302929, RECEIVED_MS)


@pytest.mark.parametrize(
    ("symbol", "asset", "multiplier"),
    [("1000PEPEUSDT", "PEPE", 1_000), ("SHIB1000USDT", "SHIB", 1_000), ("1000000MOGUSDT", "MOG", 1_000_000)],
)
def test_a_scaled_contract_is_counted_in_single_coins(symbol, asset, multiplier):
    (found,) = decode("bybit", all_liquidation({"v": "3", "p": "0.5"}, symbol=symbol))

    assert (found.asset, found.quantity, found.notional_usd) == (asset, 3 * multiplier, 1.5)
    assert found.price == pytest.approx(0.5 / multiplier)


def test_one_bad_liquidation_does_not_cost_the_others():
    frame = all_liquidation({}, {"p": "0"}, {"S": "Buy"})

    with pytest.raises(FrameError, match=r"\$\.p") as caught:
        decode("bybit", frame)

    assert [found.position_side for found in caught.value.decoded] == ["short", "long"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("v", "0"), ("v", "-3"), ("p", "nan"), ("S", "buy"), ("T", 1739502302), ("T", "soon"), ("s", None)],
)
def test_an_impossible_field_is_an_error_that_names_it(field, value):
    with pytest.raises(FrameError, match=rf"\$\.{field}\b"):
        decode("bybit", all_liquidation({field: value}))


def test_a_ticker_gives_mark_and_one_side_of_the_open_interest():
    mark, interest = decode("bybit", WHOLE_TICKER)

    assert (mark.price, mark.index_price, mark.funding_rate) == (65117.44, 65137.76, 0.0001)
    assert (mark.next_funding_ms, mark.exchange_ms) == (1786320000000, 1786310817583)
    assert (interest.quantity, interest.notional_usd) == (29945.866, 1949998132.50)


def test_a_ticker_of_before_june_2026_counted_both_sides_and_is_halved():
    (interest,) = decode("bybit", ticker(openInterest="52774.528", openInterestValue="1506861070.82"))

    assert (interest.quantity, interest.notional_usd) == (26387.264, 753430535.41)


def test_a_delta_changes_only_what_it_names():
    decoder = BYBIT.decoder({})
    decoder.decode(encoded(WHOLE_TICKER), RECEIVED_MS)

    (mark,) = decoder.decode(encoded(ticker("delta", ts=1786310818183, indexPrice="65000")), RECEIVED_MS)
    nothing = decoder.decode(encoded(ticker("delta", bid1Price="1")), RECEIVED_MS)
    (interest,) = decoder.decode(encoded(ticker("delta", singleOpenInterest="30000")), RECEIVED_MS)

    assert (mark.price, mark.index_price, mark.funding_rate) == (65117.44, 65000, 0.0001)
    assert mark.exchange_ms == 1786310818183
    assert reasons(nothing) == ["unchanged"]
    assert (interest.quantity, interest.notional_usd) == (30_000, 1949998132.50)


def test_a_refused_delta_leaves_what_was_known():
    decoder = BYBIT.decoder({})
    decoder.decode(encoded(WHOLE_TICKER), RECEIVED_MS)
    for bad in ({"markPrice": "-1"}, {"nextFundingTime": "12"}):
        with pytest.raises(FrameError):
            decoder.decode(encoded(ticker("delta", fundingRate="0.5", **bad)), RECEIVED_MS)

    (mark,) = decoder.decode(encoded(ticker("delta", markPrice="65118")), RECEIVED_MS)

    assert (mark.funding_rate, mark.next_funding_ms) == (0.0001, 1786320000000)


def test_a_new_connection_forgets_the_tickers_of_the_last():
    BYBIT.decoder({}).decode(encoded(WHOLE_TICKER), RECEIVED_MS)

    assert reasons(decode("bybit", ticker("delta", fundingRate="0.0002"))) == ["unchanged"]
    assert decode("bybit", ticker("delta", markPrice="65118"))[0].index_price is None


def test_a_snapshot_replaces_what_was_known():
    decoder = BYBIT.decoder({})
    decoder.decode(encoded(WHOLE_TICKER), RECEIVED_MS)

    (mark,) = decoder.decode(encoded(ticker(markPrice="1")), RECEIVED_MS)

    assert (mark.price, mark.index_price, mark.funding_rate) == (1, None, None)


@pytest.mark.parametrize("changes", [{"ts": None}, {"ts": 0}, {"ts": 5}, {"data": {"symbol": "ETHUSDT"}}, {"data": []}])
def test_a_ticker_without_time_or_of_another_symbol_is_an_error(changes):
    with pytest.raises(FrameError):
        decode("bybit", {**WHOLE_TICKER, **changes})


def test_a_trade_tells_the_side_of_the_taker():
    (trade,) = decode("bybit", PUBLIC_TRADE)

    assert (trade.taker_side, trade.quantity, trade.price) == ("buy", 0.001, 16578.5)
    assert (trade.trade_id, trade.exchange_ms) == ("20f43950-d8dd-5b31-9112-a178eb6023af", 1790000000123)


def test_a_block_trade_is_set_aside():
    row = PUBLIC_TRADE["data"][0]

    assert reasons(decode("bybit", {**PUBLIC_TRADE, "data": [{**row, "BT": True}]})) == ["block_trade"]


def test_a_bar_is_told_in_the_common_spelling_of_its_interval():
    (bar,) = decode("bybit", BYBIT_KLINE)

    assert (bar.interval, bar.closed, bar.exchange_ms) == ("1h", True, 1789999200000)
    assert (bar.open, bar.high, bar.low, bar.close) == (100, 102, 99, 101)
    assert (bar.quantity, bar.notional_usd, bar.taker_buy_quantity) == (7.5, 757.5, None)


def test_a_bar_of_an_unknown_interval_is_an_error():
    row = BYBIT_KLINE["data"][0]

    with pytest.raises(FrameError, match="interval"):
        decode("bybit", {**BYBIT_KLINE, "data": [{**row, "interval": "7"}]})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"success": True, "ret_msg": "", "conn_id": "x", "req_id": "1", "op": "subscribe"}, "subscribed"),
        ({"success": False, "ret_msg": "Invalid symbol", "op": "subscribe"}, "subscribe_refused"),
        ({"success": True, "ret_msg": "pong", "conn_id": "x", "op": "ping"}, "pong"),
        ({"topic": "liquidation.BTCUSDT", "data": {"side": "Sell", "price": "1", "qty": "2"}}, "retired_protocol"),
        ({"topic": "instrument_info.100ms.BTCUSDT", "data": {}}, "retired_protocol"),
        ({"ret_code": 0, "ret_msg": "OK", "result": []}, "retired_protocol"),
        ({"topic": "tickers.BTCUSD", "type": "delta", "data": {}}, "other_market"),
        ({"topic": "publicTrade.BTC-26SEP25", "data": [{}]}, "other_market"),
        ({"topic": "orderbook.50.BTCUSDT", "data": {}}, "not_used"),
        ({"topic": "allLiquidation.BTCUSDT", "data": []}, "empty"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(decode("bybit", frame)) == [reason]


def test_a_refused_subscription_carries_the_words_of_the_venue():
    (control,) = decode("bybit", {"success": False, "ret_msg": "Invalid symbol", "op": "subscribe"})

    assert control.detail == "Invalid symbol"


@pytest.mark.parametrize("frame", [{}, {"topic": "somethingNew.BTCUSDT", "data": []}, {"op": "auth"}, b"pong", [1]])
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        decode("bybit", frame)


def test_with_a_list_a_symbol_outside_it_is_set_aside():
    frame = all_liquidation(symbol="TSLAUSDT")

    assert reasons(decode("bybit", frame, listed("BTCUSDT"))) == ["not_listed"]


def test_usdc_perpetuals_are_read_by_their_suffix():
    assert decode("bybit", all_liquidation(symbol="BTCPERP"))[0].asset == "BTC"


def test_only_trading_crypto_perpetuals_are_instruments_and_pages_follow():
    page = BYBIT.read_instruments(
        a_reply(
            a_row("BTCUSDT", "BTC"),
            a_row("BTCPERP", "BTC", "USDC"),
            a_row("SHIB1000USDT", "SHIB1000", symbolType="innovation"),
            a_row("TSLAUSDT", "TSLA", symbolType="stock"),
            a_row("XAUUSDT", "XAU", symbolType="commodity"),
            a_row("EURUSDT", "EUR", symbolType="forex"),
            a_row("NEWUSDT", "NEW", isPreListing=True),
            a_row("OLDUSDT", "OLD", status="Closed"),
            a_row("BTCUSDT-26SEP25", "BTC", contractType="LinearFutures"),
            {"symbol": "BROKEN"},
            cursor="first%3DBTC",
        )
    )

    assert [(one.instrument, one.asset, one.multiplier) for one in page.instruments] == [
        ("BTCUSDT", "BTC", 1),
        ("BTCPERP", "BTC", 1),
        ("SHIB1000USDT", "SHIB", 1000),
    ]
    assert dict(page.left_out) == {
        "type_stock": 1,
        "type_commodity": 1,
        "type_forex": 1,
        "pre_listing": 1,
        "status_closed": 1,
        "contract_linearfutures": 1,
        "malformed": 1,
    }
    assert BYBIT.instruments_call() == RestCall(
        path="/v5/market/instruments-info", params=(("category", "linear"), ("limit", "1000"))
    )
    assert page.following.params[-1] == ("cursor", "first%3DBTC")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"retCode":10006,"retMsg":"Too many visits!","result":{}}'])
def test_a_reply_that_lists_nothing_is_an_error(body):
    with pytest.raises(FrameError):
        BYBIT.read_instruments(body)


def topics_of(plan):
    return [topic for frame in plan.subscribe for topic in json.loads(frame)["args"]]


def test_the_topics_are_spread_over_sockets_that_keep_to_the_limit():
    instruments = tuple(listed(*(f"COIN{number:04}USDT" for number in range(1200))).values())

    plans = BYBIT.sockets(instruments, frozenset({"COIN0000", "COIN0001"}))

    topics = [topic for plan in plans for topic in topics_of(plan)]
    assert len(plans) >= 2
    assert len({plan.name for plan in plans}) == len(plans)
    assert sorted(topics) == sorted(
        [f"allLiquidation.{one.instrument}" for one in instruments] + ["tickers.COIN0000USDT", "tickers.COIN0001USDT"]
    )
    for plan in plans:
        assert len(json.dumps(topics_of(plan), separators=(",", ":"))) <= ARGS_CHARS
        assert plan.acks == len(plan.subscribe)
        assert all(10 <= len(json.loads(frame)["args"]) <= 50 for frame in plan.subscribe[:-1])


def test_a_new_listing_changes_one_socket_only():
    before = tuple(listed(*(f"COIN{number:04}USDT" for number in range(1200))).values())
    after = (*listed("BRANDNEWUSDT").values(), *before)

    changed = set(BYBIT.sockets(before, frozenset())) ^ set(BYBIT.sockets(after, frozenset()))

    assert len({plan.name for plan in changed}) == 1


def test_only_a_socket_with_a_ticker_is_expected_to_speak():
    (silent,) = BYBIT.sockets(listed("BTCUSDT").values(), frozenset())
    (speaking,) = BYBIT.sockets(listed("BTCUSDT").values(), frozenset({"BTC"}))

    assert (silent.data_within_s, speaking.data_within_s) == (None, 10.0)
    assert silent.brings_liquidations
    assert BYBIT.sockets((), frozenset()) == ()


CLOUDFRONT = b"<HTML>... The Amazon CloudFront distribution is configured to block access from your country ...</HTML>"


@pytest.mark.parametrize(
    ("status", "body", "reason", "permanent", "wait_s"),
    [
        (403, CLOUDFRONT, "geo_blocked", True, 0),
        (403, b"access too frequent", "rate_limited", False, 600),
        (403, b"", "forbidden", False, 600),
        (200, b'{"retCode":10006,"retMsg":"Too many visits!"}', "rate_limited", False, 5),
        (200, b'{"retCode":10024,"retMsg":"Compliance rules triggered"}', "geo_blocked", True, 0),
        (200, b'{"retCode":10009,"retMsg":"IP has been banned"}', "geo_blocked", True, 0),
        (429, b"", "rate_limited", False, 5),
    ],
)
def test_a_refusal_says_whether_and_when_to_try_again(status, body, reason, permanent, wait_s):
    refusal = BYBIT.refusal(status, {}, body)

    assert (refusal.reason, refusal.permanent, refusal.retry_after_s) == (reason, permanent, wait_s)


@pytest.mark.parametrize(("status", "body"), [(101, b""), (200, b'{"retCode":0}'), (404, b""), (502, b"<html>")])
def test_other_answers_are_no_refusal(status, body):
    assert BYBIT.refusal(status, {}, body) is None


def test_the_recorded_list_of_2026_leaves_out_shares_metals_and_dated_contracts():
    body = gzip.decompress(recorded("bybit/rest/instruments_info_linear_2026-08-09.json.gz").read_bytes())

    page = BYBIT.read_instruments(body)

    units = {one.instrument: (one.asset, one.multiplier) for one in page.instruments}
    assert len(units) == 68 + 397 + 117
    assert dict(page.left_out) == {"contract_linearfutures": 40, "type_commodity": 4, "type_stock": 174}
    assert page.following is None
    assert {name: units[name] for name in ("0GUSDT", "1INCHUSDT", "4USDT", "SHIB1000PERP", "10000SATSUSDT")} == {
        "0GUSDT": ("0G", 1),
        "1INCHUSDT": ("1INCH", 1),
        "4USDT": ("4", 1),
        "SHIB1000PERP": ("SHIB", 1000),
        "10000SATSUSDT": ("SATS", 10_000),
    }


def test_recorded_tickers_equal_a_plain_merge_of_their_deltas():
    decoder = BYBIT.decoder({})
    merged = {}
    with recorded("bybit/ws/ticker_2026-08-09.jsonl").open("rb") as lines:
        for line in lines:
            frame = json.loads(line)
            fresh = frame["data"]
            whole = merged.setdefault(fresh["symbol"], {})
            whole.update(fresh)

            found = {type(record).__name__: record for record in decoder.decode(line.strip(), RECEIVED_MS)}

            marked = {"markPrice", "indexPrice", "fundingRate", "nextFundingTime"} & fresh.keys()
            assert ("MarkPrice" in found) == bool(marked)
            assert ("OpenInterest" in found) == ("openInterest" in fresh)
            if mark := found.get("MarkPrice"):
                assert [mark.price, mark.index_price] == [float(whole["markPrice"]), float(whole["indexPrice"])]
                assert [mark.funding_rate, mark.exchange_ms] == [float(whole["fundingRate"]), frame["ts"]]
            if interest := found.get("OpenInterest"):
                assert interest.quantity == pytest.approx(float(whole["openInterest"]) / 2)
                assert interest.notional_usd == pytest.approx(
                    float(whole["openInterestValue"]) / 2, rel=1e-7
                )  # rounded apart


def test_recorded_trades_keep_every_row_with_its_taker():
    with recorded("bybit/ws/trade_2026-08-09.jsonl").open("rb") as lines:
        for line in lines:
            rows = json.loads(line)["data"]

            found = decode("bybit", line.strip())

            assert [(t.taker_side, t.quantity, t.price, t.trade_id, t.exchange_ms) for t in found] == [
                (row["S"].lower(), float(row["v"]), float(row["p"]), row["i"], row["T"]) for row in rows
            ]


def test_every_recorded_bar_has_the_prices_and_volumes_of_its_row():
    for line in recorded("bybit/ws/kline_2026-08-09.jsonl").read_bytes().splitlines():
        rows = json.loads(line)["data"]

        found = decode("bybit", line)

        assert [(bar.open, bar.high, bar.low, bar.close, bar.quantity, bar.notional_usd) for bar in found] == [
            tuple(float(row[name]) for name in ("open", "high", "low", "close", "volume", "turnover")) for row in rows
        ]
        assert [(bar.closed, bar.exchange_ms) for bar in found] == [(row["confirm"], row["start"]) for row in rows]
