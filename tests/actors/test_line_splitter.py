"""Frames as lines in the buffer they were read into: the same text and messages as the plain splitter gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import line_splitter
from actors.framing import FrameSplitter, FramingError, Opcode
from actors.line_splitter import LineSplitter
from tests.feed_stand.server import frame

LIMIT = 1 << 17
SMALL = 64  # a buffer that must grow

payloads = st.one_of(
    st.text("abc{}:", min_size=1, max_size=300).map(str.encode), st.integers(65_000, 66_000).map(lambda n: b"x" * n)
)
wholes = st.tuples(st.just(Opcode.TEXT), payloads, st.just(1))
controls = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125), st.just(1))
binaries = st.tuples(st.just(Opcode.BINARY), st.binary(max_size=300), st.just(1))
in_parts = st.tuples(st.just(Opcode.TEXT), payloads, st.integers(2, 4))
streams = st.lists(st.one_of(wholes, wholes, controls, binaries, in_parts), max_size=8)


def on_the_wire(opcode, payload, parts):
    """One message in so many frames."""
    size = len(payload) // parts + 1
    pieces = [payload[at : at + size] for at in range(0, size * parts, size)]
    return b"".join(
        frame(opcode if number == 0 else 0, piece, final=number == parts - 1) for number, piece in enumerate(pieces)
    )


def read(splitter, data, sizes):
    """Put data into the splitter's room by reads of the given sizes, then the rest; return lines, messages, breach."""
    texts, messages, frames = [], [], 0
    data, sizes = memoryview(data), iter([*sizes])
    while data:
        room = splitter.room()
        some = min(len(data), len(room), max(1, next(sizes, 1 << 30)))
        room[:some] = data[:some]
        splitter.held += some
        data = data[some:]
        lines = splitter.lines()
        texts += [line.strip() for line in bytes(lines.text).split(b"\n") if line.strip()]
        messages += lines.messages
        frames += lines.frames
        if lines.breach:
            return texts, messages, frames, lines.breach
    return texts, messages, frames, None


@given(streams, st.lists(st.integers(1, 400), max_size=30))
def test_lines_and_messages_do_not_depend_on_where_the_reads_fall(stream, sizes):
    data = b"".join(on_the_wire(*message) for message in stream)

    texts, messages, frames, breach = read(LineSplitter(LIMIT), data, sizes)

    plain = FrameSplitter(LIMIT).feed(data)
    whole = [payload for opcode, payload, parts in stream if opcode is Opcode.TEXT and parts == 1]
    assert breach is None
    assert (texts, frames) == (whole, len(whole))
    assert sorted([*messages, *((Opcode.TEXT, text) for text in texts)]) == sorted(plain)


@given(st.binary(max_size=200), st.lists(st.integers(1, 30), max_size=10))
def test_any_bytes_are_judged_as_the_plain_splitter_judges_them(noise, sizes):
    breach = read(LineSplitter(LIMIT), noise, sizes)[3]

    assert str(breach) == str(breach_of(FrameSplitter(LIMIT), noise))


def breach_of(splitter, data):
    try:
        splitter.feed(data)
    except FramingError as error:
        return error
    return None


def test_a_frame_larger_than_the_buffer_makes_it_grow(monkeypatch):
    monkeypatch.setattr(line_splitter, "READ_BYTES", SMALL)
    data = frame(1, b"a" * 1_000) + frame(1, b"b" * 10)

    assert read(LineSplitter(LIMIT), data, [])[0] == [b"a" * 1_000, b"b" * 10]


def test_a_buffer_that_reads_fill_doubles_up_to_its_bound(monkeypatch):
    monkeypatch.setattr(line_splitter, "READ_BYTES", SMALL)
    monkeypatch.setattr(line_splitter, "MOST_BYTES", 4 * SMALL)
    splitter, sizes = LineSplitter(LIMIT), []

    for _ in range(5):
        room = splitter.room()
        sizes.append(len(room))
        room[:] = frame(1, b"") * (len(room) // 2)
        splitter.held += len(room)
        assert splitter.lines().frames == len(room) // 2

    assert sizes == [SMALL, 2 * SMALL, 4 * SMALL, 4 * SMALL, 4 * SMALL]


@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 40])
def test_what_came_before_a_breach_is_given_with_it(size):
    texts, messages, _, breach = read(
        LineSplitter(LIMIT), frame(1, b"{}") + frame(9, b"p") + b"\x81\x7f" + size.to_bytes(8, "big"), []
    )

    assert (texts, messages) == ([b"{}"], [(Opcode.PING, b"p")])
    assert "limit" in str(breach)
