"""What reading trades in bulk costs beside a bare loop over msgspec's rows: `python -m benchmarks.trades [--reads BYTES]`.

Frames of 50 symbols as venues send them, many to a read, separated as the reader of sockets separates them. Bare: one
typed decode of all lines of a read and a call for each trade, as in ../shared/bench/peers; nothing is checked, scaled
or grouped there. Ours gives checked columns of each symbol in coins.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from actors.exchanges.exchange import Instrument
from actors.exchanges.registry import EXCHANGES

TRADES = 100_000
ROUNDS = 7
SYMBOLS = [f"COIN{n:02}" for n in range(50)]
T0_MS = 1_763_836_800_000


class _BinanceRow(msgspec.Struct, gc=False):
    s: str
    a: int
    p: float
    q: float
    T: int
    m: bool


class _Binance(msgspec.Struct, gc=False):
    data: _BinanceRow


class _BybitRow(msgspec.Struct, gc=False):
    s: str
    i: str
    p: float
    v: float
    T: int
    S: str


class _Bybit(msgspec.Struct, gc=False):
    data: list[_BybitRow]


class _OkxRow(msgspec.Struct, gc=False):
    instId: str  # noqa: N815  # the venue's name
    tradeId: str  # noqa: N815
    px: float
    sz: float
    ts: int
    side: str


class _Okx(msgspec.Struct, gc=False):
    data: list[_OkxRow]


class _GateRow(msgspec.Struct, gc=False):
    contract: str
    id: int
    price: float
    size: float
    create_time_ms: int


class _Gate(msgspec.Struct, gc=False):
    result: list[_GateRow]


class _BitgetRow(msgspec.Struct, gc=False):
    i: str
    p: float
    v: float
    T: int
    S: str


class _BitgetArg(msgspec.Struct, gc=False):
    symbol: str


class _Bitget(msgspec.Struct, gc=False):
    arg: _BitgetArg
    data: list[_BitgetRow]


class _HyperliquidRow(msgspec.Struct, gc=False):
    coin: str
    tid: int
    px: float
    sz: float
    time: int
    side: str


class _Hyperliquid(msgspec.Struct, gc=False):
    data: list[_HyperliquidRow]


class _DeribitRow(msgspec.Struct, gc=False):
    instrument_name: str
    trade_id: str
    price: float
    amount: float
    timestamp: int
    direction: str


class _DeribitData(msgspec.Struct, gc=False):
    data: list[_DeribitRow]


class _Deribit(msgspec.Struct, gc=False):
    params: _DeribitData


def binance(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    name, maker = f"{s}USDT", "false" if buys else "true"
    return (
        f'{{"stream":"{name.lower()}@aggTrade","data":{{"e":"aggTrade","E":{t + 3},"s":"{name}","a":{n},"p":"{p}",'
        f'"q":"{q}","f":{n},"l":{n},"T":{t},"m":{maker}}}}}'
    )


def bybit(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    side = "Buy" if buys else "Sell"
    return (
        f'{{"topic":"publicTrade.{s}USDT","type":"snapshot","ts":{t + 3},"data":[{{"T":{t},"s":"{s}USDT","S":"{side}",'
        f'"v":"{q}","p":"{p}","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-{n:012}","BT":false,"RPI":false,"seq":{n}}}]}}'
    )


def okx(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    name, side = f"{s}-USDT-SWAP", "buy" if buys else "sell"
    return (
        f'{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{{"instId":"{name}","tradeId":"{n}","px":"{p}",'
        f'"sz":"{q}","side":"{side}","ts":"{t}","count":"1","source":"0","seqId":{n}}}]}}'
    )


def gate(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    size = q if buys else f"-{q}"
    return (
        f'{{"time":{t // 1000},"time_ms":{t + 3},"channel":"futures.trades","event":"update","result":[{{"size":"{size}",'
        f'"id":{n},"create_time":{t // 1000},"create_time_ms":{t},"price":"{p}","contract":"{s}_USDT"}}]}}'
    )


def bitget(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    side = "buy" if buys else "sell"
    return (
        f'{{"action":"update","arg":{{"instType":"usdt-futures","topic":"publicTrade","symbol":"{s}USDT"}},"data":[{{'
        f'"i":"{n}","p":"{p}","v":"{q}","S":"{side}","T":"{t}","L":"{n}","isRPI":"no"}}],"ts":{t + 3}}}'
    )


def hyperliquid(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    return (
        f'{{"channel":"trades","data":[{{"coin":"{s}","side":"{"B" if buys else "A"}","px":"{p}","sz":"{q}","time":{t},'
        f'"hash":"0x{n:064x}","tid":{n},"users":["0x{n:040x}","0x{n:040x}"]}}]}}'
    )


def deribit(s: str, p: str, q: str, t: int, n: int, *, buys: bool) -> str:
    name, side = f"{s}_USDC-PERPETUAL", "buy" if buys else "sell"
    return (
        f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"trades.{name}.100ms","data":[{{"timestamp":{t},'
        f'"price":{p},"amount":{float(q) + 0.001:.3f},"direction":"{side}","index_price":{p},"mark_price":{p},'
        f'"trade_seq":{n},"trade_id":"{n}","tick_direction":2,"instrument_name":"{name}"}}]}}}}'
    )


def tell(*fields: object) -> None:
    """Whoever wants the trade."""


def bare_binance(frames: list[_Binance]) -> None:
    for frame in frames:
        row = frame.data
        tell(row.p, row.q, row.s, row.m, row.T, row.a)


def bare_bybit(frames: list[_Bybit]) -> None:
    for frame in frames:
        for row in frame.data:
            tell(row.p, row.v, row.s, row.S, row.T, row.i)


def bare_okx(frames: list[_Okx]) -> None:
    for frame in frames:
        for row in frame.data:
            tell(row.px, row.sz, row.instId, row.side, row.ts, row.tradeId)


def bare_gate(frames: list[_Gate]) -> None:
    for frame in frames:
        for row in frame.result:
            tell(row.price, row.size, row.contract, row.size, row.create_time_ms, row.id)


def bare_bitget(frames: list[_Bitget]) -> None:
    for frame in frames:
        symbol = frame.arg.symbol
        for row in frame.data:
            tell(row.p, row.v, symbol, row.S, row.T, row.i)


def bare_hyperliquid(frames: list[_Hyperliquid]) -> None:
    for frame in frames:
        for row in frame.data:
            tell(row.px, row.sz, row.coin, row.side, row.time, row.tid)


def bare_deribit(frames: list[_Deribit]) -> None:
    for frame in frames:
        for row in frame.params.data:
            tell(row.price, row.amount, row.instrument_name, row.direction, row.timestamp, row.trade_id)


# How a trade looks, what its symbol is called, and the bare way: the struct of a line and the loop over what it brings.
CASES: dict[str, tuple[Callable[..., str], str, type, Callable[[list[Any]], None]]] = {
    "binance": (binance, "{}USDT", _Binance, bare_binance),
    "bybit": (bybit, "{}USDT", _Bybit, bare_bybit),
    "okx": (okx, "{}-USDT-SWAP", _Okx, bare_okx),
    "gate": (gate, "{}_USDT", _Gate, bare_gate),
    "bitget": (bitget, "{}USDT", _Bitget, bare_bitget),
    "hyperliquid": (hyperliquid, "{}", _Hyperliquid, bare_hyperliquid),
    "deribit": (deribit, "{}_USDC-PERPETUAL", _Deribit, bare_deribit),
}


def lines(frame: Callable[..., str]) -> Iterator[bytes]:
    """Symbols as unevenly traded, and sizes and prices as spread, as in the peers' benchmark."""
    chance = random.Random(7)
    weights = [1.0 / (place + 1) ** 0.7 for place in range(len(SYMBOLS))]
    at_ms = T0_MS
    for number, symbol in enumerate(chance.choices(SYMBOLS, weights=weights, k=TRADES), start=2_987_654_321):
        at_ms += chance.random() < 0.3
        price = f"{86_123.5 * (1 + chance.gauss(0, 1e-3)):.2f}"
        size = f"{chance.lognormvariate(0, 2):.3f}"
        yield frame(symbol, price, size, at_ms, number, buys=chance.random() < 0.5).encode()


def reads_of(frames: Iterator[bytes], size: int) -> list[bytes]:
    """Join frames to reads of about `size` bytes; the blanks are what is left of the frames' headers."""
    reads, pending, held = [], [], 0
    for frame in frames:
        pending.append(frame)
        held += len(frame)
        if held >= size:
            reads.append(b"   \n".join(pending))
            pending, held = [], 0
    if pending:
        reads.append(b"   \n".join(pending))
    return reads


def cost_us(handle: Callable[[bytes], object], reads: Sequence[bytes]) -> float:
    """CPU time in microseconds a trade, the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for read in reads:
            handle(read)
        best = min(best, time.process_time() - began)
    return best / TRADES * 1e6


def measure(venue: str, size: int) -> tuple[float, float]:
    """The bare loop's cost and ours, in microseconds of CPU a trade."""
    frame, name, struct, loop = CASES[venue]
    reads = reads_of(lines(frame), size)
    decode_lines = msgspec.json.Decoder(struct, strict=False).decode_lines
    instruments = {
        name.format(one): Instrument(venue=venue, instrument=name.format(one), asset=one, contract_size=0.01)
        for one in SYMBOLS
    }
    decoder = EXCHANGES[venue].trades_decoder(instruments)
    last = decoder.decode_many(reads[-1], T0_MS)
    if last.others or last.problems:
        raise SystemExit(f"{venue}: the frames of this benchmark are not plain trades: {last.problems or last.others}")
    bare = cost_us(lambda read: loop(decode_lines(read)), reads)
    return bare, cost_us(lambda read: decoder.decode_many(read, T0_MS), reads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, nargs="+", default=[65_536, 4_096, 1_024], metavar="BYTES")
    args = parser.parse_args()
    print(f"{'venue':<13}{'read, bytes':>12}{'bare, us':>10}{'ours, us':>10}{'ratio':>7}")
    for size in args.reads:
        for venue in CASES:
            bare, ours = measure(venue, size)
            print(f"{venue:<13}{size:>12}{bare:>10.3f}{ours:>10.3f}{ours / bare:>7.2f}")


if __name__ == "__main__":
    main()
