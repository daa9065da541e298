"""OKX: single liquidations as somebody collected them by REST, with the contract value left out of their sizes."""

from collections.abc import Iterator
from pathlib import Path

from actors.exchanges import records
from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry, RecordsKept
from commands.conversions.source import Source, epoch_ms, rows
from intelligence.market import Coverage, Liquidation, PositionSide, PriceKind

VENUE = "okx"
CONTRACT_COINS = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "DOGE": 1000.0}  # exchanges.md 4; of others it is not known
SIDES = {"sell": PositionSide.LONG, "buy": PositionSide.SHORT}  # of the forced order: a forced sell closes a long


def liquidations(path: Path) -> Source:
    """Raises what reading a file raises: it is read at once, to be put in order."""
    problems: list[str] = []
    found = sorted(rows(path, _liquidation, problems, header=True), key=lambda event: event.exchange_ms)
    listed = {event.asset: _instrument(event.asset) for event in found}
    return Source(
        venue=VENUE,
        instruments=tuple(listed.values()),
        entries=_entries(found),
        brings_liquidations=True,
        problems=problems,
    )


def _instrument(coin: str) -> Instrument:
    return Instrument(
        venue=VENUE, instrument=f"{coin}-USDT-SWAP", asset=coin, contract_size=CONTRACT_COINS.get(coin, 1.0)
    )


def _liquidation(line: str) -> Liquidation:
    """`timestamp,venue,coin,side,size_usd,price`, where size_usd is contracts times price: a contract counts as a coin."""
    timestamp, _, coin, side, contracts_usd, price = line.split(",")
    at_ms = epoch_ms(timestamp)
    return records.liquidation(
        _instrument(coin),
        (at_ms, at_ms),
        SIDES[side],
        size=float(contracts_usd) / float(price),
        price=float(price),
        price_kind=PriceKind.BANKRUPTCY,
        coverage=Coverage.CAPPED,
        uncertain="" if coin in CONTRACT_COINS else "unit",
    )


def _entries(found: list[Liquidation]) -> Iterator[Entry]:
    for event in found:
        yield RecordsKept(at_ms=event.exchange_ms, venue=VENUE, records=(event,))
