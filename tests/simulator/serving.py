"""A simulator in this process on a loopback port, with time the test moves; and liquidations made to measure."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from simulator.assembly import market_server, tape_server
from simulator.book import TrueLiquidation
from simulator.clock import ClockMap
from simulator.market import Market
from simulator.server import SimulatorServer
from simulator.tape import Tape
from simulator.venue import Call

START_MS = 1_700_000_000_000


@dataclass
class Time:
    """Monotonic seconds that pass only when told; a sleep passes them at once."""

    now_s: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


class Client:
    """aiohttp's own client, pointed at one simulator."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    def socket(self, path: str, **options):
        return self.http.ws_connect(path, **options)

    async def get(self, path: str, **query):
        async with self.http.get(path, params=query) as reply:
            return await reply.json()

    async def fault(self, venue: str, kind: str, **limits):
        async with self.http.post("/_sim/faults", json={"venue": venue, "kind": kind} | limits) as reply:
            return reply.status, await reply.json()


@asynccontextmanager
async def serving(server: SimulatorServer) -> AsyncIterator[Client]:
    port = await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield Client(http)
    finally:
        await server.stop()


def everything(_topic: str) -> bool:
    return True


def a_market(**changes) -> Market:
    return Market(**({"seed": 7, "start_ms": START_MS, "assets": 8} | changes))


def a_server(market: Market | None = None, time: Time | None = None, **options) -> SimulatorServer:
    time = time or Time()
    clock = ClockMap([(time.now_s, START_MS, 10.0)])
    server = market_server(market or a_market(), clock, now=time, **options)
    server._sleep = time.sleep
    return server


def a_tape_server(tape: Tape, time: Time, clock: ClockMap) -> SimulatorServer:
    return tape_server(tape, clock, now=time)


def a_liquidation(**changes) -> TrueLiquidation:
    values = {
        "time_ms": START_MS,
        "venue": "binance",
        "asset": "BTC",
        "symbol": "BTCUSDT",
        "is_long": True,
        "quantity": 0.5,
        "price": 84_000.0,
        "notional_usd": 42_000.0,
        "bankruptcy_price": 83_800.0,
        "liquidation_price": 84_100.0,
        "mark_price": 84_090.0,
        "position_id": 1,
    }
    return TrueLiquidation(**(values | changes))


def read(replies) -> list:
    """Protocol replies, those that are JSON as values."""
    return [json.loads(reply) if isinstance(reply, str) and reply[:1] in "{[" else reply for reply in replies]


def run_of(name: str, steps: int = 100, wanted=everything, **changes) -> tuple:
    """A venue of a running market, the frames of all its topics in that time, and the market's trades there."""
    market = a_market(**({"assets": 9, "venues": (name,), "trades_per_s": 400.0} | changes))
    venue = market_server(market, ClockMap([(0.0, START_MS, 1.0)]), venues=(name,)).venues[name]
    frames, prints = defaultdict(list), defaultdict(list)
    for _ in range(steps):
        happened = market.step(0.1)
        for symbol, trades in market.flow.prints(name).items():
            prints[symbol] += trades
        for frame in venue.due(happened, wanted):
            frames[frame.topic].append(json.loads(frame.payload))
    return venue, frames, prints, market


def listing_of(market: Market, venue: str, symbol: str):
    return market.flow.contracts[venue, symbol].listing


def called(venue, path: str, **query):
    """The body of a GET."""
    return json.loads(venue.rest(Call(path, query), 0.0).body)


def shown_after(venue, market: Market, *happened: TrueLiquidation, seconds: float = 3.0, wanted=everything) -> dict:
    """Payloads by topic after liquidations happened all at once; market time passes, nothing else does."""
    frames = defaultdict(list)
    for step in range(round(seconds * 10)):
        market._elapsed_s += 0.1
        market.now_ms = market.start_ms + round(market._elapsed_s * 1000)
        for frame in venue.due(happened if step == 0 else (), wanted):
            frames[frame.topic].append(json.loads(frame.payload))
    return frames


def nothing(_topic: str) -> bool:
    return False
