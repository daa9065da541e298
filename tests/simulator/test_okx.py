import json

import pytest

from simulator.assembly import market_server
from simulator.clock import ClockMap
from simulator.okx import OkxSettings, OkxVenue
from simulator.venue import Call, Close
from tests.simulator.serving import START_MS, a_liquidation, a_market, everything, read

LIQUIDATIONS = {"channel": "liquidation-orders", "instType": "SWAP"}
BTC_MARK = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}


def a_venue(market=None) -> OkxVenue:
    return market_server(market or a_market(), ClockMap([(0.0, START_MS, 1.0)])).venues["okx"]


def an_okx_liquidation(**changes):
    return a_liquidation(**({"venue": "okx", "symbol": "BTC-USDT-SWAP"} | changes))


def connect(venue=None, path="/ws/v5/public", **settings):
    venue = venue or a_venue()
    venue._settings = OkxSettings(**settings)
    return venue.connect(Call(path), 0.0)


def say(connection, op: str, *args: dict, now_s: float = 0.0, **more) -> list:
    return read(connection.receive(json.dumps({"op": op, "args": args} | more), now_s))


def run(venue, market, steps, happened=()):
    frames = []
    for _ in range(steps):
        market.now_ms += 100
        frames += venue.due(happened, everything)
        happened = ()
    return frames


def test_each_argument_is_acknowledged_on_its_own():
    connection = connect()

    replies = say(connection, "subscribe", BTC_MARK, BTC_MARK | {"instId": "ETH-USDT-SWAP"}, id="1512")

    assert replies[0] == {"id": "1512", "event": "subscribe", "arg": BTC_MARK, "connId": "00000001"}
    assert connection.topics == {"mark-price:BTC-USDT-SWAP", "mark-price:ETH-USDT-SWAP"}
    assert say(connection, "unsubscribe", BTC_MARK)[0]["event"] == "unsubscribe"
    assert connection.topics == {"mark-price:ETH-USDT-SWAP"}


def test_old_liquidations_follow_the_acknowledgement():
    ack, old = say(connect(a_venue(a_market(assets=30))), "subscribe", LIQUIDATIONS)

    times = [int(detail["ts"]) for row in old["data"] for detail in row["details"]]
    assert ack["event"] == "subscribe"
    assert times
    assert max(times) < START_MS


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "60012"),
        ('{"op":"shout","args":[]}', "60012"),
        ('{"op":"subscribe"}', "60012"),
        ('{"op":"subscribe","args":[{"channel":"nope","instId":"BTC-USDT-SWAP"}]}', "60018"),
        ('{"op":"subscribe","args":[{"channel":"mark-price","instId":"NOPE-USDT-SWAP"}]}', "60018"),
        ('{"op":"subscribe","args":["mark-price"]}', "60018"),
    ],
)
def test_wrong_requests_get_the_venues_error_codes(text, code):
    reply = read(connect().receive(text, 0.0))[0]

    assert (reply["event"], reply["code"]) == ("error", code)


def test_candles_are_on_the_business_address_only():
    candle = {"channel": "candle1m", "instId": "BTC-USDT-SWAP"}

    assert say(connect(), "subscribe", candle)[0]["code"] == "60018"
    assert say(connect(path="/ws/v5/business"), "subscribe", candle)[0]["event"] == "subscribe"


def test_a_bare_ping_is_answered_with_a_bare_pong():
    assert connect().receive("ping", 0.0) == ["pong"]


def test_without_a_subscription_the_connection_ends_after_thirty_seconds():
    connection = connect()
    connection.receive("ping", 20.0)
    connection.sent(20.0)

    assert connection.tick(29.0) == []
    assert connection.tick(30.0) == [Close(4004, "No data received in 30s")]


def test_with_nothing_sent_for_thirty_seconds_the_connection_ends():
    connection = connect()
    say(connection, "subscribe", BTC_MARK)
    connection.sent(20.0)

    assert connection.tick(49.0) == []
    assert isinstance(connection.tick(50.0)[0], Close)


def test_operations_and_arguments_of_a_connection_are_limited():
    connection = connect(operations_per_hour=2)
    assert [say(connection, "subscribe", BTC_MARK)[0].get("code") for _ in range(3)] == [None, None, "60014"]

    narrow = connect(max_args_bytes=60)
    assert [say(narrow, "subscribe", BTC_MARK)[0].get("code") for _ in range(2)] == [None, "60012"]


def test_more_than_three_connections_a_second_are_refused():
    venue = a_venue()

    assert [getattr(venue.connect(Call("/ws/v5/public"), 0.5), "status", 101) for _ in range(4)] == [101, 101, 101, 429]
    assert venue.connect(Call("/elsewhere"), 0.5).status == 404


def test_one_liquidation_of_a_contract_and_second_is_shown_in_contracts():
    market = a_market()
    venue = a_venue(market)
    rows = [an_okx_liquidation(position_id=number, notional_usd=usd) for number, usd in ((1, 10.0), (2, 30.0))]

    frames = [frame for frame in run(venue, market, 12, rows) if frame.topic == "liquidation-orders:SWAP"]

    assert venue.shown == {2}
    row = json.loads(frames[0].payload)["data"][0]
    assert (row["instId"], row["instFamily"], row["uly"]) == ("BTC-USDT-SWAP", "BTC-USDT", "BTC-USDT")
    assert row["details"] == [
        {
            "side": "sell",
            "posSide": "long",
            "sz": "50.00",
            "bkPx": "83800.0",
            "bkLoss": "0",
            "ccy": "",
            "ts": str(START_MS),
        }
    ]


def test_accounts_in_net_mode_show_no_position_side():
    market = a_market()
    venue = a_venue(market)

    frames = run(venue, market, 12, [an_okx_liquidation(position_id=4, is_long=False)])

    frame = next(frame for frame in frames if frame.topic == "liquidation-orders:SWAP")
    detail = json.loads(frame.payload)["data"][0]["details"][0]
    assert (detail["posSide"], detail["side"]) == ("net", "buy")


def test_a_contract_of_many_coins_counts_contracts_and_prices_one_coin():
    market = a_market(assets=12)
    venue = a_venue(market)
    row = an_okx_liquidation(symbol="PEPE-USDT-SWAP", asset="PEPE", quantity=2.5e9, bankruptcy_price=0.000006)

    frames = run(venue, market, 12, [row])

    frame = next(frame for frame in frames if frame.topic == "liquidation-orders:SWAP")
    detail = json.loads(frame.payload)["data"][0]["details"][0]
    assert (float(detail["sz"]), float(detail["bkPx"])) == (250, 0.000006)


def test_mark_prices_come_when_they_change_and_else_every_ten_seconds():
    market = a_market()
    venue = a_venue(market)

    frames = [frame for frame in run(venue, market, 200) if frame.topic == "mark-price:BTC-USDT-SWAP"]

    assert len(frames) == 2
    market.books["BTC"].price.mark *= 1.001
    assert "mark-price:BTC-USDT-SWAP" in [frame.topic for frame in run(venue, market, 2)]


def test_open_interest_comes_in_contracts_coins_and_usd():
    market = a_market()
    venue = a_venue(market)

    frame = next(frame for frame in run(venue, market, 31) if frame.topic == "open-interest:BTC-USDT-SWAP")

    row = json.loads(frame.payload)["data"][0]
    assert float(row["oi"]) * 0.01 == pytest.approx(float(row["oiCcy"]), abs=0.01)
    assert float(row["oiCcy"]) * market.books["BTC"].price.mark == pytest.approx(float(row["oiUsd"]), rel=0.01)
