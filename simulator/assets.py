"""The traded assets.

Price levels, daily turnover (USD over Binance, Bybit and OKX) and daily volatility are round figures of mid 2026; the
market model starts from them. Below the real ones come made-up coins, so that hundreds of assets can be had.
"""

from dataclasses import dataclass

MOST_ASSETS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """`turnover_usd` is one day's over all venues, `daily_volatility` the fraction of one standard deviation a day."""

    name: str
    price_usd: float
    turnover_usd: float
    daily_volatility: float
    beta: float
    max_leverage: int


# name, USD per coin, turnover in million USD a day, daily volatility in percent, beta to the market, maximum leverage
_TABLE = """
BTC 84500 52000 2.4 0.8 125
ETH 2950 31000 3.4 1.0 125
SOL 138 9200 4.2 1.2 100
XRP 2.18 4300 4.0 1.0 75
DOGE 0.163 2500 4.8 1.2 75
BNB 842 1500 2.8 0.8 75
HYPE 31.4 1450 6.2 1.1 75
SUI 1.62 1200 5.6 1.3 75
PEPE 0.00000612 980 6.4 1.4 75
ADA 0.521 900 4.6 1.1 75
LINK 13.9 760 4.8 1.2 75
AVAX 14.8 640 4.9 1.2 75
ENA 0.284 610 7.2 1.4 75
LTC 84.2 560 4.2 0.9 75
ZEC 412 540 8.4 0.9 75
BCH 498 520 4.3 0.9 75
WIF 0.482 470 7.8 1.5 75
NEAR 1.91 430 5.5 1.2 75
TAO 318 410 6.0 1.2 50
UNI 6.34 390 5.6 1.1 75
AAVE 178 370 5.4 1.2 75
FARTCOIN 0.394 360 9.6 1.5 50
BONK 0.0000118 350 7.0 1.4 50
SHIB 0.0000091 330 5.0 1.2 75
DOT 2.28 310 5.0 1.1 75
WLD 0.724 300 6.8 1.3 50
ARB 0.226 280 6.0 1.3 50
TON 1.71 260 4.6 0.9 50
FIL 1.58 240 5.8 1.2 50
TRX 0.284 230 2.2 0.5 75
APT 2.12 225 5.6 1.2 50
ONDO 0.512 220 6.1 1.2 50
OP 0.342 205 6.2 1.3 50
ETC 13.1 200 4.8 1.1 75
INJ 5.42 190 6.4 1.3 50
TIA 0.612 180 7.0 1.4 50
SEI 0.134 170 6.4 1.3 50
CRV 0.412 165 6.6 1.3 50
TRUMP 5.62 160 6.8 1.0 50
PENGU 0.0124 155 8.2 1.4 50
LDO 0.624 140 6.4 1.3 50
FLOKI 0.0000482 130 6.6 1.4 50
JUP 0.228 125 6.6 1.3 50
ICP 3.62 120 5.6 1.1 50
ATOM 2.44 115 4.8 1.1 50
PNUT 0.0912 110 9.0 1.4 50
ORDI 4.62 105 7.6 1.3 50
GALA 0.00742 100 6.6 1.3 50
SAND 0.162 92 6.0 1.2 50
1INCH 0.194 85 6.2 1.2 50
ALGO 0.138 82 5.4 1.1 50
XLM 0.242 80 4.6 1.0 50
DYDX 0.204 74 6.8 1.3 50
SATS 0.0000000172 66 7.4 1.3 50
RENDER 1.84 62 6.2 1.2 50
STX 0.324 58 6.2 1.2 50
GMT 0.0212 52 7.0 1.3 50
PYTH 0.0712 50 6.8 1.3 50
ZRO 1.42 48 6.6 1.2 50
MASK 0.622 46 6.6 1.2 50
"""


def _read_table() -> tuple[Asset, ...]:
    rows = (line.split() for line in _TABLE.strip().splitlines())
    return tuple(
        Asset(
            name=name,
            price_usd=float(price),
            turnover_usd=float(turnover) * 1e6,
            daily_volatility=float(volatility) / 100,
            beta=float(beta),
            max_leverage=int(leverage),
        )
        for name, price, turnover, volatility, beta, leverage in rows
    )


def _made_up(rank: int) -> Asset:
    """A coin named by three letters after X, of a turnover that goes on falling with the rank."""
    number = rank - len(_REAL)
    letters = "".join(chr(ord("A") + number // 26**place % 26) for place in (2, 1, 0))
    return Asset(
        name=f"X{letters}",
        price_usd=0.01 * 1.7 ** (number * 7 % 20),
        turnover_usd=46e6 * (len(_REAL) / rank) ** 1.1,
        daily_volatility=0.055 + number % 5 * 0.006,
        beta=1.2,
        max_leverage=50,
    )


_REAL = _read_table()
ASSETS = _REAL + tuple(_made_up(rank) for rank in range(len(_REAL), MOST_ASSETS))
