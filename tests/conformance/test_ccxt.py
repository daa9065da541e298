"""ccxt and ccxt.pro read the simulator as they read the venues; only the host of their addresses is another.

Options name the kinds of market to load, as a user of the client would; nothing else of it is touched.
"""

import asyncio
from contextlib import asynccontextmanager

import ccxt.pro
import pytest
from ccxt.base.errors import NotSupported

from simulator.listings import VENUES
from tests.conformance.running import Run, running

SYMBOLS = dict.fromkeys(VENUES, "BTC/USDT:USDT") | {"hyperliquid": "BTC/USDC:USDC", "deribit": "BTC/USD:BTC"}
NAMES = {
    "binance": "BTCUSDT",
    "bybit": "BTCUSDT",
    "okx": "BTC-USDT-SWAP",
    "gate": "BTC_USDT",
    "bitget": "BTCUSDT",
    "hyperliquid": "BTC",
    "deribit": "BTC-PERPETUAL",
}
CLIENTS = {name: name for name in VENUES} | {"binance": "binanceusdm"}
OPTIONS = {
    "binance": {"fetchMarkets": {"types": ["linear"]}},
    "bybit": {"fetchMarkets": {"types": ["linear"]}},
    "okx": {"fetchMarkets": {"types": ["swap"]}},
    "gate": {"fetchMarkets": {"types": ["swap"]}, "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}}},
    "bitget": {"fetchMarkets": {"types": ["swap"]}, "uta": True},
    "hyperliquid": {"fetchMarkets": {"types": ["swap"]}},
    "deribit": {},
}
NO_OPEN_INTEREST = pytest.mark.xfail(raises=NotSupported, reason="ccxt 4.5.90 asks Gate for no open interest")
NO_LIQUIDATIONS = pytest.mark.xfail(
    raises=NotSupported,
    reason="ccxt 4.5.90 does not read this venue's public liquidations: Gate's and Bitget's channels are newer than it, "
    "Hyperliquid has none, and of Deribit's trades it passes the flag on in `info` alone",
)


def _moved(addresses, venue: str, run: Run):
    if isinstance(addresses, dict):
        return {name: _moved(address, venue, run) for name, address in addresses.items()}
    return run.local(addresses, venue) if isinstance(addresses, str) else addresses


@asynccontextmanager
async def reading(venue: str):
    """A running simulator and the client of one venue."""
    async with running() as run:
        client = getattr(ccxt.pro, CLIENTS[venue])({"options": {"defaultType": "swap", **OPTIONS[venue]}})
        client.has["fetchCurrencies"] = False  # of the spot market
        client.urls = client.urls | {"api": _moved(client.urls["api"], venue, run)}
        try:
            yield run, client
        finally:
            await client.close()


def read(venue: str, play):
    async def whole():
        async with reading(venue) as (run, client):
            return await play(run, client)

    return asyncio.run(whole())


@pytest.mark.parametrize("venue", VENUES)
def test_instruments(venue):
    async def play(run, client):
        await client.load_markets()
        return run.listing(venue, NAMES[venue]), client.market(SYMBOLS[venue])

    listing, market = read(venue, play)
    assert (market["id"] if venue != "hyperliquid" else market["base"], market["swap"]) == (NAMES[venue], True)
    assert market["active"] in (True, None)
    assert market["contractSize"] == (10 if listing.inverse else listing.contract_size)
    if venue not in ("hyperliquid", "deribit"):
        assert market["precision"]["price"] == pytest.approx(float(listing.tick))


@pytest.mark.parametrize(
    "venue", [pytest.param(venue, marks=NO_OPEN_INTEREST) if venue == "gate" else venue for venue in VENUES]
)
def test_open_interest(venue):
    async def play(run, client):
        await client.load_markets()
        found = await client.fetch_open_interest(SYMBOLS[venue])
        return run.server.venues[venue]._source.quote(venue, NAMES[venue]), found

    quote, found = read(venue, play)
    if venue == "deribit":
        assert found["openInterestValue"] == pytest.approx(quote.open_coins * quote.mark, rel=1e-3)
    elif venue == "bybit":  # reads the plain field of the hour that began, which counts both sides
        assert found["openInterestAmount"] == pytest.approx(2 * quote.open_coins, rel=0.03)
    else:
        scale = quote.listing.contract_size if venue == "okx" else 1.0
        assert found["openInterestAmount"] * scale == pytest.approx(quote.open_coins, rel=1e-4)


@pytest.mark.parametrize("venue", VENUES)
def test_trades(venue):
    """Every trade it hands over is one of the market's, with its price, size and taker side."""

    async def play(run, client):
        await client.load_markets()
        trades = []
        while len(trades) < 5:
            trades += await run.until(client.watch_trades(SYMBOLS[venue]))
        return [(trade, run.trade(venue, NAMES[venue], _ident(trade))) for trade in trades], run.listing(
            venue, NAMES[venue]
        )

    pairs, listing = read(venue, play)
    for read_trade, true_trade in pairs:
        coins = read_trade["amount"] * listing.contract_size
        if listing.inverse:
            coins = read_trade["amount"] / read_trade["price"]
        assert read_trade["side"] == ("buy" if true_trade.is_buy else "sell")
        assert read_trade["timestamp"] == true_trade.time_ms
        assert read_trade["price"] == pytest.approx(true_trade.price, abs=0.06)
        assert coins == pytest.approx(
            true_trade.coins, rel=1e-3, abs=12 / true_trade.price if listing.inverse else 1e-5
        )


def _ident(trade: dict) -> int:
    """The simulator numbers the trades of a contract; Bybit writes the number as a UUID, Deribit after the coin."""
    text = trade["id"].rpartition("-")[2]
    return int(text, 16) if len(trade["id"]) == 36 else int(text)


@pytest.mark.parametrize("venue", VENUES)
def test_tickers(venue):
    async def play(run, client):
        await client.load_markets()
        tickers = await run.until(client.watch_tickers([SYMBOLS[venue]]))
        return tickers[SYMBOLS[venue]], run.server.venues[venue]._source.quote(venue, NAMES[venue])

    ticker, quote = read(venue, play)
    assert ticker["last"] == pytest.approx(quote.last, rel=2e-3)


@pytest.mark.parametrize("venue", VENUES)
def test_candles(venue):
    async def play(run, client):
        await client.load_markets()
        for _ in range(1300):
            run.step()
        rows = await client.fetch_ohlcv(SYMBOLS[venue], "1m", since=run.market.start_ms - 60_000, limit=50)
        return rows, run.market

    rows, market = read(venue, play)
    contract = market.flow.contracts[venue, NAMES[venue]]
    closed = {candle.open_ms: candle for candle in contract.candles.closed}
    matched = [(row, closed[row[0]]) for row in rows if row[0] in closed]
    assert len(matched) == 2
    for (_, opened, high, low, close, _), candle in matched:
        true_prices = (candle.open, candle.high, candle.low, candle.close)
        assert (opened, high, low, close) == pytest.approx(true_prices, abs=0.06)


@pytest.mark.parametrize("is_long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize(
    "venue",
    [
        pytest.param(venue, marks=NO_LIQUIDATIONS) if venue not in ("binance", "bybit", "okx") else venue
        for venue in VENUES
    ],
)
def test_liquidations(venue, is_long):
    async def play(run, client):
        await client.load_markets()

        def one():
            return run.one_liquidation(venue, NAMES[venue], is_long=is_long)

        while True:  # the first may be older ones, which OKX sends after the subscription
            for row in await run.until(client.watch_liquidations(SYMBOLS[venue]), one):
                if row["price"] == pytest.approx(84_000 if venue == "binance" else 83_800):
                    return row, run.listing(venue, NAMES[venue])

    row, listing = read(venue, play)
    assert row["symbol"] == SYMBOLS[venue]
    assert row["contracts"] * listing.contract_size == pytest.approx(0.5)
    of_position = venue == "bybit"  # the venue names the side of the position, the others that of the order
    assert row["side"] == ("buy" if is_long is of_position else "sell")
