"""Trades of Bitget in bulk; see trades.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges.bitget_frames import PRODUCT, BitgetDecoder
from actors.exchanges.exchange import NOTHING_SETTLED, Instrument, TradeColumns
from actors.exchanges.trades import BulkTrades, NotPlain, Units
from actors.exchanges.wire import EpochMs, NonNegative, Positive


class _Arg(msgspec.Struct, gc=False):
    product: str = msgspec.field(name="instType")
    topic: Literal["publicTrade"]
    symbol: str


class _Trade(msgspec.Struct, gc=False):
    price: Positive = msgspec.field(name="p")
    size: NonNegative = msgspec.field(name="v")
    side: Literal["buy", "sell"] = msgspec.field(name="S")
    at_ms: EpochMs = msgspec.field(name="T")


class _Frame(msgspec.Struct, gc=False):
    action: Literal["update"]  # a snapshot is history
    arg: _Arg
    data: list[_Trade]


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class BitgetTrades(BulkTrades):
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, BitgetDecoder(instruments, NOTHING_SETTLED))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            if frame.arg.product != PRODUCT:
                raise NotPlain
            name = frame.arg.symbol
            factor = to_coins[name]
            for row in frame.data:
                size = row.size * factor
                if row.side == "sell":
                    size = -size
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.at_ms], [row.price], [size])
                else:
                    found[0].append(row.at_ms)
                    found[1].append(row.price)
                    found[2].append(size)
        return self._units.finish(columns)
