"""Splitting frames: whatever the chunk boundaries, the same messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.framing import FrameSplitter, FramingError, Message, Opcode

LIMIT = 1 << 20


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """One unmasked frame as a server sends it."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + bytes([126]) + len(payload).to_bytes(2, "big") + payload
    return head + bytes([127]) + len(payload).to_bytes(8, "big") + payload


def fed(data: bytes, sizes: list[int]) -> list[Message]:
    """Feed `data` in chunks of the given sizes, the rest at once."""
    splitter, messages, at = FrameSplitter(LIMIT), [], 0
    for size in sizes:
        messages += splitter.feed(data[at : at + size])
        at += size
    return messages + splitter.feed(data[at:])


payloads = st.one_of(st.binary(max_size=300), st.integers(60_000, 70_000).map(bytes))


@given(st.lists(payloads, max_size=6), st.lists(st.integers(0, 400), max_size=30))
def test_messages_do_not_depend_on_where_the_reads_fall(bodies: list[bytes], sizes: list[int]) -> None:
    data = b"".join(frame(Opcode.TEXT, body) for body in bodies)

    assert fed(data, sizes) == [Message(Opcode.TEXT, body) for body in bodies]


@given(st.binary(max_size=2000))
def test_any_bytes_give_messages_or_a_framing_error(noise: bytes) -> None:
    splitter = FrameSplitter(LIMIT)

    try:
        messages = splitter.feed(noise)
    except FramingError:
        return
    assert all(isinstance(message.opcode, Opcode) for message in messages)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_length_encoding_is_read(length: int) -> None:
    body = b"x" * length

    assert fed(frame(Opcode.TEXT, body), []) == [Message(Opcode.TEXT, body)]


def test_fragments_are_joined_and_a_ping_between_them_is_given_first() -> None:
    data = (
        frame(Opcode.TEXT, b"one ", final=False)
        + frame(Opcode.PING, b"p")
        + frame(Opcode.CONTINUATION, b"two ", final=False)
        + frame(Opcode.CONTINUATION, b"three")
    )

    assert fed(data, []) == [Message(Opcode.PING, b"p"), Message(Opcode.TEXT, b"one two three")]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xc1\x00", "reserved bits"),
        (b"\x81\x80\x00\x00\x00\x00", "mask"),
        (frame(3, b""), "opcode 3"),
        (frame(Opcode.PING, b"x" * 126), "control frame"),
        (frame(Opcode.PING, b"", final=False), "control frame"),
        (frame(Opcode.CONTINUATION, b"x"), "out of order"),
        (frame(Opcode.TEXT, b"x", final=False) + frame(Opcode.TEXT, b"y"), "out of order"),
        (frame(Opcode.TEXT, bytes(LIMIT + 1)), "limit"),
    ],
)
def test_a_breach_of_the_protocol_is_named(data: bytes, what: str) -> None:
    with pytest.raises(FramingError, match=what):
        FrameSplitter(LIMIT).feed(data)


def test_fragments_that_never_end_are_bounded() -> None:
    splitter = FrameSplitter(1000)
    splitter.feed(frame(Opcode.TEXT, bytes(600), final=False))

    with pytest.raises(FramingError, match="more than 1000 bytes"):
        splitter.feed(frame(Opcode.CONTINUATION, bytes(600), final=False))


def test_an_oversized_frame_is_refused_before_its_payload_arrives() -> None:
    head = frame(Opcode.TEXT, bytes(LIMIT + 1))[:10]

    with pytest.raises(FramingError, match="the limit is"):
        FrameSplitter(LIMIT).feed(head)
