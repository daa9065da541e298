"""Trades of Deribit in bulk; see trades.py."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from actors.exchanges.deribit_frames import DeribitDecoder
from actors.exchanges.exchange import Instrument, TradeColumns
from actors.exchanges.trades import BulkTrades, NotPlain, Units
from actors.exchanges.wire import EpochMs, Positive


class _Trade(msgspec.Struct, gc=False):
    name: str = msgspec.field(name="instrument_name")
    price: Positive
    amount: Positive
    direction: Literal["buy", "sell"]
    timestamp: EpochMs
    liquidation: Literal["", "none", "M", "T", "MT"] = ""
    block_trade_id: str = ""


class _Params(msgspec.Struct, gc=False):
    data: list[_Trade]


class _Frame(msgspec.Struct, gc=False):
    method: Literal["subscription"]
    params: _Params


_LINES = msgspec.json.Decoder(_Frame).decode_lines


class DeribitTrades(BulkTrades):
    """A read with a forced trade goes the slow way, whose `others` hold the liquidation beside the trade's column."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(self._read, DeribitDecoder(instruments))
        self._units = Units(instruments)

    def _read(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        columns: dict[str, TradeColumns] = {}
        to_coins = self._units.to_coins
        for frame in _LINES(lines):
            for row in frame.params.data:
                if row.block_trade_id or row.liquidation not in ("", "none"):
                    raise NotPlain
                name = row.name
                size = row.amount * to_coins[name]
                if row.direction == "sell":
                    size = -size
                if (found := columns.get(name)) is None:
                    columns[name] = ([row.timestamp], [row.price], [size])
                else:
                    found[0].append(row.timestamp)
                    found[1].append(row.price)
                    found[2].append(size)
        return self._units.finish(columns)
