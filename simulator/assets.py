"""The traded assets and how each venue lists them.

Price levels, daily turnover (USD over all venues) and daily volatility are round figures of mid 2026; the market model
starts from them. Contract naming follows exchanges.md section 9, contract values (`ctVal`) section 4.2.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

BINANCE = "binance"
BYBIT = "bybit"
OKX = "okx"
COIN_M = "binance_coin_m"  # shares Binance's all-market liquidation stream (st=2), has no stream of its own here
VENUES = (BINANCE, BYBIT, OKX)
VENUE_SHARE = {BINANCE: 0.46, BYBIT: 0.29, OKX: 0.25}
COIN_M_SHARE = 0.12  # beside the venues' shares, in the assets below
COIN_M_CONTRACT_USD = {"BTC": 100} | dict.fromkeys(
    ("ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "LINK", "AVAX", "LTC", "BCH", "NEAR", "UNI", "DOT", "FIL", "ETC"), 10
)
MIN_ORDER_USD = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """`turnover_usd` is one day's over all venues, `daily_volatility` the fraction of one standard deviation a day."""

    name: str
    price_usd: float
    turnover_usd: float
    daily_volatility: float
    beta: float
    max_leverage: int


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One contract of one venue.

    `multiplier`: coins of the asset in one unit of the venue's base (1000 for 1000PEPE), which the price carries too.
    `contract_size`: units of the venue's base in one unit of its size field (OKX `ctVal`).
    """

    venue: str
    asset: str
    symbol: str
    multiplier: int = 1
    contract_size: float = 1.0
    price_decimals: int = 2
    size_decimals: int = 3

    @cached_property
    def coins_per_unit(self) -> float:
        return self.multiplier * self.contract_size

    def quantised(self, coins: float) -> float:
        """Round to the venue's size step, at least one step."""
        step = 10.0**-self.size_decimals
        return max(step, round(coins / self.coins_per_unit / step) * step) * self.coins_per_unit

    def size(self, coins: float) -> str:
        return f"{coins / self.coins_per_unit:.{self.size_decimals}f}"

    def price(self, usd_per_coin: float) -> str:
        return f"{usd_per_coin * self.multiplier:.{self.price_decimals}f}"

    @property
    def tick(self) -> str:
        return f"{10.0**-self.price_decimals:.{self.price_decimals}f}"

    @property
    def step(self) -> str:
        return f"{10.0**-self.size_decimals:.{self.size_decimals}f}"


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

_THOUSANDS = {"PEPE": 1000, "SHIB": 1000, "BONK": 1000, "FLOKI": 1000, "SATS": 1000}
_BYBIT_SYMBOLS = {"SHIB": ("SHIB1000USDT", 1000), "SATS": ("10000SATSUSDT", 10_000)}
OKX_CONTRACT_VALUE = {
    "BTC": 0.01, "ETH": 0.1, "SOL": 1, "XRP": 100, "DOGE": 1000, "BNB": 0.01, "ADA": 100, "LTC": 1, "BCH": 0.1,
    "PEPE": 10_000_000, "SHIB": 1_000_000, "BONK": 100_000, "FLOKI": 100_000, "SATS": 10_000_000, "TRX": 1000,
    "ETC": 10, "ZEC": 0.1, "AAVE": 0.1, "TAO": 0.01, "HYPE": 0.1, "GALA": 10, "PENGU": 100, "ALGO": 10, "CRV": 1,
}  # fmt: skip
_NOT_ON_BYBIT = frozenset({"PNUT"})
_NOT_ON_OKX = frozenset({"TAO", "SEI", "1INCH"})


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


ASSETS = _read_table()


def decimals_for_price(price: float) -> int:
    """Decimals that leave six significant digits, as venues' tick sizes roughly do."""
    return max(0, 5 - math.floor(math.log10(price)))


def _decimals_for_size(unit_price: float) -> int:
    """Decimals of a size step worth 5 to 50 USD."""
    return max(0, -math.floor(math.log10(50 / unit_price)))


def _listing(asset: Asset, venue: str) -> Listing | None:
    name = asset.name
    multiplier, contract_size = 1, 1.0
    if venue == BINANCE:
        multiplier = _THOUSANDS.get(name, 1)
        symbol = f"{multiplier if multiplier > 1 else ''}{name}USDT"
    elif venue == BYBIT:
        if name in _NOT_ON_BYBIT:
            return None
        multiplier = _THOUSANDS.get(name, 1)
        prefixed = f"{multiplier if multiplier > 1 else ''}{name}USDT"
        symbol, multiplier = _BYBIT_SYMBOLS.get(name, (prefixed, multiplier))
    else:
        if name in _NOT_ON_OKX:
            return None
        symbol, contract_size = f"{name}-USDT-SWAP", float(OKX_CONTRACT_VALUE.get(name, 1))
    unit_price = asset.price_usd * multiplier * contract_size
    return Listing(
        venue=venue,
        asset=name,
        symbol=symbol,
        multiplier=multiplier,
        contract_size=contract_size,
        price_decimals=decimals_for_price(asset.price_usd * multiplier),
        size_decimals=2 if venue == OKX else _decimals_for_size(unit_price),
    )


def _coin_m_listing(asset: Asset) -> Listing:
    """A coin-margined perpetual; its size field counts contracts of a fixed USD value, which the frame builder applies."""
    return Listing(
        venue=COIN_M,
        asset=asset.name,
        symbol=f"{asset.name}USD_PERP",
        price_decimals=decimals_for_price(asset.price_usd),
        size_decimals=_decimals_for_size(asset.price_usd),
    )


def listings_of(asset: Asset, venues: Iterable[str]) -> dict[str, Listing]:
    """The asset's contracts by venue, Binance's coin-margined one included where there is one."""
    found = {venue: listing for venue in venues if (listing := _listing(asset, venue)) is not None}
    if BINANCE in found and asset.name in COIN_M_CONTRACT_USD:
        found[COIN_M] = _coin_m_listing(asset)
    return found
