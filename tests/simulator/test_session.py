"""Each fault of frames, seen by aiohttp's own client."""

import asyncio
import json

import pytest
from aiohttp import WSMsgType

from simulator.lies import spoil
from simulator.venue import Frame
from tests.simulator.serving import Time, a_server, serving

TOPIC = "!forceOrder@arr"


def played(fault: dict | None, frames: int, receive: int) -> tuple[list, Time]:
    """Texts a subscriber receives of `frames` published ones after a fault was requested."""
    time = Time()

    async def play() -> list:
        server = a_server(time=time)
        async with serving(server) as client, client.socket(f"/binance/market/ws/{TOPIC}") as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            if fault:
                assert (await client.fault("binance", **fault))[0] == 200
            for number in range(frames):
                server.publish("binance", Frame(TOPIC, str(number)))
            return [await socket.receive() for _ in range(receive)]

    return asyncio.run(play()), time


def texts(messages) -> list:
    return [message.data for message in messages]


def test_frames_arrive_in_order():
    assert texts(played(None, 3, 3)[0]) == ["0", "1", "2"]


def test_garbage_replaces_a_frame():
    garbage, intact = texts(played({"kind": "garbage"}, 2, 2)[0])

    with pytest.raises(ValueError, match=r"."):
        json.loads(garbage)
    assert intact == "1"


def test_a_duplicate_comes_twice():
    assert texts(played({"kind": "duplicate"}, 2, 3)[0]) == ["0", "0", "1"]


def test_out_of_order_frames_come_after_their_successor():
    assert texts(played({"kind": "out_of_order"}, 3, 3)[0]) == ["1", "0", "2"]


def test_a_half_frame_ends_the_connection_without_a_closing_handshake():
    (message,) = played({"kind": "half_frame"}, 1, 1)[0]

    assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)


def test_slow_delays_every_frame():
    messages, time = played({"kind": "slow", "count": 2}, 3, 3)

    assert texts(messages) == ["0", "1", "2"]
    assert time.slept == [0.25, 0.25]


def test_stalled_frames_are_lost_and_the_connection_stays():
    assert texts(played({"kind": "stall", "count": 2}, 3, 1)[0]) == ["2"]


def test_during_a_stall_nothing_is_answered():
    time = Time()

    async def play() -> list:
        server = a_server(time=time)
        async with serving(server) as client, client.socket("/okx/ws/v5/public") as socket:
            await client.fault("okx", "stall", count=1)
            await socket.send_str("ping")
            await socket.send_str("nonsense")
            return json.loads((await socket.receive()).data)

    assert asyncio.run(play())["code"] == "60012"


def test_drop_cuts_every_connection_of_the_venue():
    async def play() -> tuple:
        async with (
            serving(a_server()) as client,
            client.socket("/okx/ws/v5/public") as socket,
            client.socket("/bybit/v5/public/linear") as other,
        ):
            await client.fault("okx", "drop")
            await other.send_str('{"op":"ping"}')
            return (await socket.receive()).type, json.loads((await other.receive()).data)["ret_msg"]

    kind, pong = asyncio.run(play())
    assert kind in (WSMsgType.CLOSED, WSMsgType.ERROR)
    assert pong == "pong"


def test_ping_frames_of_a_client_are_answered_with_their_payload():
    async def play():
        async with serving(a_server()) as client, client.socket("/okx/ws/v5/public", autoping=False) as socket:
            await socket.ping(b"hello")
            return await socket.receive()

    message = asyncio.run(play())
    assert (message.type, message.data) == (WSMsgType.PONG, b"hello")


def test_the_server_pings_and_closes_when_no_pong_comes():
    time = Time()

    async def play():
        server = a_server(time=time)
        async with serving(server) as client, client.socket("/binance/market/ws", autoping=False) as socket:
            time.now_s += 180
            server.tick()
            ping = await socket.receive()
            time.now_s += 420
            server.tick()
            return ping, await socket.receive()

    ping, close = asyncio.run(play())
    assert (ping.type, close.type, close.data) == (WSMsgType.PING, WSMsgType.CLOSE, 1008)


def test_a_flood_comes_in_bursts_between_the_frames_it_leaves_alone():
    async def play() -> list:
        server = a_server()
        async with serving(server) as client, client.socket(f"/binance/market/ws/{TOPIC}") as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            await client.fault("binance", "flood", count=1)
            server.tick()
            server.publish("binance", Frame(TOPIC, "true"))
            received = [(await socket.receive()).data]
            while received[-1] != "true":
                received.append((await socket.receive()).data)
            return received

    assert len(asyncio.run(play())) == 1251


def test_lies_keep_the_shape_and_no_value_keeps_its_type():
    truth = {"e": "forceOrder", "E": 1, "o": {"s": "BTCUSDT", "q": "0.014", "more": [1.5, True]}}
    frames = [spoil(json.dumps(truth), turn) for turn in range(1, 40)]

    lies = [json.loads(frame) for frame in frames]
    assert {lie["e"] == "forceOrder" for lie in lies} == {True, False}
    assert all(type(lie["E"]) is not int and not isinstance(lie["o"]["s"], str) for lie in lies)
    assert all(not isinstance(lie["o"]["more"][1], bool) for lie in lies)
    assert len({json.dumps(lie) for lie in lies}) > 5
    assert spoil("pong", 1) == "pong"


def test_frames_of_a_venue_that_lies_are_no_longer_true():
    async def play() -> list:
        server = a_server()
        async with serving(server) as client, client.socket(f"/binance/market/ws/{TOPIC}") as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            await client.fault("binance", "lie", count=1)
            for _ in range(2):
                server.publish("binance", Frame(TOPIC, '{"E":1}'))
            marks = [(await socket.receive()).data for _ in range(2)]
            await client.fault("binance", "lie", count=1)
            return marks, await client.get("/binance/fapi/v1/time"), await client.get("/binance/fapi/v1/time")

    (lie, truth), answer, again = asyncio.run(play())
    assert truth == '{"E":1}'
    assert lie != truth
    assert type(again["serverTime"]) is int
    assert type(answer["serverTime"]) is not int
