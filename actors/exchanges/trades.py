"""Trades of many frames at once: grouped by instrument, turned into columns; whatever is odd goes the slow way.

The fast way decodes all lines of a read with one call into structs of only the fields needed (performance.md 8). It is
left for the whole read when a line is not a trade frame or holds a value that is none: then every line goes through the
venue's frame decoder, which tells the good rows, the controls and the problems apart.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from actors.exchanges.exchange import Decoder, FrameError, Instrument, TradeColumns, TradesRead
from actors.exchanges.wire import UNDECODABLE
from intelligence.market import Decoded, TakerSide, Trade


class NotPlain(Exception):  # noqa: N818  # says what the read is
    """A read that the fast way cannot judge."""


class Units:
    """What puts a venue's own units into coins and US dollars a coin.

    `to_coins` has a factor for each instrument; its keys are the instruments that can be read. It serves for the coin
    in a loop, because nearly all contracts of some venues need it; what only few need is done in `finish`.
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.to_coins = {name: one.contract_size * one.multiplier for name, one in instruments.items()}
        self._odd = {name: one for name, one in instruments.items() if one.inverse or one.multiplier != 1}

    def finish(self, columns: dict[str, TradeColumns]) -> dict[str, TradeColumns]:
        """Put the prices of scaled contracts, and the dollars of inverse ones, into place."""
        if self._odd:
            for name in self._odd.keys() & columns.keys():
                one = self._odd[name]
                _, prices, sizes = columns[name]
                if one.inverse:
                    sizes[:] = [size / price for size, price in zip(sizes, prices, strict=True)]
                if one.multiplier != 1:
                    prices[:] = [price / one.multiplier for price in prices]
        return columns


class Fast(Protocol):
    def __call__(self, lines: bytes | bytearray | memoryview) -> dict[str, TradeColumns]:
        """Read lines that are all plain trade frames. Raises NotPlain, KeyError or what msgspec raises."""
        ...


class BulkTrades:
    """A `TradesDecoder` out of a fast way and the venue's frame decoder."""

    def __init__(self, fast: Fast, slow: Decoder) -> None:
        self._fast, self._slow = fast, slow

    def decode_many(self, lines: bytes | bytearray | memoryview, received_ms: int) -> TradesRead:
        try:
            return TradesRead(columns=self._fast(lines))
        except (NotPlain, KeyError, *UNDECODABLE):
            return self._one_by_one(bytes(lines), received_ms)

    def _one_by_one(self, lines: bytes, received_ms: int) -> TradesRead:
        decoded: list[Decoded] = []
        problems: list[FrameError] = []
        for line in lines.split(b"\n"):
            if frame := line.strip():
                try:
                    decoded += self._slow.decode(frame, received_ms)
                except FrameError as error:
                    decoded += error.decoded
                    problems.append(error)
        return TradesRead(
            columns=_columns(record for record in decoded if isinstance(record, Trade)),
            others=tuple(record for record in decoded if not isinstance(record, Trade)),
            problems=tuple(problems),
        )


def _columns(trades: Iterable[Trade]) -> dict[str, TradeColumns]:
    columns: dict[str, TradeColumns] = {}
    for trade in trades:
        quantity = trade.quantity if trade.taker_side is TakerSide.BUY else -trade.quantity
        times, prices, quantities = columns.setdefault(trade.instrument, ([], [], []))
        times.append(trade.exchange_ms)
        prices.append(trade.price)
        quantities.append(quantity)
    return columns
