"""Recorded frames of each venue: to whom the simulator has to send them, which contracts they name, and their own time.

The bytes stay as they were recorded. Frames of a retired protocol (Bitget's of 2022) and of an address that needs a login
(Deribit's raw feeds) go to the subscribers of what took their place.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from simulator.binance import ALL_LIQUIDATIONS
from simulator.gate import ALL, DECIMAL
from simulator.listings import BINANCE, BITGET, BYBIT, DERIBIT, GATE, HYPERLIQUID, OKX
from simulator.venue import compact

_BINANCE_STREAMS = {
    "aggTrade": "aggTrade",
    "trade": "trade",
    "forceOrder": "forceOrder",
    "markPriceUpdate": "markPrice",
    "24hrTicker": "ticker",
}
_BITGET_TOPICS = {"trade": "publicTrade", "candle1m": "kline"}  # names of before v3


class Recorded(NamedTuple):
    """`topics`: the first of them that somebody wants gets the frame. `time_ms` is None where a frame has none."""

    topics: tuple[str, ...]
    payload: str
    symbols: tuple[str, ...]
    time_ms: int | None


def read_frame(venue: str, message: Any, line: str) -> Recorded | None:
    """None for what is no market data: acknowledgements, pongs, answers of REST.

    Raises KeyError, TypeError, ValueError or AttributeError for a message of another shape than the venue's.
    """
    return _READERS[venue](message, line.strip())


def _read_binance(message: Any, line: str) -> Recorded | None:
    wrapped = isinstance(message, dict) and "stream" in message
    data = message.get("data") if wrapped else message
    rows = data if isinstance(data, list) else [data]
    if not rows or not isinstance(rows[0], dict) or "e" not in rows[0]:
        return None
    symbols = tuple(row["o"]["s"] if row["e"] == "forceOrder" else row["s"] for row in rows if {"o", "s"} & set(row))
    topic = message["stream"] if wrapped else _binance_stream(data)
    return Recorded((topic,), compact(data) if wrapped else line, symbols, int(rows[0]["E"]))


def _binance_stream(data: Any) -> str:
    if isinstance(data, list):
        return "!markPrice@arr"
    if data["e"] == "forceOrder":
        return ALL_LIQUIDATIONS if "st" in data else f"{data['o']['s'].lower()}@forceOrder"
    if data["e"] == "kline":
        return f"{data['s'].lower()}@kline_{data['k']['i']}"
    return f"{data['s'].lower()}@{_BINANCE_STREAMS.get(data['e'], data['e'])}"


def _read_bybit(message: Any, line: str) -> Recorded | None:
    if not isinstance(message, dict) or "topic" not in message:
        return None
    topic = message["topic"]
    return Recorded((topic,), line, (topic.rpartition(".")[2],), _latest([message], "ts"))


def _read_okx(message: Any, line: str) -> Recorded | None:
    if not isinstance(message, dict) or "data" not in message or "arg" not in message:
        return None
    arg, rows = message["arg"], message["data"]
    symbols = tuple(row["instId"] for row in rows if "instId" in row)
    details = [detail for row in rows for detail in row.get("details", ())]
    topic = f"{arg['channel']}:{arg.get('instId') or arg.get('instType', '')}"
    return Recorded((topic,), line, symbols, _latest([*rows, *details], "ts"))


def _read_gate(message: Any, line: str) -> Recorded | None:
    """Whole sizes go to who asked for decimal ones too: readers have to take both (exchanges.md 6.1)."""
    if not isinstance(message, dict) or message.get("event") not in ("update", "all"):
        return None
    channel, result = message["channel"], message["result"]
    rows = result if isinstance(result, list) else [result]
    names = [row["n"].partition("_") for row in rows if "n" in row]
    symbols = tuple(dict.fromkeys([row["contract"] for row in rows if "contract" in row] + [name[2] for name in names]))
    kind = channel if all(name[0] == "1m" for name in names) else f"{channel}.{names[0][0]}"
    contracts = [ALL] if channel == "futures.public_liquidates" else []
    topics = tuple(f"{kind}:{name}{ending}" for name in (*contracts, *symbols[:1]) for ending in (DECIMAL, ""))
    return Recorded(topics or (kind,), line, symbols, message.get("time_ms") or message["time"] * 1000)


def _read_bitget(message: Any, line: str) -> Recorded | None:
    if not isinstance(message, dict) or "data" not in message or "arg" not in message:
        return None
    arg = message["arg"]
    kind, symbol = arg.get("topic") or arg["channel"], arg.get("symbol") or arg.get("instId")
    named = (symbol,) if symbol else tuple(row["symbol"] for row in message["data"])
    topic = _BITGET_TOPICS.get(kind, kind)
    return Recorded((f"{topic}:{symbol}" if symbol else topic,), line, named, _latest([message], "ts"))


def _read_hyperliquid(message: Any, line: str) -> Recorded | None:
    if not isinstance(message, dict) or message.get("channel") in ("subscriptionResponse", "pong", "error", None):
        return None
    kind, data = message["channel"], message["data"]
    rows = data if isinstance(data, list) else [data]
    coins = tuple(dict.fromkeys(row.get("coin") or row["s"] for row in rows if "coin" in row or "s" in row))
    return Recorded((f"{kind}:{coins[0]}" if coins else kind,), line, coins, _latest(rows, "time", "T"))


def _read_deribit(message: Any, line: str) -> Recorded | None:
    if not isinstance(message, dict) or message.get("method") != "subscription":
        return None
    channel, data = message["params"]["channel"], message["params"]["data"]
    rows = data if isinstance(data, list) else [data]
    topic = channel.removesuffix("raw") + "100ms" if channel.endswith(".raw") else channel
    named = tuple(dict.fromkeys(row["instrument_name"] for row in rows if "instrument_name" in row))
    if channel.startswith("chart.trades."):
        named = (channel.split(".")[2],)
    topics = (topic, *_deribit_groups(named)) if topic.startswith("trades.") else (topic,)
    return Recorded(topics, line, named, _latest(rows, "timestamp", "tick"))


def _deribit_groups(names: Iterable[str]) -> list[str]:
    """The channels of all trades of a currency: what inverse contracts settle in, and USDC for the linear ones."""
    currencies = {"USDC" if "_USDC" in name else name.partition("-")[0] for name in names}
    return [f"trades.{kind}.{one}.100ms" for one in (*sorted(currencies), "any") for kind in ("future", "any")]


def _latest(rows: Iterable[Mapping[str, Any]], *fields: str) -> int | None:
    return max((int(row[name]) for row in rows for name in fields if row.get(name) is not None), default=None)


_READERS: dict[str, Callable[[Any, str], Recorded | None]] = {
    BINANCE: _read_binance,
    BYBIT: _read_bybit,
    OKX: _read_okx,
    GATE: _read_gate,
    BITGET: _read_bitget,
    HYPERLIQUID: _read_hyperliquid,
    DERIBIT: _read_deribit,
}
