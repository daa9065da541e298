"""What pictures are drawn from: an asset's last hours minute by minute, and where on the price its liquidations lay."""

from collections.abc import Iterable
from math import exp, floor, log
from typing import NamedTuple

import msgspec

from intelligence.day_flow import DayFlow, FlowMinute
from intelligence.history import AssetHistory, Bar, Contract, KeptHistory
from intelligence.market import Liquidation, PositionSide
from intelligence.minute import MINUTE_MS, Minute
from intelligence.slots import SlotRing, SlotRows
from intelligence.trade_window import VolumeProfile

TAPE_MINUTES = 240  # ours: of trades, 12 KB an asset; longer pictures stand on bars
BAND = 0.001  # height of a band of prices as a share of the price (ours: a pixel or two of a picture)
MAX_CELLS = 2_000  # ours: of minute and band; the oldest are forgotten first
CELLS_KEPT_MS = 86_400_000


class TapeMinute(NamedTuple):
    """Prices in USD a coin over all venues; what takers bought and sold in USD."""

    from_ms: int
    open: float
    high: float
    low: float
    close: float
    buy_usd: float
    sell_usd: float


class TapeCell(NamedTuple):
    """Liquidated positions of one minute and one band of prices that begins at `low`; USD, a lower bound where capped."""

    from_ms: int
    low: float
    long_usd: float
    short_usd: float


class MarketTape(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's past up to `at_ms`. `minutes`: of trades, oldest first, the one that is still open last. `bars`: of
    `reference`, only where `minutes` do not reach back far enough. `open_interest`: (ms, coins) by contract. `cells`:
    oldest first, complete from `liquidations_from_ms` on. `flow`: the minutes that were received whole.
    """

    asset: str
    from_ms: int
    at_ms: int
    minutes: tuple[TapeMinute, ...]
    reference: Contract | None
    bars: tuple[Bar, ...]
    open_interest: tuple[tuple[Contract, tuple[tuple[int, float], ...]], ...]
    cells: tuple[TapeCell, ...]
    liquidations_from_ms: int
    profile: VolumeProfile | None
    venues: tuple[str, ...] = ()
    flow: tuple[FlowMinute, ...] = ()


class PackedTape(msgspec.Struct, frozen=True, kw_only=True):
    """The same as it lies in a stream's memory: copied there at little cost, to be unpacked by whoever wants to look."""

    asset: str
    from_ms: int
    at_ms: int
    closed_minutes: SlotRows
    open_minutes: tuple[TapeMinute, ...]
    past: KeptHistory
    cells: tuple[TapeCell, ...]
    liquidations_from_ms: int
    profile: VolumeProfile | None
    venues: tuple[str, ...] = ()
    day_flow: DayFlow = DayFlow()

    def unpacked(self) -> MarketTape:
        ring, history, from_ms = _ring(), AssetHistory(), self.from_ms
        ring.restore(self.closed_minutes)
        history.restore(self.past)
        closed = (TapeMinute(at_ms, *row) for at_ms, row in ring.rows(from_ms, self.at_ms))
        minutes = (*closed, *self.open_minutes)
        short = not minutes or minutes[0].from_ms > from_ms + MINUTE_MS
        return MarketTape(
            asset=self.asset,
            from_ms=from_ms,
            at_ms=self.at_ms,
            minutes=minutes,
            reference=history.reference,
            bars=tuple(history.bars("1m", from_ms, self.at_ms)) if short else (),
            open_interest=tuple(
                (contract, tuple(point for point in history.open_interest(*contract) if point[0] >= from_ms))
                for contract in history.open_interest_contracts()
            ),
            cells=self.cells,
            liquidations_from_ms=self.liquidations_from_ms,
            profile=self.profile,
            venues=self.venues,
            flow=tuple(self.day_flow.rows(from_ms)),
        )


class Tape:
    """Bounded; fed with closed minutes."""

    def __init__(self) -> None:
        self._minutes = _ring()
        self._cells: dict[tuple[int, int], list[float]] = {}

    def take(self, minute: Minute) -> None:
        if minute.open is not None and minute.high is not None and minute.low is not None and minute.close is not None:
            row = (minute.open, minute.high, minute.low, minute.close, minute.buy_usd, minute.sell_usd)
            self._minutes.put(minute.from_ms, row)
        add_to_cells(self._cells, minute.liquidations)
        while self._cells and (
            len(self._cells) > MAX_CELLS or next(iter(self._cells))[0] < minute.from_ms - CELLS_KEPT_MS
        ):
            del self._cells[next(iter(self._cells))]

    def minutes(self) -> SlotRows:
        return self._minutes.kept()

    def cells(self, from_ms: int, and_of: Iterable[Liquidation]) -> tuple[TapeCell, ...]:
        """The cells from `from_ms` on, together with those of liquidations whose minute is still open."""
        found = {key: list(usd) for key, usd in self._cells.items() if key[0] >= from_ms}
        add_to_cells(found, (one for one in and_of if one.exchange_ms >= from_ms))
        return tuple(
            TapeCell(at_ms, exp(band * BAND), *usd)
            for (at_ms, band), usd in sorted(found.items(), key=lambda one: one[0])
        )


def _ring() -> SlotRing:
    return SlotRing(MINUTE_MS, TAPE_MINUTES, columns=6)


def add_to_cells(cells: dict[tuple[int, int], list[float]], liquidations: Iterable[Liquidation]) -> None:
    for one in liquidations:
        if one.price > 0:
            key = (one.exchange_ms - one.exchange_ms % MINUTE_MS, floor(log(one.price) / BAND))
            cells.setdefault(key, [0.0, 0.0])[one.position_side is PositionSide.SHORT] += one.notional_usd
