"""Clients that others wrote, driven as their users drive them: only the address is ours. Installed from requirements-bench.txt."""

import asyncio
import json
import time
from typing import Any

from benchmarks.stand.frames import symbols
from benchmarks.stand.meter import Meter


def cryptofeed(port: int, trades: int, count: int) -> None:
    """FeedHandler, TRADES callback, uvloop; connects to the stand instead of Binance."""
    import cryptofeed.connection  # noqa: PLC0415
    import uvloop  # noqa: PLC0415
    from cryptofeed import FeedHandler  # noqa: PLC0415
    from cryptofeed.defines import PERPETUAL, TRADES  # noqa: PLC0415
    from cryptofeed.exchanges import BinanceFutures  # noqa: PLC0415
    from cryptofeed.symbols import Symbol, Symbols  # noqa: PLC0415

    names = {Symbol(name[:-4], "USDT", type=PERPETUAL).normalized: name for name in symbols(count)}
    facts = {"tick_size": dict.fromkeys(names, "0.01"), "instrument_type": dict.fromkeys(names, PERPETUAL)}
    Symbols.set(BinanceFutures.id, names, facts)
    connect = cryptofeed.connection.connect
    cryptofeed.connection.connect = lambda address, **how: connect(
        f"ws://127.0.0.1:{port}" + address.split(".com", 1)[1], **how
    )
    take = Meter(trades).trade

    async def on_trade(one: Any, _received_s: float) -> None:
        take(float(one.price), float(one.amount), one.symbol, one.side == "sell", one.timestamp, int(one.id))

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.set_event_loop(asyncio.new_event_loop())
    handler = FeedHandler(config={"uvloop": False, "log": {"filename": "/dev/null", "level": "ERROR"}})
    feed = BinanceFutures(symbols=list(names), channels=[TRADES], callbacks={TRADES: on_trade}, retries=0)
    handler.add_feed(feed)
    handler.run()


def ccxt(port: int, trades: int, count: int) -> None:
    """watch_trades_for_symbols. Counted where it parses: under load its caller does not see every trade."""
    import ccxt.pro  # noqa: PLC0415

    exchange = ccxt.pro.binanceusdm({"newUpdates": True, "enableRateLimit": False})
    exchange.urls["api"]["ws"]["future"] = exchange.urls["api"]["ws"]["linear"] = f"ws://127.0.0.1:{port}/ws"
    bases = [name.removesuffix("USDT") for name in symbols(count)]
    exchange.set_markets([_ccxt_market(exchange, base) for base in bases])
    meter, handle, parsed, delivered = Meter(trades), exchange.handle_trade, 0, 0

    def handle_trade(client: Any, message: Any) -> None:
        nonlocal parsed
        handle(client, message)
        parsed += 1
        if parsed == trades:
            meter.finish(delivered=delivered / trades)
        meter.step()

    async def main() -> None:
        nonlocal delivered
        wanted = [f"{base}/USDT:USDT" for base in bases]
        while True:
            delivered += len(await exchange.watch_trades_for_symbols(wanted, params={"name": "aggTrade"}))

    exchange.handle_trade = handle_trade
    asyncio.run(main())


def _ccxt_market(exchange: Any, base: str) -> Any:
    name = f"{base}USDT"
    kind = {"type": "swap", "spot": False, "margin": False, "swap": True, "future": False, "option": False}
    market = {"id": name, "lowercaseId": name.lower(), "symbol": f"{base}/USDT:USDT", "base": base, "baseId": base}
    market |= {"quote": "USDT", "quoteId": "USDT", "settle": "USDT", "settleId": "USDT", "active": True}
    market |= {"contract": True, "linear": True, "inverse": False, "contractSize": 1}
    return exchange.safe_market_structure(market | kind | {"precision": {"amount": 0.001, "price": 0.01}})


def unicorn(port: int, trades: int, count: int, library: str = "websockets") -> None:
    """process_stream_data, raw, decoded with orjson."""
    import orjson  # noqa: PLC0415
    from unicorn_binance_websocket_api import BinanceWebSocketApiManager  # noqa: PLC0415

    take = Meter(trades).trade

    def on_data(text: str, **_: Any) -> None:
        if text.startswith('{"stream"'):
            row = orjson.loads(text)["data"]
            take(float(row["p"]), float(row["q"]), row["s"], row["m"], row["T"], row["a"])

    manager = BinanceWebSocketApiManager(
        exchange="binance.com-futures",
        websocket_base_uri=f"ws://127.0.0.1:{port}/",
        warn_on_update=False,
        websocket_library=library,
        enable_stream_signal_buffer=False,
        process_stream_data=on_data,
        output_default="raw_data",
    )
    manager.create_stream(["aggTrade"], [name.lower() for name in symbols(count)])
    time.sleep(60)


def unicorn_picows(port: int, trades: int, count: int) -> None:
    unicorn(port, trades, count, "picows")


def python_binance(port: int, trades: int, count: int) -> None:
    """futures_multiplex_socket, with a queue that is large enough."""
    from binance import AsyncClient, BinanceSocketManager  # noqa: PLC0415

    take = Meter(trades).trade

    async def main() -> None:
        manager = BinanceSocketManager(AsyncClient(), max_queue_size=100_000)
        manager.FSTREAM_URL = f"ws://127.0.0.1:{port}/"
        streams = [f"{name.lower()}@aggTrade" for name in symbols(count)]
        async with manager.futures_multiplex_socket(streams) as stream:
            while True:
                row = (await stream.recv())["data"]
                take(float(row["p"]), float(row["q"]), row["s"], row["m"], row["T"], row["a"])

    asyncio.run(main())


def run_forever(port: int, trades: int, count: int) -> None:  # noqa: ARG001
    """websocket-client as most programs use it."""
    import websocket  # noqa: PLC0415, TID251 - as others use it

    take = Meter(trades).trade

    def on_message(_app: Any, text: str) -> None:
        if text.startswith('{"stream"'):
            row = json.loads(text)["data"]
            take(float(row["p"]), float(row["q"]), row["s"], row["m"], row["T"], row["a"])

    websocket.WebSocketApp(f"ws://127.0.0.1:{port}/stream", on_message=on_message).run_forever()
