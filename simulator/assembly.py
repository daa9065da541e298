"""Puts the parts of one run together: a source of truth, the venues that show it, the server."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from simulator import binance_rest, bybit_rest, okx_rest
from simulator.assets import ASSETS
from simulator.binance import BinanceVenue
from simulator.bybit import BybitVenue
from simulator.clock import ClockMap
from simulator.listings import BINANCE, BYBIT, DEFAULT_VENUES, Listing, listings_of
from simulator.market import Market
from simulator.okx import OkxVenue
from simulator.server import HOST, SimulatorServer
from simulator.source import MarketSource, TapeSource
from simulator.tape import Tape
from simulator.venue import Source, Venue


def market_server(
    market: Market,
    clock: ClockMap,
    *,
    venues: Sequence[str] = DEFAULT_VENUES,
    speed: float = 1.0,
    now: Callable[[], float] = time.monotonic,
) -> SimulatorServer:
    source = MarketSource(market)
    listed: dict[str, list[Listing]] = {name: [] for name in venues}
    for asset in ASSETS[: len(market.books)]:
        for name, listing in listings_of(asset, venues).items():
            listed.get(name, []).append(listing)
    return SimulatorServer(
        [_market_venue(name, source, listed[name], speed) for name in venues], clock=clock, market=market, now=now
    )


def _market_venue(name: str, source: Source, listings: Sequence[Listing], speed: float) -> Venue:
    if name == BINANCE:
        return BinanceVenue(source, binance_rest.instrument_rows(listings), speed=speed)
    if name == BYBIT:
        return BybitVenue(source, bybit_rest.instrument_rows(listings), speed=speed)
    return OkxVenue(source, okx_rest.instrument_rows(listings), speed=speed)


def tape_server(tape: Tape, clock: ClockMap, *, now: Callable[[], float] = time.monotonic) -> SimulatorServer:
    source = TapeSource(lambda: clock.market_ms(now()))
    return SimulatorServer(
        [_tape_venue(name, source, tape.symbols(name)) for name in tape.venues], clock=clock, now=now
    )


def _tape_venue(name: str, source: Source, symbols: Sequence[str]) -> Venue:
    if name == BINANCE:
        return BinanceVenue(source, binance_rest.tape_rows(symbols))
    if name == BYBIT:
        return BybitVenue(source, bybit_rest.tape_rows(symbols))
    return OkxVenue(source, okx_rest.tape_rows(symbols))


def ready_line(server: SimulatorServer, port: int, *, seed: int, mode: str, assets: int) -> dict[str, Any]:
    base = f"{HOST}:{port}"
    return {
        "event": "simulator_ready",
        "venues": {
            name: {"ws_url": f"ws://{base}/{name}", "rest_url": f"http://{base}/{name}"} for name in server.venues
        },
        "control_url": f"http://{base}/_sim",
        "clock": server.clock.as_json(),
        "assets": assets,
        "seed": seed,
        "mode": mode,
    }
