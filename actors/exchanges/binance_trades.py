"""Trades of Binance in bulk; see trades.py."""

from collections.abc import Mapping

import msgspec

from actors.exchanges.binance_frames import BinanceDecoder
from actors.exchanges.exchange import Instrument, TradeColumns
from actors.exchanges.trades import BulkTrades, Units
from actors.exchanges.wire import EpochMs, NonNegative, Positive


class _Trade(msgspec.Struct, gc=False, tag_field="e", tag="aggTrade"):
    s: str
    p: Positive
    q: NonNegative
    T: EpochMs
    m: bool


class _Frame(msgspec.Struct, gc=False):
    data: _Trade


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class BinanceTrades(BulkTrades):
    """For aggTrade in the combined-stream envelope; raw trades go the slow way, where INSURANCE_FUND and the like go."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, BinanceDecoder(instruments))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            row = frame.data
            name = row.s
            size = row.q * to_coins[name]
            if row.m:
                size = -size
            if (found := columns.get(name)) is None:
                columns[name] = ([row.T], [row.p], [size])
            else:
                found[0].append(row.T)
                found[1].append(row.p)
                found[2].append(size)
        return self._units.finish(columns)
