"""Trades of Hyperliquid in bulk; see trades.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges.exchange import Instrument, TradeColumns
from actors.exchanges.hyperliquid_frames import HyperliquidDecoder
from actors.exchanges.trades import BulkTrades, NotPlain, Units
from actors.exchanges.wire import EpochMs, NonNegative, Positive


class _Trade(msgspec.Struct, gc=False):
    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: NonNegative
    time: EpochMs
    liquidation: msgspec.Raw | None = None


class _Frame(msgspec.Struct, gc=False):
    channel: Literal["trades"]
    data: list[_Trade]


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class HyperliquidTrades(BulkTrades):
    """While the first message of any coin, which is history, is awaited, frames are read one by one."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        decoder = HyperliquidDecoder(instruments)
        super().__init__(self._read, decoder)
        self._awaited = decoder.awaited
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            for row in frame.data:
                if row.liquidation is not None:
                    raise NotPlain
                name = row.coin
                size = row.sz * to_coins[name]
                if row.side == "A":
                    size = -size
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.time], [row.px], [size])
                else:
                    found[0].append(row.time)
                    found[1].append(row.px)
                    found[2].append(size)
        if self._awaited and not self._awaited.isdisjoint(columns):
            raise NotPlain
        return self._units.finish(columns)
