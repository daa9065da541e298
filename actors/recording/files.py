"""One recording as a file. The only importer of zstandard.

The file is valid zstd throughout: a skippable frame that holds the header as JSON, then one compressed frame of entries,
each a length (four bytes, little-endian) and a MessagePack array. `flush` ends a block, so whatever was written before
it can be read although the file was never closed. docs/recordings.md tells it to people who read the files elsewhere.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
import zstandard

from actors.recording.entries import SCHEMA, Entry, Finished, Header

SUFFIX = ".rec.zst"
_SKIPPABLE = 0x184D2A50  # RFC 8878, 3.1.2
_HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
_LARGEST_HEADER = 64 * 1024
_LARGEST_ENTRY = 128 * 1024 * 1024  # an answer of a venue is at most 64 MiB (settings, rest.max_bytes)
_READ_BYTES = 64 * 1024  # small, so that the position in the file tells how far a reader has come
_LEVEL = 3  # zstd's own default: 5 to 10 times smaller at some 200 MB a second

_ENCODER = msgspec.msgpack.Encoder()
_ENTRY = msgspec.msgpack.Decoder(Entry)
_HEADER = msgspec.json.Decoder(Header)


class RecordingError(Exception):
    """A file is no recording that can be used; the text names it and says why."""


class RecordingWriter:
    """Writes one new file. Every method but `close` raises OSError when the disk does not take it."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._file = path.open("xb")
        head = msgspec.json.encode(header)
        self._file.write(_HEAD.pack(_SKIPPABLE, len(head)) + head)
        # Its own close would close the file without telling of an error.
        self._stream = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(
            self._file, closefd=False
        )
        self.flush()

    def write(self, entry: Entry) -> None:
        packed = _ENCODER.encode(entry)
        self._stream.write(_LENGTH.pack(len(packed)) + packed)

    def flush(self) -> None:
        """Make everything so far readable, by whoever opens the file now or after our death."""
        self._stream.flush(zstandard.FLUSH_BLOCK)
        self._file.flush()

    @property
    def size(self) -> int:
        """Bytes on disk; what waits for the next `flush` is not counted."""
        return self._file.tell()

    def finish(self, at_ms: int) -> None:
        """Write the end and close. Raises OSError."""
        try:
            self.write(Finished(at_ms=at_ms, venue=""))
            self._stream.flush(zstandard.FLUSH_FRAME)
        finally:
            self._file.close()

    def close(self) -> None:
        """Close without an end, after an error."""
        self._file.close()


class RecordingReader:
    """Reads one file from its start; `entries` may be used once. `torn` then says why it ended early, or nothing."""

    def __init__(self, path: Path) -> None:
        """Raises RecordingError."""
        self.path = path
        self.torn = ""
        try:
            self.size = path.stat().st_size
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from None
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def position(self) -> int:
        """Bytes of the file that have been read."""
        return self._file.tell()

    def entries(self) -> Iterator[Entry]:
        """Everything up to the end, or up to where the file is torn."""
        buffer = bytearray()
        source = zstandard.ZstdDecompressor().stream_reader(self._file, read_size=_READ_BYTES, closefd=False)
        while True:
            try:
                some = source.read(_READ_BYTES)
            except zstandard.ZstdError as error:
                self.torn = f"damaged at byte {self.position} of {self.size} ({error})"
                return
            except OSError as error:
                self.torn = f"unreadable at byte {self.position} of {self.size} ({error.strerror})"
                return
            if not some:
                self.torn = "never closed, as after a kill"
                return
            buffer += some
            for entry in self._whole(buffer):
                if isinstance(entry, Finished):
                    return
                yield entry
            if self.torn:
                return

    def _whole(self, buffer: bytearray) -> Iterator[Entry]:
        """Take the entries that are whole by now from the front of a buffer."""
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if length > _LARGEST_ENTRY:
                self.torn = f"damaged before byte {self.position}: an entry of {length} bytes"
                break
            if end > len(buffer):
                break
            try:
                entry = _ENTRY.decode(buffer[start + _LENGTH.size : end])
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                self.torn = f"damaged before byte {self.position}: {error}"
                break
            start = end
            yield entry
        del buffer[:start]

    def _read_header(self) -> Header:
        head = self._file.read(_HEAD.size)
        magic, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
        if magic != _SKIPPABLE or length > _LARGEST_HEADER:
            raise RecordingError(
                f"{self.path}: no recording of Foreshock; what others have recorded is converted first, see "
                "`run.py convert --help`"
            )
        raw = self._file.read(length)
        try:
            schema = msgspec.json.decode(raw, type=_Schema).schema
            if schema > SCHEMA:
                raise RecordingError(
                    f"{self.path}: written by a newer Foreshock (schema {schema}, this one reads up to {SCHEMA})"
                )
            return _HEADER.decode(raw)
        except msgspec.MsgspecError as error:
            raise RecordingError(f"{self.path}: the header is damaged: {error}") from None


class _Schema(msgspec.Struct):
    """The part of a header that every version understands."""

    schema: int
