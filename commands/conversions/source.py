"""One file of recorded data, and reading it line by line."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry
from intelligence.assets import unit_of

Row = TypeVar("Row")

_QUOTES = ("USDT", "USDC")
_BROKEN = (ValueError, KeyError, IndexError, msgspec.MsgspecError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`entries` come in the order of their times. `problems`: the lines that were left out, filled while they are read.

    `brings_liquidations`: as long as the file lasts the venue counts as able to report.
    """

    venue: str
    instruments: tuple[Instrument, ...]
    entries: Iterable[Entry]
    brings_liquidations: bool = False
    problems: list[str] = field(default_factory=list)


def lines(path: Path) -> Iterator[str]:
    """Every line, unpacked. Raises OSError, EOFError where a packed file is cut off, UnicodeDecodeError."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            if text := line.strip():
                yield text


def rows(path: Path, read: Callable[[str], Row], problems: list[str], *, header: bool = False) -> Iterator[Row]:
    """What `read` makes of each line; a line that it cannot read is told in `problems` and left out."""
    for number, line in enumerate(lines(path), start=1):
        if header and number == 1:
            continue
        try:
            yield read(line)
        except _BROKEN as error:
            problems.append(f"{path}, line {number}: {type(error).__name__}: {error}")


def columns(path: Path) -> list[str]:
    """The names in the first line."""
    return next(lines(path), "").split(",")


def linear(venue: str, symbol: str) -> Instrument:
    """A dollar-margined contract of Binance or Bybit by its symbol: BTCUSDT, 1000PEPEUSDT."""
    base = next((symbol.removesuffix(quote) for quote in _QUOTES if symbol.endswith(quote)), symbol)
    asset, multiplier = unit_of(base)
    return Instrument(venue=venue, instrument=symbol, asset=asset, multiplier=multiplier)


def epoch_ms(text: str) -> int:
    """Milliseconds UTC of an ISO date and time; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
