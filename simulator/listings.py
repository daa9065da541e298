"""How each venue lists the assets. Naming follows exchanges.md section 9, contract values (`ctVal`) section 4.2."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from simulator.assets import Asset

BINANCE = "binance"
BYBIT = "bybit"
OKX = "okx"
GATE = "gate"
BITGET = "bitget"
HYPERLIQUID = "hyperliquid"
DERIBIT = "deribit"
COIN_M = "binance_coin_m"  # shares Binance's all-market liquidation stream (st=2), has no stream of its own here
VENUES = (BINANCE, BYBIT, OKX, GATE, BITGET, HYPERLIQUID, DERIBIT)
DEFAULT_VENUES = VENUES[:3]
VENUE_SHARE = {  # of the asset's turnover, which is counted over the first three
    BINANCE: 0.46, BYBIT: 0.29, OKX: 0.25, GATE: 0.1, BITGET: 0.13, HYPERLIQUID: 0.11, DERIBIT: 0.03,
}  # fmt: skip
COIN_M_SHARE = 0.12  # beside the venues' shares, in the assets below
COIN_M_CONTRACT_USD = {"BTC": 100} | dict.fromkeys(
    ("ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "LINK", "AVAX", "LTC", "BCH", "NEAR", "UNI", "DOT", "FIL", "ETC"), 10
)
DERIBIT_CONTRACT_USD = {"BTC": 10, "ETH": 1}  # the inverse perpetuals; amounts there are in USD
MIN_ORDER_USD = 5.0


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One contract of one venue.

    `multiplier`: coins of the asset in one unit of the venue's base (1000 for 1000PEPE), which the price carries too.
    `contract_size`: units of the venue's base in one unit of its size field (OKX `ctVal`, Gate `quanto_multiplier`).
    `inverse`: coin-margined, and the venue counts USD; `size` stays in coins, for the model alone.
    """

    venue: str
    asset: str
    symbol: str
    multiplier: int = 1
    contract_size: float = 1.0
    price_decimals: int = 2
    size_decimals: int = 3
    inverse: bool = False

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


_THOUSANDS = {"PEPE": 1000, "SHIB": 1000, "BONK": 1000, "FLOKI": 1000, "SATS": 1000}
_BYBIT_SYMBOLS = {"SHIB": ("SHIB1000USDT", 1000), "SATS": ("10000SATSUSDT", 10_000)}
OKX_CONTRACT_VALUE = {
    "BTC": 0.01, "ETH": 0.1, "SOL": 1, "XRP": 100, "DOGE": 1000, "BNB": 0.01, "ADA": 100, "LTC": 1, "BCH": 0.1,
    "PEPE": 10_000_000, "SHIB": 1_000_000, "BONK": 100_000, "FLOKI": 100_000, "SATS": 10_000_000, "TRX": 1000,
    "ETC": 10, "ZEC": 0.1, "AAVE": 0.1, "TAO": 0.01, "HYPE": 0.1, "GALA": 10, "PENGU": 100, "ALGO": 10, "CRV": 1,
}  # fmt: skip
GATE_MULTIPLIER = {
    "BTC": 0.0001, "ETH": 0.01, "PEPE": 10_000_000, "SHIB": 10_000, "BONK": 1000, "SATS": 1_000_000, "FLOKI": 10_000,
    "SOL": 0.1, "BNB": 0.01, "LTC": 0.1, "ZEC": 0.01, "BCH": 0.01, "TAO": 0.01, "AAVE": 0.1,
}  # fmt: skip
_K_NAMES = frozenset({"PEPE", "SHIB", "BONK", "FLOKI"})
_ABSENT = {
    BYBIT: frozenset({"PNUT"}),
    OKX: frozenset({"TAO", "SEI", "1INCH"}),
    BITGET: frozenset({"SATS"}),
    HYPERLIQUID: frozenset({"SATS", "1INCH", "GMT", "MASK", "SHIB"}),
}
_ON_DERIBIT = frozenset(
    ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "LINK", "AVAX", "LTC", "BCH", "NEAR", "UNI", "DOT", "TRX")
)


def decimals_for_price(price: float) -> int:
    """Decimals that leave six significant digits, as venues' tick sizes roughly do."""
    return max(0, 5 - math.floor(math.log10(price)))


def _decimals_for_size(unit_price: float) -> int:
    """Decimals of a size step worth 5 to 50 USD."""
    return max(0, -math.floor(math.log10(50 / unit_price)))


@dataclass(frozen=True, slots=True)
class _Naming:
    symbol: str
    multiplier: int = 1
    contract_size: float = 1.0
    size_decimals: int | None = None
    inverse: bool = False


def _prefixed(name: str) -> _Naming:
    multiplier = _THOUSANDS.get(name, 1)
    return _Naming(f"{multiplier if multiplier > 1 else ''}{name}USDT", multiplier)


def _on_bybit(name: str) -> _Naming:
    return _Naming(*_BYBIT_SYMBOLS[name]) if name in _BYBIT_SYMBOLS else _prefixed(name)


def _on_okx(name: str) -> _Naming:
    return _Naming(f"{name}-USDT-SWAP", 1, float(OKX_CONTRACT_VALUE.get(name, 1)), 2)


def _on_gate(name: str) -> _Naming:
    """Sizes count contracts, whole ones or tenths (`enable_decimal`)."""
    return _Naming(f"{name}_USDT", 1, float(GATE_MULTIPLIER.get(name, 1)), 1 if name in ("BTC", "ETH") else 0)


def _on_bitget(name: str) -> _Naming:
    return _Naming("1000BONKUSDT", 1000) if name == "BONK" else _Naming(f"{name}USDT")


def _on_hyperliquid(name: str) -> _Naming:
    return _Naming(f"k{name}", 1000) if name in _K_NAMES else _Naming(name)


def _on_deribit(name: str) -> _Naming:
    if name in DERIBIT_CONTRACT_USD:
        return _Naming(f"{name}-PERPETUAL", size_decimals=6, inverse=True)
    return _Naming(f"{name}_USDC-PERPETUAL")


_NAMING: dict[str, Callable[[str], _Naming]] = {
    BINANCE: _prefixed,
    BYBIT: _on_bybit,
    OKX: _on_okx,
    GATE: _on_gate,
    BITGET: _on_bitget,
    HYPERLIQUID: _on_hyperliquid,
    DERIBIT: _on_deribit,
}


def _listing(asset: Asset, venue: str) -> Listing | None:
    if asset.name in _ABSENT.get(venue, ()) or (venue == DERIBIT and asset.name not in _ON_DERIBIT):
        return None
    naming = _NAMING[venue](asset.name)
    decimals = naming.size_decimals
    unit_price = asset.price_usd * naming.multiplier * naming.contract_size
    return Listing(
        venue=venue,
        asset=asset.name,
        symbol=naming.symbol,
        multiplier=naming.multiplier,
        contract_size=naming.contract_size,
        price_decimals=decimals_for_price(asset.price_usd * naming.multiplier),
        size_decimals=_decimals_for_size(unit_price) if decimals is None else decimals,
        inverse=naming.inverse,
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
