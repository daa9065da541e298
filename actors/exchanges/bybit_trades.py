"""Trades of Bybit in bulk; see trades.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges.bybit_frames import BybitDecoder
from actors.exchanges.exchange import Instrument, TradeColumns
from actors.exchanges.trades import BulkTrades, NotPlain, Units
from actors.exchanges.wire import EpochMs, NonNegative, Positive


class _Trade(msgspec.Struct, gc=False):
    s: str
    p: Positive
    v: NonNegative
    S: Literal["Buy", "Sell"]
    T: EpochMs
    BT: bool = False


class _Frame(msgspec.Struct, gc=False):
    topic: str
    data: list[_Trade]


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class BybitTrades(BulkTrades):
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, BybitDecoder(instruments))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            if not frame.topic.startswith("publicTrade."):  # a liquidation has the same fields
                raise NotPlain
            for row in frame.data:
                if row.BT:
                    raise NotPlain
                name = row.s
                size = row.v * to_coins[name]
                if row.S == "Sell":
                    size = -size
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.T], [row.p], [size])
                else:
                    found[0].append(row.T)
                    found[1].append(row.p)
                    found[2].append(size)
        return self._units.finish(columns)
