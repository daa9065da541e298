"""What the three venues say on the wire, as small as their decoders allow."""

import json

T0 = 1_739_502_302_000


def okx_answer(sent):
    """OKX acknowledges every argument by itself and pongs in one bare word."""
    if sent == "ping":
        return ("pong",)
    return tuple(json.dumps({"event": "subscribe", "arg": arg, "connId": "a"}) for arg in json.loads(sent)["args"])


def bybit_answer(sent):
    op = json.loads(sent)["op"]
    return (json.dumps({"success": True, "ret_msg": "pong" if op == "ping" else "", "conn_id": "c", "op": op}),)


def binance_answer(_sent):
    return ('{"result":null,"id":1}',)


def bybit_liquidation(*rows, ts=T0 + 500):
    """Rows of symbol, coins, price and milliseconds after T0; all longs."""
    first = rows[0][0]
    data = [
        {"T": T0 + at, "s": symbol, "S": "Buy", "v": str(coins), "p": str(price)} for symbol, coins, price, at in rows
    ]
    return json.dumps({"topic": f"allLiquidation.{first}", "type": "snapshot", "ts": ts, "data": data})


def bybit_ticker(symbol, price, at=0, kind="snapshot"):
    data = {"symbol": symbol, "markPrice": str(price)}
    return json.dumps({"topic": f"tickers.{symbol}", "type": kind, "ts": T0 + at, "data": data})


def binance_marks(*rows, at=0):
    """Symbols and prices in one frame."""
    data = [
        {
            "e": "markPriceUpdate",
            "E": T0 + at,
            "s": symbol,
            "p": str(price),
            "i": str(price),
            "r": "0.0001",
            "T": T0,
            "st": 1,
        }
        for symbol, price in rows
    ]
    return json.dumps({"stream": "!markPrice@arr@1s", "data": data})


def binance_order(symbol, coins, price, at=0):
    order = {
        "s": symbol,
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": str(coins),
        "p": str(price),
        "ap": str(price),
        "X": "FILLED",
        "l": str(coins),
        "z": str(coins),
        "T": T0 + at,
    }
    event = {"e": "forceOrder", "E": T0 + at, "o": order, "ps": symbol, "st": 1}
    return json.dumps({"stream": "!forceOrder@arr", "data": event})


def bybit_page(*symbols, cursor=""):
    rows = [
        {
            "symbol": symbol,
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "baseCoin": symbol.removesuffix("USDT"),
            "quoteCoin": "USDT",
        }
        for symbol in symbols
    ]
    result = {"category": "linear", "list": rows, "nextPageCursor": cursor}
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result}).encode()
