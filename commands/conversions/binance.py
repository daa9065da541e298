"""Binance: forced orders of all symbols as CSV, put back into the frames they were, and the 5-minute open interest."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import Instrument
from actors.recording.entries import Entry, FramesRead, RecordsKept
from commands.conversions.source import Source, linear, rows

VENUE = "binance"
CONNECTION = "binance-market"
_STREAM = "!forceOrder@arr"
_KEPT_SUFFIXES = ("USDT", "USDC", "BUSD")
_STUCK_TEXT = re.compile(r"^.*[a-z\s]")  # of a log line before the first row; symbols have neither


def forced_orders(path: Path) -> Source:
    """Raises what reading a file raises: it is read at once, for its symbols."""
    problems: list[str] = []
    found = list(rows(path, _order, problems))
    symbols = sorted({order["s"] for _, order in found if "_" not in order["s"]})
    return Source(
        venue=VENUE,
        instruments=tuple(linear(VENUE, symbol) for symbol in symbols),
        entries=_frames(found),
        brings_liquidations=True,
        problems=problems,
    )


def _order(line: str) -> tuple[int, dict[str, Any]]:
    """Time and order of one row, with the fields of the venue (exchanges.md 2.6).

    USDT was cut out of most symbols. Where the average price is the word None the fill is not known: sent as 0, so that
    the price of the order stands for it.
    """
    (row,) = csv.reader([line])
    recorded, side, kind, validity, quantity, price, average, status, last, filled, traded = row[:11]
    name, dated, delivery = _STUCK_TEXT.sub("", recorded).partition("_")
    if not name:
        raise ValueError(f"{recorded!r} is no symbol")
    symbol = name + ("" if name.endswith(_KEPT_SUFFIXES) else "USDT") + dated + delivery
    time_ms = int(float(traded))
    return time_ms, {
        "s": symbol,
        "S": side,
        "o": kind,
        "f": validity,
        "q": quantity,
        "p": price,
        "ap": "0" if average == "None" else average,
        "X": status,
        "l": last,
        "z": filled,
        "T": time_ms,
    }


def _frames(orders: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Entry]:
    """In the order of the file: a row that is older than the one before it came late."""
    at_ms = 0
    for time_ms, order in orders:
        at_ms = max(at_ms, time_ms)
        event = {"e": "forceOrder", "E": time_ms, "o": order, "ps": order["s"].partition("_")[0], "st": 1}
        frame = msgspec.json.encode({"stream": _STREAM, "data": event})
        yield FramesRead(at_ms=at_ms, venue=VENUE, connection=CONNECTION, reader=1, frames=(frame,))


def open_interest(path: Path, symbol: str) -> Source:
    """`t,oi,oi_usd` of the venue's daily metrics: coins and USDT every 5 minutes."""
    instrument, problems = linear(VENUE, symbol), list[str]()
    return Source(
        venue=VENUE, instruments=(instrument,), entries=_figures(path, instrument, problems), problems=problems
    )


def _figures(path: Path, instrument: Instrument, problems: list[str]) -> Iterator[Entry]:
    for at_ms, size, usd in rows(path, _figure, problems, header=True):
        figure = records.open_interest(instrument, (at_ms, at_ms), size=size, notional_usd=usd)
        yield RecordsKept(at_ms=at_ms, venue=VENUE, records=(figure,))


def _figure(line: str) -> tuple[int, float, float]:
    at_ms, size, usd = line.split(",")
    return int(at_ms), float(size), float(usd)
