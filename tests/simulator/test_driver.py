import asyncio
import json

import pytest

from simulator import driver
from simulator.driver import TapePlayer, advance_market, standing_clock
from simulator.tape import read_tapes
from tests.simulator.serving import START_MS, Time, a_market, a_server, a_tape_server, serving

FIRST_MS = 1_750_000_000_000
LIQUIDATIONS = "/binance/market/ws/!forceOrder@arr"


def a_tape(tmp_path, *offsets_ms: int):
    rows = [f"ADA,SELL,LIMIT,IOC,5,0.5,None,FILLED,5,5,{FIRST_MS + offset},2.5" for offset in offsets_ms]
    (tmp_path / "tape.csv").write_text("\n".join(rows))
    return read_tapes([str(tmp_path / "tape.csv")])


def a_player(tmp_path, time, *offsets_ms: int):
    tape = a_tape(tmp_path, *offsets_ms)
    server = a_tape_server(tape, time, standing_clock(tape, time.now_s, speed=10.0))
    reported: list[dict] = []
    return server, TapePlayer(server, tape, speed=10.0, report=reported.append), reported


def test_the_market_is_stepped_up_to_the_clock():
    market = a_market()
    server = a_server(market)

    advance_market(server, market, START_MS + 1234)

    assert market.now_ms == START_MS + 1200


def test_market_time_stands_still_until_someone_subscribes(tmp_path):
    time = Time()
    server, player, reported = a_player(tmp_path, time, 0)
    time.now_s += 3600
    player.play_due()

    assert server.clock.market_ms(time.now_s) == FIRST_MS - 10_000
    assert reported == []


def test_the_tape_is_played_at_its_own_pace_after_the_lead_in(tmp_path):
    time = Time()

    async def play() -> tuple[list, list]:
        server, player, reported = a_player(tmp_path, time, 0, 0, 30_000, 530_000)
        async with serving(server) as client, client.socket(LIQUIDATIONS) as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            counts = []
            for seconds in (0, 0.9, 0.2, 2.8, 0.2, 5.8, 0.2):
                time.now_s += seconds
                player.play_due()
                counts.append(server.sent["binance"])
            events = [json.loads((await socket.receive()).data) for _ in range(4)]
            market_ms = server.clock.market_ms(time.now_s)
            return counts, [event["E"] - FIRST_MS for event in events], reported, market_ms

    counts, times, reported, market_ms = asyncio.run(play())
    assert counts == [0, 0, 2, 2, 3, 3, 4]
    assert times == [0, 0, 30_000, 530_000]
    assert [event["event"] for event in reported] == ["clock", "tape_finished"]
    assert reported[1] == {"event": "tape_finished", "sent": 4, "missed": 0}
    assert market_ms == pytest.approx(FIRST_MS + 531_000, abs=5)
    assert [point[1] - FIRST_MS for point in reported[0]["clock"]] == [-10_000, -10_000, 529_999]


def test_records_without_a_subscriber_are_counted_as_missed(tmp_path):
    time = Time()

    async def play() -> list:
        server, player, reported = a_player(tmp_path, time, 0, 1000)
        async with serving(server) as client:
            async with client.socket(LIQUIDATIONS) as socket:
                await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
                await socket.receive()
                player.play_due()
                time.now_s += 1
                player.play_due()
                await socket.receive()
                await socket.send_str('{"method":"UNSUBSCRIBE","params":["!forceOrder@arr"],"id":2}')
                await socket.receive()
            time.now_s += 1
            player.play_due()
            return reported

    assert asyncio.run(play())[-1] == {"event": "tape_finished", "sent": 1, "missed": 1}


def test_a_tapes_instruments_hold_every_symbol_and_there_is_no_truth(tmp_path):
    time = Time()

    async def play() -> tuple:
        server, _, _ = a_player(tmp_path, time, 0)
        async with serving(server) as client:
            listed = await client.get("/binance/fapi/v1/exchangeInfo")
            marks = await client.get("/binance/fapi/v1/premiumIndex")
            return [row["symbol"] for row in listed["symbols"]], marks, await client.get("/_sim/truth/liquidations")

    symbols, marks, truth = asyncio.run(play())
    assert (symbols, marks) == (["ADAUSDT"], [])
    assert "error" in truth


def test_a_venue_nobody_subscribes_to_is_not_waited_for_endlessly(tmp_path):
    time = Time()
    (tmp_path / "frames.jsonl").write_text('{"topic":"tickers.BTCUSDT","ts":1750000000000,"data":{}}\n')
    a_tape(tmp_path, 0)

    async def play() -> list:
        tape = read_tapes([str(tmp_path / "tape.csv"), f"bybit:{tmp_path / 'frames.jsonl'}"])
        server = a_tape_server(tape, time, standing_clock(tape, time.now_s, speed=10.0))
        reported: list[dict] = []
        player = TapePlayer(server, tape, speed=10.0, patience_s=10.0, report=reported.append)
        async with serving(server) as client, client.socket(LIQUIDATIONS) as socket:
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            await socket.receive()
            started = []
            for seconds in (0, 9, 2):
                time.now_s += seconds
                player.play_due()
                started.append(len(reported))
            return started

    assert asyncio.run(play()) == [0, 0, 1]


def test_what_feeds_showed_is_forgotten_with_the_liquidations_themselves(monkeypatch):
    monkeypatch.setattr(driver, "KEPT_LIQUIDATIONS", 10)
    market = a_market()
    server = a_server(market)
    server.venues["okx"].shown = set(range(1000, 1020))

    advance_market(server, market, START_MS + 100)

    assert server.venues["okx"].shown == set()
