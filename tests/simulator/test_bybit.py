import json

from simulator.assembly import market_server
from simulator.bybit import BybitSettings, BybitVenue
from simulator.clock import ClockMap
from simulator.venue import Call, Close
from tests.simulator.serving import START_MS, a_liquidation, a_market, everything, read


def a_venue(market=None, speed: float = 1.0) -> BybitVenue:
    server = market_server(market or a_market(), ClockMap([(0.0, START_MS, 1.0)]), speed=speed)
    return server.venues["bybit"]


def a_bybit_liquidation(**changes):
    return a_liquidation(**({"venue": "bybit", "symbol": "BTCUSDT"} | changes))


def connect(venue=None, **settings):
    venue = venue or a_venue()
    venue._settings = BybitSettings(**settings)
    return venue.connect(Call("/v5/public/linear"), 0.0)


def say(connection, op: str, *args: str, now_s: float = 0.0, **more) -> list:
    return read(connection.receive(json.dumps({"op": op, "args": args} | more), now_s))


def run(venue, market, steps, happened=()):
    frames = []
    for _ in range(steps):
        market.now_ms += 100
        frames += venue.due(happened, everything)
        happened = ()
    return frames


def test_a_subscription_is_acknowledged_under_its_request_id():
    connection = connect()

    assert say(connection, "subscribe", "allLiquidation.BTCUSDT", req_id="7") == [
        {"success": True, "ret_msg": "", "conn_id": "sim-00000001", "req_id": "7", "op": "subscribe"}
    ]
    assert say(connection, "unsubscribe", "allLiquidation.BTCUSDT")[0]["success"]
    assert connection.topics == set()


def test_one_bad_topic_fails_the_whole_request():
    connection = connect()

    reply = say(connection, "subscribe", "allLiquidation.BTCUSDT", "allLiquidation.NOPEUSDT")[0]

    assert (reply["success"], connection.topics) == (False, set())
    assert "NOPEUSDT" in reply["ret_msg"]


def test_the_arguments_of_one_connection_are_limited():
    connection = connect(max_args_chars=60)

    assert say(connection, "subscribe", "allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT")[0]["success"]
    refused = say(connection, "subscribe", "allLiquidation.SOLUSDT")[0]

    assert (refused["success"], refused["ret_msg"]) == (False, "args size >60")


def test_a_json_ping_is_answered_with_a_pong():
    reply = say(connect(), "ping")[0]

    assert (reply["op"], reply["ret_msg"]) == ("ping", "pong")


def test_requests_that_make_no_sense_are_refused():
    connection = connect()

    assert not any(read(connection.receive(text, 0.0))[0]["success"] for text in ("nonsense", "[]", '{"op":"x"}'))


def test_a_client_that_says_nothing_is_dropped():
    connection = connect(idle_s=600.0)
    say(connection, "ping", now_s=10.0)
    connection.receive_control(500.0, pong=None)

    assert connection.tick(609.0) == []
    assert connection.tick(610.0) == [Close(1000, "idle")]


def test_every_liquidation_is_shown_in_batches_of_half_a_second():
    market = a_market()
    venue = a_venue(market)
    rows = [a_bybit_liquidation(position_id=number, time_ms=START_MS + 100) for number in range(5)]

    frames = [frame for frame in run(venue, market, 6, rows) if frame.topic == "allLiquidation.BTCUSDT"]

    assert len(frames) == 1
    message = json.loads(frames[0].payload)
    assert (message["ts"], message["type"], len(message["data"])) == (START_MS + 500, "snapshot", 5)
    assert venue.shown == set(range(5))


def test_the_side_is_the_positions_and_the_price_the_bankruptcy_price():
    market = a_market()
    venue = a_venue(market)
    rows = [a_bybit_liquidation(), a_bybit_liquidation(is_long=False, position_id=2)]

    frames = [frame for frame in run(venue, market, 6, rows) if frame.topic == "allLiquidation.BTCUSDT"]

    data = json.loads(frames[0].payload)["data"]
    assert [(row["S"], row["p"], row["v"]) for row in data] == [
        ("Buy", "83800.0", "0.5000"),
        ("Sell", "83800.0", "0.5000"),
    ]


def test_a_multiplied_contract_carries_the_multiplier_in_price_and_size():
    market = a_market(assets=12)
    venue = a_venue(market)
    row = a_bybit_liquidation(asset="PEPE", symbol="1000PEPEUSDT", quantity=5e6, bankruptcy_price=0.000006)

    frames = [frame for frame in run(venue, market, 6, [row]) if frame.topic == "allLiquidation.1000PEPEUSDT"]

    data = json.loads(frames[0].payload)["data"][0]
    assert (float(data["v"]), float(data["p"])) == (5000, 0.006)


def test_tickers_begin_with_a_snapshot_and_go_on_with_what_changed():
    market = a_market()
    venue = a_venue(market)
    connection = connect(venue)

    _, snapshot = say(connection, "subscribe", "tickers.BTCUSDT")
    market.step(0.1)
    deltas = [json.loads(frame.payload) for frame in venue.due((), everything) if frame.topic == "tickers.BTCUSDT"]

    assert snapshot["type"] == "snapshot"
    assert {"markPrice", "singleOpenInterest", "turnover24h", "fundingRate"} <= set(snapshot["data"])
    assert [delta["type"] for delta in deltas] == ["delta"]
    assert "fundingRate" not in deltas[0]["data"]
    assert "markPrice" in deltas[0]["data"]


def test_a_faster_market_sends_no_more_tickers_a_real_second():
    market = a_market()
    venue = a_venue(market, speed=10.0)

    frames = []
    for _ in range(100):
        market.step(0.1)
        frames += [frame for frame in venue.due((), everything) if frame.topic == "tickers.BTCUSDT"]

    assert 10 <= len(frames) <= 11


def test_other_addresses_are_not_found_and_too_many_connections_are_refused():
    venue = a_venue()

    assert venue.connect(Call("/v5/public/spot"), 0.0).status == 404
    statuses = [getattr(venue.connect(Call("/v5/public/linear"), 1.0), "status", 101) for _ in range(501)]
    assert (statuses.count(101), statuses[-1]) == (500, 403)
