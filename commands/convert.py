"""Recordings of others, put into the format that `run.py replay` reads (docs/recordings.md lists the kinds).

Files may be packed (.gz). What a file is follows from its name, and the venue from the name of its folder or from VENUE:
before it.
"""

import argparse
import heapq
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.exchanges.exchange import Feed
from actors.exchanges.registry import EXCHANGES
from actors.recording.entries import Entry, Header, InstrumentsKnown, SocketMarked, VenuePlanned
from actors.recording.files import RecordingWriter
from commands import UsageError
from commands.conversions import binance, hyperliquid, klines, okx
from commands.conversions.source import Source

BEFORE_MS = 1_000  # the venue comes up so long before its first event
SHOWN_PROBLEMS = 5
EX_MALFORMED = 1

_ORDERS = re.compile(r".*_all_symbols\.csv")
_TICKS = re.compile(r"(?P<kind>trades|ctx)_(?P<coin>\w+)_\d{8}\.jsonl")
_KLINES = re.compile(r"kline_(?P<minutes>\d+)m_(?P<symbol>[A-Z0-9]+)(_.*)?\.csv")
_FIGURES = re.compile(r"oi_5m_(?P<symbol>[A-Z0-9]+)(_.*)?\.csv")
_LIQUIDATIONS = re.compile(r"liquidations_.*\.csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="[VENUE:]FILE")
    parser.add_argument("--out", type=Path, required=True, help="the recording to write; never written over")


def run(args: argparse.Namespace) -> int:
    try:
        sources = [source(name) for name in args.files]
        count = write(args.out, sources)
    except FileExistsError:
        raise UsageError(f"{args.out} is there already") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read or written: {error}") from None
    problems = [problem for one in sources for problem in one.problems]
    for problem in problems[:SHOWN_PROBLEMS]:
        print(problem, file=sys.stderr)
    print(f"{args.out}: {count} entries of {len(sources)} files, {len(problems)} lines left out", file=sys.stderr)
    return EX_MALFORMED if problems else 0


def source(name: str) -> Source:
    """Recognise a file by its name. Raises UsageError, OSError."""
    prefix, colon, rest = name.partition(":")
    named = prefix if colon and prefix in EXCHANGES else ""
    path = Path(rest if named else name)
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    base = path.name.removesuffix(".gz")
    venue = named or next((part for part in reversed(path.resolve().parts) if part in EXCHANGES), "")
    if _ORDERS.fullmatch(base) and venue in {"", binance.VENUE}:
        return binance.forced_orders(path)
    if (ticks := _TICKS.fullmatch(base)) and venue in {"", hyperliquid.VENUE}:
        read = hyperliquid.trades if ticks["kind"] == "trades" else hyperliquid.contexts
        return read(path, ticks["coin"])
    if (figures := _FIGURES.fullmatch(base)) and venue in {"", binance.VENUE}:
        return binance.open_interest(path, figures["symbol"])
    if (bars := _KLINES.fullmatch(base)) and venue in {"binance", "bybit"}:
        return klines.klines(path, venue, bars["symbol"], int(bars["minutes"]))
    if _LIQUIDATIONS.fullmatch(base) and venue == okx.VENUE:
        return okx.liquidations(path)
    raise UsageError(f"{path}: no kind of file that can be converted; docs/recordings.md lists them")


def write(out: Path, sources: Sequence[Source]) -> int:
    """Merge the sources by time into one recording; returns how many entries it has. Raises OSError."""
    merged = heapq.merge(*(one.entries for one in sources), key=lambda entry: entry.at_ms)
    first = next(merged, None)
    if first is None:
        raise UsageError("there is nothing in these files")
    venues = tuple(sorted({one.venue for one in sources}))
    begin_ms = first.at_ms - BEFORE_MS
    reporting = {one.venue for one in sources if one.brings_liquidations}
    silent = tuple(venue for venue in venues if venue not in reporting)
    writer = RecordingWriter(out, Header(market="converted", created_ms=begin_ms, venues=venues, silent=silent))
    count, at_ms = 0, begin_ms
    try:
        for entry in _all(_beginning(begin_ms, sources), first, merged):
            writer.write(entry)
            count, at_ms = count + 1, entry.at_ms
    except BaseException:
        writer.close()
        raise
    writer.finish(at_ms)
    return count


def _all(beginning: Iterator[Entry], first: Entry, rest: Iterator[Entry]) -> Iterator[Entry]:
    yield from beginning
    yield first
    yield from rest


def _beginning(at_ms: int, sources: Sequence[Source]) -> Iterator[Entry]:
    """What a replay has to know first: the instruments, and which venues are able to report liquidations."""
    for venue in sorted({one.venue for one in sources}):
        listed = {item.instrument: item for one in sources if one.venue == venue for item in one.instruments}
        yield InstrumentsKnown(at_ms=at_ms, venue=venue, instruments=tuple(listed[name] for name in sorted(listed)))
        connection = f"{venue}-market"
        if any(one.brings_liquidations for one in sources if one.venue == venue):
            yield VenuePlanned(at_ms=at_ms, venue=venue, connections=(connection,))
            yield SocketMarked(
                at_ms=at_ms,
                venue=venue,
                connection=connection,
                state="up",
                feeds=frozenset({Feed.LIQUIDATIONS}),
                brings_liquidations=True,
                assets=tuple(sorted({item.asset for item in listed.values()})),
            )
