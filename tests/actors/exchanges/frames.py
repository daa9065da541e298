"""Valid frames of every venue and lists of instruments to read them with; built here from exchanges.md 2.6, 3.4, 4.4."""

import json
from pathlib import Path

import pytest

from actors.exchanges.exchange import Instrument
from actors.exchanges.registry import EXCHANGES
from intelligence.market import Control
from tests.actors.exchanges import newer_frames

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "data"
RECEIVED_MS = 1_790_000_000_000


def recorded(path: str) -> Path:
    """A recorded file; the test is skipped where the recordings are not at hand."""
    file = RECORDED / path
    if not file.exists():
        pytest.skip(f"recorded data is not here: {file}")
    return file


def encoded(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def decode(venue, value, instruments=None, received_ms=RECEIVED_MS):
    frame = value if isinstance(value, bytes) else encoded(value)
    return EXCHANGES[venue].decoder(instruments or {}).decode(frame, received_ms)


def reasons(decoded):
    return [record.reason for record in decoded if isinstance(record, Control)]


def swap(name, asset, contract_size, multiplier=1.0):
    return {
        name: Instrument(venue="okx", instrument=name, asset=asset, contract_size=contract_size, multiplier=multiplier)
    }


OKX_SWAPS = (
    swap("BTC-USDT-SWAP", "BTC", 0.01) | swap("IOST-USDT-SWAP", "IOST", 1000.0) | swap("DOGE-USDT-SWAP", "DOGE", 1000.0)
)


# -- Binance -----------------------------------------------------------------------------------------------------------


def force_order(order=(), **event):
    order = {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.014",
        "p": "9910",
        "ap": "9905",
        "X": "FILLED",
        "l": "0.014",
        "z": "0.014",
        "T": 1568014460893,
        **dict(order),
    }
    event = {"e": "forceOrder", "E": 1568014460900, "o": order, "ps": order["s"], "st": 1, **event}
    return {"stream": "!forceOrder@arr", "data": {name: value for name, value in event.items() if value is not None}}


def binance_mark(symbol="BTCUSDT", **changes):
    return {
        "e": "markPriceUpdate",
        "E": 1790000000123,
        "s": symbol,
        "p": "11794.15",
        "i": "11784.62",
        "P": "11784.25",
        "ap": "11790.0",
        "r": "0.00038167",
        "T": 1790006400000,
        "st": 1,
        **changes,
    }


BINANCE_KLINE = {
    "e": "kline",
    "E": 1790000000123,
    "s": "BTCUSDT",
    "k": {
        "t": 1789999980000,
        "T": 1790000039999,
        "s": "BTCUSDT",
        "i": "1m",
        "o": "100",
        "c": "101",
        "h": "102",
        "l": "99",
        "v": "7.5",
        "n": 9,
        "x": False,
        "q": "757.5",
        "V": "2.5",
        "Q": "252.5",
    },
}
AGG_TRADE = {
    "e": "aggTrade",
    "E": 1790000000123,
    "s": "BNBUSDT",
    "a": 5933014,
    "p": "0.001",
    "q": "100",
    "nq": "100",
    "f": 100,
    "l": 105,
    "T": 1790000000120,
    "m": True,
    "st": 1,
}
RAW_TRADE = {
    "e": "trade",
    "E": 1790000000123,
    "T": 1790000000120,
    "s": "BTCUSDT",
    "t": 7,
    "p": "61800.3",
    "q": "0.006",
    "X": "MARKET",
    "m": False,
}

# -- Bybit -------------------------------------------------------------------------------------------------------------


def all_liquidation(*rows, symbol="ROSEUSDT"):
    rows = rows or ({},)
    return {
        "topic": f"allLiquidation.{symbol}",
        "type": "snapshot",
        "ts": 1739502303204,
        "data": [{"T": 1739502302929, "s": symbol, "S": "Sell", "v": "20000", "p": "0.04499", **row} for row in rows],
    }


def ticker(kind="snapshot", symbol="BTCUSDT", ts=1786310817583, **fields):
    return {"topic": f"tickers.{symbol}", "type": kind, "data": {"symbol": symbol, **fields}, "cs": 1, "ts": ts}


WHOLE_TICKER = ticker(
    markPrice="65117.44",
    indexPrice="65137.76",
    fundingRate="0.0001",
    nextFundingTime="1786320000000",
    openInterest="59891.732",
    openInterestValue="3899996265.01",
    singleOpenInterest="29945.866",
    singleOpenInterestValue="1949998132.50",
    bid1Price="65114.20",
)
PUBLIC_TRADE = {
    "topic": "publicTrade.BTCUSDT",
    "type": "snapshot",
    "ts": 1790000000125,
    "data": [
        {
            "T": 1790000000123,
            "s": "BTCUSDT",
            "S": "Buy",
            "v": "0.001",
            "p": "16578.50",
            "L": "PlusTick",
            "i": "20f43950-d8dd-5b31-9112-a178eb6023af",
            "BT": False,
            "RPI": False,
            "seq": 1783284617,
        }
    ],
}
BYBIT_KLINE = {
    "topic": "kline.60.BTCUSDT",
    "type": "snapshot",
    "ts": 1790000000125,
    "data": [
        {
            "start": 1789999200000,
            "end": 1790002799999,
            "interval": "60",
            "open": "100",
            "close": "101",
            "high": "102",
            "low": "99",
            "volume": "7.5",
            "turnover": "757.5",
            "confirm": True,
            "timestamp": 1790000000123,
        }
    ],
}

# -- OKX ---------------------------------------------------------------------------------------------------------------


def liquidation_orders(*details, instrument="IOST-USDT-SWAP"):
    details = details or ({},)
    plain = {"side": "buy", "posSide": "short", "sz": "13", "bkPx": "0.007831", "bkLoss": "0", "ccy": ""}
    return {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": [
            {
                "instType": "SWAP",
                "instId": instrument,
                "instFamily": instrument.removesuffix("-SWAP"),
                "uly": instrument.removesuffix("-SWAP"),
                "details": [{**plain, "ts": "1692266434010", **detail} for detail in details],
            }
        ],
    }


def okx_push(channel, *rows, instrument="BTC-USDT-SWAP"):
    return {"arg": {"channel": channel, "instId": instrument}, "data": list(rows)}


OKX_TRADE = okx_push(
    "trades",
    {
        "instId": "BTC-USDT-SWAP",
        "tradeId": "130639474",
        "px": "42219.9",
        "sz": "12",
        "side": "buy",
        "ts": "1790000000123",
        "count": "3",
        "source": "0",
        "seqId": 1234,
    },
)
OKX_MARK = okx_push(
    "mark-price",
    {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "84660.1", "ts": "1790000000123"},
)
OKX_FUNDING = okx_push(
    "funding-rate",
    {
        "instId": "BTC-USDT-SWAP",
        "instType": "SWAP",
        "fundingRate": "0.0000182",
        "fundingTime": "1790006400000",
        "nextFundingRate": "",
        "nextFundingTime": "1790035200000",
        "ts": "1790000000100",
    },
)
OKX_OPEN_INTEREST = okx_push(
    "open-interest",
    {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "oi": "2216113.01",
        "oiCcy": "22161.13",
        "oiUsd": "1939251795.55",
        "ts": "1790000000123",
    },
)
OKX_CANDLE = okx_push("candle1H", ["1789999200000", "100", "102", "99", "101", "750", "7.5", "757.5", "1"])

VALID = newer_frames.VALID | {
    "binance": [
        force_order(),
        {"stream": "!markPrice@arr@1s", "data": [binance_mark(), binance_mark("1000PEPEUSDT", p="0.01", i="0.011")]},
        {"stream": "btcusdt@kline_1m", "data": BINANCE_KLINE},
        {"stream": "bnbusdt@aggTrade", "data": AGG_TRADE},
        {"stream": "btcusdt@trade", "data": RAW_TRADE},
        {"symbol": "BTCUSDT", "openInterest": "109049.480", "time": 1789913109480},
        {"result": None, "id": 1},
    ],
    "bybit": [
        all_liquidation({}, {"S": "Buy", "p": "0.04"}),
        WHOLE_TICKER,
        PUBLIC_TRADE,
        BYBIT_KLINE,
        {"success": True, "ret_msg": "", "conn_id": "x", "req_id": "1", "op": "subscribe"},
    ],
    "okx": [
        liquidation_orders({}, {"side": "sell", "posSide": "net"}),
        OKX_TRADE,
        OKX_MARK,
        OKX_FUNDING,
        OKX_OPEN_INTEREST,
        OKX_CANDLE,
        {"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "connId": "a4d3ae55"},
    ],
}
INSTRUMENTS = newer_frames.INSTRUMENTS | {"binance": {}, "bybit": {}, "okx": OKX_SWAPS}
