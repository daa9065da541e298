"""Recorded frames and forced orders, read back into what the venue sent and when.

Two kinds of file (gzip or not): raw frames of any venue, one a line (or one over many lines in a `.json`), timed by the
`.recv_ms` file beside them or by their own event time; and the recorded CSV of Binance forced orders, put back into the
frames of the merged all-market stream (exchanges.md 2.6). The CSV's traps: no header; USDT is cut out of the symbol (BTC,
and BTC_250627 for a dated contract) unless it was kept; `ap` may be the word None, sent as "0" because the recording does
not know the fill (`p` then carries the price); text of an earlier log line may stick to the first symbol; later rows have a
thirteenth column.
"""

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simulator.binance import ALL_LIQUIDATIONS
from simulator.clock import Breakpoint
from simulator.listings import BINANCE, VENUES
from simulator.tape_frames import read_frame
from simulator.venue import Frame, compact

LONGEST_PAUSE_MS = 60_000
_KEPT_SUFFIXES = ("USDT", "USDC", "BUSD")
_STUCK_TEXT = re.compile(r"^.*[a-z\s]")


class TapeError(Exception):
    """A tape cannot be used; the text names the file and says why."""


@dataclass(frozen=True, slots=True)
class TapeRecord:
    """`time_ms` never runs backwards within a file: a record older than the one before it is due at once.

    `other_topics`: whose subscribers get the frame when its own has none.
    """

    time_ms: int
    venue: str
    symbols: tuple[str, ...]
    frame: Frame
    other_topics: tuple[str, ...] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.frame.topic, *self.other_topics)

    def frame_for(self, wanted: Callable[[str], bool]) -> Frame:
        topic = next(filter(wanted, self.topics), self.frame.topic)
        return self.frame if topic == self.frame.topic else replace(self.frame, topic=topic)


@dataclass(frozen=True, slots=True)
class Tape:
    """All records in the order they are sent."""

    records: tuple[TapeRecord, ...]

    @property
    def venues(self) -> tuple[str, ...]:
        found = {record.venue for record in self.records}
        return tuple(venue for venue in VENUES if venue in found)

    def symbols(self, venue: str) -> list[str]:
        return sorted({symbol for record in self.records if record.venue == venue for symbol in record.symbols})

    def schedule(self, start_s: float, speed: float, lead_in_s: float) -> "Schedule":
        """Lay the records out in real time from `start_s`: the lead-in, then the tape with long pauses shortened.

        A shortened pause is a jump of market time that lands 1 ms before the next record.
        """
        before_ms = self.records[0].time_ms
        elapsed_ms = lead_in_s * speed * 1000
        points: list[Breakpoint] = [(start_s, before_ms - round(elapsed_ms), speed)]
        due_s = []
        for record in self.records:
            pause_ms = record.time_ms - before_ms
            if pause_ms > LONGEST_PAUSE_MS:
                pause_ms = LONGEST_PAUSE_MS
                points.append((start_s + (elapsed_ms + pause_ms - 1) / 1000 / speed, record.time_ms - 1, speed))
            elapsed_ms += pause_ms
            before_ms = record.time_ms
            due_s.append(start_s + elapsed_ms / 1000 / speed)
        return Schedule(tuple(points), tuple(due_s))


@dataclass(frozen=True, slots=True)
class Schedule:
    """`due_s`: when each record is sent, in monotonic seconds."""

    breakpoints: tuple[Breakpoint, ...]
    due_s: tuple[float, ...]


def read_tapes(arguments: Iterable[str]) -> Tape:
    """Read `VENUE:FILE` arguments; for a CSV the venue may be left out. Raises TapeError."""
    tapes = [_read_one(argument) for argument in arguments]
    records = sorted((record for tape in tapes for record in tape), key=lambda record: record.time_ms)
    if not records:
        raise TapeError("tape: no file holds a market record")
    return Tape(tuple(records))


def _read_one(argument: str) -> list[TapeRecord]:
    venue, colon, name = argument.partition(":")
    if not colon or venue not in VENUES:
        venue, name = "", argument
    path = Path(name)
    if not path.is_file():
        raise TapeError(f"tape {name}: no such file")
    lines = _lines(path)
    if path.name.removesuffix(".gz").endswith(".csv"):
        if venue not in ("", BINANCE):
            raise TapeError(f"tape {name}: a CSV holds forced orders of binance, not of {venue}")
        return _in_order(_csv_record(row) for row in csv.reader(lines) if row)
    if path.name.removesuffix(".gz").endswith(".json"):
        lines = [" ".join(lines)]
    if not venue:
        raise TapeError(f"tape {name}: write VENUE:FILE with one of {', '.join(VENUES)}")
    return _in_order(_frame_records(venue, lines, _receive_times(path)))


def _lines(path: Path) -> list[str]:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    return raw.decode("utf-8").splitlines()


def _receive_times(path: Path) -> list[int] | None:
    beside = path.with_name(path.name.removesuffix(".gz").rpartition(".")[0] + ".recv_ms")
    return [int(float(line)) for line in beside.read_text().split()] if beside.is_file() else None


def _in_order(records: Iterable[TapeRecord]) -> list[TapeRecord]:
    ordered: list[TapeRecord] = []
    for record in records:
        if ordered and record.time_ms < ordered[-1].time_ms:
            ordered.append(replace(record, time_ms=ordered[-1].time_ms))
        else:
            ordered.append(record)
    return ordered


def wire_symbol(recorded: str) -> str:
    """Undo the recorder's `replace("USDT", "")` on a symbol, and cut off text that stuck to it.

    Symbols have no lower-case ASCII letter and no space, but some are not ASCII.
    """
    name, dated, delivery = _STUCK_TEXT.sub("", recorded).partition("_")
    if not name:
        raise TapeError(f"tape: {recorded!r} is no symbol")
    return name + ("" if name.endswith(_KEPT_SUFFIXES) else "USDT") + dated + delivery


def _csv_record(row: Sequence[str]) -> TapeRecord:
    if len(row) < 12:
        raise TapeError(f"tape: expected 12 columns of a forced order, found {len(row)}: {','.join(row)}")
    recorded, side, kind, validity, quantity, price, average, status, last, filled, time = row[:11]
    symbol = wire_symbol(recorded)
    time_ms = int(float(time))
    event = {
        "e": "forceOrder",
        "E": time_ms,
        "o": {
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
        },
        "ps": symbol.partition("_")[0],
        "st": 1,
    }
    return TapeRecord(time_ms, BINANCE, (symbol,), Frame(ALL_LIQUIDATIONS, compact(event)))


def _frame_records(venue: str, lines: Sequence[str], received: Sequence[int] | None) -> Iterable[TapeRecord]:
    """Records of the frames that bring market data. One without any time comes at once after the one before it."""
    before_ms: int | None = None
    for number, line in enumerate(lines):
        try:
            read = read_frame(venue, json.loads(line), line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TapeError(f"tape of {venue}, line {number + 1}: no frame of the venue") from error
        if read is None:
            continue
        time_ms = received[number] if received is not None and number < len(received) else read.time_ms
        before_ms = before_ms if time_ms is None else time_ms
        if before_ms is None:
            raise TapeError(f"tape of {venue}, line {number + 1}: no event time, and no .recv_ms file beside it")
        yield TapeRecord(before_ms, venue, read.symbols, Frame(read.topics[0], read.payload), read.topics[1:])
