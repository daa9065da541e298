"""Trades of Gate in bulk; see trades.py."""

from collections.abc import Mapping

import msgspec

from actors.exchanges.exchange import NOTHING_SETTLED, Instrument, TradeColumns
from actors.exchanges.gate_frames import TRADES, GateDecoder
from actors.exchanges.trades import BulkTrades, NotPlain, Units
from actors.exchanges.wire import EpochMs, Positive, Signed


class _Trade(msgspec.Struct, gc=False):
    contract: str
    size: Signed
    price: Positive
    create_time_ms: EpochMs
    is_internal: bool = False


class _Frame(msgspec.Struct, gc=False):
    channel: str
    event: str
    result: list[_Trade]


_LINES = msgspec.json.Decoder(_Frame, strict=False).decode_lines


class GateTrades(BulkTrades):
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, GateDecoder(instruments, NOTHING_SETTLED))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            if frame.channel != TRADES or frame.event != "update":
                raise NotPlain
            for row in frame.result:
                if row.is_internal:
                    raise NotPlain
                name = row.contract
                size = row.size * to_coins[name]
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.create_time_ms], [row.price], [size])
                else:
                    found[0].append(row.create_time_ms)
                    found[1].append(row.price)
                    found[2].append(size)
        return self._units.finish(columns)
