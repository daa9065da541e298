"""What holds for every venue, seen by aiohttp's own client at the server's own address."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import WSMsgType

from simulator.assembly import market_server
from simulator.clock import ClockMap
from simulator.driver import advance_market
from simulator.listings import VENUES
from simulator.options import read_options
from tests.simulator.serving import START_MS, Time, a_market, serving

REST = {
    "binance": ("GET", "/fapi/v1/time", None),
    "bybit": ("GET", "/v5/market/time", None),
    "okx": ("GET", "/api/v5/public/time", None),
    "gate": ("GET", "/api/v4/spot/time", None),
    "bitget": ("GET", "/api/v2/public/time", None),
    "hyperliquid": ("POST", "/info", {"type": "allMids"}),
    "deribit": ("GET", "/api/v2/public/get_time", None),
}
SOCKETS = {
    "binance": "/market/ws",
    "bybit": "/v5/public/linear",
    "okx": "/ws/v5/public",
    "gate": "/v4/ws/usdt",
    "bitget": "/v3/ws/public",
    "hyperliquid": "/ws",
    "deribit": "/ws/api/v2",
}
TRADES = {
    "binance": {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1},
    "bybit": {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]},
    "okx": {"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT-SWAP"}]},
    "gate": {"time": 1, "channel": "futures.trades", "event": "subscribe", "payload": ["BTC_USDT"]},
    "bitget": {"op": "subscribe", "args": [{"instType": "usdt-futures", "topic": "publicTrade", "symbol": "BTCUSDT"}]},
    "hyperliquid": {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}},
    "deribit": {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": ["trades.BTC-PERPETUAL.100ms"]}},
}  # fmt: skip
ANSWERS = {name: 2 if name in ("bitget", "hyperliquid") else 1 for name in VENUES}  # what precedes the first trade
REFUSALS = {
    "http_429": dict.fromkeys(VENUES, 429),
    "http_500": dict.fromkeys(VENUES, 500),
    "http_403": dict.fromkeys(VENUES, 403),
    "http_418": dict.fromkeys(VENUES, 429) | {"binance": 418},
    "http_451": dict.fromkeys(VENUES, 451) | {"bybit": 403},
}


def a_server(time: Time):
    market = a_market(venues=VENUES, trades_per_s=2000.0)
    server = market_server(market, ClockMap([(time.now_s, START_MS, 1.0)]), venues=VENUES, now=time)
    server._sleep = time.sleep
    return server, market


def subscribed(venue: str, fault: dict | None, receive: int) -> list:
    """Messages that a subscriber to the trades of BTC receives once market time passes."""
    time = Time()

    async def play() -> list:
        server, market = a_server(time)
        async with serving(server) as client, client.socket(f"/{venue}{SOCKETS[venue]}") as socket:
            await socket.send_str(json.dumps(TRADES[venue]))
            for _ in range(ANSWERS[venue]):
                await socket.receive()
            if fault:
                await client.fault(venue, **fault)
            advance_market(server, market, market.now_ms + 1000)
            return [await socket.receive() for _ in range(receive)]

    return asyncio.run(play())


@pytest.mark.parametrize("venue", VENUES)
def test_a_subscriber_receives_trades_in_order(venue):
    texts = [message.data for message in subscribed(venue, None, 5)]

    assert all("BTC" in text for text in texts)
    assert len(set(texts)) == 5


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", ["garbage", "duplicate", "out_of_order", "half_frame", "stall", "slow"])
def test_every_fault_of_frames_strikes_every_venue(venue, kind):
    clean = [message.data for message in subscribed(venue, None, 4)]
    faulty = subscribed(venue, {"kind": kind}, 1 if kind == "half_frame" else 3)
    texts = [message.data for message in faulty]

    if kind == "half_frame":
        assert faulty[0].type in (WSMsgType.CLOSED, WSMsgType.ERROR)
        return
    expected = {
        "garbage": [texts[0], clean[1], clean[2]],
        "duplicate": [clean[0], clean[0], clean[1]],
        "out_of_order": [clean[1], clean[0], clean[2]],
        "stall": clean[1:4],
        "slow": clean[:3],
    }
    assert texts == expected[kind]
    if kind == "garbage":
        with pytest.raises(ValueError, match=r"."):
            json.loads(texts[0])


@pytest.mark.parametrize("venue", VENUES)
def test_a_drop_cuts_the_connection(venue):
    (message,) = subscribed(venue, {"kind": "drop"}, 1)

    assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)


@pytest.mark.parametrize("venue", VENUES)
def test_refusals_on_request_come_in_the_venues_own_way(venue):
    method, path, body = REST[venue]

    async def play() -> dict:
        found = {}
        async with serving(a_server(Time())[0]) as client:
            for kind in REFUSALS:
                await client.fault(venue, kind)
                statuses = []
                for _ in range(2):
                    async with client.http.request(method, f"/{venue}{path}", json=body) as reply:
                        statuses.append(reply.status)
                found[kind] = statuses
        return found

    assert asyncio.run(play()) == {kind: [expected[venue], 200] for kind, expected in REFUSALS.items()}


@pytest.mark.parametrize("venue", VENUES)
def test_other_addresses_and_methods_are_refused(venue):
    method, path, _ = REST[venue]

    async def play() -> tuple:
        async with serving(a_server(Time())[0]) as client:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.http.ws_connect(f"/{venue}/nowhere")
            async with client.http.request("POST" if method == "GET" else "GET", f"/{venue}{path}") as reply:
                return refused.value.status, reply.status

    assert asyncio.run(play()) == (404, 405)


def test_prices_of_one_asset_agree_across_all_venues():
    _, market = a_server(Time())
    book = market.books["BTC"]

    assert set(book.listings) - {"binance_coin_m"} == set(VENUES)
    assert all(book.venue_price(venue, 1.0) == pytest.approx(1.0, abs=5e-4) for venue in VENUES)


def test_all_venues_can_be_asked_for_by_one_word():
    assert read_options(["--venues", "all"]).venues == VENUES
    assert read_options([]).venues == VENUES[:3]
