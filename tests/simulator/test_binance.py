import json

import pytest

from simulator.assembly import market_server
from simulator.binance import BinanceConnection, BinanceSettings, BinanceVenue
from simulator.clock import ClockMap
from simulator.venue import Call, Close, Frame, Ping
from tests.simulator.serving import START_MS, a_liquidation, a_market, everything, read


def a_venue() -> tuple[BinanceVenue, object]:
    market = a_market()
    return market_server(market, ClockMap([(0.0, START_MS, 1.0)])).venues["binance"], market


def connect(path: str, query: dict | None = None, **settings) -> BinanceConnection:
    venue, _ = a_venue()
    venue._settings = BinanceSettings(**settings)
    return venue.connect(Call(path, query or {}), 0.0)


def say(connection, method: str, *streams: str, ident: int = 1, now_s: float = 0.0) -> list:
    return read(connection.receive(json.dumps({"method": method, "params": streams, "id": ident}), now_s))


def frames_after(venue, market, *liquidations, seconds: float) -> list[Frame]:
    """Frames of `seconds` of market time after the liquidations happened in its first step."""
    frames = []
    happened = list(liquidations)
    for _ in range(round(seconds * 10)):
        market._elapsed_s += 0.1
        market.now_ms = market.start_ms + round(market._elapsed_s * 1000)
        frames += venue.due(happened, everything)
        happened = []
    return frames


def test_subscriptions_are_acknowledged_and_listed():
    connection = connect("/market/stream")

    assert say(connection, "SUBSCRIBE", "!forceOrder@arr", "btcusdt@markPrice") == [{"result": None, "id": 1}]
    assert say(connection, "UNSUBSCRIBE", "btcusdt@markPrice", ident=2) == [{"result": None, "id": 2}]
    assert say(connection, "LIST_SUBSCRIPTIONS", ident=3) == [{"result": ["!forceOrder@arr"], "id": 3}]
    assert connection.topics == {"!forceOrder@arr"}


@pytest.mark.parametrize("path", ["/ws", "/stream", "/public/ws", "/public/stream"])
def test_off_the_market_route_market_streams_are_accepted_and_stay_silent(path):
    connection = connect(path)

    assert say(connection, "SUBSCRIBE", "!forceOrder@arr") == [{"result": None, "id": 1}]
    assert connection.topics == set()


def test_streams_can_stand_in_the_address():
    raw = connect("/market/ws/!forceOrder@arr/btcusdt@aggTrade")
    combined = connect("/market/stream", {"streams": "!forceOrder@arr/btcusdt@aggTrade"})

    assert raw.topics == combined.topics == {"!forceOrder@arr", "btcusdt@aggTrade"}


def test_wrapping_depends_on_the_address_alone():
    frame = Frame("!forceOrder@arr", '{"e":"forceOrder"}')

    assert connect("/market/ws").wrap(frame) == '{"e":"forceOrder"}'
    assert connect("/market/stream").wrap(frame) == '{"stream":"!forceOrder@arr","data":{"e":"forceOrder"}}'


@pytest.mark.parametrize("path", ["/market/ws/", "/market", "/private/elsewhere", "/"])
def test_an_unknown_address_is_not_found(path):
    assert connect(path).status == 404


@pytest.mark.parametrize(
    "text", ["no JSON", "[1]", '{"params":[]}', '{"method":"SHOUT"}', '{"method":"SUBSCRIBE","params":5}']
)
def test_a_request_that_makes_no_sense_gets_an_error(text):
    assert "error" in read(connect("/market/ws").receive(text, 0.0))[0]


def test_more_than_ten_messages_a_second_end_the_connection():
    connection = connect("/market/ws")
    for _ in range(10):
        say(connection, "LIST_SUBSCRIPTIONS")

    assert isinstance(say(connection, "LIST_SUBSCRIPTIONS", now_s=0.9)[0], Close)
    assert say(connection, "LIST_SUBSCRIPTIONS", now_s=1.1) == [{"result": [], "id": 1}]


def test_more_streams_than_allowed_end_the_connection():
    connection = connect("/market/ws", max_streams=2)

    assert isinstance(say(connection, "SUBSCRIBE", "a@ticker", "b@ticker", "c@ticker")[0], Close)


def test_the_server_pings_and_drops_who_does_not_answer():
    connection = connect("/market/ws", ping_every_s=180.0, pong_within_s=600.0)

    assert connection.tick(179.0) == []
    assert isinstance(connection.tick(181.0)[0], Ping)
    assert connection.tick(300.0) == []
    assert connection.receive_control(400.0, pong=b"") == []
    assert isinstance(connection.tick(800.0)[0], Ping)
    assert connection.tick(1000.0) == [Close(1008, "Pong timeout")]


def test_a_connection_lives_a_day_at_most():
    assert connect("/market/ws").tick(86_400.0) == [Close(1001, "connection is 24 h old")]


def test_a_liquidation_comes_once_its_second_is_over_and_only_the_largest():
    venue, market = a_venue()
    rows = [a_liquidation(position_id=number, notional_usd=usd) for number, usd in ((1, 10.0), (2, 30.0), (3, 20.0))]

    frames = [frame for frame in frames_after(venue, market, *rows, seconds=2) if frame.topic == "!forceOrder@arr"]

    assert venue.shown == {2}
    event = json.loads(frames[0].payload)
    assert (event["E"], event["ps"], event["st"]) == (START_MS + 1000, "BTCUSDT", 1)
    assert (
        event["o"] | {"q": "0.5000", "z": "0.5000", "S": "SELL", "p": "83800.0", "ap": "84000.0", "X": "FILLED"}
        == event["o"]
    )


def test_the_order_of_a_closed_short_is_a_purchase():
    venue, market = a_venue()

    frames = frames_after(venue, market, a_liquidation(is_long=False), seconds=2)

    assert {json.loads(frame.payload)["o"]["S"] for frame in frames if "orce" in frame.topic} == {"BUY"}


def test_the_stream_of_one_symbol_carries_neither_pair_nor_kind():
    venue, market = a_venue()

    frames = frames_after(venue, market, a_liquidation(), seconds=2)

    single = [json.loads(frame.payload) for frame in frames if frame.topic == "btcusdt@forceOrder"]
    assert [set(event) for event in single] == [{"e", "E", "o"}]


def test_coin_margined_contracts_share_the_stream_and_count_contracts():
    venue, market = a_venue()
    row = a_liquidation(venue="binance_coin_m", symbol="BTCUSD_PERP", notional_usd=42_000.0)

    frames = [frame for frame in frames_after(venue, market, row, seconds=2) if "orce" in frame.topic]

    event = json.loads(frames[0].payload)
    assert (event["st"], event["ps"], event["o"]["s"], event["o"]["q"]) == (2, "BTCUSD", "BTCUSD_PERP", "420")
    assert len(frames) == 1


def test_liquidations_of_other_venues_do_not_appear():
    venue, market = a_venue()

    frames = frames_after(venue, market, a_liquidation(venue="bybit"), seconds=2)

    assert not any("orce" in frame.topic for frame in frames)


def test_mark_prices_come_each_second_or_each_three():
    venue, market = a_venue()

    topics = [frame.topic for frame in frames_after(venue, market, seconds=6)]

    assert topics.count("!markPrice@arr@1s") == topics.count("btcusdt@markPrice@1s") == 7
    assert topics.count("!markPrice@arr") == topics.count("btcusdt@markPrice") == 3
