"""`run.py decode`: raw frames of a venue -> normalised JSON lines, so that everyone can check what we understand."""

import argparse
import gzip
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

import msgspec

from actors.exchanges.exchange import Decoder, Exchange, FrameError, Instrument, UnknownInstrument
from actors.exchanges.registry import EXCHANGES
from intelligence.market import Control, Decoded

_OK, _MALFORMED, _USAGE = 0, 1, 64
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")

_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print what the frames of a venue mean, one JSON record a line; problems go to stderr with their line. "
        "Exit 0 if every line was understood, 1 if any was malformed."
    )
    parser.add_argument("venue", metavar="VENUE", help=" or ".join(EXCHANGES))
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="frames, one a line, or .gz; default: stdin")
    parser.add_argument(
        "--instruments",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="the venue's REST reply that lists its instruments (or .gz); again, or one reply a line, for more pages",
    )
    parser.add_argument(
        "--received-ms",
        metavar="N",
        type=int,
        help="the time of receipt of every frame; default: the event's own time, so that the output never varies "
        "(an event without a time of its own, as Hyperliquid's contexts, then has the latest before it, at first 0)",
    )


def run(args: argparse.Namespace) -> int:
    try:
        return _run(args)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OK


def _run(args: argparse.Namespace) -> int:
    exchange = EXCHANGES.get(args.venue)
    if exchange is None:
        return _misused(f"decode: expected a venue ({', '.join(EXCHANGES)}), was {args.venue!r}")
    try:
        instruments = _instruments(exchange, args.instruments)
    except (FrameError, OSError, *_DAMAGED) as error:
        return _misused(f"decode: the list of instruments cannot be read: {error}")
    try:
        with _opened(args.file) as lines:
            return _decode(lines, exchange, exchange.decoder(instruments), args.received_ms)
    except BrokenPipeError:
        raise
    except _DAMAGED as error:
        _complain(f"decode: {args.file} cannot be read to its end: {error}")
        return _MALFORMED
    except OSError as error:
        return _misused(f"decode: {args.file or 'stdin'} cannot be read: {error}")


def _decode(lines: Iterable[bytes], exchange: Exchange, decoder: Decoder, received_ms: int | None) -> int:
    malformed = total = 0
    latest_ms = 0
    for number, line in _documents(lines):
        frame = line.removeprefix(_BOM).strip()
        if not frame:
            continue
        total += 1
        try:
            decoded = decoder.decode(frame, latest_ms if received_ms is None else received_ms)
        except FrameError as error:
            malformed += 1
            decoded = error.decoded
            _complain(f"line {number}: {error}{_advice(error, exchange)}")
        if received_ms is None:
            decoded = tuple(_received_when_it_happened(record) for record in decoded)
            latest_ms = max([latest_ms, *(record.received_ms for record in decoded)])
        _print(decoded)
    if malformed:
        _complain(f"{malformed} of {total} lines were not understood or only in part")
    return _MALFORMED if malformed else _OK


def _documents(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give each line with its number, and a document that is printed over several lines as one, by its first.

    Such a document begins with a lone bracket, is indented, and ends with a lone bracket at the margin.
    """
    pending: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        text = line.rstrip()
        if pending:
            pending.append(line)
            if text in _CLOSING:
                yield number - len(pending) + 1, b"".join(pending)
                pending = []
            elif text and not text.startswith((b" ", b"\t")):  # no document after all
                yield from enumerate(pending, start=number - len(pending) + 1)
                pending = []
        elif text.removeprefix(_BOM) in _OPENING:
            pending = [line]
        else:
            yield number, line
    if pending:
        yield number - len(pending) + 1, b"".join(pending)


def _received_when_it_happened(record: Decoded) -> Decoded:
    """Give an event its own time as the time of receipt; a control keeps the latest time seen before it, at first 0."""
    if isinstance(record, Control):
        return record
    return msgspec.structs.replace(record, received_ms=record.exchange_ms)


def _instruments(exchange: Exchange, files: Iterable[Path]) -> dict[str, Instrument]:
    """Read every page of every file. Raises FrameError, and what opening and unpacking raise."""
    found: dict[str, Instrument] = {}
    for file in files:
        with _opened(file) as lines:
            content = b"".join(lines).removeprefix(_BOM)
        try:
            pages = [exchange.read_instruments(content)]
        except FrameError as whole:
            pieces = [line for line in content.splitlines() if line.strip()]
            if len(pieces) < 2:
                raise
            try:
                pages = [exchange.read_instruments(line) for line in pieces]
            except FrameError:
                raise whole from None
        found.update((one.instrument, one) for page in pages for one in page.instruments)
    return found


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO | gzip.GzipFile]:
    if file is None:
        yield sys.stdin.buffer
        return
    with file.open("rb") as plain:
        if plain.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
            with gzip.GzipFile(fileobj=plain) as unpacked:
                yield unpacked
        else:
            yield plain


def _advice(error: FrameError, exchange: Exchange) -> str:
    if not isinstance(error, UnknownInstrument):
        return ""
    call = exchange.instruments_call()
    asked = f"{call.path}?{urlencode(call.params)}" if call.params else call.path
    sent = f" with the body {call.body.decode()}" if call.body else ""
    return f"; save the reply of {call.method} {asked}{sent} and name it with --instruments"


def _print(decoded: Iterable[Decoded]) -> None:
    """Write at once: whoever follows a live stream wants to see each line when it comes."""
    sys.stdout.buffer.write(b"".join(msgspec.json.encode(record) + b"\n" for record in decoded))
    sys.stdout.buffer.flush()


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


def _misused(text: str) -> int:
    _complain(text)
    return _USAGE
