"""The venues we speak with, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from actors.exchanges.binance import Binance
from actors.exchanges.binance_rest import BinanceData
from actors.exchanges.bitget import Bitget
from actors.exchanges.bitget_rest import BitgetData
from actors.exchanges.bybit import Bybit
from actors.exchanges.bybit_rest import BybitData
from actors.exchanges.deribit import Deribit
from actors.exchanges.deribit_rest import DeribitData
from actors.exchanges.exchange import Exchange
from actors.exchanges.gate import Gate
from actors.exchanges.gate_rest import GateData
from actors.exchanges.hyperliquid import Hyperliquid
from actors.exchanges.hyperliquid_rest import HyperliquidData
from actors.exchanges.okx import Okx
from actors.exchanges.okx_rest import OkxData
from actors.exchanges.queries import MarketData

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {venue.name: venue for venue in (Binance(), Bybit(), Okx(), Gate(), Bitget(), Hyperliquid(), Deribit())}
)
MARKET_DATA: Mapping[str, MarketData] = MappingProxyType(
    {
        "binance": BinanceData(),
        "bybit": BybitData(),
        "okx": OkxData(),
        "gate": GateData(),
        "bitget": BitgetData(),
        "hyperliquid": HyperliquidData(),
        "deribit": DeribitData(),
    }
)
