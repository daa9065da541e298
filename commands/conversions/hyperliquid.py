"""Hyperliquid ticks as hl-reaper wrote them: `trades_COIN_DAY.jsonl`, and `ctx_COIN_DAY.jsonl` once a minute."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry, RecordsKept, TradesKept
from commands.conversions.source import Source, rows
from intelligence.assets import unit_of

VENUE = "hyperliquid"
BATCH_MS = 1_000  # trades of one second come as one read, at the time of the last of them


class _Trade(msgspec.Struct, gc=False):
    """`side`: B where the taker bought, A where he sold."""

    ts: int
    px: float
    sz: float
    side: str


class _Context(msgspec.Struct, gc=False):
    """`oi` in coins of one side, `funding` a fraction per hour, prices in USD."""

    ts: int
    funding: float
    oi: float
    mark: float
    oracle: float


def trades(path: Path, coin: str) -> Source:
    instrument, problems = _instrument(coin), list[str]()
    return Source(
        venue=VENUE, instruments=(instrument,), entries=_trades(path, instrument, problems), problems=problems
    )


def contexts(path: Path, coin: str) -> Source:
    instrument, problems = _instrument(coin), list[str]()
    return Source(
        venue=VENUE, instruments=(instrument,), entries=_contexts(path, instrument, problems), problems=problems
    )


def _instrument(coin: str) -> Instrument:
    asset, multiplier = unit_of(coin)
    return Instrument(venue=VENUE, instrument=coin, asset=asset, multiplier=multiplier)


def _trades(path: Path, instrument: Instrument, problems: list[str]) -> Iterator[Entry]:
    batch: list[_Trade] = []
    for trade in rows(path, msgspec.json.Decoder(_Trade).decode, problems):
        if batch and trade.ts // BATCH_MS != batch[0].ts // BATCH_MS:
            yield _batch(instrument, batch)
            batch = []
        batch.append(trade)
    if batch:
        yield _batch(instrument, batch)


def _batch(instrument: Instrument, batch: list[_Trade]) -> TradesKept:
    scale = instrument.multiplier
    return TradesKept(
        at_ms=max(trade.ts for trade in batch),
        venue=VENUE,
        instrument=instrument.instrument,
        times_ms=[trade.ts for trade in batch],
        prices=[trade.px / scale for trade in batch],
        coins=[(trade.sz if trade.side == "B" else -trade.sz) * scale for trade in batch],
    )


def _contexts(path: Path, instrument: Instrument, problems: list[str]) -> Iterator[Entry]:
    for context in rows(path, msgspec.json.Decoder(_Context).decode, problems):
        times = (context.ts, context.ts)
        mark = records.mark_price(
            instrument, times, price=context.mark, index_price=context.oracle, funding_rate=context.funding
        )
        interest = records.open_interest(instrument, times, size=context.oi, price=context.mark)
        yield RecordsKept(at_ms=context.ts, venue=VENUE, records=(mark, interest))
