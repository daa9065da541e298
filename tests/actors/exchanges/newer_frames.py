"""Valid frames of Gate, Bitget, Hyperliquid and Deribit, built from exchanges.md 5 to 8."""

from actors.exchanges.exchange import Instrument


def contract(name, asset, contract_size, multiplier=1.0):
    one = Instrument(venue="gate", instrument=name, asset=asset, contract_size=contract_size, multiplier=multiplier)
    return {name: one}


GATE_CONTRACTS = contract("BTC_USDT", "BTC", 0.0001) | contract("MBABYDOGE_USDT", "BABYDOGE", 100.0, 1e6)
BITGET_SYMBOLS = {
    name: Instrument(venue="bitget", instrument=name, asset=asset, multiplier=multiplier)
    for name, asset, multiplier in (("BTCUSDT", "BTC", 1.0), ("1000BONKUSDT", "BONK", 1000.0))
}
HYPERLIQUID_COINS = {
    name: Instrument(venue="hyperliquid", instrument=name, asset=asset, multiplier=multiplier, place=place)
    for name, asset, multiplier, place in (("BTC", "BTC", 1.0, 0), ("kPEPE", "PEPE", 1000.0, 2))
}
DERIBIT_PERPETUALS = {
    "BTC-PERPETUAL": Instrument(venue="deribit", instrument="BTC-PERPETUAL", asset="BTC", inverse=True),
    "SOL_USDC-PERPETUAL": Instrument(venue="deribit", instrument="SOL_USDC-PERPETUAL", asset="SOL"),
}

# -- Gate --------------------------------------------------------------------------------------------------------------


def gate(channel, *rows, **changes):
    envelope = {"time": 1790000000, "time_ms": 1790000000456, "channel": f"futures.{channel}", "event": "update"}
    return {**envelope, "result": list(rows), **changes}


def public_liquidates(*rows):
    plain = {"price": "60000", "size": "-125", "time": 1790000000123, "contract": "BTC_USDT"}
    return gate("public_liquidates", *({**plain, **row} for row in rows or ({},)))


GATE_TRADE = gate(
    "trades",
    {
        "size": "-2.5",
        "id": 27753479,
        "create_time": 1790000000,
        "create_time_ms": 1790000000123,
        "price": "60000.5",
        "contract": "BTC_USDT",
    },
)
GATE_TICKER = gate(
    "tickers",
    {
        "contract": "BTC_USDT",
        "last": "60000",
        "total_size": "32323904",
        "mark_price": "60001",
        "index_price": "60002",
        "funding_rate": "0.0001",
    },
)
GATE_BAR = gate(
    "candlesticks",
    {
        "t": 1789999980,
        "v": 750,
        "c": "101",
        "h": "102",
        "l": "99",
        "o": "100",
        "n": "1m_BTC_USDT",
        "sum": "7.5",
        "w": True,
    },
)
GATE_STATISTICS = gate(
    "contract_stats",
    {
        "time": 1789999980,
        "contract": "BTC_USDT",
        "open_interest": 124724,
        "open_interest_usd": 748344.0,
        "long_liq_size": 500,
        "long_liq_amount": 0.05,
        "long_liq_usd": 3000.0,
        "short_liq_size": 0,
        "short_liq_amount": 0,
        "short_liq_usd": 0,
        "mark_price": 60000,
    },
)
GATE_ACK = gate("trades", event="subscribe", result={"status": "success"})

# -- Bitget ------------------------------------------------------------------------------------------------------------


def bitget(topic, *rows, action="update", symbol="BTCUSDT", **changes):
    arg = {"instType": "usdt-futures", "topic": topic, "symbol": symbol}
    return {"action": action, "arg": arg, "data": list(rows), "ts": 1790000000456, **changes}


def bitget_liquidation(*rows):
    plain = {"symbol": "BTCUSDT", "side": "buy", "price": "60000", "amount": "3000", "ts": "1790000000123"}
    arg = {"instType": "usdt-futures", "topic": "liquidation"}
    return bitget("liquidation", *({**plain, **row} for row in rows or ({},)), arg=arg)


BITGET_TRADE = bitget(
    "publicTrade",
    {"i": "14329", "p": "76631.3", "v": "0.01", "S": "sell", "T": "1790000000123", "L": "1", "isRPI": "no"},
)
BITGET_TICKER = bitget(
    "ticker",
    {
        "lastPrice": "76631.3",
        "indexPrice": "76671.4",
        "markPrice": "76631.4",
        "fundingRate": "-0.00003",
        "openInterest": "29539.3825",
        "nextFundingTime": "1790006400000",
    },
    action="snapshot",
)
BITGET_BAR = bitget(
    "kline",
    {
        "start": "1789999980000",
        "open": "100",
        "high": "102",
        "low": "99",
        "close": "101",
        "volume": "7.5",
        "turnover": "757.5",
    },
    arg={"instType": "usdt-futures", "topic": "kline", "symbol": "BTCUSDT", "interval": "1m"},
)
BITGET_ACK = {"event": "subscribe", "arg": {"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSDT"}}

# -- Hyperliquid -------------------------------------------------------------------------------------------------------


def hyperliquid_trades(*rows):
    plain = {"coin": "BTC", "side": "B", "px": "60000.0", "sz": "0.015", "hash": "0x0", "time": 1790000000123}
    rows = [{**plain, "tid": 300003, "users": ["0xb", "0xs"], **row} for row in rows or ({},)]
    return {"channel": "trades", "data": rows}


CONTEXT = {
    "funding": "0.0000125",
    "openInterest": "27353.5",
    "prevDayPx": "76317.0",
    "dayNtlVlm": "1516669192.19",
    "premium": None,
    "oraclePx": "60005.0",
    "markPx": "60000.0",
    "midPx": None,
    "impactPxs": None,
}
HYPERLIQUID_CONTEXT = {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": CONTEXT}}
HYPERLIQUID_CONTEXTS = {
    "channel": "allDexsAssetCtxs",
    "data": {"ctxs": [["", [CONTEXT, CONTEXT, {**CONTEXT, "markPx": "0.01"}]], ["xyz", [CONTEXT]]]},
}
HYPERLIQUID_BAR = {
    "channel": "candle",
    "data": {
        "t": 1789999980000,
        "T": 1790000039999,
        "s": "BTC",
        "i": "1m",
        "o": "100",
        "c": "101",
        "h": "102",
        "l": "99",
        "v": "7.5",
        "n": 9,
    },
}


def hyperliquid_fills(*fills, **changes):
    plain = {
        "coin": "BTC",
        "px": "60000.0",
        "sz": "0.5",
        "side": "B",
        "time": 1790000000123,
        "dir": "Open Long",
        "crossed": True,
        "tid": 7,
        "liquidation": {"liquidatedUser": "0xvictim", "markPx": "60010.0", "method": "backstop"},
    }
    fills = [{**plain, **fill} for fill in fills or ({},)]
    return {"channel": "userFills", "data": {"user": "0xvault", "fills": fills, **changes}}


def hyperliquid_ack(kind="trades", coin="BTC"):
    return {
        "channel": "subscriptionResponse",
        "data": {"method": "subscribe", "subscription": {"type": kind, "coin": coin}},
    }


# -- Deribit -----------------------------------------------------------------------------------------------------------


def deribit(channel, data):
    return {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


def deribit_trades(*rows, name="BTC-PERPETUAL"):
    plain = {
        "timestamp": 1790000000123,
        "price": 60000.0,
        "amount": 1200.0,
        "direction": "sell",
        "trade_id": "403691824",
        "instrument_name": name,
    }
    return deribit(f"trades.{name}.100ms", [{**plain, **row} for row in rows or ({},)])


def deribit_ticker(name="BTC-PERPETUAL", **changes):
    plain = {
        "timestamp": 1790000000123,
        "instrument_name": name,
        "mark_price": 60000.0,
        "index_price": 60010.0,
        "open_interest": 1200000000.0,
        "funding_8h": 0.00001742,
        "current_funding": 0.0,
    }
    return deribit(f"ticker.{name}.100ms", {**plain, **changes})


DERIBIT_BAR = deribit(
    "chart.trades.BTC-PERPETUAL.1",
    {
        "tick": 1789999980000,
        "open": 100.0,
        "high": 102.0,
        "low": 99.0,
        "close": 101.0,
        "volume": 7.5,
        "cost": 757.5,
    },
)
DERIBIT_SUMMARY = {
    "jsonrpc": "2.0",
    "result": [
        {
            "instrument_name": "BTC-PERPETUAL",
            "creation_timestamp": 1790000000123,
            "mark_price": 60000.0,
            "open_interest": 600000.0,
            "volume_usd": 5.0,
            "last": 60001.0,
        }
    ],
}


def deribit_ack(asked=1, accepted=1):
    return {"jsonrpc": "2.0", "id": asked, "result": [f"trades.{n}.100ms" for n in range(accepted)]}


VALID = {
    "gate": [public_liquidates({}, {"size": 3}), GATE_TRADE, GATE_TICKER, GATE_BAR, GATE_STATISTICS, GATE_ACK],
    "bitget": [bitget_liquidation({}, {"side": "sell"}), BITGET_TRADE, BITGET_TICKER, BITGET_BAR, BITGET_ACK],
    "hyperliquid": [
        hyperliquid_trades({}, {"side": "A", "liquidation": {"liquidatedUser": "0xs"}}),
        HYPERLIQUID_CONTEXT,
        HYPERLIQUID_CONTEXTS,
        HYPERLIQUID_BAR,
        hyperliquid_fills(),
        hyperliquid_ack(),
    ],
    "deribit": [
        deribit_trades({}, {"liquidation": "MT"}),
        deribit_ticker(),
        DERIBIT_BAR,
        DERIBIT_SUMMARY,
        deribit_ack(),
    ],
}
INSTRUMENTS = {
    "gate": GATE_CONTRACTS,
    "bitget": BITGET_SYMBOLS,
    "hyperliquid": HYPERLIQUID_COINS,
    "deribit": DERIBIT_PERPETUALS,
}
