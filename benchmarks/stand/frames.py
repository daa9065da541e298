"""What the stand sends: aggTrade frames as Binance sends them, 20 000 distinct ones over symbols traded unevenly."""

import random
import struct

BASES = [
    "BTC",
    "ETH",
    "SOL",
    "XRP",
    "DOGE",
    "ADA",
    "AVAX",
    "LINK",
    "DOT",
    "MATIC",
    "LTC",
    "BCH",
    "UNI",
    "ATOM",
    "XLM",
    "ETC",
    "FIL",
    "APT",
    "ARB",
    "OP",
    "SUI",
    "SEI",
    "TIA",
    "INJ",
    "NEAR",
    "FTM",
    "SAND",
    "MANA",
    "AXS",
    "GALA",
    "APE",
    "LDO",
    "RNDR",
    "STX",
    "IMX",
    "GRT",
    "AAVE",
    "MKR",
    "SNX",
    "CRV",
    "DYDX",
    "ENS",
    "BLUR",
    "JTO",
    "PYTH",
    "WIF",
    "PEPE",
    "ORDI",
    "TRX",
    "EOS",
]
PRICES = (86_123.5, 2_810.25, 131.42, 2.0541, 0.14231)
POOL = 20_000
T0_MS = 1_763_836_800_000


def symbols(count: int) -> list[str]:
    """Names of so many contracts, the most traded first."""
    return [f"{BASES[n % 50]}{n // 50 or ''}USDT" for n in range(count)]


def payloads(count: int) -> list[bytes]:
    """Frames of so many symbols: Zipf-like weights, prices that wander, three trades a millisecond."""
    chance = random.Random(7)
    names = symbols(count)
    prices = {name: PRICES[n] if n < len(PRICES) else 12.3451 for n, name in enumerate(names)}
    weights = [1.0 / (place + 1) ** 0.7 for place in range(count)]
    at_ms, found = T0_MS, []
    for number, name in enumerate(chance.choices(names, weights=weights, k=POOL), start=2_987_654_321):
        price = prices[name] = prices[name] * (1 + chance.gauss(0, 1e-5))
        decimals = 2 if price > 1000 else 4 if price > 1 else 5
        at_ms += chance.random() < 0.3
        maker = "true" if chance.random() < 0.5 else "false"
        found.append(
            f'{{"stream":"{name.lower()}@aggTrade","data":{{"e":"aggTrade","E":{at_ms + 3},"s":"{name}","a":{number},'
            f'"p":"{price:.{decimals}f}","q":"{chance.lognormvariate(0, 2):.3f}","f":{number},"l":{number},"T":{at_ms},'
            f'"m":{maker}}}}}'.encode()
        )
    return found


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """One unmasked frame as a server sends it."""
    if len(payload) < 126:
        return bytes((0x80 | opcode, len(payload))) + payload
    return struct.pack("!BBH", 0x80 | opcode, 126, len(payload)) + payload
