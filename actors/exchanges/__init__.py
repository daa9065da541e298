"""The venues we speak with, by name. One file says what to ask of a venue, `<venue>_frames.py` what it answers."""

from collections.abc import Mapping
from types import MappingProxyType

from actors.exchanges.binance import Binance
from actors.exchanges.bitget import Bitget
from actors.exchanges.bybit import Bybit
from actors.exchanges.deribit import Deribit
from actors.exchanges.exchange import Exchange
from actors.exchanges.gate import Gate
from actors.exchanges.hyperliquid import Hyperliquid
from actors.exchanges.okx import Okx

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {venue.name: venue for venue in (Binance(), Bybit(), Okx(), Gate(), Bitget(), Hyperliquid(), Deribit())}
)
