import asyncio
import json

import aiohttp
import pytest

from simulator.assembly import market_server
from simulator.clock import ClockMap
from simulator.driver import advance_market
from tests.simulator.serving import START_MS, Time, a_market, a_server, serving


def ask(path: str, market=None, server=None, time=None, **query):
    async def play():
        async with serving(server or a_server(market, time)) as client:
            return await client.get(path, **query)

    return asyncio.run(play())


def test_the_clock_is_the_map_and_market_time_now():
    time = Time()
    server = a_server(time=time)
    time.now_s += 2

    assert ask("/_sim/clock", server=server) == {
        "clock": [[100.0, START_MS, 10.0]],
        "market_ms": START_MS + 20_000,
    }


def test_true_liquidations_say_whether_the_feeds_showed_them():
    market = a_market(assets=40)
    server = a_server(market)
    for minute in range(1, 31):
        advance_market(server, market, START_MS + minute * 10_000)

    rows = ask("/_sim/truth/liquidations", server=server)["liquidations"]
    later = ask("/_sim/truth/liquidations", server=server, since_ms=str(START_MS + 200_000))["liquidations"]

    assert len(rows) == len(market.liquidations) > len(later) > 0
    assert {row["position_side"] for row in rows} == {"long", "short"}
    shown = {venue: {row["shown"] for row in rows if row["venue"] == venue} for venue in ("binance", "bybit", "okx")}
    assert shown["bybit"] == {True}
    assert shown["binance"] | shown["okx"] == {True, False}


def test_true_open_interest_is_there_for_every_venue_and_asset():
    rows = ask("/_sim/truth/open_interest")["open_interest"]

    assert {(row["venue"], row["asset"]) for row in rows} >= {("binance", "BTC"), ("bybit", "BTC"), ("okx", "BTC")}
    assert all(row["quantity"] > 0 and row["notional_usd"] > 0 for row in rows)


def test_positions_of_an_asset_come_with_entry_leverage_and_liquidation_price():
    body = ask("/_sim/truth/positions", asset="BTC")

    assert {"entry", "leverage", "liquidation_price", "maintenance_rate", "venue", "position_side"} <= set(
        body["positions"][0]
    )
    assert "error" in ask("/_sim/truth/positions", asset="NOPE")


def test_wrong_requests_are_told_what_was_expected():
    async def play() -> list:
        async with serving(a_server()) as client:
            wrong = [await client.fault("mtgox", "stall"), await client.fault("okx", "meteor")]
            wrong.append(await client.fault("okx", "stall", count="many"))
            async with client.http.get("/_sim/truth/liquidations", params={"since_ms": "x"}) as reply:
                wrong.append((reply.status, await reply.json()))
            return wrong

    assert [(status, "error" in body) for status, body in asyncio.run(play())] == [(400, True)] * 4


def test_faults_are_listed_and_cleared():
    async def play() -> list:
        async with serving(a_server()) as client:
            await client.fault("okx", "stall", seconds=60)
            await client.fault("bybit", "garbage", count=3)
            listed = await client.get("/_sim/faults")
            await client.fault("okx", "clear")
            remaining = await client.get("/_sim/faults")
            async with client.http.delete("/_sim/faults") as reply:
                return [len(listed), remaining, await reply.json()]

    assert asyncio.run(play()) == [2, [{"venue": "bybit", "kind": "garbage", "count": 3}], []]


def test_true_trades_are_counted_for_every_contract():
    async def play() -> dict:
        market = a_market(trades_per_s=100.0)
        for _ in range(100):
            market.step(0.1)
        async with serving(a_server(market)) as client:
            return await client.get("/_sim/truth/trades")

    truth = asyncio.run(play())
    assert 1000 <= sum(row["count"] for row in truth["trades"]) < 1100
    assert {row["venue"] for row in truth["trades"]} == {"binance", "bybit", "okx"}


def test_each_connection_says_which_trades_it_was_sent():
    async def play() -> dict:
        market = a_market(trades_per_s=500.0)
        server = a_server(market)
        async with serving(server) as client, client.socket("/bybit/v5/public/linear") as socket:
            await socket.send_str('{"op":"subscribe","args":["publicTrade.BTCUSDT","publicTrade.ETHUSDT"]}')
            await socket.receive()
            advance_market(server, market, START_MS + 5_000)
            received = [json.loads((await socket.receive()).data) for _ in range(server.sent["bybit"])]
            told = await client.get("/_sim/truth/trades")
            await socket.close()
            (gone,) = (await client.get("/_sim/truth/trades"))["connections"]
            return told["connections"], received, gone

    (told,), received, gone = asyncio.run(play())
    trades = [
        int(row["i"][-12:], 16) for frame in received if frame["topic"].endswith("BTCUSDT") for row in frame["data"]
    ]
    topics = {row["topic"]: row for row in told["topics"]}
    assert trades == list(range(1, len(trades) + 1))
    assert topics["publicTrade.BTCUSDT"] == {
        "topic": "publicTrade.BTCUSDT", "symbol": "BTCUSDT", "first": 1, "last": len(trades), "count": len(trades),
    }  # fmt: skip
    assert told["trades"] == sum(len(frame["data"]) for frame in received)
    assert told | {"open": False} == gone
    assert (told["venue"], told["frames"]) == ("bybit", len(received))


def test_a_frame_from_outside_reaches_whoever_subscribed_in_the_venues_own_wrapping():
    async def play() -> list:
        async with (
            serving(a_server()) as client,
            client.socket("/binance/market/stream?streams=!forceOrder@arr") as socket,
        ):
            told = []
            for topic in ("!forceOrder@arr", "btcusdt@forceOrder"):
                body = {"venue": "binance", "topic": topic, "payload": {"e": "forceOrder"}}
                async with client.http.post("/_sim/publish", json=body) as reply:
                    told.append(await reply.json())
            return [*told, await socket.receive_json()]

    assert asyncio.run(play()) == [
        {"receivers": 1},
        {"receivers": 0},
        {"stream": "!forceOrder@arr", "data": {"e": "forceOrder"}},
    ]


def test_news_from_outside_moves_one_asset():
    market = a_market()
    server = a_server(market)

    async def play() -> list:
        async with serving(server) as client:
            told = []
            for body in ({"asset": "SOL", "move": -0.2, "seconds": 5}, {"asset": "NOPE", "move": -0.2, "seconds": 5}):
                async with client.http.post("/_sim/news", json=body) as reply:
                    told.append(reply.status)
            return told

    before = {name: book.price.last for name, book in market.books.items()}
    assert asyncio.run(play()) == [200, 400]
    advance_market(server, market, START_MS + 6_000)
    moved = [name for name, book in market.books.items() if book.price.last < 0.9 * before[name]]
    assert moved == ["SOL"]


def test_who_vanished_answers_nobody():
    async def play() -> list:
        async with serving(a_server()) as client, client.socket("/okx/ws/v5/public") as socket:
            await client.fault("okx", "vanish", seconds=60)
            ended = (await socket.receive()).type
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.get("/okx/api/v5/public/time")
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.http.ws_connect("/okx/ws/v5/public")
            return [ended, (await client.get("/bybit/v5/market/time"))["retCode"]]

    ended, code = asyncio.run(play())
    assert ended in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert code == 0


def test_a_stalled_venues_rest_hangs_until_it_is_cut_off():
    time = Time()

    async def play() -> None:
        async with serving(a_server(time=time)) as client:
            await client.fault("okx", "stall", seconds=600)
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.get("/okx/api/v5/public/time")

    asyncio.run(play())
    assert set(time.slept) == {60.0}  # aiohttp asks twice


def test_market_time_that_stands_passes_for_as_long_as_it_is_told_to():
    time, announced = Time(), []
    server = market_server(
        a_market(), ClockMap([(time.now_s, START_MS, 0.0)]), speed=10.0, announce=announced.append, now=time
    )

    async def play() -> list:
        async with serving(server) as client:
            told = []
            for wait_s, market_s in ((50, 20), (1, 20), (5, -1), (0, 20)):
                time.now_s += wait_s
                async with client.http.post("/_sim/go", json={"market_s": market_s}) as reply:
                    told.append((reply.status, (await client.get("/_sim/clock"))["market_ms"] - START_MS))
            time.now_s += 99
            return [*told, (await client.get("/_sim/clock"))["market_ms"] - START_MS]

    assert asyncio.run(play()) == [(200, 0), (400, 10_000), (400, 20_000), (200, 20_000), 40_000]
    assert [line["event"] for line in announced] == ["clock", "clock"]
