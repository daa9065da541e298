"""The venues we speak with, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from actors.exchanges.binance import Binance
from actors.exchanges.binance_rest import BinanceData
from actors.exchanges.bitget import Bitget
from actors.exchanges.bitget_frames import UNIT
from actors.exchanges.bitget_rest import BitgetData
from actors.exchanges.bybit import Bybit
from actors.exchanges.bybit_frames import SIDES
from actors.exchanges.bybit_rest import BybitData
from actors.exchanges.deribit import Deribit
from actors.exchanges.deribit_rest import DeribitData
from actors.exchanges.exchange import Exchange
from actors.exchanges.gate import Gate
from actors.exchanges.gate_frames import SIGN
from actors.exchanges.gate_rest import GateData
from actors.exchanges.hyperliquid import Hyperliquid
from actors.exchanges.hyperliquid_frames import MARKS
from actors.exchanges.hyperliquid_rest import HyperliquidData
from actors.exchanges.okx import Okx
from actors.exchanges.okx_frames import CAP
from actors.exchanges.okx_rest import OkxData
from actors.exchanges.queries import Instruments, MarketData, Query
from actors.exchanges.trial import SelfTest
from actors.exchanges.units import UnitFigures
from actors.exchanges.verdicts import (
    as_order,
    as_quote,
    bitget_unit_votes,
    bybit_sides_votes,
    gate_sign_votes,
    hyperliquid_feed_votes,
    okx_cap_votes,
)

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


def market_data(venue: str, settled: Mapping[str, str]) -> MarketData:
    """The questions to a venue, their answers read by what its self-test has settled; only Bybit's depend on it."""
    return BybitData(settled) if venue == "bybit" else MARKET_DATA[venue]


SELF_TESTS: Mapping[str, SelfTest] = MappingProxyType(
    {
        "bybit": SelfTest(
            conflict=SIDES,
            votes=lambda _, ratios: bybit_sides_votes(ratios),
            ask=lambda *_: (BybitData().single_ratios(),),
            listens=False,
        ),
        "okx": SelfTest(conflict=CAP, votes=lambda rows, _: okx_cap_votes(rows), enough=1),
        "gate": SelfTest(conflict=SIGN, votes=gate_sign_votes, ask=GateData().liquidations, unread=as_order),
        "bitget": SelfTest(conflict=UNIT, votes=bitget_unit_votes, ask=BitgetData().liquidations, unread=as_quote),
        "hyperliquid": SelfTest(conflict=MARKS, votes=lambda rows, _: hyperliquid_feed_votes(rows)),
    }
)

UNIT_FIGURES: Mapping[str, Callable[[Instruments], tuple[Query[UnitFigures], ...]]] = MappingProxyType(
    {"okx": OkxData().unit_figures, "gate": GateData().unit_figures}
)
