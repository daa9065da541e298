import msgspec
import pytest
import zstandard

from actors.exchanges.exchange import Instrument
from actors.recording.entries import SCHEMA, HistoryKept, InstrumentsKnown, RecordsKept, TradesKept
from actors.recording.files import RecordingError, RecordingReader, RecordingWriter
from intelligence.history import OpenInterestSpan
from intelligence.market import MarkPrice, OpenInterest
from tests.actors.recording.builders import T0, a_header, frames, listed, mark, planned, read

MARK = MarkPrice(venue="hyperliquid", instrument="BTC", asset="BTC", exchange_ms=T0, received_ms=T0, price=60_000.5)
INTEREST = OpenInterest(
    venue="hyperliquid", instrument="BTC", asset="BTC", exchange_ms=T0, received_ms=T0, quantity=3.5, notional_usd=None
)
SPAN = OpenInterestSpan(
    venue="hyperliquid", instrument="BTC", from_ms=T0 - 300_000, until_ms=T0, received_ms=T0, rows=(INTEREST,)
)
ENTRIES = [
    listed(b'{"symbols":[]}'),
    InstrumentsKnown(
        at_ms=T0, venue="okx", instruments=(Instrument(venue="okx", instrument="A", asset="A", multiplier=1000.0),)
    ),
    planned("binance-market"),
    mark("up", repeats_s=float("inf"), reason="why"),
    frames('{"e":"forceOrder"}', "not JSON \n at all"),
    RecordsKept(at_ms=T0, venue="hyperliquid", records=(MARK, INTEREST)),
    HistoryKept(at_ms=T0, venue="hyperliquid", asset="BTC", points=SPAN),
    TradesKept(at_ms=T0, venue="okx", instrument="A", times_ms=[T0, T0 + 1], prices=[1.5, 2.0], coins=[1.0, -2.0]),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.rec.zst"


def written(path, *entries, finish=True):
    writer = RecordingWriter(path, a_header())
    for entry in entries:
        writer.write(entry)
    writer.flush()
    if finish:
        writer.finish(T0)
    else:
        writer.close()
    return path


def test_what_is_written_is_read(path):
    assert read(written(path, *ENTRIES)) == (ENTRIES, "")


def test_the_header_tells_market_and_venues(path):
    with RecordingReader(written(path)) as reader:
        assert reader.header == a_header()


def test_any_zstd_tool_can_unpack_it(path):
    raw = written(path, frames("hello")).read_bytes()

    with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as unpacked:
        assert b"hello" in unpacked.read()


def test_what_was_flushed_before_a_kill_is_read(path):
    entries, torn = read(written(path, *ENTRIES, finish=False))

    assert entries == ENTRIES
    assert "never closed" in torn


def test_a_file_cut_anywhere_is_read_up_to_the_cut(path):
    many = [frames("x" * 50 + str(number), at=number) for number in range(200)]
    whole = written(path, *many, finish=False).read_bytes()
    counts = []
    for length in range(len(whole) // 2, len(whole), 97):
        path.write_bytes(whole[:length])
        entries, torn = read(path)
        assert entries == many[: len(entries)]
        assert torn
        counts.append(len(entries))

    assert counts == sorted(counts)


def test_a_damaged_byte_ends_the_reading_with_a_word(path):
    many = [frames(f"{number * 7919}", at=number) for number in range(2_000)]
    whole = bytearray(written(path, *many).read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)

    entries, torn = read(path)

    assert entries == many[: len(entries)]
    assert "damaged" in torn


def test_a_newer_schema_is_named(path):
    raw = msgspec.json.encode({"schema": SCHEMA + 1, "whatever": "else"})
    path.write_bytes((0x184D2A50).to_bytes(4, "little") + len(raw).to_bytes(4, "little") + raw)

    with pytest.raises(RecordingError, match=rf"newer Foreshock \(schema {SCHEMA + 1}"):
        RecordingReader(path)


@pytest.mark.parametrize("content", [b"", b"timestamp,open\n1,2\n", b"\x28\xb5\x2f\xfd rest"])
def test_another_kind_of_file_is_named_and_the_way_told(path, content):
    path.write_bytes(content)

    with pytest.raises(RecordingError, match=r"no recording of Foreshock.*convert"):
        RecordingReader(path)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(RecordingError, match=r"one\.rec\.zst: No such file"):
        RecordingReader(path)


def test_a_file_is_never_written_over(path):
    written(path)

    with pytest.raises(FileExistsError):
        RecordingWriter(path, a_header())
