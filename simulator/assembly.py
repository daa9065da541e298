"""Puts the parts of one run together: a source of truth, the venues that show it, the server."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from simulator import binance_rest, bitget_rows, bybit_rest, deribit_rows, gate_rows, hyperliquid_info, okx_rest
from simulator.assets import ASSETS
from simulator.binance import BinanceVenue
from simulator.bitget import BitgetVenue
from simulator.bybit import BybitVenue
from simulator.clock import ClockMap
from simulator.deribit import DeribitVenue
from simulator.gate import GateVenue
from simulator.hyperliquid import HyperliquidVenue
from simulator.listings import (
    BINANCE,
    BITGET,
    BYBIT,
    DEFAULT_VENUES,
    DERIBIT,
    GATE,
    HYPERLIQUID,
    OKX,
    Listing,
    listings_of,
)
from simulator.market import Market
from simulator.okx import OkxVenue
from simulator.server import HOST, SimulatorServer
from simulator.source import MarketSource, TapeSource
from simulator.tape import Tape
from simulator.venue import Source, Venue

Rows = Callable[[Any], list[dict[str, Any]]]
_VENUES: dict[str, tuple[Callable[..., Venue], Rows, Rows]] = {
    # the protocol, and the instruments of a market's listings and of a tape's symbols
    BINANCE: (BinanceVenue, binance_rest.instrument_rows, binance_rest.tape_rows),
    BYBIT: (BybitVenue, bybit_rest.instrument_rows, bybit_rest.tape_rows),
    OKX: (OkxVenue, okx_rest.instrument_rows, okx_rest.tape_rows),
    GATE: (GateVenue, gate_rows.instrument_rows, gate_rows.tape_rows),
    BITGET: (BitgetVenue, bitget_rows.instrument_rows, bitget_rows.tape_rows),
    HYPERLIQUID: (HyperliquidVenue, hyperliquid_info.instrument_rows, hyperliquid_info.tape_rows),
    DERIBIT: (DeribitVenue, deribit_rows.instrument_rows, deribit_rows.tape_rows),
}


def market_server(
    market: Market,
    clock: ClockMap,
    *,
    venues: Sequence[str] = DEFAULT_VENUES,
    speed: float = 1.0,
    announce: Callable[[dict[str, Any]], None] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> SimulatorServer:
    source = MarketSource(market)
    listed: dict[str, list[Listing]] = {name: [] for name in venues}
    for asset in ASSETS[: len(market.books)]:
        for name, listing in listings_of(asset, venues).items():
            listed.get(name, []).append(listing)
    return SimulatorServer(
        [_market_venue(name, source, listed[name], speed) for name in venues],
        clock=clock,
        market=market,
        speed=speed,
        announce=announce,
        now=now,
    )


def _market_venue(name: str, source: Source, listings: Sequence[Listing], speed: float) -> Venue:
    kind, rows, _ = _VENUES[name]
    return kind(source, rows(listings), speed=speed)


def tape_server(tape: Tape, clock: ClockMap, *, now: Callable[[], float] = time.monotonic) -> SimulatorServer:
    source = TapeSource(lambda: clock.market_ms(now()))
    return SimulatorServer(
        [_tape_venue(name, source, tape.symbols(name)) for name in tape.venues], clock=clock, now=now
    )


def _tape_venue(name: str, source: Source, symbols: Sequence[str]) -> Venue:
    kind, _, rows = _VENUES[name]
    return kind(source, rows(symbols))


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
