import asyncio

from simulator.limits import SlidingLimit
from simulator.listings import VENUES
from tests.simulator.serving import a_market, a_server, serving


def test_units_come_back_when_their_window_has_passed():
    limit = SlidingLimit(2, 1.0)

    assert [limit.allow(at) for at in (0.0, 0.5, 0.9, 1.0, 1.1, 1.5)] == [True, True, False, True, False, True]


def test_hyperliquid_has_room_for_ten_connections():
    async def play() -> int:
        async with serving(a_server(a_market(venues=VENUES), venues=VENUES)) as client:
            sockets = [await client.http.ws_connect("/hyperliquid/ws") for _ in range(10)]
            async with client.http.get("/hyperliquid/ws", headers={"Upgrade": "websocket"}) as refused:
                pass
            await sockets.pop().close()
            sockets.append(await client.http.ws_connect("/hyperliquid/ws"))
            for socket in sockets:
                await socket.close()
            return refused.status

    assert asyncio.run(play()) == 429
