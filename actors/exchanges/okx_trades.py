"""Trades of OKX in bulk; see trades.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges.exchange import Instrument, TradeColumns
from actors.exchanges.okx_frames import OkxDecoder
from actors.exchanges.trades import BulkTrades, Units
from actors.exchanges.wire import EpochMs, NonNegative, Positive


class _Arg(msgspec.Struct, gc=False):
    channel: Literal["trades"]


class _Trade(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instId")
    price: Positive = msgspec.field(name="px")
    size: NonNegative = msgspec.field(name="sz")
    side: Literal["buy", "sell"]
    ts: EpochMs


class _Frame(msgspec.Struct, gc=False):
    arg: _Arg
    data: list[_Trade]


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class OkxTrades(BulkTrades):
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, OkxDecoder(instruments))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            for row in frame.data:
                name = row.name
                size = row.size * to_coins[name]
                if row.side == "sell":
                    size = -size
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.ts], [row.price], [size])
                else:
                    found[0].append(row.ts)
                    found[1].append(row.price)
                    found[2].append(size)
        return self._units.finish(columns)
