import asyncio

import aiohttp
import pytest

from simulator.venue import Frame
from tests.simulator.serving import START_MS, Time, a_server, serving

REST = {"binance": "/binance/fapi/v1/time", "bybit": "/bybit/v5/market/time", "okx": "/okx/api/v5/public/time"}
SOCKETS = {"binance": "/binance/market/ws", "bybit": "/bybit/v5/public/linear", "okx": "/okx/ws/v5/public"}


def statuses(*calls, time: Time | None = None, faults=()) -> list[int]:
    async def play() -> list[int]:
        async with serving(a_server(time=time)) as client:
            for fault in faults:
                await client.fault(**fault)
            found = []
            for method, path in calls:
                async with client.http.request(method, path) as reply:
                    found.append(reply.status)
            return found

    return asyncio.run(play())


def test_every_venue_answers_at_its_own_address():
    assert statuses(*(("GET", path) for path in REST.values())) == [200, 200, 200]


def test_other_venues_and_other_methods_are_refused():
    assert statuses(("GET", "/kraken/time"), ("POST", REST["okx"])) == [404, 405]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("http_429", {"binance": 429, "bybit": 429, "okx": 429}),
        ("http_418", {"binance": 418, "bybit": 429, "okx": 429}),
        ("http_451", {"binance": 451, "bybit": 403, "okx": 451}),
        ("http_500", {"binance": 500, "bybit": 500, "okx": 500}),
        ("http_403", {"binance": 403, "bybit": 403, "okx": 403}),
    ],
)
@pytest.mark.parametrize("venue", REST)
def test_a_refusal_on_request_strikes_once_in_the_venues_own_way(venue, kind, expected):
    call = ("GET", REST[venue])

    assert statuses(call, call, faults=[{"venue": venue, "kind": kind}]) == [expected[venue], 200]


@pytest.mark.parametrize("venue", SOCKETS)
def test_a_refusal_on_request_strikes_a_handshake_too(venue):
    async def play() -> int:
        async with serving(a_server()) as client:
            await client.fault(venue, "http_403")
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.http.ws_connect(SOCKETS[venue])
            return refused.value.status

    assert asyncio.run(play()) == 403


def test_binance_says_how_long_to_wait():
    async def play() -> str:
        async with serving(a_server()) as client:
            await client.fault("binance", "http_418")
            async with client.http.get(REST["binance"]) as reply:
                return reply.headers["Retry-After"]

    assert asyncio.run(play()) == "120"


def test_a_slow_reply_comes_late():
    time = Time()

    assert statuses(("GET", REST["okx"]), time=time, faults=[{"venue": "okx", "kind": "slow"}]) == [200]
    assert time.slept == [1.0]


def test_after_a_drop_with_a_duration_no_connection_is_accepted_meanwhile():
    time = Time()

    async def play() -> int:
        async with serving(a_server(time=time)) as client:
            await client.fault("okx", "drop", seconds=5)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.http.ws_connect(SOCKETS["okx"])
            time.now_s += 5
            async with client.socket(SOCKETS["okx"]):
                return refused.value.status

    assert asyncio.run(play()) == 503


def test_a_frame_goes_to_its_subscribers_and_is_missed_without_any():
    async def play() -> dict:
        server = a_server()
        async with serving(server) as client, client.socket(SOCKETS["binance"] + "/!forceOrder@arr") as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            server.publish("binance", Frame("!forceOrder@arr", "1"))
            server.publish("okx", Frame("liquidation-orders:SWAP", "2"))
            await socket.receive()
            return (await client.get("/_sim/stats"))["venues"]

    stats = asyncio.run(play())
    assert stats["binance"] == {
        "clients": 1, "topics": ["!forceOrder@arr"], "frames_published": 1, "frames_missed": 0,
    }  # fmt: skip
    assert (stats["okx"]["clients"], stats["okx"]["frames_missed"]) == (0, 1)


def test_the_times_of_the_venues_are_market_time():
    async def play() -> int:
        async with serving(a_server()) as client:
            return (await client.get(REST["binance"]))["serverTime"]

    assert asyncio.run(play()) == START_MS
