"""Whatever bytes come, a decoder answers with records or with FrameError, and never with a number that is none."""

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exchanges.exchange import FrameError
from actors.exchanges.registry import EXCHANGES
from intelligence.market import Control
from tests.actors.exchanges.frames import INSTRUMENTS, RECEIVED_MS, VALID, encoded

VENUES = sorted(VALID)

an_odd_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["NaN", "inf", "-Infinity", "1e999", "1e-400", "0", "-1", "null", "", "9" * 40, "0x1"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["s", "e", "instId", "ts"]), st.integers(), max_size=2),
)


def survives(venue, frame):
    decoder = EXCHANGES[venue].decoder(INSTRUMENTS[venue])
    try:
        decoded = decoder.decode(frame, RECEIVED_MS)
    except FrameError as error:
        assert error.args[0]  # noqa: PT017  # a text beside whatever was read
        decoded = error.decoded
    for record in decoded:
        read_back = json.loads(msgspec.json.encode(record))
        numbers = [value for value in read_back.values() if isinstance(value, int | float)]
        assert all(map(math.isfinite, numbers))
        if not isinstance(record, Control):
            assert record.exchange_ms > 1_400_000_000_000
            assert getattr(record, "price", 1) > 0


def places_in(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places_in(child, (*path, key))


def with_changed(value, path, replacement):
    if not path:
        return replacement
    copy = value.copy()
    copy[path[0]] = with_changed(value[path[0]], path[1:], replacement)
    return copy


@pytest.mark.parametrize("venue", VENUES)
@given(noise=st.binary(max_size=200))
def test_noise_is_a_frame_error_or_nothing_worse(venue, noise):
    survives(venue, noise)


@pytest.mark.parametrize("venue", VENUES)
@given(data=st.data())
def test_a_frame_cut_anywhere_is_a_frame_error(venue, data):
    frame = encoded(data.draw(st.sampled_from(VALID[venue])))
    cut = data.draw(st.integers(0, len(frame) - 1))

    with pytest.raises(FrameError):
        EXCHANGES[venue].decoder(INSTRUMENTS[venue]).decode(frame[:cut], RECEIVED_MS)


@pytest.mark.parametrize("venue", VENUES)
@given(data=st.data())
def test_a_frame_with_flipped_bytes_never_raises_anything_else(venue, data):
    frame = bytearray(encoded(data.draw(st.sampled_from(VALID[venue]))))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    survives(venue, bytes(frame))


@pytest.mark.parametrize("venue", VENUES)
@settings(max_examples=400)
@given(data=st.data())
def test_a_frame_with_one_value_of_another_type_never_raises_anything_else(venue, data):
    frame = data.draw(st.sampled_from(VALID[venue]))
    place = data.draw(st.sampled_from(list(places_in(frame))))

    survives(venue, encoded(with_changed(frame, place, data.draw(an_odd_value))))


@pytest.mark.parametrize("venue", VENUES)
def test_thousands_of_open_brackets_are_a_frame_error(venue):
    for opening in (b"[", b'{"data":', b'{"data":[', b'{"arg":'):
        with pytest.raises(FrameError):
            EXCHANGES[venue].decoder({}).decode(opening * 100_000, RECEIVED_MS)


@pytest.mark.parametrize("venue", VENUES)
def test_a_memoryview_is_read_like_bytes(venue):
    for frame in map(encoded, VALID[venue]):
        new_decoder = EXCHANGES[venue].decoder

        of_bytes = new_decoder(INSTRUMENTS[venue]).decode(frame, RECEIVED_MS)
        of_view = new_decoder(INSTRUMENTS[venue]).decode(memoryview(frame), RECEIVED_MS)

        assert of_view == of_bytes
